import re

import pytest

from limner.worlds import make_renderer
from limner.worlds.paint.renderer import Paint
from limner.worlds.paint.settings import PaintSettings

SPACES = "'bezier' or 'line' or 'stroke' or 'relative' or 'spline'"


@pytest.mark.parametrize(
    ("name", "value", "need"),
    [
        ("canvas", 63, "in 64 … 4096"),
        ("canvas", 4097, "in 64 … 4096"),
        ("canvas", 64.0, "a whole number"),
        ("canvas", True, "a whole number"),
        ("grid", 1, "in 2 … 4096"),
        ("grid", 4097, "in 2 … 4096"),
        ("sizes", (), "one or more, each a number"),
        ("sizes", (1, float("nan")), "one or more, each a number"),
        ("sizes", (1, "2"), "one or more, each a number"),
        ("sizes", (0,), "in 0.05 … 64"),
        ("sizes", (2, 0.04), "in 0.05 … 64"),
        ("sizes", (1e9,), "in 0.05 … 64"),
        ("sizes", "1", "one or more, each a number"),
        ("pressures", 0, "in 1 … 1000"),
        ("levels", 1, "in 2 … 256"),
        ("events", 0, "in 1 … 1000"),
        ("events", 10**6, "in 1 … 1000"),
        ("ground", "black", "'white' or 'transparent'"),
        ("preset", "deepmind-2019", "'deepmind-2018' or null"),
        ("brush", 3, "a text"),
        ("color", 1, "true or false"),
        ("space", "spiral", SPACES),
        ("space", None, SPACES),
        ("space", ["bezier"], SPACES),
    ],
)
def test_bad_settings_name_themselves(name: str, value: object, need: str) -> None:
    message = re.escape(f"renderer.{name} is {value!r}: must be {need}")
    with pytest.raises(ValueError, match=f"^{message}$"):
        make_renderer({"name": "paint", name: value})
    with pytest.raises(ValueError, match=f"^{message}$"):
        PaintSettings(**{name: value})


def test_unknown_settings_are_named() -> None:
    message = re.escape("configuration: unknown field renderer.colour, must be one of canvas, brush, color, ground")
    with pytest.raises(ValueError, match=f"^{message}"):
        make_renderer({"name": "paint", "colour": True})


def test_the_release_of_2018_has_bezier_actions_only() -> None:
    assert "flag" in Paint(PaintSettings(preset="deepmind-2018", space="bezier")).actions
    message = "^renderer.space is 'stroke': must be 'bezier' with preset 'deepmind-2018'$"
    with pytest.raises(ValueError, match=message):
        PaintSettings(preset="deepmind-2018", space="stroke")
