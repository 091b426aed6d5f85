import numpy as np
import pytest
import torch

from limner.worlds import find_world
from limner.worlds.observation import Observation
from limner.worlds.paint.settings import JUMP, PAINT, PaintSettings, paint_actions
from limner.worlds.proposals import Acted, MixedProposals, ResidualProposals, perturb, recolour
from limner.worlds.scenes.settings import PLACE, SKIP, ScenesSettings, scene_actions

SPACES = ["bezier", "line", "stroke", "relative", "spline"]
BATCH, SIDE = 3, 32


def make_space(name, color=False):
    return paint_actions(PaintSettings(space=name, grid=16, sizes=(1, 2, 4), pressures=4, color=color, levels=8))


def observation(space, canvas, target, pen=0.5):
    batch = len(canvas)
    previous = torch.zeros(batch, len(space), dtype=torch.int64)
    return Observation(canvas, target, torch.full((batch, 2), pen), torch.zeros(batch), previous, torch.zeros(batch, 2))


def a_spot(row, column, channels=1):
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
    canvas = torch.rand(BATCH, 3 if color else 1, SIDE, SIDE)
    acted = ResidualProposals(space).act(observation(space, canvas, canvas.roll(1, 0)), None, random(), count=200)
    assert acted.actions.shape == (BATCH * 200, len(space))
    np.testing.assert_array_equal(space.canonical(space.validate(acted.actions.numpy())), acted.actions)
    assert torch.equal(acted.log_prob, torch.zeros(BATCH * 200))


@pytest.mark.parametrize("name", SPACES)
def test_the_first_place_is_where_something_is_missing(name):
    space, pen = make_space(name), 0.25
    seen = observation(space, torch.zeros(BATCH, 1, SIDE, SIDE), a_spot(20, 10), pen)
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
    target = a_spot(int(y * SIDE), int(x * SIDE), channels=3)
    seen = observation(space, torch.zeros_like(target), target)
    actions = find_world("scenes").proposals(space).act(seen, None, random(), count=300).actions.numpy()
    assert (actions[:, 0] != SKIP).all()
    assert len(np.unique(actions[:, 0])) == 2
    far = abs(space.cells(actions, "location") - [5, 9])
    assert 0.5 < far.mean() < 3
    assert space.cells(actions, "location").mean(0) == pytest.approx([5.5, 9], abs=1)


def test_where_nothing_is_missing_anything_may_be():
    space = make_space("stroke")
    same = torch.rand(BATCH, 1, SIDE, SIDE)
    starts = ResidualProposals(space).act(observation(space, same, same), None, random(), count=2000).actions[:, 0]
    assert len(torch.unique(starts)) == 256


def test_colours_are_those_of_the_target():
    space = make_space("stroke", color=True)
    target = a_spot(8, 8, channels=3) * torch.tensor([1.0, 0.0, 3 / 7]).view(3, 1, 1)
    seen = observation(space, torch.zeros_like(target), target)
    actions = ResidualProposals(space).act(seen, None, random(), count=50).actions
    colours = actions[:, [space.index(name) for name in ("red", "green", "blue")]]
    assert torch.equal(colours, torch.tensor([0, 7, 4]).expand_as(colours))


class Constant:
    """A policy that always proposes the same, and has a state."""

    def __init__(self, action):
        self.action = torch.as_tensor(action)

    def act(self, observation, memory, generator, temperature=1.0, count=1, verb=None):
        many = len(observation.canvas) * count
        return Acted(self.action.expand(many, -1).clone(), torch.full((many,), -1.5), "memory")


@pytest.mark.parametrize(("count", "own"), [(1, 1), (2, 1), (5, 3), (8, 4)])
def test_the_first_half_of_mixed_proposals_is_the_policys(count, own):
    space = make_space("stroke")
    always = [7, 8, 9, 1, 2]
    seen = observation(space, torch.zeros(BATCH, 1, SIDE, SIDE), a_spot(20, 10))
    acted = MixedProposals(Constant(always), ResidualProposals(space)).act(seen, None, random(), count=count)
    actions, log_prob = acted.actions.view(BATCH, count, -1), acted.log_prob.view(BATCH, count)
    assert (actions[:, :own] == torch.tensor(always)).all()
    assert (log_prob[:, :own] == -1.5).all()
    assert (actions[:, own:, 0] == 10 * 16 + 5).all()
    assert (log_prob[:, own:] == 0).all()
    assert acted.memory == "memory"


