"""What a language model is told of the tools: names, descriptions and the schemas of their arguments.

Notable choices:
- Points and regions are pixels of the picture, or fractions of its width and height where ``unit`` says so; radii are
  always pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from limner.inference.mark import LONGEST, MOST_STROKES, NARROWEST_REGION, SHORTEST

INSTRUCTIONS = (
    "Limner paints with the strokes of a real paint engine. Say what is to be drawn where; each stroke lies on top of "
    "those before it, so begin with large shapes and end with details. x goes from the left, y from the top. Look at "
    "the canvas after a few strokes and after painting from a picture, and undo what went wrong. A canvas of 512 × 512 "
    "pixels is there from the start; new_canvas makes another. Save at the end."
)
BRUSHES = ("experimental/basic", "classic/pen", "classic/pencil", "classic/charcoal", "classic/calligraphy")
"""Some that are named in a description."""
MOST_AT_ONCE = 500
"""Strokes in one call."""
MOST_SECONDS = 120
"""Of a search."""
MOST_PAINTED = 2_000
"""Strokes of one painting."""
LARGEST_LOOK, LARGEST_FILE = 1024, 4096
"""Pixels of the longer side of a picture that is shown, and of one that is saved."""
FAR = 1_000_000
"""Larger numbers are refused, whatever they stand for."""
ENDINGS = (".json", ".png", ".svg", ".gif")
"""What is saved: the program, the picture, the strokes as curves, the picture being painted."""

UNIT = {"type": "string", "enum": ["pixels", "fractions"], "default": "pixels"}
UNIT |= {"description": "Of points and regions: pixels, or fractions (0 to 1) of the canvas's width and height."}


@dataclass(frozen=True)
class Tool:
    """A tool as it is announced."""

    name: str
    description: str
    properties: dict[str, Any]
    required: tuple[str, ...] = ()
    reads_only: bool = False

    @property
    def schema(self) -> dict[str, Any]:
        """JSON schema of the arguments."""
        return _object(self.properties, self.required)


def _object(properties: dict[str, Any], required: tuple[str, ...] = ()) -> dict[str, Any]:
    given: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
    return given | ({"required": [*required]} if required else {})


def _whole(text: str, low: int, high: int, default: int | None = None) -> dict[str, Any]:
    given = {"type": "integer", "minimum": low, "maximum": high, "description": text}
    return given if default is None else given | {"default": default}


def _text(text: str, longest: int = 200) -> dict[str, Any]:
    return {"type": "string", "maxLength": longest, "description": text}


def _number(text: str, low: float = -FAR, high: float = FAR, default: float | None = None) -> dict[str, Any]:
    given = {"type": "number", "minimum": low, "maximum": high} | ({"description": text} if text else {})
    return given if default is None else given | {"default": default}


def _numbers(text: str, count: int) -> dict[str, Any]:
    return {"type": "array", "items": _number(""), "minItems": count, "maxItems": count, "description": text}


STROKE = _object(
    {
        "start": _numbers("[x, y] where the stroke starts.", 2),
        "control": _numbers("[x, y] towards which it bends (quadratic Bézier). Without it the stroke is straight.", 2),
        "end": _numbers("[x, y] where it ends. A stroke that starts and ends in one place is a dot.", 2),
        "radius": _number("Half the width of the stroke, in pixels of the canvas."),
        "pressure": _number("0 to 1: with the default brush the opacity; give dots 1.", default=1),
        "colour": _text("#rrggbb, or a name of CSS.", 40) | {"default": "#000000"},
    },
    ("start", "end", "radius"),
)
REGION = _numbers("[left, top, right, bottom]; without it all of the canvas.", 4)

TOOLS = (
    Tool(
        "look",
        "See the canvas, or a region of it enlarged. Changes nothing.",
        {"region": REGION, "size": _whole("Pixels of the longer side.", 16, LARGEST_LOOK, 512), "unit": UNIT},
        reads_only=True,
    ),
    Tool(
        "stroke",
        "Paint strokes, in this order, each on top of what is there. The answer says what was painted: points, radii "
        "and pressures are rounded to what the program can hold.",
        {
            "strokes": {"type": "array", "items": STROKE, "minItems": 1, "maxItems": MOST_AT_ONCE},
            "unit": UNIT,
        },
        ("strokes",),
    ),
    Tool(
        "paint",
        f"Paint a region like a picture: a search finds the strokes. The region is at least {NARROWEST_REGION} pixels "
        "wide and high. Give either picture or data. Strokes may reach a little beyond the region. Reports progress; a "
        "call that is cancelled paints nothing.",
        {
            "picture": _text("The name of a picture, as the tool pictures lists them.", 1000),
            "data": _text("A picture file (PNG, JPEG, WebP …) in base64, up to 8 MiB.", 12 * 2**20),
            "region": REGION,
            "strokes": _whole("How many strokes; more show more.", 1, MOST_PAINTED, 200),
            "seconds": _number("Of search; so many strokes may need more.", 1, MOST_SECONDS, 10),
            "fit": {"type": "string", "enum": ["crop", "stretch"], "default": "crop"}
            | {"description": "Where region and picture differ in shape: crop the picture, or distort it."},
            "unit": UNIT,
        },
    ),
    Tool("pictures", "List the pictures that paint can be given by name.", {}, reads_only=True),
    Tool(
        "undo",
        "Take strokes away from the end until the first so many are left.",
        {"to": _whole("How many strokes to keep; 0 clears the canvas.", 0, MOST_STROKES)},
        ("to",),
    ),
    Tool(
        "save",
        "Save the drawing. The ending of the name says how: .png the picture, .svg its strokes as curves without "
        "texture, .gif the picture being painted, .json the program, which Limner executes again at any size.",
        {
            "name": _text("A file name without folders, such as house.png.", 100),
            "size": _whole("Of PNG and GIF: pixels of the longer side; that of the canvas.", 64, LARGEST_FILE),
        },
        ("name",),
    ),
    Tool(
        "new_canvas",
        "Start a new drawing on a blank canvas. Large canvases make painting from pictures slower.",
        {
            "width": _whole("Pixels.", SHORTEST, LONGEST, 512),
            "height": _whole("Pixels.", SHORTEST, LONGEST, 512),
            "brush": _text(f"Such as {', '.join(BRUSHES)}; the first, which is round, is the default."),
            "paper": _text("Colour of the ground: #rrggbb, or a name of CSS.", 40) | {"default": "white"},
            "discard": {"type": "boolean", "default": False}
            | {"description": "Throw away strokes that are not saved."},
        },
    ),
)
