import numpy as np
import pytest
import torch

from limner.worlds.paint.actions import bezier_actions, paint_actions
from limner.agents.rollout import EpisodeBatch, collect, follow, observe
from limner.models.policy import make_policy
from limner.search.lookahead import greedy_lookahead, improve
from limner.worlds.variation import perturb
from limner.worlds.simulator import Simulator, negative_mse
from limner.training.config import Config, PolicyConfig
from limner.worlds.paint.renderer import Paint
from limner.worlds.paint.settings import PaintSettings
from limner.worlds.scenes.settings import ScenesSettings, scene_actions

BATCH, TRIES, STEPS = 3, 4, 3
BRUSHES = ["classic/pen", "classic/dry_brush", "classic/smudge"]


def settings(brush="classic/pen", space="stroke"):
    return PaintSettings(brush=brush, space=space, grid=16, sizes=(2.0, 6.0), pressures=3, events=6)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def new_renderer(brush="classic/pen", batch=BATCH, space="stroke"):
    return Paint(settings(brush, space), batch)


def random_goals(batch=BATCH, seed=5):
    renderer = new_renderer(batch=batch)
    rng = np.random.default_rng(seed)
    for _ in range(STEPS):
        renderer.step(renderer.actions.sample(rng, batch))
    return torch.from_numpy(renderer.canvas())


def error(canvases, goals):
    return ((canvases.numpy().astype(float) - goals.numpy()) ** 2).reshape(len(goals), -1).mean(1) / 255**2


@pytest.mark.parametrize("brush", BRUSHES)
def test_the_best_action_is_the_one_that_paints_the_closest_picture(brush):
    renderer, goals = new_renderer(brush), random_goals()
    rng = np.random.default_rng(0)
    before = renderer.actions.sample(rng, (2, BATCH))
    tried = renderer.actions.sample(rng, (BATCH, TRIES))
    for action in before:
        renderer.step(action)
    found, scores = Simulator(renderer, TRIES, threads=2).best(renderer.save(), goals, torch.from_numpy(tried))
    for i in range(BATCH):
        errors = []
        for action in tried[i]:
            alone = new_renderer(brush, batch=1)
            for earlier in before:
                alone.step(earlier[i : i + 1])
            alone.step(action[None])
            errors.append(error(torch.from_numpy(alone.canvas()), goals[i : i + 1])[0])
        assert np.array_equal(found[i], tried[i][int(np.argmin(errors))])
        assert -scores[i].item() == pytest.approx(min(errors), rel=1e-5)


def test_another_score_finds_other_actions():
    renderer, goals = new_renderer(), random_goals()
    tried = torch.from_numpy(renderer.actions.sample(np.random.default_rng(0), (BATCH, TRIES)))
    state = renderer.save()
    like, _ = Simulator(renderer, TRIES, 1).best(state, goals, tried)
    unlike, _ = Simulator(renderer, TRIES, 1, lambda a, b: -negative_mse(a, b)).best(state, goals, tried)
    assert not torch.equal(like, unlike)


def test_variations_of_the_best_are_never_worse_than_it():
    renderer, goals = new_renderer(), random_goals()
    simulator, state = Simulator(renderer, TRIES, 1), renderer.save()
    proposals = torch.from_numpy(renderer.actions.sample(np.random.default_rng(1), (BATCH, TRIES)))
    gains = []
    for seed in range(8):
        found = improve(simulator, state, goals, proposals, renderer.actions, generator(seed))
        renderer.restore(state)
        renderer.step(found.numpy())
        _, first = simulator.best(state, goals, proposals)
        gains.append(-error(torch.from_numpy(renderer.canvas()), goals) - first.numpy())
    assert np.min(gains) > -1e-6
    assert np.max(gains) > 1e-3


@pytest.mark.parametrize(
    "space",
    [
        bezier_actions(),
        paint_actions("stroke", 32, (1, 2, 4), 4, True, 8),
        paint_actions("relative", 9, (1, 2), 3, False, 2),
        scene_actions(ScenesSettings()),
    ],
    ids=["bezier", "stroke", "relative", "scenes"],
)
def test_variations_are_actions_close_by(space):
    actions = torch.from_numpy(space.sample(np.random.default_rng(0), 4000))
    varied = perturb(space, actions, generator())
    np.testing.assert_array_equal(space.validate(varied.numpy()), space.canonical(varied.numpy()))
    counts = torch.from_numpy(space.mask(actions.numpy()))
    for i, part in enumerate(space.parts):
        counted = counts[:, i]
        before, after = actions[counted, i], varied[counted, i]
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


def policy_and_batch(canvas_stage, steps=STEPS):
    config = Config(
        conditional=True,
        steps=steps,
        resolution=16,
        renderer=settings(),
        policy=PolicyConfig(channels=4, hidden=32, noise=2),
    )
    torch.manual_seed(0)
    batch = EpisodeBatch.empty(config, canvas_stage)
    batch.aim(random_goals(canvas_stage.batch))
    return make_policy(config, canvas_stage), batch


def test_what_is_done_is_better_than_what_the_policy_proposes_first():
    renderer = new_renderer(batch=8)
    policy, batch = policy_and_batch(renderer)
    greedy_lookahead(renderer, Simulator(renderer, TRIES, 1), policy, batch, generator())
    before, first = new_renderer(batch=8), []
    random = generator()
    batch.noise.normal_(generator=random)
    for t in range(STEPS):  # the policy's own action, done instead
        proposed = policy.act(observe(batch, t), None, random).actions
        state = before.save()
        before.step(proposed.numpy())
        first.append(error(torch.from_numpy(before.canvas()), batch.goal))
        before.restore(state)
        before.step(batch.actions[t].numpy())
    found = batch.distance[1:].numpy()
    assert found.mean() < 0.9 * np.mean(first)
    assert (found < np.array(first)).mean() > 0.7


def test_search_leaves_the_episodes_that_their_actions_paint():
    renderer = new_renderer(batch=8)
    policy, batch = policy_and_batch(renderer)
    greedy_lookahead(renderer, Simulator(renderer, TRIES, 1), policy, batch, generator())
    found = {name: value.clone() for name, value in vars(batch).items()}
    again = EpisodeBatch.empty(
        Config(conditional=True, steps=STEPS, resolution=16, policy=PolicyConfig(noise=2)), renderer
    )
    again.aim(batch.goal)
    follow(renderer, again, batch.actions)
    for name in ("ink", "canvas", "pen", "actions", "goal", "target", "distance"):
        assert torch.equal(getattr(again, name), found[name]), name


def test_searched_episodes_end_closer():
    renderer = new_renderer(batch=16)
    policy, batch = policy_and_batch(renderer)
    collect(renderer, policy, batch, generator())
    alone = batch.distance[-1].mean()
    greedy_lookahead(renderer, Simulator(renderer, TRIES, 1), policy, batch, generator())
    assert batch.distance[-1].mean() < 0.7 * alone
