"""What a run shows while it goes on."""

from __future__ import annotations

import errno
import io

from limner.training.presets import PRESETS
from limner.training.progress import summary, watch

TINY = PRESETS["tiny"].config
LINE = {"update": 5, "frames": 120, "minutes": 0.5, "policy/entropy": 7.514, "critic/gap": -0.25}
EVALUATION = {"update": 10, "frames": 240, "minutes": 1.0} | {
    f"eval/{name}": value
    for name, value in {"frechet": 66.54, "precision": 0.462, "coverage": 0.21, "entropy": 2.19}.items()
}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_plain_lines_are_few_and_hold_every_evaluation() -> None:
    stream = io.StringIO()
    with watch(TINY, stream) as report:
        for record in (LINE, LINE, EVALUATION, LINE, EVALUATION):
            report(record)
    assert stream.getvalue().splitlines() == [
        " 50%  120 frames, 0.5 min, 4 frames/s, entropy 7.51, gap -0.25",
        "100%  240 frames, 1.0 min: frechet 66.5, precision 0.462, coverage 0.21, entropy 2.19",
        "100%  240 frames, 1.0 min: frechet 66.5, precision 0.462, coverage 0.21, entropy 2.19",
    ]


def test_lines_that_cannot_be_written_stop_nothing() -> None:
    class Unread(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    with watch(TINY, Unread()) as report:
        report(LINE)
        report(EVALUATION)


def test_a_terminal_shows_a_bar() -> None:
    stream = Terminal()
    with watch(TINY, stream) as report:
        report(LINE)
        report(EVALUATION)
    text = stream.getvalue()
    assert "frechet 66.5" in text
    assert "50%" in text


def test_the_first_line_has_no_speed_yet() -> None:
    assert summary(LINE | {"minutes": 0.0}).startswith("120 frames, 0.0 min, entropy")


def test_the_error_of_drawings_of_targets_is_shown():
    record = {"update": 10, "frames": 240, "minutes": 1.0, "eval/mse": 0.0312, "eval/seconds": 2.0}
    assert summary(record) == "240 frames, 1.0 min: mse 0.0312"
    line = {"update": 10, "frames": 240, "minutes": 1.0, "search/distance": 0.025, "policy/entropy": 9.0}
    assert summary(line).endswith("entropy 9, found 0.025")
