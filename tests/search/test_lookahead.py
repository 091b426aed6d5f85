import numpy as np
import torch

from limner.agents.agent import make_policy
from limner.agents.config import AgentConfig
from limner.agents.rollout import EpisodeBatch, collect, observation, replay
from limner.models.config import PolicyConfig
from limner.search.lookahead import best_action, greedy_lookahead
from limner.worlds.paint.renderer import Paint
from limner.worlds.paint.settings import PaintSettings
from limner.worlds.simulator import Simulator

BATCH, CANDIDATES, STEPS = 3, 4, 3
SETTINGS = PaintSettings(space="stroke", brush="classic/pen", grid=16, sizes=(2.0, 6.0), pressures=3, events=6)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def new_renderer(batch=BATCH):
    return Paint(SETTINGS, batch)


def random_goals(batch=BATCH, seed=5):
    renderer = new_renderer(batch=batch)
    rng = np.random.default_rng(seed)
    for _ in range(STEPS):
        renderer.step(renderer.actions.sample(rng, batch))
    return torch.from_numpy(renderer.canvas())


def error(canvases, goals):
    return ((canvases.numpy().astype(float) - goals.numpy()) ** 2).reshape(len(goals), -1).mean(1) / 255**2


def test_perturbations_of_the_best_are_never_worse_than_it():
    renderer, goals = new_renderer(), random_goals()
    simulator, state = Simulator(renderer, CANDIDATES, 1), renderer.save()
    proposals = torch.from_numpy(renderer.actions.sample(np.random.default_rng(1), (BATCH, CANDIDATES)))
    gains = []
    for seed in range(8):
        found = best_action(simulator, state, goals, proposals, renderer.actions, generator(seed))
        renderer.restore(state)
        renderer.step(found.numpy())
        first = simulator.scores(state, goals, proposals).amax(1)
        gains.append(-error(torch.from_numpy(renderer.canvas()), goals) - first.numpy())
    assert np.min(gains) > -1e-6
    assert np.max(gains) > 1e-3


def policy_and_batch(renderer):
    policy = PolicyConfig(channels=4, hidden=32, noise=2)
    config = AgentConfig(SETTINGS, conditional=True, horizon=STEPS, resolution=16, policy=policy)
    torch.manual_seed(0)
    batch = EpisodeBatch.empty(config, renderer)
    batch.aim(random_goals(renderer.batch))
    return make_policy(config), batch


def test_what_is_done_is_better_than_what_the_policy_proposes_first():
    renderer = new_renderer(batch=8)
    policy, batch = policy_and_batch(renderer)
    greedy_lookahead(renderer, Simulator(renderer, CANDIDATES, 1), policy, batch, generator())
    before, first = new_renderer(batch=8), []
    random = generator()
    batch.noise.normal_(generator=random)
    for t in range(STEPS):  # the policy's own action, done instead
        proposed = policy.act(observation(batch, t), None, random).actions
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
    greedy_lookahead(renderer, Simulator(renderer, CANDIDATES, 1), policy, batch, generator())
    found = {name: value.clone() for name, value in vars(batch).items()}
    _, again = policy_and_batch(renderer)
    replay(renderer, again, batch.actions)
    for name in ("observed", "canvas", "pen", "actions", "goal", "target", "distance"):
        assert torch.equal(getattr(again, name), found[name]), name


def test_searched_episodes_end_closer():
    renderer = new_renderer(batch=16)
    policy, batch = policy_and_batch(renderer)
    collect(renderer, policy, batch, generator())
    alone = batch.distance[-1].mean()
    greedy_lookahead(renderer, Simulator(renderer, CANDIDATES, 1), policy, batch, generator())
    assert batch.distance[-1].mean() < 0.7 * alone


def test_the_same_generator_finds_the_same_on_any_number_of_threads():
    found = []
    for threads in (1, 2):
        renderer = Paint(SETTINGS, 8, threads)
        policy, batch = policy_and_batch(renderer)
        greedy_lookahead(renderer, Simulator(renderer, CANDIDATES, threads), policy, batch, generator())
        found.append(batch.actions)
    assert torch.equal(*found)
