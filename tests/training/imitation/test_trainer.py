import math
from dataclasses import replace

import pytest
import torch

from limner.agents.config import AgentConfig
from limner.agents.rollout import EpisodeBatch, collect
from limner.data import load_dataset
from limner.data.picture_source import PictureSource
from limner.models.config import PolicyConfig
from limner.programs.program import load_programs
from limner.training import NonFiniteError
from limner.training.config import OptimizerConfig
from limner.training.evaluation import ReconstructionEvaluation
from limner.training.imitation.trainer import Demonstrations, ImitationTrainer, rows_of
from limner.training.saving import restore_checkpoint, save_checkpoint
from limner.worlds.toy.renderer import Toy, ToySettings

STEPS, BATCH = 3, 4
SETTINGS = ToySettings(canvas=16, grid=4)


def state(trainer):
    named = {f"policy {key}": value for key, value in trainer.policy_learner.policy.state_dict().items()}
    named |= {f"average {key}": value for key, value in trainer.policy_learner.average.state_dict().items()}
    named |= {f"random {name}": generator.get_state() for name, generator in trainer.generators().items()}
    named |= trainer.tensors()
    return {name: value.clone() for name, value in named.items()} | {"counters": trainer.counters()}


def different(a, b):
    assert a.keys() == b.keys()
    return [name for name in a if not (torch.equal(a[name], b[name]) if name != "counters" else a[name] == b[name])]


@pytest.mark.parametrize("kind", ["search", "random", "file", "agent"])
def test_one_thread_and_two_give_the_same_run_and_so_does_resuming(kind, source, request, tmp_path):
    config = request.getfixturevalue(f"{kind}_config")
    whole, threaded = (ImitationTrainer(replace(config, run=replace(config.run, threads=n)), source) for n in (1, 2))
    for i in range(4):
        for trainer in (whole, threaded):
            trainer.update(i / 4)
    assert different(state(whole), state(threaded)) == []
    first = ImitationTrainer(config, source)
    for i in range(2):
        first.update(i / 4)
    checkpoint = save_checkpoint(tmp_path / "checkpoints", first, {})
    second = ImitationTrainer(config, source)
    restore_checkpoint(checkpoint, second)
    for i in range(2, 4):
        second.update(i / 4)
    assert different(state(whole), state(second)) == []
    assert whole.frames == 4 * config.agent.horizon * config.run.episodes


def test_the_demonstrations_fill_whole_batches_whatever_their_sizes(search_config, source, tmp_path):
    """So that it does not matter for a resumed run where in the ring the last ones went."""
    expert = replace(search_config.expert, candidates=1)
    config = replace(search_config, batch_size=5, steps_per_update=4, expert=expert)
    whole = ImitationTrainer(config, source)
    for i in range(3):
        whole.update(i / 3)
    first = ImitationTrainer(config, source)
    for i in range(2):
        first.update(i / 3)
    second = ImitationTrainer(config, source)
    restore_checkpoint(save_checkpoint(tmp_path / "checkpoints", first, {}), second)
    second.update(2 / 3)
    assert len(whole.runtime.batch) == 32
    assert different(state(whole), state(second)) == []


def test_what_search_finds_is_learnt(search_config):
    """From random strokes to pictures that are closer to unseen digits than an empty canvas."""
    policy = PolicyConfig(network="pointer", channels=8, hidden=64, noise=0)
    config = replace(
        search_config,
        agent=replace(search_config.agent, resolution=32, policy=policy, temperature=0.0),
        run=replace(search_config.run, episodes=32),
        expert=replace(search_config.expert, candidates=8, capacity=512),
        batch_size=32,
        steps_per_update=8,
        learning=OptimizerConfig(learning_rate=3e-3, entropy_cost=0.0, ema_decay=0.5),
    )
    trainer = ImitationTrainer(config, PictureSource(load_dataset().spread(500), 64))
    evaluation = ReconstructionEvaluation(config, load_dataset(split="test"), count=50)
    empty = evaluation.reference_rows["empty"]["mse"]
    first = evaluation.measure(trainer)["eval/mse"]
    metrics = [trainer.update(i / 25) for i in range(25)]
    last = evaluation.measure(trainer)["eval/mse"]
    assert first > empty
    assert last < 0.9 * empty
    assert metrics[-1]["policy/nll"] < metrics[0]["policy/nll"] - 2
    assert metrics[-1]["search/distance"] < metrics[0]["search/distance"]


def test_programs_become_likely(file_config, source):
    config = replace(
        file_config,
        steps_per_update=10,
        learning=OptimizerConfig(learning_rate=1e-2, entropy_cost=0.0, ema_decay=0.5),
    )
    trainer = ImitationTrainer(config, source)
    assert len(trainer.runtime.take()) == 20
    metrics = [trainer.update(0.0) for _ in range(20)]
    assert metrics[-1]["policy/nll"] < 0.5 * metrics[0]["policy/nll"]
    known = {program.actions.tobytes() for program in load_programs(config.expert.path)}
    actor = trainer.runtime.actor
    collect(actor.renderer, trainer.policy_learner.average, actor.episodes, torch.Generator(), temperature=0.0)
    drawn = [rows.numpy().tobytes() for rows in actor.episodes.actions.transpose(0, 1).contiguous()]
    assert sum(rows in known for rows in drawn) > len(drawn) / 2


def test_an_agent_is_imitated(source, agent_config):
    config = replace(agent_config, learning=OptimizerConfig(learning_rate=3e-3, entropy_cost=0.0, ema_decay=0.5))
    trainer = ImitationTrainer(config, source)
    nlls = [trainer.update(0.0)["policy/nll"] for _ in range(20)]
    assert nlls[-1] < 0.7 * nlls[0]


