"""A critic that several trainers share."""

from dataclasses import replace

import pytest
import torch
from figures import untimed

from limner.training.spiral.shared_critic import SharedCritic
from limner.training.spiral.trainer import SpiralTrainer


@pytest.fixture
def make(tiny, source):
    """Two trainers with other seeds, and the critic that they share."""

    def make_all(threads=1):
        critic = replace(tiny.critic, replay=2, steps_per_update=3)
        runs = [replace(tiny.run, seed=seed, threads=threads) for seed in (5, 6)]
        trainers = [SpiralTrainer(replace(tiny, run=run, critic=critic), source) for run in runs]
        return trainers, SharedCritic(trainers)

    return make_all


def weights(critic):
    return torch.cat([parameter.detach().flatten() for parameter in critic.parameters()])


def updated(trainers, critic, updates):
    """The figures of all trainers after so many updates of each."""
    figures = []
    for i in range(updates):
        critic.show(trainers)
        figures += [trainer.update(i / 10) for trainer in trainers]
    return figures


def test_it_learns_once_in_an_update_from_the_newest_pictures_of_all(make):
    trainers, critic = make()
    for updates in (1, 2):
        newest = torch.cat([trainer.painted() for trainer in trainers])
        updated(trainers, critic, 1)
        assert torch.equal(critic.replay.all("pictures"), newest)
        assert critic.learner.taken == 3 * updates
    updated(trainers[1:], critic, 1)
    assert len(critic.replay) == len(newest) / 2, "nothing older is left when a trainer is"


def test_all_score_with_what_it_was_at_the_start_of_the_update(make, monkeypatch):
    trainers, critic = make()
    scored = []

    def spy(self, episodes):
        scored.append(weights(self.frozen_critic))
        return honest(self, episodes)

    honest = SpiralTrainer._score
    monkeypatch.setattr(SpiralTrainer, "_score", spy)
    updated(trainers, critic, 3)
    assert all(torch.equal(scored[i], scored[i + 1]) for i in (0, 2, 4))
    assert not torch.equal(scored[0], scored[2])
    now = weights(critic.learner.critic)
    assert all(torch.equal(weights(trainer.frozen_critic), now) for trainer in trainers)


def test_it_keeps_skipped_batches_where_the_first_trainer_does(make, tmp_path):
    trainers, _ = make()
    for i, trainer in enumerate(trainers):
        trainer.keep_skipped(tmp_path / str(i))
    assert SharedCritic(trainers).learner.guard.folder == tmp_path / "0"


def test_one_thread_and_two_give_the_same_bit_for_bit(make, everything):
    results = []
    for threads in (1, 2):
        trainers, critic = make(threads)
        results.append((untimed(updated(trainers, critic, 4)), [everything(trainer) for trainer in trainers]))
    assert results[0][0] == results[1][0]
    for one, two in zip(results[0][1], results[1][1], strict=True):
        assert one.keys() == two.keys()
        assert all(torch.equal(one[name], two[name]) for name in one)
