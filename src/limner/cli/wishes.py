"""The flags of ``limner paint`` that say how a painting is to look, and where."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from limner.worlds.validation import require, require_range

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from limner.agents.agent import Agent
    from limner.inference.paint import PaintOptions
    from limner.programs.frame import Frame
    from limner.programs.program import Program


@dataclass(frozen=True)
class Wishes:
    """How a painting is to look, and where it is painted."""

    brush: str | None = None
    """Brush, as limner brushes shows them, or path of a .myb file. None: experimental/basic for a search in colour,
    else the agent's."""
    opaque: bool = False
    """Strokes cover what is below them entirely."""
    paper: str = "white"
    """Colour of the paper: a name of CSS, or #rrggbb."""
    palette: tuple[str, ...] = ()
    """Colours that strokes may have; or a file of them, one a line, or a GIMP palette."""
    grey: bool = False
    """Paint in shades of grey."""
    radius: tuple[float, float] | None = None
    """Smallest and largest radius of strokes, in pixels of painted.png."""
    region: tuple[int, int, int, int] | None = None
    """Left, top, right and bottom, in pixels of the picture: where it is painted in full detail."""
    mask: Path | None = None
    """A picture of the same shape, in place of --region: white where it is painted in full detail."""
    rest: float | None = None
    """Share of the detail elsewhere, 0 to 1; 0 leaves it alone. 0.25, with --continue 0."""

    def options(
        self, agent: "Agent", frame: "Frame", side: int, size: int, strokes: int | None, start: "Program | None"
    ) -> "PaintOptions":
        """What is asked of a painting of ``frame`` by ``agent`` on ``side`` pixels, to be shown at ``size``."""
        from limner.inference.paint import PaintOptions

        style_type = agent.config.world.style_type
        assert style_type is not None, "a world with large canvases has a style for them"
        weights = self._weights(frame, side, 0.0 if start else 0.25)
        style = self._style(style_type, size, start)
        return PaintOptions(strokes=strokes, style=style, weights=weights, frame=frame, start=start)

    def _style(self, style_type: type[Any], size: int, start: "Program | None") -> Any:
        from limner.worlds.colours import read_palette

        radii = None if self.radius is None else (self.radius[0] * 64 / size, self.radius[1] * 64 / size)
        palette = self.palette
        if len(palette) == 1 and Path(palette[0]).is_file():
            try:
                palette = read_palette(Path(palette[0]).read_text("utf-8", errors="replace"))
            except ValueError as error:
                raise ValueError(f"--palette {self.palette[0]}: {error}") from None
        its = start.renderer if start else {}
        ground = its.get("ground", "white") if self.paper == "white" else self.paper
        brush, opaque = self.brush or its.get("brush"), self.opaque or its.get("opaque", False)
        style = style_type(brush, opaque, ground, palette, self.grey)
        try:
            return replace(style, radii=radii)
        except ValueError as error:
            raise ValueError(f"--radius {self.radius}: {error}") from None

    def _weights(self, frame: "Frame", side: int, rest: float) -> "NDArray[np.float64] | None":
        """Weights ``float64[side, side]``, None without a region."""
        import numpy as np

        rest = rest if self.rest is None else self.rest
        require_range("--rest", rest, 0, 1)
        require(self.region is None or self.mask is None, "--region and --mask exclude each other: give one of the two")
        if self.region is None and self.mask is None:
            require(self.rest is None, "--rest is for --region and --mask: give one of the two")
            return None
        left, top, right, bottom = frame.box(side)
        inside = self._mask(frame, (right - left, bottom - top))
        weights = np.zeros((side, side))
        weights[top:bottom, left:right] = rest + (1 - rest) * inside
        return weights

    def _mask(self, frame: "Frame", size: tuple[int, int]) -> "NDArray[np.float64]":
        """Where the picture is to be painted in full detail, ``float64[H, W]`` in [0, 1], for a ``size`` (W, H)."""
        import numpy as np
        from PIL import Image

        from limner.data.decoding import open_picture

        if self.mask is not None:
            mask = open_picture(self.mask).convert("L")
            alike = abs(mask.width * frame.height - mask.height * frame.width) <= 0.02 * mask.width * frame.height
            shapes = f"{mask.width} × {mask.height}, the picture {frame.width} × {frame.height}"
            require(alike, f"--mask {self.mask} is {shapes}: must have the same shape")
        else:
            assert self.region is not None
            x0, y0, x1, y1 = self.region
            within = 0 <= x0 < x1 <= frame.width and 0 <= y0 < y1 <= frame.height
            picture = f"the picture, {frame.width} × {frame.height}"
            require(within, f"--region is {x0} {y0} {x1} {y1}: left, top, right, bottom must ascend within {picture}")
            mask = Image.new("L", (frame.width, frame.height))
            mask.paste(255, self.region)
        return np.asarray(mask.resize(size, Image.Resampling.BOX), np.float64) / 255
