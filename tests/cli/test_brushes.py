"""``limner brushes``: a sheet of brushes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from limner.cli import main as cli
from limner.export.brushes import HEIGHT, LABEL, SIDE, STRIPE, brush_sheet
from limner.worlds.paint.brushes import brush_names


def test_every_brush_that_is_asked_for_has_painted(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = [name for name in brush_names() if "pencil" in name or "charcoal" in name]
    assert cli.main(["brushes", "pencil", "charcoal", "--out", "some/sheet.png"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == f"some/sheet.png: {len(names)} brushes"
    with Image.open("some/sheet.png") as picture:
        shown = np.asarray(picture)
    expected, refused = brush_sheet(names)
    assert refused == []
    np.testing.assert_array_equal(shown, expected)


def test_strokes_and_names_are_seen() -> None:
    sheet, _ = brush_sheet(["classic/pen", "classic/ink_eraser"], columns=1)
    padding = (HEIGHT + LABEL) // 16
    tiles = [
        sheet[top : top + HEIGHT + LABEL, padding : padding + SIDE] for top in (padding, 2 * padding + HEIGHT + LABEL)
    ]
    pen, eraser = ((tile[:HEIGHT] != 255).any(-1) for tile in tiles)
    assert pen[:, : STRIPE.start].any(), "paint"
    assert not eraser[:, : STRIPE.start].any()
    assert not eraser[:, STRIPE].all(), "a part of the stripe is gone"
    assert all((tile[HEIGHT:] < 128).any() for tile in tiles), "the names"


def test_bad_input_is_one_line(here: Path, fails: Callable[[str], str]) -> None:
    assert "unknown brush 'pencilx': did you mean" in fails("brushes pencilx")
    assert "must end in .png" in fails("brushes --out brushes.gif")
    assert list(here.iterdir()) == []
