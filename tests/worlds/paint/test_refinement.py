import numpy as np
import pytest
import torch

from limner.worlds.simulator import Simulator, negative_mse
from limner.worlds.paint.refinement import Refinement
from limner.worlds.paint.renderer import Paint
from limner.worlds.paint.settings import PaintSettings
from limner.worlds.toy.renderer import Toy
from limner.worlds.toy.settings import ToySettings

BATCH, TRIES, STEPS = 3, 6, 4


def paint(brush="classic/pen", space="stroke", color=False, batch=BATCH):
    sizes = (2.0, 6.0)
    settings = PaintSettings(brush=brush, space=space, color=color, grid=16, sizes=sizes, pressures=3, events=6)
    return Paint(settings, batch)


def some_actions(renderer, seed):
    return torch.from_numpy(renderer.actions.sample(np.random.default_rng(seed), (STEPS, renderer.batch)))


def painted(renderer, actions):
    renderer.reset()
    for action in actions:
        renderer.step(action.numpy())
    return torch.from_numpy(renderer.canvas())


def make(renderer, score=negative_mse):
    goals = painted(renderer, some_actions(renderer, 5))
    return Refinement(renderer, Simulator(renderer, TRIES, 1, score), goals, some_actions(renderer, 2))


STAGES = {
    "pen": lambda: paint(),
    "colour": lambda: paint(color=True),
    "dry brush": lambda: paint("classic/dry_brush"),
    "smudging": lambda: paint("classic/smudge"),
    "bezier": lambda: paint(space="bezier"),
    "relative": lambda: paint(space="relative"),
    "spline": lambda: paint(space="spline"),
    "toy": lambda: Toy(ToySettings(), BATCH),
}


@pytest.mark.parametrize("kind", STAGES)
def test_refinement_never_gets_worse_and_knows_how_close_it_is(kind):
    renderer = STAGES[kind]()
    refinement, random = make(renderer), torch.Generator().manual_seed(0)
    first = last = refinement.scores.clone()
    for _ in range(6):
        refinement.sweep(random)
        assert (refinement.scores >= last).all()
        last = refinement.scores.clone()
    if kind != "smudging":  # a brush that only smudges paints nothing on white
        assert last.mean() > 0.8 * first.mean()
    canvas = painted(STAGES[kind](), refinement.actions)
    assert torch.equal(refinement.canvas, canvas)
    torch.testing.assert_close(refinement.scores, negative_mse(canvas, refinement.goals))
    np.testing.assert_array_equal(renderer.actions.canonical(refinement.actions.numpy()), refinement.actions)


@pytest.mark.parametrize("kind", ["pen", "colour"])
def test_layers_stay_those_of_the_actions(kind):
    refinement, random = make(STAGES[kind]()), torch.Generator().manual_seed(0)
    for _ in range(3):
        refinement.sweep(random)
    for layer, action in zip(refinement.layers, refinement.actions, strict=True):
        again = refinement.painter.paint(action)
        assert torch.equal(layer.keep, again.keep)
        assert torch.equal(layer.add, again.add)


def test_another_score_finds_other_pictures():
    """Here the less ink the better."""
    refinement = make(paint(), lambda canvases, goals: canvases.float().mean((1, 2, 3)))
    before = refinement.canvas.float().mean()
    for seed in range(6):
        refinement.sweep(torch.Generator().manual_seed(seed))
    assert refinement.canvas.float().mean() > before + 5


def test_no_time_no_change():
    renderer = paint()
    given = some_actions(renderer, 2)
    refinement = make(renderer)
    for seconds in (0.0, -1.0):
        refinement.run(seconds, torch.Generator())
    assert torch.equal(refinement.actions, given)
    assert torch.equal(refinement.canvas, painted(renderer, given))


def test_what_was_given_is_kept():
    renderer = paint()
    given = some_actions(renderer, 2)
    copy = given.clone()
    refinement = Refinement(
        renderer, Simulator(renderer, TRIES, 1), painted(renderer, some_actions(renderer, 5)), given
    )
    refinement.run(0.3, torch.Generator())
    assert torch.equal(given, copy)
    assert not torch.equal(refinement.actions, given)


def test_one_sweep_gives_strokes_their_colours():
    """Where only the colour is wrong, it is right after a sweep, however far off it was."""
    renderer = paint(color=True)
    actions = some_actions(renderer, 3)[-1:]
    wrong = actions.clone()
    for name in ("red", "green", "blue"):
        part = renderer.actions.index(name)
        wrong[..., part] = (wrong[..., part] + 10) % 20
    refinement = Refinement(renderer, Simulator(renderer, 2, 1), painted(renderer, actions), wrong)
    before = refinement.scores.clone()
    refinement.sweep(torch.Generator().manual_seed(0))
    assert (refinement.scores > before / 20).all()


def test_a_useless_stroke_is_replaced_by_one_elsewhere():
    """A white stroke in a corner cannot become the missing one in the middle by small changes."""
    renderer = paint(color=True)
    space = renderer.actions
    goal = torch.zeros(1, BATCH, len(space.parts), dtype=torch.int64)
    for name in ("start", "end", "control"):
        goal[..., space.index(name)] = 8 * 16 + 8
    goal[..., space.index("end")] += 4
    goal[..., space.index("size")] = 1
    useless = goal.clone()
    for name in ("start", "end", "control"):
        useless[..., space.index(name)] = 0
    for name in ("red", "green", "blue"):
        useless[..., space.index(name)] = 19
    refinement = Refinement(renderer, Simulator(renderer, 16, 1), painted(renderer, goal), useless)
    before, random = refinement.scores.clone(), torch.Generator().manual_seed(0)
    for _ in range(4):
        refinement.sweep(random)
    assert (refinement.scores > before / 2).all()
