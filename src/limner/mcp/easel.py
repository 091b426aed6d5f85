"""What the tools do: a sketch, the pictures it may be painted from, and the folder it is saved in.

A tool is a generator: it gives the share of its work that is done while it works, and its answer at the end. It may be
closed in between, and has then changed nothing.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from limner.export.brushes import find_brushes
from limner.export.picture import png
from limner.inference.mark import Mark, Point, Region
from limner.mcp.arguments import check_arguments
from limner.mcp.folders import MOST_FILES, DrawingFolder, PictureFolder, decode_data
from limner.mcp.tools import BRUSHES, ENDINGS, MOST_SECONDS, TOOLS
from limner.worlds.validation import brief, require, require_range

if TYPE_CHECKING:
    from limner.inference.sketch import Sketch
    from limner.programs.program import Program

AGENT = "faces"
"""The agent whose canvas is painted on."""
OVERTIME = 60.0
"""Seconds by which a painting may exceed its budget before it is ended with the strokes that it has."""
GIF_SIZE, GIF_FRAMES = 512, 48
"""Pixels of the longer side of a GIF, at most, and its frames."""


@dataclass(frozen=True)
class Answer:
    """What a tool answers."""

    text: str
    picture: bytes | None = None
    """A PNG file."""


Steps = Generator[float | Answer]
"""Shares of the work that are done, in [0, 1], and the answer at the end."""


class Easel:
    """A drawing in progress, as a client sees it: a method for each of ``TOOLS``."""

    def __init__(self, pictures: PictureFolder, drawings: DrawingFolder, threads: int) -> None:
        self._pictures, self._drawings, self._threads = pictures, drawings, threads
        self._made: Sketch | None = None
        self._unsaved = False

    def use(self, tool: str, arguments: dict[str, Any]) -> Steps:
        """Use a tool; ``ValueError`` when there is none, or its arguments do not fit.

        While it works ``ValueError`` says what it cannot do, and ``OSError`` which file cannot be written.
        """
        known = {one.name: one for one in TOOLS}
        require(tool in known, f"there is no tool {brief(tool)}: there are {', '.join(known)}")
        check_arguments(tool, known[tool].schema, arguments)
        steps: Steps = getattr(self, tool)(**arguments)
        return steps

    def look(self, region: Sequence[float] | None = None, size: int = 512, unit: str = "pixels") -> Steps:
        """Show the canvas, or a region of it."""
        picture = self._sketch.look(self._region(region, unit), size)
        height, width = picture.shape[:2]
        part = "" if region is None else " of the region"
        yield Answer(f"{width} × {height} pixels{part}; {self._state()}.", png(picture))

    def stroke(self, strokes: Sequence[dict[str, Any]], unit: str = "pixels") -> Steps:
        """Paint strokes."""
        before = self._sketch.look()
        marks, unseen = self._sketch.add([self._mark(stroke, unit) for stroke in strokes])
        self._unsaved = True
        share = float((before != self._sketch.look()).any(-1).mean())
        lines = [f"Painted {_count(len(marks))}, which changed {share:.1%} of the canvas; {self._state()}."]
        if unseen:
            which = ", ".join(map(str, unseen))
            lines.append(f"Nothing is seen of strokes[{which}]: make them longer, press harder, or change the colour.")
        lines += [f"{i}: {self._describe(mark, unit)}" for i, mark in enumerate(marks)]
        yield Answer("\n".join(lines))

    def paint(
        self,
        strokes: int = 200,
        seconds: float = 10.0,
        region: Sequence[float] | None = None,
        fit: str = "crop",
        unit: str = "pixels",
        picture: str | None = None,
        data: str | None = None,
    ) -> Steps:
        """Paint a region like a picture."""
        from limner.inference.draw import DrawOptions

        given = "no picture" if picture is None else "picture and data"
        require((picture is None) != (data is None), f"paint has {given}: give either picture or data")
        require_range("seconds", seconds, 1, MOST_SECONDS)
        image = decode_data(data or "") if picture is None else self._pictures.open(picture)
        sketch, started = self._sketch, time.perf_counter()
        options = DrawOptions(seconds=seconds, seed=len(sketch), threads=self._threads)
        for painting in sketch.paint(image, self._region(region, unit), strokes, options, fit == "stretch"):
            yield painting.done
            if time.perf_counter() > started + seconds + OVERTIME:
                break
        before = len(sketch)
        sketch.take(painting.program)
        self._unsaved = True
        taken = time.perf_counter() - started
        yield Answer(f"Painted {_count(len(sketch) - before)} in {taken:.0f} s; {self._state()}.")

    def pictures(self) -> Steps:
        """List the pictures."""
        names = self._pictures.names()
        rest = [f"and {len(names) - MOST_FILES} more"] if len(names) > MOST_FILES else []
        yield Answer("\n".join(names[:MOST_FILES] + rest))

    def undo(self, to: int) -> Steps:
        """Take strokes away."""
        before = len(self._sketch)
        self._sketch.undo(to)
        self._unsaved |= to < before
        yield Answer(f"Took {_count(before - to)} away; {self._state()}.")

    def save(self, name: str, size: int | None = None) -> Steps:
        """Write a file."""
        self._drawings.check(name, ENDINGS)
        ending = name.lower().rpartition(".")[2]
        require(size is None or ending in ("png", "gif"), f"size has no effect with .{ending}: leave it out")
        program = replace(self._sketch.program, title=name.rpartition(".")[0])
        content = yield from self._encoded(program, ending, size or self._longer)
        path = self._drawings.save(name, content)
        self._unsaved = False
        yield Answer(f"Saved {path}, {len(content):,} bytes; {self._state()}.")

    def new_canvas(
        self,
        width: int = 512,
        height: int = 512,
        brush: str | None = None,
        paper: str = "white",
        discard: bool = False,
    ) -> Steps:
        """Start a new drawing."""
        lost = self._made is not None and len(self._made) > 0 and self._unsaved
        require(discard or not lost, f"{self._state()}, not saved: save it, or set discard to true")
        if brush is not None and brush not in (names := find_brushes(())):
            near = [name for name in names if brush in name] or [name for name in BRUSHES if name in names] or names
            raise ValueError(f"there is no brush {brief(brush)}: name another, such as {', '.join(near[:5])}")
        self._made, self._unsaved = self._blank(width, height, brush, paper), False
        low, high = self._made.radii
        yield Answer(f"A blank canvas of {width} × {height} pixels; radii of strokes may be {low:.2f} to {high:.0f}.")

    @property
    def _sketch(self) -> Sketch:
        if self._made is None:
            self._made = self._blank()
        return self._made

    @property
    def _longer(self) -> int:
        return max(self._sketch.frame.width, self._sketch.frame.height)

    @staticmethod
    def _blank(*wishes: Any) -> Sketch:
        from limner.agents.agent import load_agent
        from limner.inference.sketch import Sketch

        return Sketch(load_agent(AGENT), *wishes)

    def _encoded(self, program: Program, ending: str, size: int) -> Generator[float, None, bytes | str]:
        """The content of a file."""
        from limner.export.animation import stream_gif
        from limner.export.svg import svg
        from limner.programs.execution import snapshots

        if ending == "json":
            return program.to_json()
        if ending == "svg":
            return svg(program)
        counts = np.linspace(0, len(program), GIF_FRAMES if ending == "gif" else 101).round().astype(int)
        pictures = snapshots(program, np.unique(counts).tolist(), min(size, GIF_SIZE) if ending == "gif" else size)
        if ending == "gif":
            return stream_gif(pictures, [self._sketch.look()], hold=3.0)
        for number, picture in enumerate(pictures, start=1):
            yield number / len(counts)
            shown = picture
        return png(shown)

    def _state(self) -> str:
        return f"the canvas has {_count(len(self._sketch))}"

    def _region(self, region: Sequence[float] | None, unit: str) -> Region | None:
        if region is None:
            return None
        (left, top), (right, bottom) = self._point(region[:2], unit), self._point(region[2:], unit)
        return left, top, right, bottom

    def _mark(self, stroke: dict[str, Any], unit: str) -> Mark:
        start, end = self._point(stroke["start"], unit), self._point(stroke["end"], unit)
        middle = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
        control = self._point(stroke["control"], unit) if "control" in stroke else middle
        look = stroke.get("pressure", 1.0), stroke.get("colour", "#000000")
        return Mark(start, control, end, stroke["radius"], *look)

    def _point(self, point: Sequence[float], unit: str) -> Point:
        """A point in pixels of the canvas."""
        across, down = (1, 1) if unit == "pixels" else (self._sketch.frame.width, self._sketch.frame.height)
        return point[0] * across, point[1] * down

    def _describe(self, mark: Mark, unit: str) -> str:
        """A stroke as it was painted."""
        pixels = unit == "pixels"
        across, down = (1, 1) if pixels else (self._sketch.frame.width, self._sketch.frame.height)
        start, control, end = (
            f"[{x / across:.1f}, {y / down:.1f}]" if pixels else f"[{x / across:.4f}, {y / down:.4f}]"
            for x, y in (mark.start, mark.control, mark.end)
        )
        return f"{start} by {control} to {end}, radius {mark.radius:.2f}, pressure {mark.pressure:.2f}, {mark.colour}"


def _count(strokes: int) -> str:
    return f"{strokes} stroke" if strokes == 1 else f"{strokes} strokes"