def test_spaces_with_a_flag_jump_and_paint():
    space = make_space("bezier")
    seen = observation(space, torch.zeros(BATCH, 1, SIDE, SIDE), a_spot(3, 3))
    flags = ResidualProposals(space).act(seen, None, random(), count=200).actions[:, 0]
    assert 0.4 < (flags == PAINT).float().mean() < 0.6


@pytest.mark.parametrize("verb", [JUMP, PAINT])
def test_a_verb_can_be_asked_for(verb):
    space = make_space("bezier")
    seen = observation(space, torch.zeros(BATCH, 1, SIDE, SIDE), a_spot(3, 3))
    proposer = ResidualProposals(space)
    assert (proposer.act(seen, None, random(), count=200, verb=verb).actions[:, 0] == verb).all()
    mixed = MixedProposals(proposer, proposer).act(seen, None, random(), count=200, verb=verb)
    assert (mixed.actions[:, 0] == verb).all()


def test_worlds_aim_at_the_residual_by_default():
    for name in ("paint", "toy"):
        world = find_world(name)
        proposer = world.proposals(world.actions(world.settings_type()))
        assert isinstance(proposer, ResidualProposals)
        assert (proposer.first_spread, proposer.verbs) == (0.0, None)


# --- changes of actions -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "space",
    [
        paint_actions(),
        paint_actions(PaintSettings(space="stroke", grid=32, sizes=(1, 2, 4), pressures=4, color=True, levels=8)),
        paint_actions(PaintSettings(space="relative", grid=9, sizes=(1, 2), pressures=3, levels=2)),
        scene_actions(ScenesSettings()),
    ],
    ids=["bezier", "stroke", "relative", "scenes"],
)
def test_perturbed_actions_are_valid_and_close_by(space):
    actions = torch.from_numpy(space.sample(np.random.default_rng(0), 4000))
    given = actions.clone()
    perturbed = perturb(space, actions, random())
    assert torch.equal(actions, given)
    np.testing.assert_array_equal(space.validate(perturbed.numpy()), space.canonical(perturbed.numpy()))
    counts = torch.from_numpy(space.mask(actions.numpy()))
    for i, part in enumerate(space.parts):
        counted = counts[:, i]
        before, after = actions[counted, i], perturbed[counted, i]
        if part.name in ("flag", "op"):
            assert torch.equal(before, after)
            continue
        changed = (before != after).float().mean()
        if part.grid is not None:
            columns = part.grid[1]
            far = torch.maximum(abs(before // columns - after // columns), abs(before % columns - after % columns))
            assert 0.2 < changed < 0.5
            assert far.max() <= 10
            assert far[far > 0].float().mean() < 3
        else:
            assert 0.1 < changed < 0.3
            assert abs(before - after).max() == (3 if part.name == "type" else 1)


def test_the_generator_decides_what_is_perturbed():
    space = paint_actions()
    actions = torch.from_numpy(space.sample(np.random.default_rng(0), 50))
    once = perturb(space, actions, random())
    assert torch.equal(perturb(space, actions, random()), once)
    assert not torch.equal(perturb(space, actions, random(1)), once)


def test_colours_become_the_nearest_levels():
    space = paint_actions(PaintSettings(space="stroke", grid=8, sizes=(1, 2), pressures=3, color=True, levels=5))
    actions = torch.from_numpy(space.sample(np.random.default_rng(0), 3))
    recoloured = recolour(space, actions, torch.tensor([[0.0, 0.49, 1.0], [0.13, 0.12, 0.7], [1.0, 0.6, 0.9]]))
    assert recoloured[:, -3:].tolist() == [[0, 2, 4], [1, 0, 3], [4, 2, 4]]
    assert torch.equal(recoloured[:, :-3], actions[:, :-3])


def test_what_has_no_colour_gets_none():
    space = scene_actions(ScenesSettings())
    actions = torch.tensor([[SKIP, 0, 0, 0, 0, 0, 0], [PLACE, 1, 2, 1, 0, 0, 0]])
    assert recolour(space, actions, torch.ones(2, 3)).tolist() == [[SKIP] + [0] * 6, [PLACE, 1, 2, 1, 3, 3, 3]]
