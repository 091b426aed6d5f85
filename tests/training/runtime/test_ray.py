"""Training on Ray: the same results as in one process, weights that arrive, faults that are survived."""

import os
import signal
import time
from contextlib import closing
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from ray_runs import gone

from limner.agents.agent import make_policy
from limner.data import load_dataset
from limner.data.picture_source import PictureSource
from limner.training import make_trainer
from limner.training.config import RayConfig, RunConfig
from limner.training.distance.config import DistanceConfig
from limner.training.imitation.config import ImitationConfig, RandomExpert, SearchExpert
from limner.training.presets import PRESETS
from limner.training.runtime import ray_object, remote_actor
from limner.training.runtime.local import LocalObject
from limner.training.saving import begin_checkpoint, restore_checkpoint

ray = pytest.importorskip("ray", reason="Ray is not installed")
pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("cluster")]

TINY = PRESETS["tiny"].config
STROKES = replace(TINY.agent, renderer=replace(TINY.agent.renderer, space="stroke"), conditional=True)
CONFIGS = {
    "spiral": TINY,
    "candidates": replace(TINY, learning=replace(TINY.learning, candidates=2)),
    "distance": DistanceConfig(replace(TINY.agent, conditional=True), TINY.run, learning=TINY.learning),
    "random": ImitationConfig(STROKES, TINY.run, RandomExpert(), 4, 4),
    "search": ImitationConfig(STROKES, TINY.run, SearchExpert(candidates=4, sweeps=1, capacity=64), 4, 4),
}


@pytest.fixture(scope="module")
def source():
    return PictureSource(load_dataset(), 64)


@pytest.fixture
def make(source):
    """Trainers that are closed after the test."""
    trainers = []

    def make_one(name, **options):
        config = CONFIGS[name]
        if options:
            config = replace(config, run=replace(config.run, runtime=RayConfig(**options)))
        trainers.append(make_trainer(config, source))
        return trainers[-1]

    yield make_one
    for trainer in trainers:
        trainer.close()


@pytest.fixture(scope="module")
def undisturbed(source, tmp_path_factory):
    """What two actors in lockstep come to in four updates, and a checkpoint of two, by the name of the configuration;
    trained once."""

    @cache
    def result(name):
        config, folder = CONFIGS[name], tmp_path_factory.mktemp(name)
        runtime = RayConfig(actors=2, lockstep=True)
        with closing(make_trainer(replace(config, run=replace(config.run, runtime=runtime)), source)) as trainer:
            first = weights(trainer)
            trained(trainer, range(2))
            write = begin_checkpoint(folder, trainer, {"minutes": 0.0})
            result = trained(trainer, range(2, 4))
            path = write()
        assert not torch.equal(result[0], first)
        return result, path

    return result


def weights(trainer):
    policy = trainer.policy_learner
    tensors = [*policy.policy.state_dict().values(), *policy.average.state_dict().values()]
    return torch.cat([tensor.flatten().double() for tensor in tensors])


def trained(trainer, updates=range(4), before=None):
    for i in updates:
        if before is not None:
            before(i)
        metrics = trainer.update(i / 10)
    return weights(trainer), {name: x for name, x in metrics.items() if not name.startswith(("time/", "runtime/"))}


def same(first, second):
    return torch.equal(first[0], second[0]) and first[1] == second[1]


def processes(trainer):
    """Process numbers of the actors."""
    return [ray.get(actor.process.handle.process_number.remote()) for actor in trainer.runtime.actors]


@pytest.mark.parametrize("name", ["distance", "random", "search"])
def test_one_actor_in_lockstep_trains_as_one_process_does_bit_for_bit(name, make):
    assert same(trained(make(name)), trained(make(name, actors=1, lockstep=True)))


@pytest.mark.parametrize("name", CONFIGS)
def test_a_run_in_lockstep_is_repeated_and_resumed_bit_for_bit(name, make, undisturbed):
    result, path = undisturbed(name)
    resumed = make(name, actors=2, lockstep=True)
    restore_checkpoint(path, resumed)
    assert same(result, trained(resumed, range(2, 4)))


def test_batches_are_made_with_the_weights_of_their_version_and_newer_ones_arrive(make, monkeypatch):
    trainer = make("spiral", actors=2)
    published, used = {}, []
    publish, finish = trainer.runtime.publish, trainer.runtime._finish

    def note(tensors):
        figures = publish(tensors)
        published[trainer.runtime.version] = {name: tensor.clone() for name, tensor in tensors.items()}
        return figures

    def check(actor):
        call, tensors, figures = finish(actor)
        used.append(call.version)
        policy = make_policy(trainer.config.agent)
        policy.load_state_dict(published[call.version])
        episodes = trainer.actor_type.unpack([tensors], "cpu")
        with torch.no_grad():
            found = policy.evaluate(episodes.observations(), episodes.actions).log_prob
        torch.testing.assert_close(found, episodes.log_prob)
        return call, tensors, figures

    published[trainer.runtime.version] = {
        name: tensor.clone() for name, tensor in trainer.policy_learner.policy.state_dict().items()
    }
    monkeypatch.setattr(trainer.runtime, "publish", note)
    monkeypatch.setattr(trainer.runtime, "_finish", check)
    for i in range(8):
        metrics = trainer.update(i / 8)
        assert metrics["runtime/lag"] <= trainer.runtime.options.max_lag
    assert used[-1] >= trainer.runtime.version - 4
    assert len(set(used)) > 3


