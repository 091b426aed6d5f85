from typing import NamedTuple

import pytest
import torch

from limner.models.config import PolicyConfig
from limner.models.pointer import PointerHead
from limner.models.policy import Policy
from limner.worlds.observation import Observation
from limner.worlds.paint.settings import PaintSettings, paint_actions

ACTIONS = paint_actions(PaintSettings(grid=8, sizes=(2, 4), pressures=3))
FINE = paint_actions(PaintSettings(grid=16, sizes=(2, 4), pressures=3))
STEPS, BATCH, RESOLUTION = 4, 6, 16


class Case(NamedTuple):
    config: PolicyConfig
    conditional: bool = False

    @property
    def actions(self):
        return FINE if self.config.network == "pointer" else ACTIONS

    @property
    def resolution(self):
        return 32 if self.config.network == "pointer" else RESOLUTION


SMALL = PolicyConfig(channels=4, hidden=32, noise=3)
PLAIN = Case(SMALL)
CASES = [
    pytest.param(PLAIN, id="small"),
    pytest.param(Case(SMALL, conditional=True), id="small-target"),
    pytest.param(Case(PolicyConfig(network="pointer", channels=4, hidden=32, noise=3)), id="pointer"),
    pytest.param(
        Case(PolicyConfig(network="pointer", channels=4, hidden=32, lstm=True), True), id="pointer-lstm-target"
    ),
    pytest.param(Case(PolicyConfig(channels=4, hidden=32, noise=0, lstm=True)), id="small-lstm"),
    pytest.param(Case(PolicyConfig(channels=4, hidden=32, noise=3, spatial_heads=True)), id="small-spatial"),
    pytest.param(Case(PolicyConfig(network="paper", lstm=True, spatial_heads=True)), id="paper"),
    pytest.param(Case(PolicyConfig(network="paper", hidden=32)), id="paper-without-lstm"),
]


def make_policy(case=PLAIN, channels=1, seed=0):
    """A policy whose every input makes a difference: what starts near zero is made large."""
    torch.manual_seed(seed)
    policy = Policy(case.actions, case.config, channels, case.resolution, case.conditional)
    for head in policy.decoder.heads:
        for layer in (head,) if isinstance(head, torch.nn.Linear) else last_layers(head):
            torch.nn.init.normal_(layer.weight, 0, 0.3)
    return policy


def last_layers(head):
    return (head.query, head.place) if isinstance(head, PointerHead) else (head.body[-1],)


def draw(case=PLAIN, channels=1, seed=0):
    """Random observations [T, B, …] and canonical actions [T, B, P], as an episode has them."""
    generator = torch.Generator().manual_seed(seed)
    space, side, config = case.actions, case.resolution, case.config
    sizes = torch.tensor(space.sizes)
    actions = (torch.rand(STEPS, BATCH, len(space), generator=generator) * sizes).long()
    actions = torch.from_numpy(space.canonical(actions.numpy()))
    canvas = torch.rand(STEPS, BATCH, channels, side, side, generator=generator)
    observation = Observation(
        canvas=canvas,
        target=(canvas + 0.3) % 1 if case.conditional else canvas[:, :, :0],
        pen=torch.rand(STEPS, BATCH, 2, generator=generator),
        step=(torch.arange(STEPS) / STEPS)[:, None].expand(STEPS, BATCH),
        previous=torch.cat([torch.zeros_like(actions[:1]), actions[:-1]]),
        noise=torch.randn(BATCH, config.noise, generator=generator).expand(STEPS, BATCH, config.noise),
    )
    return observation, actions


def at(observation, t):
    return Observation(*(x[t] for x in observation))


@pytest.mark.parametrize("case", CASES)
@torch.no_grad()
def test_acting_step_by_step_is_what_evaluating_the_episode_says(case):
    policy, (observation, _) = make_policy(case), draw(case)
    generator, memory = torch.Generator().manual_seed(0), None
    actions, log_probs = [], []
    for t in range(STEPS):
        acted = policy.act(at(observation, t), memory, generator)
        memory = acted.memory
        actions.append(acted.actions)
        log_probs.append(acted.log_prob)
    assert (memory is not None) == case.config.lstm
    evaluated = policy.evaluate(observation, torch.stack(actions))
    torch.testing.assert_close(evaluated.log_prob, torch.stack(log_probs), rtol=1e-6, atol=1e-5)


