import numpy as np
import pytest
import torch

from limner.worlds.paint.renderer import Paint
from limner.worlds.paint.settings import PaintSettings, paint_actions
from limner.worlds.paint.stroke_order import can_order_strokes, order_strokes

SETTINGS = PaintSettings(brush="classic/pen", space="stroke", grid=16, sizes=(1.5, 3.0), pressures=3, events=8)


def programs(count=12, steps=6, seed=0):
    space = Paint(SETTINGS).actions
    return space, torch.from_numpy(space.sample(np.random.default_rng(seed), (steps, count)))


def travel(space, actions):
    """Cells that the pen moves without painting, ``[B]``."""
    starts = torch.from_numpy(space.cells(actions.numpy(), "start")).float()
    ends = torch.from_numpy(space.cells(actions.numpy(), "end")).float()
    before = torch.cat([torch.zeros_like(ends[:1]), ends[:-1]])
    return (starts - before).norm(dim=-1).sum(0)


def picture(actions):
    renderer = Paint(SETTINGS, actions.shape[1])
    for action in actions.numpy():
        renderer.step(action)
    return renderer.canvas().astype(int)


def test_the_same_strokes_are_painted_though_some_are_turned_round():
    space, given = programs()
    ordered = order_strokes(space, given)
    start, end = space.index("start"), space.index("end")

    def strokes(actions):
        ends = actions[..., [start, end]].sort(dim=-1).values
        rest = actions[..., [i for i in range(len(space)) if i not in (start, end)]]
        return sorted(map(tuple, torch.cat([ends, rest], dim=-1).tolist()))

    for i in range(given.shape[1]):
        assert strokes(ordered[:, i]) == strokes(given[:, i])
    assert not torch.equal(ordered, given)


def test_the_picture_stays_the_same():
    space, given = programs()
    painted = picture(given)
    change = np.abs(picture(order_strokes(space, given)) - painted).mean()
    assert change < 0.1 * np.abs(painted[1:] - painted[:-1]).mean()


def test_the_pen_travels_less_and_starts_with_what_is_nearest_to_the_corner():
    space, given = programs(count=40)
    ordered = order_strokes(space, given)
    assert travel(space, ordered).mean() < 0.7 * travel(space, given).mean()
    nearest = (
        torch.from_numpy(np.concatenate([space.cells(given.numpy(), name) for name in ("start", "end")]))
        .float()
        .norm(dim=-1)
        .amin(0)
    )
    first = torch.from_numpy(space.cells(ordered[0].numpy(), "start")).float().norm(dim=-1)
    torch.testing.assert_close(first, nearest)


def test_an_ordered_program_stays():
    space, given = programs()
    once = order_strokes(space, given)
    assert torch.equal(order_strokes(space, once), once)


@pytest.mark.parametrize(
    ("name", "color", "possible"), [("stroke", False, True), ("stroke", True, False), ("bezier", False, False)]
)
def test_only_strokes_of_one_colour_that_stand_alone_can_be_ordered(name, color, possible):
    assert (
        can_order_strokes(
            paint_actions(PaintSettings(space=name, grid=16, sizes=(1, 2), pressures=3, color=color, levels=4))
        )
        == possible
    )
