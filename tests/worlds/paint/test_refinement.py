import pytest
import torch
from refining import assert_improves, assert_repeatable, generator, refinement_of, some_actions

from limner.worlds import find_world
from limner.worlds.paint.refinement import LayeredRefinement
from limner.worlds.paint.renderer import Paint
from limner.worlds.paint.settings import PaintSettings
from limner.worlds.refinement import Refinement
from limner.worlds.simulator import Simulator, execute, negative_mse

BATCH, CANDIDATES = 3, 6


def paint(brush="classic/pen", space="stroke", color=False, ground="white"):
    settings = PaintSettings(
        brush=brush, space=space, color=color, ground=ground, grid=16, sizes=(2.0, 6.0), pressures=3, events=6
    )
    return Paint(settings, BATCH)


RENDERERS = {
    "pen": paint,
    "colour": lambda: paint(color=True),
    "dry brush": lambda: paint("classic/dry_brush"),
    "smudging": lambda: paint("classic/smudge"),
}


def make(renderer, objective=negative_mse, candidates=CANDIDATES, threads=1, goals=None, actions=None):
    goals = execute(renderer, some_actions(renderer, 5)) if goals is None else goals
    simulator = Simulator(renderer, candidates, threads, objective)
    actions = some_actions(renderer, 2) if actions is None else actions
    return refinement_of(LayeredRefinement, renderer, simulator, goals, actions)


@pytest.mark.parametrize("objective", [negative_mse, lambda canvases, goals: negative_mse(canvases, goals)])
@pytest.mark.parametrize("kind", RENDERERS)
def test_refinement_never_gets_worse_and_knows_how_close_it_is(kind, objective):
    left = assert_improves(make(RENDERERS[kind](), objective), RENDERERS[kind]())
    assert kind == "smudging" or left < 0.8  # a brush that only smudges paints nothing on white


@pytest.mark.parametrize("kind", ["pen", "colour"])
def test_a_budget_of_sweeps_is_repeatable(kind):
    assert_repeatable(lambda threads: make(RENDERERS[kind](), threads=threads))


@pytest.mark.parametrize("kind", ["pen", "colour"])
def test_layers_stay_those_of_the_actions(kind):
    refinement, random = make(RENDERERS[kind]()), generator()
    for _ in range(3):
        refinement.sweep(random)
    for layer, action in zip(refinement.layers, refinement.actions, strict=True):
        again = refinement.painter.paint(action)
        assert torch.equal(layer.keep, again.keep)
        assert torch.equal(layer.add, again.add)


def test_another_objective_finds_other_pictures():
    """Here the less ink the better."""
    for color in (False, True):
        refinement = make(paint(color=color), lambda canvases, goals: canvases.float().mean((1, 2, 3)))
        before = refinement.canvas.float().mean()
        for seed in range(6):
            refinement.sweep(generator(seed))
        assert refinement.canvas.float().mean() > before + 5


def test_one_sweep_gives_strokes_their_colours():
    """Where only the colour is wrong, it is right after a sweep, however far off it was."""
    renderer = paint(color=True)
    actions = some_actions(renderer, 3)[-1:]
    wrong = actions.clone()
    for name in ("red", "green", "blue"):
        part = renderer.actions.index(name)
        wrong[..., part] = (wrong[..., part] + 10) % 20
    refinement = make(renderer, candidates=2, goals=execute(renderer, actions), actions=wrong)
    before = refinement.scores.clone()
    refinement.sweep(generator())
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
    refinement = make(renderer, candidates=16, goals=execute(renderer, goal), actions=useless)
    before, random = refinement.scores.clone(), generator()
    for _ in range(4):
        refinement.sweep(random)
    assert (refinement.scores > before / 2).all()


@pytest.mark.parametrize(
    ("options", "layered"),
    [
        ({}, True),
        ({"color": True}, True),
        ({"space": "bezier"}, False),
        ({"ground": "transparent"}, False),
    ],
)
def test_strokes_that_are_layers_are_refined_under_layers(options, layered):
    renderer = paint(**options)
    assert find_world("paint").refinement(renderer) is (LayeredRefinement if layered else Refinement)