@torch.no_grad()
def test_the_lstm_remembers_and_nothing_else_does():
    case = Case(PolicyConfig(channels=4, hidden=32, noise=0, lstm=True))
    observation, actions = draw(case)
    changed = observation._replace(canvas=observation.canvas.clone())
    changed.canvas[0] = 1 - changed.canvas[0]
    for lstm in (True, False):
        policy = make_policy(Case(PolicyConfig(channels=4, hidden=32, noise=0, lstm=lstm)))
        before, after = policy.evaluate(observation, actions), policy.evaluate(changed, actions)
        assert (before.value[0] != after.value[0]).all()
        assert (before.value[1:] != after.value[1:]).any() == lstm


@pytest.mark.parametrize("case", CASES)
@torch.no_grad()
def test_everything_that_is_observed_matters(case):
    policy, (observation, actions) = make_policy(case), draw(case)
    expected = policy.evaluate(observation, actions)
    previous = torch.where(observation.previous > 0, observation.previous - 1, 1)
    changes = observation._replace(
        canvas=1 - observation.canvas,
        target=1 - observation.target,
        pen=1 - observation.pen,
        step=1 - observation.step,
        previous=previous,
        noise=-observation.noise,
    )._asdict()
    for name, change in changes.items():
        if not change.numel():
            continue
        result = policy.evaluate(observation._replace(**{name: change}), actions)
        assert not torch.allclose(result.log_prob, expected.log_prob, atol=1e-4, rtol=0), name
        assert not torch.allclose(result.value, expected.value, atol=1e-5, rtol=0), name


@pytest.mark.parametrize("case", CASES)
@torch.no_grad()
def test_masked_parts_of_the_previous_action_are_not_seen(case):
    policy, (observation, actions) = make_policy(case), draw(case)
    noisy = observation.previous.clone()
    jumps = noisy[..., 0] == 0
    noisy[..., 2:] = torch.where(jumps[..., None], 1, noisy[..., 2:])
    assert not torch.equal(noisy, observation.previous)
    expected = policy.evaluate(observation, actions)
    result = policy.evaluate(observation._replace(previous=noisy), actions)
    assert all(torch.equal(a, b) for a, b in zip(result, expected, strict=True))
    noisy[..., 1] = (noisy[..., 1] + 1) % case.actions.sizes[1]  # where a jump went is no masked part
    assert not torch.equal(policy.evaluate(observation._replace(previous=noisy), actions).value, expected.value)


@pytest.mark.parametrize("case", CASES)
def test_every_weight_has_a_gradient(case):
    policy, (observation, actions) = make_policy(case), draw(case)
    assert 0 < (actions[..., 0] == 1).sum() < STEPS * BATCH
    evaluated = policy.evaluate(observation, actions)
    sum(x.square().sum() for x in evaluated).backward()
    still = [name for name, p in policy.named_parameters() if p.grad is None or not p.grad.any()]
    assert not still
    assert all(p.grad.isfinite().all() for p in policy.parameters())


def test_colour_has_more_parts_and_channels():
    actions = paint_actions(PaintSettings(grid=8, sizes=(2, 4), pressures=3, color=True, levels=5))
    policy = Policy(actions, SMALL, 3, RESOLUTION)
    observation, _ = draw(channels=3)
    seen = at(observation, 0)._replace(previous=torch.zeros(BATCH, 8, dtype=torch.int64))
    assert policy.act(seen, None, torch.Generator()).actions.shape == (BATCH, 8)


@pytest.mark.parametrize("resolution", [8, 16, 32, 64])
@pytest.mark.parametrize("network", ["small", "paper"])
@torch.no_grad()
def test_every_resolution_that_a_configuration_allows_can_be_seen(network, resolution):
    policy = Policy(ACTIONS, PolicyConfig(network=network, channels=4, hidden=32, noise=3), 1, resolution)
    seen = at(draw()[0], 0)._replace(canvas=torch.rand(BATCH, 1, resolution, resolution))
    assert policy.act(seen, None, torch.Generator()).log_prob.isfinite().all()
