from dataclasses import replace

import numpy as np
import pytest
import torch

from limner.actions import bezier_actions, paint_actions
from limner.checkpoint import restore_checkpoint, save_checkpoint
from limner.config import ImitationConfig, LearningConfig, PolicyConfig
from limner.datasets import load_dataset
from limner.gallery import Gallery
from limner.imitation import Imitation, random_programs, read_actions
from limner.presets import PRESETS
from limner.program import Program, execute_all, save_programs
from limner.rollout import collect
from limner.run import Reconstruction

TINY = replace(
    PRESETS["tiny"],
    conditional=True,
    batch=16,
    renderer=replace(PRESETS["tiny"].renderer, space="stroke", grid=16),
    imitation=ImitationConfig(teacher="search", tries=4, memory=64, batch=8, steps=2),
)
RANDOM = replace(TINY, imitation=replace(TINY.imitation, teacher="random"))


def programs(config, path, count=20, seed=0):
    """A file of random programs for ``config``; returns their actions int64[count, T, P]."""
    renderer = config.make_renderer(1)
    actions = renderer.actions.sample(np.random.default_rng(seed), (count, config.steps))
    save_programs(path, [Program(renderer.settings(), rows) for rows in actions])
    return actions


@pytest.fixture
def prior(tmp_path):
    """A configuration that learns from a file of programs."""
    config = replace(TINY, conditional=False, imitation=ImitationConfig())
    programs(config, tmp_path / "programs.jsonl")
    imitation = ImitationConfig(teacher="programs", programs=str(tmp_path / "programs.jsonl"), batch=8, steps=2)
    return replace(config, imitation=imitation)


def state(training):
    named = {f"policy {key}": value for key, value in training.policy_learner.policy.state_dict().items()}
    named |= {f"average {key}": value for key, value in training.policy_learner.average.state_dict().items()}
    named |= {f"random {name}": generator.get_state() for name, generator in training.generators.items()}
    named |= training.tensors()
    return {name: value.clone() for name, value in named.items()} | {"counters": training.counters()}


def different(a, b):
    assert a.keys() == b.keys()
    return [name for name in a if not (torch.equal(a[name], b[name]) if name != "counters" else a[name] == b[name])]


@pytest.mark.parametrize("kind", ["search", "random", "programs"])
def test_one_thread_and_two_give_the_same_run_and_so_does_resuming(kind, gallery, prior, tmp_path):
    config = {"search": TINY, "random": RANDOM, "programs": prior}[kind]
    whole, threaded = (Imitation(replace(config, threads=threads), gallery) for threads in (1, 2))
    for i in range(4):
        for training in (whole, threaded):
            training.update(i / 4)
    assert different(state(whole), state(threaded)) == []
    first = Imitation(config, gallery)
    for i in range(2):
        first.update(i / 4)
    checkpoint = save_checkpoint(tmp_path / "checkpoints", first, {})
    second = Imitation(config, gallery)
    restore_checkpoint(checkpoint, second)
    for i in range(2, 4):
        second.update(i / 4)
    assert different(state(whole), state(second)) == []
    assert whole.frames == 4 * config.steps * config.batch


def test_the_advice_of_random_programs_paints_their_targets(gallery):
    training = Imitation(RANDOM, gallery)
    training.update(0.0)
    settings = training.renderer.settings()
    pictures = execute_all([Program(settings, rows.numpy()) for rows in training.advice.transpose(0, 1)])
    np.testing.assert_array_equal(np.stack(pictures), training.episodes.goal)
    np.testing.assert_array_equal(training.episodes.canvas, training.episodes.goal)
    assert len(np.unique(np.stack(pictures), axis=0)) == TINY.batch


@pytest.mark.parametrize("space", [bezier_actions(), paint_actions("stroke", 32, (1, 2), 3, False, 2)])
def test_random_programs_are_valid_and_local(space):
    shape = torch.Size((10, 500, len(space)))
    actions = random_programs(space, shape, torch.Generator().manual_seed(0)).numpy()
    np.testing.assert_array_equal(space.canonical(space.validate(actions)), actions)
    painting = space.mask(actions).all(-1)
    ends, controls = (space.cells(actions, name)[painting] / 32 for name in ("end", "control"))
    assert 0.1 < np.abs(ends - controls).mean() < 0.25
    assert 0.2 < ends.std() < 0.35
    assert all(len(np.unique(actions[..., i])) > 800 for i, part in enumerate(space.parts) if part.grid)


def test_what_search_finds_is_learnt():
    """From random strokes to pictures that are closer to unseen digits than an empty canvas."""
    config = replace(
        TINY,
        batch=32,
        resolution=32,
        policy=PolicyConfig(network="pointer", channels=8, hidden=64, noise=0),
        imitation=replace(TINY.imitation, tries=8, memory=512, batch=32, steps=8),
        learning=LearningConfig(learning_rate=3e-3, entropy_cost=0.0, average=0.5),
        temperature=0.0,
    )
    training = Imitation(config, Gallery(load_dataset().spread(500), 64))
    evaluation = Reconstruction(config, load_dataset(split="test"), count=50)
    empty = evaluation.reference_rows()["empty"]["mse"]
    first = evaluation.measure(training)["eval/mse"]
    metrics = [training.update(i / 25) for i in range(25)]
    last = evaluation.measure(training)["eval/mse"]
    assert first > empty
    assert last < 0.9 * empty
    assert metrics[-1]["policy/surprise"] < metrics[0]["policy/surprise"] - 2
    assert metrics[-1]["search/distance"] < metrics[0]["search/distance"]


def test_programs_become_likely(prior, gallery):
    config = replace(
        prior,
        imitation=replace(prior.imitation, steps=10),
        learning=LearningConfig(learning_rate=1e-2, entropy_cost=0.0, average=0.5),
    )
    training = Imitation(config, gallery)
    assert len(training.lessons) == 20
    metrics = [training.update(0.0) for _ in range(20)]
    assert metrics[-1]["policy/surprise"] < 0.5 * metrics[0]["policy/surprise"]
    known = {
        rows.tobytes() for rows in read_actions(config.imitation.programs, training.renderer.settings(), 3).numpy()
    }
    collect(training.renderer, training.policy_learner.average, training.episodes, torch.Generator(), temperature=0.0)
    drawn = [rows.numpy().tobytes() for rows in training.episodes.actions.transpose(0, 1).contiguous()]
    assert sum(rows in known for rows in drawn) > len(drawn) / 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": 4}, "program 0 has 3 actions, this run has steps=4"),
        (
            {"renderer": replace(TINY.renderer, brush="classic/calligraphy")},
            "program 0 has renderer.brush 'classic/pen'",
        ),
    ],
)
def test_programs_of_another_run_are_refused(change, message, prior, gallery):
    with pytest.raises(ValueError, match=message):
        Imitation(replace(prior, **change), gallery)


def test_an_empty_file_of_programs_is_refused(prior, gallery, tmp_path):
    (tmp_path / "none.jsonl").write_text("")
    with pytest.raises(ValueError, match=r"none\.jsonl holds no program"):
        Imitation(replace(prior, imitation=replace(prior.imitation, programs=str(tmp_path / "none.jsonl"))), gallery)


def test_imitation_on_a_gpu_is_refused(gallery):
    with pytest.raises(ValueError, match="imitation works on the CPU only; use --device cpu"):
        Imitation(replace(TINY, device="cuda"), gallery)
