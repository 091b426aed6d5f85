import numpy as np
import pytest
import torch

from limner.worlds.scenes.objects import SKIP
from limner.worlds.paint.actions import PAINT, paint_actions
from limner.worlds.proposals import Acted
from limner.worlds.observation import Observation
from limner.worlds.proposals import MixedProposals, ResidualProposals
from limner.worlds.scenes.settings import ScenesSettings, scene_actions

SPACES = ["bezier", "line", "stroke", "relative", "spline"]
BATCH, SIDE = 3, 32


def make_space(name, color=False):
    return paint_actions(name, 16, (1, 2, 4), 4, color, 8)


def observation(space, ink, target, pen=0.5):
    batch = len(ink)
    previous = torch.zeros(batch, len(space), dtype=torch.int64)
    return Observation(ink, target, torch.full((batch, 2), pen), torch.zeros(batch), previous, torch.zeros(batch, 2))


def a_blot(row, column, channels=1):
    """Targets that miss four pixels around (row, column)."""
    target = torch.zeros(BATCH, channels, SIDE, SIDE)
    target[:, :, row : row + 2, column : column + 2] = 1.0
    return target


def random(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("color", [False, True])
@pytest.mark.parametrize("name", SPACES)
def test_proposals_are_canonical(name, color):
    space = make_space(name, color)
    ink = torch.rand(BATCH, 3 if color else 1, SIDE, SIDE)
    acted = ResidualProposals(space).act(observation(space, ink, ink.roll(1, 0)), None, random(), count=200)
    assert acted.actions.shape == (BATCH * 200, len(space))
    np.testing.assert_array_equal(space.canonical(space.validate(acted.actions.numpy())), acted.actions)
    assert torch.equal(acted.log_prob, torch.zeros(BATCH * 200))


@pytest.mark.parametrize("name", SPACES)
def test_the_first_place_is_where_something_is_missing(name):
    space, pen = make_space(name), 0.25
    seen = observation(space, torch.zeros(BATCH, 1, SIDE, SIDE), a_blot(20, 10), pen)
    actions = ResidualProposals(space).act(seen, None, random(), count=300).actions.numpy()
    first = next(part.name for part in space.parts if part.grid)
    cells = space.cells(actions, first)
    if name == "relative":
        cells = cells + int(pen * 16)
    assert (abs(cells - np.array([10, 5])) <= (1 if name == "relative" else 0)).all()
    if name != "stroke":
        return
    control = space.cells(actions, "control")
    assert 0.5 < control.std(0).mean() < 4
    assert (abs(control.mean(0) - [10, 5]) < 0.5).all()
    assert len(np.unique(actions[:, space.index("size")])) == 3


def test_a_place_is_a_cell_that_is_seen_where_something_is_missing():
    space = scene_actions(ScenesSettings())
    wanted = 5 * 16 + 9
    x, y = space.parts[space.index("location")].sights[wanted]
    target = a_blot(int(y * SIDE), int(x * SIDE), channels=3)
    seen = observation(space, torch.zeros_like(target), target)
    actions = ResidualProposals(space).act(seen, None, random(), count=300).actions.numpy()
    assert (actions[:, 0] != SKIP).all()
    far = abs(space.cells(actions, "location") - [5, 9])
    assert 0.5 < far.mean() < 3
    assert space.cells(actions, "location").mean(0) == pytest.approx([5.5, 9], abs=1)


def test_where_nothing_is_missing_anything_may_be():
    space = make_space("stroke")
    ink = torch.rand(BATCH, 1, SIDE, SIDE)
    starts = ResidualProposals(space).act(observation(space, ink, ink), None, random(), count=2000).actions[:, 0]
    assert len(torch.unique(starts)) == 256


def test_colours_are_those_of_the_target():
    space = make_space("stroke", color=True)
    target = a_blot(8, 8, channels=3) * torch.tensor([1.0, 0.0, 3 / 7]).view(3, 1, 1)
    actions = (
        ResidualProposals(space)
        .act(observation(space, torch.zeros_like(target), target), None, random(), count=50)
        .actions
    )
    colours = actions[:, [space.index(name) for name in ("red", "green", "blue")]]
    assert torch.equal(colours, torch.tensor([0, 7, 4]).expand_as(colours))


class Constant:
    """A policy that always proposes the same, and remembers a number."""

    def __init__(self, action):
        self.action = torch.as_tensor(action)

    def act(self, observation, memory, generator, temperature=1.0, count=1, verb=None):
        many = len(observation.ink) * count
        return Acted(self.action.expand(many, -1).clone(), torch.full((many,), -1.5), "memory")


@pytest.mark.parametrize(("count", "own"), [(1, 1), (2, 1), (5, 3), (8, 4)])
def test_the_first_half_of_the_proposals_is_the_policys(count, own):
    space = make_space("stroke")
    always = [7, 8, 9, 1, 2]
    seen = observation(space, torch.zeros(BATCH, 1, SIDE, SIDE), a_blot(20, 10))
    acted = MixedProposals(Constant(always), space).act(seen, None, random(), count=count)
    actions, log_prob = acted.actions.view(BATCH, count, -1), acted.log_prob.view(BATCH, count)
    assert (actions[:, :own] == torch.tensor(always)).all()
    assert (log_prob[:, :own] == -1.5).all()
    assert (actions[:, own:, 0] == 10 * 16 + 5).all()
    assert (log_prob[:, own:] == 0).all()
    assert acted.memory == "memory"


def test_spaces_with_a_flag_jump_and_paint():
    space = make_space("bezier")
    seen = observation(space, torch.zeros(BATCH, 1, SIDE, SIDE), a_blot(3, 3))
    flags = ResidualProposals(space).act(seen, None, random(), count=200).actions[:, 0]
    assert 0.4 < (flags == PAINT).float().mean() < 0.6
