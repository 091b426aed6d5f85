"""``limner paint`` of a film: frame after frame."""

import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from limner.cli.stopping import stoppable
from limner.cli.terminal import progress_bar
from limner.cli.wishes import Wishes
from limner.files import write_atomic

if TYPE_CHECKING:
    from limner.agents.agent import Agent
    from limner.inference.draw import DrawOptions
    from limner.programs.program import Program
    from limner.worlds.world import Canvas


@dataclass(frozen=True)
class Film:
    """A film to paint, and how."""

    path: Path
    """A folder of pictures, or a video file."""
    out: Path
    """Folder for frames/*.png, programs.jsonl and film.mp4, or film.gif without PyAV."""
    size: int
    """Pixels along the longer side of a frame."""
    agent: "Agent"
    detail: int
    options: "DrawOptions"
    wishes: Wishes
    strokes: int | None

    def paint(self) -> None:
        """Paint and write it; what is painted so far when a signal stops it."""
        from limner.data.film import open_film
        from limner.export.picture import png
        from limner.inference.film import paint_film
        from limner.inference.paint import canvas_shape
        from limner.programs.execution import execute
        from limner.programs.frame import Frame
        from limner.programs.program import save_programs

        images, count, rate = open_film(self.path)
        first = next(images, None)
        if first is None:
            raise ValueError(f"{self.path} has no frame")
        frame = Frame(*first.size)
        side, channels = canvas_shape(self.agent, self.detail)
        asked = self.wishes.options(self.agent, frame, side, self.size, self.strokes, None)
        programs: list[Program] = []
        with stoppable() as stop:
            with progress_bar("painting") as report, suppress(KeyboardInterrupt):
                pictures = (frame.lay(image, side, channels, asked.style.paper) for image in chain([first], images))
                for program in paint_film(self.agent, pictures, self.detail, self.options, asked):
                    framed = replace(program, frame=frame)
                    picture = png(execute(framed, self.size))
                    write_atomic(self._picture(len(programs) + 1), picture)
                    programs.append(framed)
                    report(len(programs), count)
                stop.wait()
            if programs:
                save_programs(self.out / "programs.jsonl", programs)
                with progress_bar("encoding") as report:
                    name = self._write(len(programs), rate, report)
                print(f"{self.out / name}: {len(programs)} frames")
        if stop.asked:
            print(f"limner: stopped after {len(programs)} frames", file=sys.stderr)
            raise KeyboardInterrupt

    def _picture(self, number: int) -> Path:
        return self.out / "frames" / f"{number:05}.png"

    def _write(self, count: int, rate: Fraction, report: Callable[[float, float | None], None]) -> str:
        """``film.mp4``, or ``film.gif`` where PyAV is missing, of the pictures that are written; its name."""
        import numpy as np
        from PIL import Image

        from limner.data.film import import_av, write_film
        from limner.export.animation import stream_gif

        def picture(number: int) -> "Canvas":
            report(number, count)
            with Image.open(self._picture(number)) as image:
                pixels: Canvas = np.atleast_3d(np.asarray(image))
            return pixels

        try:
            import_av()
        except ValueError:
            some = [picture(number) for number in range(1, count + 1, -(-count // 16))]
            frames = map(picture, range(1, count + 1))
            write_atomic(self.out / "film.gif", stream_gif(frames, some, max(0.02, float(1 / rate)), 1.0))
            return "film.gif"
        write_film(self.out / "film.mp4", map(picture, range(1, count + 1)), rate)
        return "film.mp4"
