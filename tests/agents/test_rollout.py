import numpy as np
import pytest
import torch

from limner.agents.agent import make_policy
from limner.agents.config import AgentConfig
from limner.agents.rollout import EpisodeBatch, collect, collect_candidates, observation, replay
from limner.models.config import PolicyConfig
from limner.training.presets import PRESETS
from limner.worlds import make_renderer
from limner.worlds.observation import Observation, preprocess
from limner.worlds.simulator import execute, squared_distance
from limner.worlds.toy.renderer import ToySettings

STEPS, BATCH, RESOLUTION = 4, 6, 16
CONFIGS = [
    pytest.param(PolicyConfig(channels=4, hidden=32, noise=3), id="small"),
    pytest.param(PolicyConfig(channels=4, hidden=32, noise=3, lstm=True), id="lstm"),
    pytest.param(PolicyConfig(network="paper", hidden=32, lstm=True, spatial_heads=True), id="paper"),
]


POLICY = CONFIGS[0].values[0]
TOY, PAINT = ToySettings(canvas=32), PRESETS["tiny"].config.agent.renderer


def make(policy=CONFIGS[0].values[0], settings=TOY, batch=BATCH, seed=0):
    config = AgentConfig(settings, horizon=STEPS, resolution=RESOLUTION, policy=policy)
    renderer = config.make_renderer(batch)
    torch.manual_seed(seed)
    return renderer, make_policy(config), EpisodeBatch.empty(config, renderer)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("settings", [TOY, PAINT], ids=["toy", "paint"])
def test_a_batch_holds_what_its_actions_paint(settings):
    acting, policy, batch = make(settings=settings)
    acting.step(acting.actions.sample(np.random.default_rng(0), BATCH))  # what was painted before does not matter
    collect(acting, policy, batch, generator())
    again = make_renderer(settings, BATCH)
    for t in range(STEPS):
        assert torch.equal(batch.observed[t], preprocess(torch.from_numpy(again.canvas()), RESOLUTION))
        np.testing.assert_array_equal(batch.pen[t], again.pen())
        again.step(batch.actions[t].numpy())
    np.testing.assert_array_equal(batch.canvas, again.canvas())
    assert torch.equal(batch.final, preprocess(batch.canvas, RESOLUTION))
    assert not batch.observed[0].any()
    assert batch.final.flatten(1).any(1).float().mean() > 0.5
    np.testing.assert_array_equal(batch.actions, acting.actions.canonical(batch.actions.numpy()))


@pytest.mark.parametrize("conditional", [False, True])
@pytest.mark.parametrize("settings", [TOY, PAINT], ids=["toy", "paint"])
def test_other_candidates_end_with_what_the_program_paints_with_them_in_its_place(settings, conditional):
    config = AgentConfig(settings, conditional=conditional, horizon=STEPS, resolution=RESOLUTION, policy=POLICY)
    renderer, policy = config.make_renderer(BATCH), make_policy(config)
    batch = EpisodeBatch.empty(config, renderer, candidates=3)
    goal = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (BATCH, *renderer.shape), np.uint8))
    if conditional:
        batch.aim(goal)
    collect_candidates(renderer, config.make_renderer(2 * BATCH), policy, batch, generator())
    assert torch.equal(batch.candidates[:, :, 0], batch.actions)
    assert (batch.others != batch.actions[:, :, None]).any()
    evaluated = policy.evaluate(batch.observations(), batch.candidates)
    torch.testing.assert_close(evaluated.log_prob, batch.candidates_log_prob, rtol=1e-6, atol=1e-5)
    one = policy.evaluate(batch.observations(), batch.others[:, :, 1])
    torch.testing.assert_close(evaluated.log_prob[..., 2], one.log_prob, rtol=1e-6, atol=1e-5)
    torch.testing.assert_close(evaluated.value, one.value)
    for t in range(STEPS):
        for k in range(2):
            program = batch.actions.clone()
            program[t] = batch.others[t, :, k]
            canvas = execute(renderer, program)
            assert torch.equal(batch.others_final[t, :, k], preprocess(canvas, RESOLUTION))
            distance = squared_distance(canvas, goal) if conditional else torch.zeros(BATCH)
            assert torch.equal(batch.others_distance[t, :, k], distance)


@pytest.mark.parametrize("config", CONFIGS)
def test_the_policy_evaluates_its_own_episodes_to_the_probabilities_it_acted_with(config):
    renderer, policy, batch = make(config)
    collect(renderer, policy, batch, generator())
    evaluated = policy.evaluate(batch.observations(), batch.actions)
    torch.testing.assert_close(evaluated.log_prob, batch.log_prob, rtol=1e-6, atol=1e-5)
    assert not batch.log_prob.requires_grad
    rows = torch.tensor([4, 1, 2])
    some = policy.evaluate(batch.observations(rows), batch.actions[:, rows])
    torch.testing.assert_close(some.log_prob, batch.log_prob[:, rows], rtol=1e-6, atol=1e-5)


