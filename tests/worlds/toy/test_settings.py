from typing import Any

import pytest

from limner.worlds import make_renderer, read_settings
from limner.worlds.toy.settings import ToySettings, toy_actions


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"canvas": 4}, r"^renderer\.canvas is 4: must be in 8 … 1024$"),
        ({"canvas": 32.0}, r"^renderer\.canvas is 32\.0: must be a whole number$"),
        ({"pressures": True}, r"^renderer\.pressures is True: must be a whole number$"),
        ({"canvas": 16, "grid": 17}, r"^renderer\.grid is 17: must be at most the canvas, 16$"),
        ({"grid": 1}, r"^renderer\.grid is 1: must be in 2 … 1024$"),
        ({"sizes": []}, r"^renderer\.sizes is \(\): must be one or more, each a number$"),
        ({"sizes": [float("nan")]}, r"^renderer\.sizes is \(nan,\): must be one or more, each a number$"),
        ({"sizes": ["2"]}, r"^renderer\.sizes is \('2',\): must be one or more, each a number$"),
        ({"sizes": 2}, r"^renderer\.sizes is 2: must be one or more, each a number$"),
        ({"colour": True}, r"unknown field renderer\.colour, must be one of canvas, grid, sizes, pressures$"),
    ],
)
def test_bad_settings_are_named(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_renderer({"name": "toy", **settings})


def test_whole_radii_are_read_as_numbers() -> None:
    settings = read_settings({"name": "toy", "sizes": [1, 3.5]})
    assert settings == ToySettings(sizes=(1.0, 3.5))
    assert all(type(size) is float for size in settings.sizes)


def test_actions_are_those_of_spiral_in_grey() -> None:
    space = toy_actions(ToySettings(grid=4, sizes=(1.0, 2.0, 3.0), pressures=2))
    assert space.names == ("flag", "end", "control", "size", "pressure")
    assert space.sizes == (2, 16, 16, 3, 2)
    assert space.mask_table.tolist() == [[True, True, False, False, False], [True] * 5]
    assert space.parts[3].values == (1.0, 2.0, 3.0)
    assert space.parts[4].values == (0.5, 1.0)
