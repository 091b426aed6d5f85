from dataclasses import replace

import pytest
import torch

from limner.agents.rollout import collect
from limner.data import load_dataset
from limner.data.picture_source import PictureSource
from limner.models.config import PolicyConfig
from limner.programs.program import load_programs
from limner.training.config import OptimizerConfig
from limner.training.evaluation import ReconstructionEvaluation
from limner.training.imitation.trainer import ImitationTrainer
from limner.training.saving import restore_checkpoint, save_checkpoint


def state(trainer):
    named = {f"policy {key}": value for key, value in trainer.policy_learner.policy.state_dict().items()}
    named |= {f"average {key}": value for key, value in trainer.policy_learner.average.state_dict().items()}
    named |= {f"random {name}": generator.get_state() for name, generator in trainer.generators.items()}
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
    assert len(whole.demonstrations) == 32
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
    empty = evaluation.reference_rows()["empty"]["mse"]
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
    assert len(trainer.demonstrations) == 20
    metrics = [trainer.update(0.0) for _ in range(20)]
    assert metrics[-1]["policy/nll"] < 0.5 * metrics[0]["policy/nll"]
    known = {program.actions.tobytes() for program in load_programs(config.expert.path)}
    collect(trainer.renderer, trainer.policy_learner.average, trainer.episodes, torch.Generator(), temperature=0.0)
    drawn = [rows.numpy().tobytes() for rows in trainer.episodes.actions.transpose(0, 1).contiguous()]
    assert sum(rows in known for rows in drawn) > len(drawn) / 2


def test_an_agent_is_imitated(source, agent_config):
    config = replace(agent_config, learning=OptimizerConfig(learning_rate=3e-3, entropy_cost=0.0, ema_decay=0.5))
    trainer = ImitationTrainer(config, source)
    nlls = [trainer.update(0.0)["policy/nll"] for _ in range(20)]
    assert nlls[-1] < 0.7 * nlls[0]
