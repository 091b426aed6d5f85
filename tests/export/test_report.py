"""The report of a run."""

from __future__ import annotations

import base64
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from limner.export.curves import COLOURS
from limner.export.picture import png, sheet
from limner.export.report import DRAWING_SIZE, report
from limner.programs.execution import execute, frames
from limner.programs.program import Program, save_programs
from limner.worlds import make_renderer

TOY = make_renderer({"name": "toy"})


class Page(HTMLParser):
    """Collects elements and addresses; complains about tags that do not match."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attributes)))
        if tag not in ("meta", "img", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag != "meta":
            assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attributes)))

    def find(self, tag: str, style: str = "") -> list[dict[str, str | None]]:
        return [found for name, found in self.elements if name == tag and style in (found.get("class") or "")]


def data(picture: dict[str, str | None]) -> bytes:
    """The bytes of an embedded picture."""
    return base64.b64decode((picture["src"] or "").partition(",")[2])


@pytest.fixture
def run(tmp_path: Path) -> Path:
    programs = [
        Program(TOY.settings(), TOY.actions.sample(np.random.default_rng(i), 3), i, title="<b>&\"'") for i in range(3)
    ]
    save_programs(tmp_path / "programs.jsonl", programs)
    (tmp_path / "sheet.png").write_bytes(png(sheet(np.stack([execute(program) for program in programs]))))
    log = [{"frames": 1000 * i, "minutes": i / 10, "eval/frechet": 90.0 - i, "eval/coverage": 0.5} for i in range(1, 4)]
    (tmp_path / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in log))
    (tmp_path / "reference.json").write_text('{"real": {"frechet": 30.25}, "random": {"frechet": 140}}')
    (tmp_path / "config.json").write_text('{"seed": 3, "data": "</script><i>"}')
    return tmp_path


def test_everything_is_in_one_file(run: Path) -> None:
    text = report(run)
    page = Page(text)
    addresses = [v for _, a in page.elements for k, v in a.items() if k in ("src", "href") and v]
    assert addresses
    assert all(address.startswith("data:") for address in addresses)
    assert "http" not in text
    picture, *curves = page.find("img")
    assert data(picture) == (run / "sheet.png").read_bytes()
    assert [picture["alt"] for picture in curves] == ["Learning curves by frames", "Learning curves by minutes"]
    assert re.search(r"The agent at 3,000 frames</td><td>87\.0</td><td>–</td><td>0\.500</td>", text)
    assert "Real pictures</td><td>30.2" in text
    assert "3,000 frames · 0.3 minutes" in text


def test_figures_of_few_pictures_come_with_the_sampling_error(run: Path) -> None:
    texts = []
    for count in (20, 1000):
        real = {"frechet": 30.25, "pictures": count, "borrowed": 14}
        (run / "reference.json").write_text(json.dumps({"real": real, "random": {"frechet": 140}}))
        texts.append(report(run))
    said = (
        "There are few pictures: figures are of 20 drawings against 20 real pictures, 14 of which are training pictures"
    )
    assert [said in text for text in texts] == [True, False]
    assert "few pictures" not in texts[1]


@pytest.fixture
def conditional(tmp_path: Path) -> Path:
    """What a run with targets leaves."""
    log = [
        {"frames": 24, "minutes": 0.1, "search/distance": 0.07, "policy/nll": 9.0},
        {"frames": 24, "minutes": 0.1, "eval/mse": 0.09, "eval/seconds": 2.0},
        {"frames": 4800, "minutes": 0.2, "search/distance": 0.02, "policy/nll": 5.0},
        {"frames": 4800, "minutes": 0.2, "eval/mse": 0.03456, "eval/seconds": 2.0},
    ]
    (tmp_path / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in log))
    (tmp_path / "reference.json").write_text('{"empty": {"mse": 0.10234}}')
    return tmp_path


def test_an_agent_with_targets_stands_beside_the_empty_canvas(conditional: Path) -> None:
    text = report(conditional)
    Page(text)
    (table,) = re.findall(r"(?s)<table>.*</table>", text)
    assert re.findall(r"<th>([^<]*)</th>", table) == ["", "Mean squared error"]
    rows = re.findall(r"<tr class=\"(\w+)\"><td>(.*?)</td><td>(.*?)</td></tr>", table)
    assert rows == [("drawn", "The agent at 4,800 frames", "0.0346"), ("empty", "An empty canvas", "0.1023")]
    assert "classifier" not in text
    assert "without search" in text


def test_one_of_both_is_enough_for_a_table(conditional: Path) -> None:
    (conditional / "log.jsonl").unlink()
    assert re.findall(r"<td>([^<]*)</td>", report(conditional)) == ["An empty canvas", "0.1023"]
    (conditional / "reference.json").write_text("{}")
    assert "<table>" not in report(conditional)
    (conditional / "log.jsonl").write_text('{"frames": 24, "eval/mse": 0.09}\n')
    assert re.findall(r"<td>([^<]*)</td>", report(conditional)) == ["The agent at 24 frames", "0.0900"]
    (conditional / "log.jsonl").write_text('{"frames": 24, "eval/mse": NaN}\n')
    assert re.findall(r"<td>([^<]*)</td>", report(conditional)) == ["The agent at 24 frames", "–"]


def test_the_curves_of_an_agent_with_targets(conditional: Path) -> None:
    curves = Page(report(conditional)).find("img", "curves")
    assert len(curves) == 2
    for picture in curves:
        text = data(picture).decode()
        for title in (
            "Mean squared error",
            "Error of the programs that search finds",
            "Negative log-likelihood of the expert (nats)",
        ):
            assert text.count(f">{title}</text>") == 1
        assert text.count(">empty</text>") == 1
        assert COLOURS["empty"] in text


def test_pairs_are_shown(conditional: Path) -> None:
    (conditional / "pairs.png").write_bytes(png(np.zeros((4, 4, 1), np.uint8)))
    page = Page(report(conditional))
    picture, *_ = page.find("img")
    assert "Left of each pair" in (picture["alt"] or "")


def test_drawings_can_be_scrubbed(run: Path) -> None:
    page = Page(report(run))
    drawings = page.find("figure", "drawing")
    assert len(drawings) == 3
    program = Program(TOY.settings(), TOY.actions.sample(np.random.default_rng(1), 3))
    strip = Image.open(io.BytesIO(base64.b64decode((drawings[1]["data-strip"] or "").partition(",")[2])))
    pictures = np.asarray(strip).reshape(4, DRAWING_SIZE, DRAWING_SIZE, 1)
    assert np.array_equal(pictures, frames(program, DRAWING_SIZE))
    assert len(json.loads(drawings[1]["data-rows"] or "")) == 4
    sliders = [a for a in page.find("input") if a["type"] == "range"]
    assert [a["max"] for a in sliders] == ["3"] * 3


def test_texts_are_escaped(run: Path) -> None:
    text = report(run)
    assert "<b>" not in text
    assert "<i>" not in text
    assert text.count("</script>") == 1


def test_what_is_missing_is_left_out(tmp_path: Path) -> None:
    page = Page(report(tmp_path))
    assert page.find("h1")
    assert not page.find("h2")


@pytest.mark.parametrize("name", ["log.jsonl", "reference.json", "config.json", "programs.jsonl"])
def test_damaged_files_are_named(run: Path, name: str) -> None:
    (run / name).write_text("{\n")
    with pytest.raises(ValueError, match=re.escape(name)):
        report(run)


def test_stages_stand_beside_each_other(run: Path, tmp_path: Path) -> None:
    second = tmp_path / "second"
    second.mkdir()
    log = [{"frames": 500 * i, "minutes": i / 5, "eval/frechet": 80.0 - i, "critic/gap": 0.5} for i in range(1, 3)]
    (second / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in log))
    (run / "config.json").write_text('{"algorithm": "imitation", "run": {"start": ""}}')
    (second / "config.json").write_text(json.dumps({"algorithm": "spiral", "run": {"start": str(run)}}))
    (second / "reference.json").write_text('{"real": {"frechet": 30.25}}')
    text = report(second)
    rows = re.findall(r"<tr class=\"(\w+)\"><td>(.*?)</td><td>(.*?)</td>", text)
    assert rows == [
        ("real", "Real pictures", "30.2"),
        ("stage", "The agent after imitation at 3,000 frames", "87.0"),
        ("drawn", "The agent after spiral at 1,000 frames", "78.0"),
    ]
    assert "4,000 frames · 0.7 minutes" in text
    curves = [data(picture).decode() for picture in Page(text).find("img", "curves")]
    assert all("Critic gap" in curve for curve in curves)