# --- Demonstrations -----------------------------------------------------------------------------------------------


def episodes(seed, conditional=True):
    config = AgentConfig(SETTINGS, conditional=conditional, horizon=STEPS, resolution=8, policy=PolicyConfig(noise=2))
    batch = EpisodeBatch.empty(config, Toy(SETTINGS, BATCH))
    generator = torch.Generator().manual_seed(seed)
    for tensor in (batch.observed, batch.pen, batch.noise, batch.target):
        tensor.uniform_(generator=generator)
    batch.actions.random_(0, 2, generator=generator)
    expert = torch.randint(2, batch.actions.shape, generator=generator)
    return batch, expert


def empty(capacity, conditional=True):
    """A buffer for such episodes."""
    return Demonstrations(capacity, rows_of(*episodes(0, conditional)))


def close(a, b):
    return a.shape == b.shape and (a - b).abs().max().item() <= 0.5 / 255 + 1e-6


def test_what_is_sampled_is_what_was_added():
    batch, expert = episodes(0)
    demonstrations = empty(100)
    demonstrations.add_episodes(batch, expert)
    assert len(demonstrations) == BATCH
    observation, sampled = demonstrations.sample_episodes(20, torch.Generator().manual_seed(0))
    rows = torch.randint(BATCH, (20,), generator=torch.Generator().manual_seed(0))
    assert len(rows.unique()) == BATCH
    expected = batch.observations(rows)
    assert torch.equal(sampled, expert[:, rows])
    assert close(observation.canvas, expected.canvas)
    assert close(observation.target, expected.target)
    for name in ("pen", "step", "previous", "noise"):
        torch.testing.assert_close(getattr(observation, name), getattr(expected, name), rtol=0, atol=0)


def test_unconditional_agents_have_demonstrations_too():
    batch, expert = episodes(0, conditional=False)
    demonstrations = empty(4, conditional=False)
    demonstrations.add_episodes(batch, expert)
    observation, _ = demonstrations.sample_episodes(7, torch.Generator())
    assert observation.target.shape == (STEPS, 7, 0, 8, 8)


def test_the_oldest_make_room():
    demonstrations = empty(6)
    added = [episodes(seed) for seed in range(3)]
    for batch, expert in added:
        demonstrations.add_episodes(batch, expert)
    assert len(demonstrations) == 6
    order = [(2, 0), (2, 1), (2, 2), (2, 3), (1, 2), (1, 3)]  # twelve were added, six remain
    remaining = {tuple(rows.flatten().tolist()) for rows in demonstrations.all("expert")}
    assert remaining == {tuple(added[batch][1][:, row].flatten().tolist()) for batch, row in order}


@pytest.mark.parametrize("count", [1, 2])
def test_what_was_saved_is_put_back(count):
    demonstrations, other = (empty(6) for _ in range(2))
    for seed in range(count):
        demonstrations.add_episodes(*episodes(seed))
    saved = {name: tensor.clone() for name, tensor in demonstrations.tensors().items()}
    assert all(len(tensor) == min(6, 4 * count) for tensor in saved.values())
    other.load(saved, demonstrations.added)
    for one in (demonstrations, other):
        one.add_episodes(*episodes(9))
    samples = [one.sample_episodes(50, torch.Generator()) for one in (demonstrations, other)]
    for a, b in zip((*samples[0][0], samples[0][1]), (*samples[1][0], samples[1][1]), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


# --- The learner --------------------------------------------------------------------------------------------------


@pytest.fixture
def trainer(random_config, source):
    return ImitationTrainer(replace(random_config, steps_per_update=4), source)


def weights(module):
    return [parameter.detach().clone() for parameter in module.parameters()]


def poison(monkeypatch, learner, numbers):
    """Make the log-probabilities NaN in the gradient steps with these numbers, from 1."""
    evaluate, calls = learner.policy.evaluate, []

    def poisoned(observation, actions):
        calls.append(None)
        evaluated = evaluate(observation, actions)
        return evaluated._replace(log_prob=evaluated.log_prob * (math.nan if len(calls) in numbers else 1.0))

    monkeypatch.setattr(learner.policy, "evaluate", poisoned)


def test_the_average_follows_every_gradient_step(trainer):
    learner = trainer.policy_learner
    learner.optimizer_config = OptimizerConfig(ema_decay=0.5)
    trainer.update(0.0)
    assert learner.taken == 4


def test_a_step_that_is_not_finite_is_skipped_and_the_figures_are_those_of_the_others(trainer, monkeypatch):
    poison(monkeypatch, trainer.policy_learner, {3})
    metrics = trainer.update(0.0)
    learner = trainer.policy_learner
    assert learner.guard.counters() == {"policy_skipped": 1, "policy_skipped_in_a_row": 0}
    assert (learner.guard.skips.began, learner.guard.skips.first) == (1, "log_prob of the policy became NaN")
    assert learner.taken == 3
    assert all(math.isfinite(value) for value in metrics.values())
    assert all(parameter.isfinite().all() for parameter in (*weights(learner.policy), *weights(learner.average)))


def test_where_no_step_is_taken_nothing_is_learnt_and_after_ten_training_stops(trainer, monkeypatch):
    trainer.update(0.0)
    learner = trainer.policy_learner
    before = weights(learner.policy), weights(learner.average)
    poison(monkeypatch, learner, range(1, 100))
    for _ in range(2):
        assert math.isnan(trainer.update(0.0)["policy/nll"])
    with pytest.raises(NonFiniteError, match=r"in update 4: .* First log_prob of the policy became NaN, in update 2"):
        trainer.update(0.0)
    after = weights(learner.policy), weights(learner.average)
    assert all(map(torch.equal, before[0] + before[1], after[0] + after[1]))
    assert learner.guard.skips.skipped == 10