def test_batches_that_are_too_old_are_dropped_and_counted(make):
    trainer = make("spiral", actors=2, max_lag=0)
    for i in range(4):
        metrics = trainer.update(i / 4)
        assert metrics["runtime/lag"] == 0
    assert metrics["runtime/dropped"] == trainer.counters()["dropped"] > 0


def test_actors_wait_for_the_learner(make):
    trainer = make("spiral", actors=2)
    trainer.update(0.0)
    calls = [actor.call for actor in trainer.runtime.actors]
    ready, _ = ray.wait([call.result for call in calls], num_returns=2, timeout=60)
    assert len(ready) == 2
    time.sleep(1.0)  # in which nothing more is made
    assert [actor.call for actor in trainer.runtime.actors] == calls


@pytest.mark.parametrize("name", ["spiral", "random"])
def test_a_killed_actor_is_replaced_and_its_batches_are_made_again(name, make, undisturbed):
    trainer = make(name, actors=2, lockstep=True)

    def kill(update):
        if update in (1, 2):
            os.kill(processes(trainer)[update - 1], signal.SIGKILL)

    assert same(undisturbed(name)[0], trained(trainer, before=kill))
    assert trainer.runtime.figures["runtime/restarts"] == 2


def test_an_actor_that_hangs_is_replaced(make, undisturbed, monkeypatch):
    trainer = make("distance", actors=2, lockstep=True)
    monkeypatch.setattr(remote_actor, "PATIENCE", 3.0)
    stopped = []

    def stop(update):
        if update == 2:
            stopped.append(processes(trainer)[0])
            os.kill(stopped[0], signal.SIGSTOP)

    assert same(undisturbed("distance")[0], trained(trainer, before=stop))
    assert trainer.runtime.figures["runtime/restarts"] == 1
    assert gone(stopped)


def test_a_killed_critic_is_replaced_and_has_lost_nothing(make, undisturbed, monkeypatch):
    trainer = make("spiral", actors=2, lockstep=True)
    monkeypatch.setattr(ray_object, "MOST_CALLS", 2)

    def kill(update):
        if update in (0, 3):  # before its state was kept for the first time, and afterwards
            os.kill(ray.get(trainer.critic.process.handle.process_number.remote()), signal.SIGKILL)
            assert (trainer.critic.state is None) == (update == 0)
            finish.append(trainer.begin_snapshot())

    finish = []
    assert same(undisturbed("spiral")[0], trained(trainer, before=kill))
    added = [finish_one().counters["replay"] for finish_one in finish]
    assert added == [0, 3 * trainer.config.run.episodes], "a snapshot is that of the moment in which it was asked for"
    assert trainer.critic.process.restarts == 2


def test_beside_a_policy_on_a_gpu_the_critic_learns_the_same_in_this_process(make, undisturbed, monkeypatch):
    trainer = make("spiral", actors=2, lockstep=True)
    with monkeypatch.context() as patch:
        patch.setattr(trainer.runtime, "device", "cuda")
        critic = trainer.runtime.host(trainer.critic_type)
    assert isinstance(critic, LocalObject)
    critic.call("set_weights", trainer.frozen_critic.state_dict()).result()
    trainer.critic = critic
    assert same(undisturbed("spiral")[0], trained(trainer))


def test_the_critic_may_be_late_by_an_update(make):
    trainer = make("spiral", actors=1)
    with torch.no_grad():
        before = [tensor.clone() for tensor in trainer.frozen_critic.parameters()]
    assert "critic/gap" not in trainer.update(0.0)
    assert all(map(torch.equal, trainer.frozen_critic.parameters(), before))
    assert np.isfinite(trainer.update(0.1)["critic/gap"])
    assert not all(map(torch.equal, trainer.frozen_critic.parameters(), before))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"actors": 0}, r"actors is 0: must be in 1 … 4096"),
        ({"max_lag": -1}, "max_lag is -1: must be 0 or more"),
        ({"object_store": 10}, "object_store is 10: must be in 80 …"),
    ],
)
def test_impossible_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        RayConfig(**options)


def test_more_actors_than_episodes_are_refused():
    with pytest.raises(ValueError, match="episodes is 8: must be 10 or more, two for each actor"):
        RunConfig(episodes=8, runtime=RayConfig(actors=5))
