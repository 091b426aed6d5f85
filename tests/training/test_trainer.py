from dataclasses import replace

import numpy as np
import pytest
import torch
from work_clock import WorkClock

from limner.agents.agent import make_policy
from limner.training import make_trainer
from limner.training.actor_critic import EpisodeActor
from limner.training.policy_gradient import PolicyGradient
from limner.training.spiral.critic_learner import CriticLearner


def different(a, b):
    assert a.keys() == b.keys()
    return [name for name in a if not torch.equal(a[name], b[name])]


def test_a_seed_decides_the_run_and_nothing_else_does(tiny, source, everything):
    runs = []
    for seed, disturbance in ((0, 1), (0, 2), (1, 1)):
        torch.manual_seed(disturbance)
        np.random.seed(disturbance)  # noqa: NPY002 (nobody should be using this one)
        trainer = make_trainer(replace(tiny, run=replace(tiny.run, seed=seed)), source)
        for i in range(3):
            trainer.update(i / 3)
        runs.append(everything(trainer))
    assert different(runs[0], runs[1]) == []
    expected = {"critic output.weight", "policy value.weight", "replay", "episodes actions"}
    assert expected <= set(different(runs[0], runs[2]))


def test_global_random_states_are_left_alone(tiny, source):
    torch.manual_seed(5)
    before = torch.get_rng_state()
    trainer = make_trainer(tiny, source)
    trainer.update(0.0)
    trainer.update(0.1)
    assert torch.equal(before, torch.get_rng_state())


def test_starting_from_another_policy_takes_its_weights_and_paints_with_them(tiny, source):
    trainer = make_trainer(tiny, source)
    torch.manual_seed(9)
    policy = make_policy(tiny.agent)
    trainer.start_from(policy)
    for network in (trainer.policy_learner.policy, trainer.policy_learner.average, trainer.runtime.actor.policy):
        pairs = zip(network.parameters(), policy.parameters(), strict=True)
        assert all(torch.equal(mine, its) for mine, its in pairs)
    episodes = trainer.runtime.batch
    with torch.no_grad():
        log_prob = policy.evaluate(episodes.observations(), episodes.actions).log_prob
    torch.testing.assert_close(log_prob, episodes.log_prob)


def test_an_update_tells_what_its_time_was_spent_on(tiny, source, monkeypatch):
    """On a clock that only work of a known length moves; on one thread, so that one comes after the other."""
    clock = WorkClock(monkeypatch)
    clock.lasts(EpisodeActor, "act", 1)
    clock.lasts(PolicyGradient, "step", 4)
    clock.lasts(CriticLearner, "step", 3)
    trainer = make_trainer(replace(tiny, run=replace(tiny.run, threads=1)), source)
    for _ in range(2):
        metrics = trainer.update(0.0)
        times = {name: value for name, value in metrics.items() if name.startswith("time/")}
        assert times == pytest.approx(
            {"time/acting": 1 / 8, "time/policy learning": 1 / 2, "time/critic learning": 3 / 8, "time/scoring": 0}
        )
        assert not [name for name in metrics if name.startswith("seconds")]


def test_a_policy_of_another_kind_is_refused(tiny, source):
    wider = replace(tiny.agent, policy=replace(tiny.agent.policy, hidden=48))
    with pytest.raises(
        ValueError, match=r"with another network or action space: \S+ is \[.*\], must be \[.*\] \(\d+ ten"
    ):
        make_trainer(tiny, source).start_from(make_policy(wider))


@pytest.mark.parametrize("settings", [{"color": True}, {"ground": "transparent"}])
def test_pictures_that_do_not_fit_the_renderer_are_refused(settings, tiny, source):
    config = replace(tiny, agent=replace(tiny.agent, renderer=replace(tiny.agent.renderer, **settings)))
    with pytest.raises(ValueError, match=r"'mnist-5k' are 200 of \[64, 64, 1\], canvases \[64, 64, [23]\]"):
        make_trainer(config, source)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_refused(tiny, source):
    with pytest.raises(ValueError, match="device is 'cuda', but PyTorch finds no GPU here: use --device cpu"):
        make_trainer(replace(tiny, device="cuda"), source)
