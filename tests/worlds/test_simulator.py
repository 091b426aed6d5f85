import numpy as np
import pytest
import torch

from limner.worlds import make_renderer
from limner.worlds.paint.renderer import Paint
from limner.worlds.paint.settings import PaintSettings
from limner.worlds.simulator import Simulator, execute, negative_mse, squared_distance

BATCH, CANDIDATES, STEPS = 3, 4, 3
BRUSHES = ["classic/pen", "classic/dry_brush", "classic/smudge"]


def new_renderer(brush="classic/pen", batch=BATCH):
    return Paint(PaintSettings(brush=brush, space="stroke", grid=16, sizes=(2.0, 6.0), pressures=3, events=6), batch)


def some_actions(renderer, shape, seed=0):
    return torch.from_numpy(renderer.actions.sample(np.random.default_rng(seed), shape))


def random_goals(seed=5):
    renderer = new_renderer()
    return execute(renderer, some_actions(renderer, (STEPS, BATCH), seed))


def error(canvases, goals):
    return ((canvases.numpy().astype(float) - goals.numpy()) ** 2).reshape(len(goals), -1).mean(1) / 255**2


def alone(brush, *actions):
    """What the actions int64[P] paint one after the other on a canvas of its own."""
    renderer = new_renderer(brush, batch=1)
    return execute(renderer, torch.stack(actions)[:, None])


def test_the_distance_is_the_mean_squared_difference():
    rng = np.random.default_rng(0)
    pictures, goals = (torch.from_numpy(rng.integers(0, 256, (4, 8, 8, 3), np.uint8)) for _ in range(2))
    np.testing.assert_allclose(squared_distance(pictures, goals), error(pictures, goals), rtol=1e-6)
    assert torch.equal(negative_mse(pictures, goals), -squared_distance(pictures, goals))
    black, white = torch.zeros(1, 2, 2, 1, dtype=torch.uint8), torch.full((1, 2, 2, 1), 255, dtype=torch.uint8)
    assert squared_distance(black, white).tolist() == [1]


def test_programs_are_executed_on_blank_canvases():
    renderer = new_renderer()
    actions = some_actions(renderer, (STEPS, BATCH))
    once = execute(renderer, actions)
    assert torch.equal(execute(renderer, actions), once)
    for i in range(BATCH):
        assert torch.equal(alone("classic/pen", *actions[:, i])[0], once[i])


@pytest.mark.parametrize("brush", BRUSHES)
def test_the_best_action_is_the_one_that_paints_the_closest_picture(brush):
    renderer, goals = new_renderer(brush), random_goals()
    before, tried = some_actions(renderer, (2, BATCH)), some_actions(renderer, (BATCH, CANDIDATES), seed=1)
    for action in before:
        renderer.step(action.numpy())
    simulator, state = Simulator(renderer, CANDIDATES, threads=2), renderer.save()
    found, scores = simulator.best(state, goals, tried), simulator.scores(state, goals, tried)
    for i in range(BATCH):
        errors = [error(alone(brush, *before[:, i], action), goals[i : i + 1])[0] for action in tried[i]]
        assert torch.equal(found[i], tried[i][int(np.argmin(errors))])
        np.testing.assert_allclose(-scores[i], errors, rtol=1e-5)


def test_later_actions_follow_all_candidates():
    renderer, goals = new_renderer(), random_goals()
    tried, later = some_actions(renderer, (BATCH, CANDIDATES)), some_actions(renderer, (2, BATCH), seed=1)
    scores = Simulator(renderer, CANDIDATES, 1).scores(renderer.save(), goals, tried, list(later))
    for i in range(BATCH):
        expected = [error(alone("classic/pen", action, *later[:, i]), goals[i : i + 1])[0] for action in tried[i]]
        np.testing.assert_allclose(-scores[i], expected, rtol=1e-5)


def test_an_overlay_is_laid_over_what_the_candidates_paint():
    renderer, goals = new_renderer(), random_goals()
    simulator, tried = Simulator(renderer, CANDIDATES, 1), some_actions(renderer, (BATCH, CANDIDATES))
    shapes = []

    def white(canvases):
        shapes.append(canvases.shape)
        return torch.full_like(canvases, 255)

    scores = simulator.scores(renderer.save(), goals, tried, above=white)
    assert shapes == [(BATCH, CANDIDATES, 64, 64, 1)]
    blank = torch.full_like(goals, 255)
    assert torch.equal(scores, negative_mse(blank, goals)[:, None].expand(-1, CANDIDATES))


def test_another_objective_finds_other_actions():
    renderer, goals = new_renderer(), random_goals()
    tried, state = some_actions(renderer, (BATCH, CANDIDATES)), renderer.save()
    nearest = Simulator(renderer, CANDIDATES, 1).best(state, goals, tried)
    furthest = Simulator(renderer, CANDIDATES, 1, lambda a, b: -negative_mse(a, b)).best(state, goals, tried)
    assert not torch.equal(nearest, furthest)


@pytest.mark.parametrize("settings", [{"name": "toy"}, {"name": "paint", "brush": "classic/dry_brush"}], ids=str)
def test_scores_are_the_same_on_any_number_of_threads_and_leave_the_renderer_alone(settings):
    renderer = make_renderer(settings, BATCH)
    goals = execute(renderer, some_actions(renderer, (STEPS, BATCH), 5))
    canvas, state = renderer.canvas(), renderer.save()
    tried = some_actions(renderer, (BATCH, CANDIDATES))
    one, two = (Simulator(renderer, CANDIDATES, threads).scores(state, goals, tried) for threads in (1, 2))
    assert torch.equal(one, two)
    np.testing.assert_array_equal(renderer.canvas(), canvas)
