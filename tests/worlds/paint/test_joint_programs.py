"""Programs that joint search finds for small pictures."""

from dataclasses import replace

import numpy as np
import pytest

from limner.data.resize import resize_square
from limner.programs.execution import execute_all
from limner.programs.program import Program
from limner.worlds import find_world
from limner.worlds.paint.renderer import Paint
from limner.worlds.paint.settings import PaintSettings
from limner.worlds.toy.renderer import ToySettings

COLOUR = PaintSettings(
    brush="experimental/basic", space="stroke", color=True, grid=32, sizes=(1, 2, 4, 8, 15), pressures=8, levels=20
)
GREY = replace(COLOUR, brush="classic/pen", color=False)


def pictures(settings, count=2):
    channels = 3 if settings.color else 1
    coarse = np.random.default_rng(0).integers(0, 256, (count, 4, 4, channels), np.uint8)
    return resize_square(coarse, settings.canvas)


@pytest.mark.parametrize("settings", [COLOUR, GREY, replace(COLOUR, canvas=128)], ids=["colour", "grey", "large"])
def test_programs_of_so_many_steps_paint_something_close(settings):
    world, goals = find_world("paint"), pictures(settings)
    found = world.joint_programs(settings, goals, steps=6, sweeps=1, seed=3)
    assert found.shape == (6, len(goals), len(world.actions(settings)))
    assert (world.actions(settings).canonical(found) == found).all()
    programs = [Program(Paint(settings).settings(), actions) for actions in found.transpose(1, 0, 2)]
    shown = np.stack(execute_all(programs)).astype(float)
    assert np.square(shown - goals).mean() < 0.6 * np.square(255.0 - goals).mean()
    again = world.joint_programs(settings, goals, steps=6, sweeps=1, seed=3)
    assert (again == found).all()


def test_a_blank_picture_has_programs_too():
    blank = np.full((1, 64, 64, 3), 255, np.uint8)
    assert len(find_world("paint").joint_programs(COLOUR, blank, steps=4, sweeps=1, seed=0)) == 4


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (replace(COLOUR, canvas=96), "renderer.canvas is 96"),
        (replace(COLOUR, space="bezier"), "renderer.space is 'bezier'"),
        (replace(COLOUR, ground="transparent"), "on transparent ground"),
        (replace(COLOUR, brush="classic/smudge"), "renderer.brush is 'classic/smudge'"),
        (ToySettings(), "'toy' has no joint search"),
    ],
)
def test_settings_without_joint_search_are_named(settings, words):
    with pytest.raises(ValueError, match=words):
        find_world(settings.name).check_joint(settings)