def test_observations_are_what_was_known_before_each_action():
    renderer, policy, batch = make()
    collect(renderer, policy, batch, generator())
    for rows in (None, torch.tensor([5, 0])):
        seen, chosen = batch.observations(rows), range(BATCH) if rows is None else rows
        for i, b in enumerate(chosen):
            for t in range(STEPS):
                assert torch.equal(seen.canvas[t, i], batch.observed[t, b])
                assert torch.equal(seen.pen[t, i], batch.pen[t, b])
                assert seen.step[t, i] == t / STEPS
                assert torch.equal(seen.noise[t, i], batch.noise[b])
                expected = batch.actions[t - 1, b] if t else torch.zeros(len(renderer.actions), dtype=torch.int64)
                assert torch.equal(seen.previous[t, i], expected)


def test_a_batch_is_refilled_in_place_and_follows_the_generator():
    renderer, policy, batch = make()
    places = {name: array.data_ptr() for name, array in vars(batch).items()}
    running = generator()
    first = {name: array.clone() for name, array in vars(collect(renderer, policy, batch, running)).items()}
    second = {name: array.clone() for name, array in vars(collect(renderer, policy, batch, running)).items()}
    again = vars(collect(renderer, policy, batch, generator()))
    assert places == {name: array.data_ptr() for name, array in again.items()}
    for name, array in again.items():
        assert torch.equal(array, first[name]), name
        assert not array.count_nonzero() or not torch.equal(array, second[name]), name


def test_noise_is_standard_normal():
    renderer, policy, batch = make(settings=ToySettings(canvas=16, grid=2), batch=2000)
    collect(renderer, policy, batch, generator())
    assert batch.noise.mean().abs() < 0.05
    assert (batch.noise.std(0) - 1).abs().max() < 0.07
    assert (torch.corrcoef(batch.noise.T) - torch.eye(3)).abs().max() < 0.1


def test_temperature_reaches_the_decoder():
    renderer, policy, batch = make()
    bold = collect(renderer, policy, batch, generator(), temperature=0).log_prob.mean().item()
    wild = collect(renderer, policy, batch, generator(), temperature=10).log_prob.mean().item()
    assert bold > wild


def with_targets():
    config = AgentConfig(PAINT, conditional=True, horizon=STEPS, resolution=RESOLUTION, policy=CONFIGS[0].values[0])
    renderer = config.make_renderer(BATCH)
    torch.manual_seed(0)
    batch = EpisodeBatch.empty(config, renderer)
    batch.aim(torch.randint(256, batch.goal.shape, generator=generator(), dtype=torch.uint8))
    return renderer, make_policy(config), batch


def test_targets_are_seen_and_the_distance_to_them_is_measured():
    renderer, policy, batch = with_targets()
    collect(renderer, policy, batch, generator())
    assert torch.equal(batch.target, preprocess(batch.goal, RESOLUTION))
    assert torch.equal(batch.final, torch.cat([batch.observed[-1], batch.target], dim=1))
    rows = torch.tensor([4, 0])
    seen = batch.observations(rows)
    assert all(torch.equal(seen.target[t], batch.target[rows]) for t in range(STEPS))
    again = make_renderer(PAINT, BATCH)
    for t in range(STEPS + 1):
        difference = (again.canvas().astype(float) - batch.goal.numpy()) / 255
        np.testing.assert_allclose(batch.distance[t], (difference**2).reshape(BATCH, -1).mean(1), rtol=1e-5)
        if t < STEPS:
            again.step(batch.actions[t].numpy())


def test_replaying_given_actions_fills_a_batch_as_acting_did():
    renderer, policy, batch = with_targets()
    acted = {name: value.clone() for name, value in vars(collect(renderer, policy, batch, generator())).items()}
    names = ("observed", "pen", "canvas", "distance")
    for name in names:
        getattr(batch, name).zero_()
    replay(renderer, batch, acted["actions"])
    assert all(torch.equal(getattr(batch, name), acted[name]) for name in (*names, "actions"))


def test_the_first_action_has_a_temperature_of_its_own():
    renderer, policy, batch = make(PolicyConfig(channels=4, hidden=32, noise=0))  # only sampling differs

    def different(*temperatures):
        """How many first and how many second actions there are in the batch."""
        actions = collect(renderer, policy, batch, generator(), *temperatures).actions
        return [len(torch.unique(actions[t], dim=0)) for t in (0, 1)]

    assert different(0.0) == different(0.0, 0.0) == [1, 1]
    assert different(0.0, 10.0)[0] > 1
    first, second = different(10.0, 0.0)
    assert first == 1 < second


def test_what_is_executed_is_perturbed_and_the_probabilities_are_those_of_what_was_sampled():
    renderer, policy, batch = make()
    sampled = []

    def perturb(actions):
        sampled.append(actions)
        return torch.from_numpy(renderer.actions.canonical(actions.flip(0).numpy()))

    collect(renderer, policy, batch, generator(), perturb=perturb)
    assert torch.equal(batch.actions, torch.stack(sampled).flip(1))
    again = make_renderer(TOY, BATCH)
    for action in batch.actions:
        again.step(action.numpy())
    np.testing.assert_array_equal(batch.canvas, again.canvas())
    for t in range(STEPS):
        seen = Observation(*(part[None] for part in observation(batch, t)))
        expected = policy.evaluate(seen, sampled[t][None]).log_prob[0]
        torch.testing.assert_close(batch.log_prob[t], expected, rtol=1e-6, atol=1e-5)
