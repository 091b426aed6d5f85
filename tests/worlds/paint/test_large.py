from dataclasses import replace

import numpy as np
import pytest

from limner.data.resize import resize_square
from limner.programs.execution import execute
from limner.programs.program import Program
from limner.worlds.paint.large import WIDEST, LargePainting, PatchRenderer
from limner.worlds.paint.settings import PaintSettings

OWN = PaintSettings(space="stroke", grid=8, sizes=(2.0, 4.0), pressures=2, events=8)


def large(goal, detail, settings=OWN):
    painting = LargePainting(settings, detail)
    painting.goal = goal
    return painting


def flat(side, value=255):
    return np.full((side, side, 1), value, np.uint8)


def blank_patches(painting, level, count=1):
    return painting.patch_renderer(level, np.stack([flat(64)] * count), threads=1)


def show(painting, level, patches):
    """What patches of a level show, each at the size of the agent's canvas."""
    side = 64 * level
    picture = resize_square(painting.renderer.canvas(), side)[0]
    return np.stack([picture[64 * row : 64 * row + 64, 64 * column : 64 * column + 64] for row, column in patches])


def random_strokes(renderer, steps, seed=0):
    return renderer.actions.sample(np.random.default_rng(seed), (steps, renderer.batch))


@pytest.mark.parametrize(("detail", "level"), [(1, 1), (4, 4), (8, 8), (4, 2), (8, 2), (16, 4)])
def test_a_stroke_of_a_patch_is_the_same_stroke_on_the_canvas(detail, level):
    """As the agent is shown it: the same pixels on the finest level, half a pixel off at most elsewhere."""
    grid = 32
    painting = large(flat(64 * detail, 0), detail, replace(OWN, grid=grid))
    patches = np.array([[0, 0], [level - 2, 0], [0, level - 2]])[: max(1, level - 1)]
    if level == 2:
        patches = np.array([[1, 0]])
    renderer = blank_patches(painting, level, len(patches))
    actions = random_strokes(renderer, 4)
    for name in ("start", "control", "end"):  # within the middle, so that nothing crosses an edge
        index = renderer.actions.index(name)
        rows, columns = np.divmod(actions[..., index], grid)
        actions[..., index] = (grid // 4 + rows // 2) * grid + grid // 4 + columns // 2
    for action in actions:
        renderer.step(action)
    painting.add(level, patches, actions, np.ones(len(patches)), False)
    assert len(painting.program()) == actions[..., 0].size, "on a black goal every stroke helps"
    shown = show(painting, level, patches)
    difference = np.abs(shown.astype(int) - renderer.canvas())
    assert (renderer.canvas() < 100).any()
    if level == detail:
        assert difference.max() <= 1
    else:
        assert difference.mean() < 5
    whole = (255.0 - show(painting, 1, [(0, 0)])).sum()
    assert whole == pytest.approx((255.0 - shown).sum() / level**2, rel=0.02), "and nothing is painted elsewhere"


def test_only_strokes_that_help_stay_unless_all_are_kept():
    painting = large(flat(128), 2)
    actions = random_strokes(blank_patches(painting, 1), 3)
    painting.add(2, np.array([[0, 0]]), actions, np.ones(1), False)
    assert painting.program().shape == (0, len(painting.renderer.actions))
    assert (painting.renderer.canvas() == 255).all()
    painting.add(1, np.array([[0, 0]]), actions, np.ones(1), True)
    assert len(painting.program()) == 3
    again = execute(Program(painting.renderer.settings(), painting.program()))
    np.testing.assert_array_equal(again, painting.renderer.canvas()[0])


def test_a_stroke_that_helps_its_patch_but_harms_the_next_is_dropped():
    """A grey patch among white ones: black paint is a little closer to the grey, and far from the white."""
    goal = flat(256)
    goal[64:128, 64:128] = 100
    painting = large(goal, 4, replace(OWN, sizes=(16.0,), pressures=1))
    edge, middle = (np.array([[[8 * row + 2, 8 * row + 3, 8 * row + 5, 0, 0]]]) for row in (7, 3))
    renderer = blank_patches(painting, 4)
    renderer.step(edge[0])
    error = np.square(renderer.canvas() / 255 - goal[None, 64:128, 64:128] / 255).mean()
    assert error < (155 / 255) ** 2, "it helps its own patch"
    painting.add(4, np.array([[1, 1]]), edge, np.ones(1), False)
    assert len(painting.program()) == 0
    painting.add(4, np.array([[1, 1]]), middle, np.ones(1), False)
    assert len(painting.program()) == 1


def test_the_canvas_has_the_grid_and_the_radii_of_all_levels():
    settings = LargePainting(replace(OWN, sizes=(4.0, 8.0, 24.0)), 4).renderer.settings()
    assert (settings["canvas"], settings["grid"]) == (256, 32)
    assert settings["sizes"] == [1.0, 2.0, 4.0, 6.0, 8.0, 12.0, WIDEST]
    assert WIDEST * 2048 / 64 <= 500


def test_patches_start_from_pictures_and_go_back_to_them():
    pictures = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 1), np.uint8)
    renderer = PatchRenderer(OWN, pictures, threads=1)
    np.testing.assert_array_equal(renderer.canvas(), pictures)
    renderer.step(random_strokes(renderer, 1)[0])
    painted = renderer.canvas()
    assert (painted != pictures).any((1, 2, 3)).all()
    renderer.reset(np.array([2]))
    np.testing.assert_array_equal(renderer.canvas(), [painted[0], painted[1], pictures[2]])
    renderer.reset()
    np.testing.assert_array_equal(renderer.canvas(), pictures)


@pytest.mark.parametrize(
    ("changes", "detail", "words"),
    [
        (
            {"space": "bezier"},
            1,
            "in the space 'bezier' on white ground: a large picture needs the space 'stroke'",
        ),
        ({"ground": "transparent"}, 1, "in the space 'stroke' on transparent ground"),
        ({"canvas": 512}, 16, "detail is 16: too fine for a canvas of 512 pixels"),
        ({"grid": 512}, 16, "detail is 16: too fine"),
        ({"sizes": (0.7, 4.0)}, 16, "too fine for a canvas of 64 pixels with a smallest radius of 0.7"),
    ],
)
def test_settings_that_cannot_paint_large_pictures_are_refused(changes, detail, words):
    with pytest.raises(ValueError, match=words):
        LargePainting(replace(OWN, **changes), detail)
