from dataclasses import replace

import numpy as np
import pytest
import torch

from limner.agents.checkpoint import restore_checkpoint, save_checkpoint
from limner.models.critic import Critic
from limner.models.description import cut, describe, description_shape, join, separate
from limner.programs.program import Program, save_programs
from limner.training.buffers import Replay
from limner.training.config import CriticConfig, RewardConfig
from limner.training.policy_learner import CriticLearner, score
from limner.training.presets import PRESETS
from limner.training.spiral.pairs import Pairs
from limner.training.spiral.trainer import Adversarial
from limner.worlds.observation import preprocess

TINY = PRESETS["tiny"]
RENDERER = TINY.make_renderer(1)
SPACE = RENDERER.actions
SHAPE = description_shape(SPACE, TINY.steps)


def random_actions(count, seed=0):
    return SPACE.sample(np.random.default_rng(seed), (count, TINY.steps))


def write(path, titles):
    """A file of random programs with ``titles``; returns their actions int64[N, T, P]."""
    actions, settings = random_actions(len(titles)), RENDERER.settings()
    save_programs(path, [Program(settings, rows, title=title) for rows, title in zip(actions, titles, strict=True)])
    return torch.from_numpy(actions)


def titles(rows, split="mnist-5k train"):
    return [f"{split} {row}" for row in rows]


@pytest.fixture
def joint(tmp_path):
    """The preset ``tiny`` with a joint critic: pictures 0 to 39 have a program each."""
    write(tmp_path / "programs.jsonl", titles(range(40)))
    critic = replace(TINY.critic, steps=2, programs=str(tmp_path / "programs.jsonl"))
    return replace(TINY, critic=critic)


# --- Real examples -----------------------------------------------------------------------------------------------


def test_pictures_come_with_the_programs_that_are_titled_so(source, tmp_path):
    rows = [17, 3, 199, 3]
    actions = write(tmp_path / "programs.jsonl", titles(rows))
    pairs = Pairs(str(tmp_path / "programs.jsonl"), "mnist-5k", source, RENDERER, TINY.steps)
    assert len(pairs) == 4
    pictures, programs = pairs.draw(400, torch.Generator().manual_seed(0))
    described = describe(actions, SPACE)
    counts = [0] * 4
    for picture, program in zip(pictures, programs, strict=True):
        (which,) = [i for i in range(4) if torch.equal(program, described[i])]
        assert torch.equal(picture, source.take(torch.tensor([rows[which]]))[0])
        counts[which] += 1
    assert min(counts) > 60
    again = pairs.draw(400, torch.Generator().manual_seed(0))
    assert torch.equal(pictures, again[0])
    assert torch.equal(programs, again[1])


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (titles([0, 1], "mnist train"), "program 0 has the title 'mnist train 0', not 'mnist-5k train 0'"),
        ([*titles([0]), *titles([1], "mnist-5k test")], "program 1 has the title 'mnist-5k test 1', not 'mnist-5k tra"),
        (titles([0], "mnist-5k train 20/4000"), "title 'mnist-5k train 20/4000 0'.* without --limit"),
        (["mnist-5k train"], "program 0 has the title 'mnist-5k train'"),
        (["mnist-5k train -1"], "program 0 has the title 'mnist-5k train -1'"),
        ([""], "program 0 has the title ''"),
        (titles([199, 200]), "program 1 is of picture 200, the data have 200 pictures"),
        ([], r"programs\.jsonl holds no program"),
    ],
)
def test_programs_of_other_pictures_are_refused(names, message, joint, source):
    write(joint.critic.programs, names)
    with pytest.raises(ValueError, match=message):
        Adversarial(joint, source)


def test_programs_of_other_settings_are_refused(joint, source):
    with pytest.raises(ValueError, match="program 0 has 3 actions, this run has steps=4"):
        Adversarial(replace(joint, steps=4), source)
    other = replace(joint, renderer=replace(joint.renderer, brush="classic/calligraphy"))
    with pytest.raises(ValueError, match=r"program 0 has renderer.brush 'classic/pen', this run 'classic/calligraphy'"):
        Adversarial(other, source)


# --- Learning ----------------------------------------------------------------------------------------------------


def learn(real, fake, steps=60, **settings):
    """A joint critic that was shown pairs ``float32[N, D]``."""
    config = CriticConfig(width=4, learning_rate=2e-3, batch=32, steps=steps, **settings)
    torch.manual_seed(0)
    replay = Replay(len(fake), fake.shape[1:])
    replay.add(fake)

    def draw(count, generator):
        return real[torch.randint(len(real), (count,), generator=generator)]

    learner = CriticLearner(
        Critic(config, 1, 16, programs=(SPACE, TINY.steps)), draw, config, torch.Generator().manual_seed(0)
    )
    return learner, learner.step(replay)


def half(actions, left):
    """The same actions with every ``end`` in one half of the canvas."""
    actions, grid = actions.copy(), TINY.renderer.grid
    column = actions[..., 1] % grid
    actions[..., 1] += column % (grid // 2) + (0 if left else grid // 2) - column
    return actions


@torch.no_grad()
def scores_of(learner, pairs):
    return learner.critic.eval().score(pairs)


@pytest.mark.parametrize("loss", ["wasserstein", "logistic"])
def test_pictures_that_are_equal_are_told_apart_by_their_programs(loss):
    sides = [describe(torch.from_numpy(half(random_actions(300, seed), seed == 0)), SPACE) for seed in range(2)]
    real, fake = (join(torch.full((300, 1, 16, 16), 0.5), programs) for programs in sides)
    learner, metrics = learn(real[:200], fake[:200], loss=loss)
    right = scores_of(learner, real[200:])[:, None] > scores_of(learner, fake[200:])
    assert right.float().mean() > 0.95
    assert np.isfinite(list(metrics.values())).all()


def test_pictures_that_do_not_go_with_their_programs_are_found_out():
    """Real and painted pictures are alike, and so are the programs; only which goes with which is not."""
    left = np.arange(600) % 2 == 0
    actions = np.where(left[:, None, None], half(random_actions(600), True), half(random_actions(600), False))
    pictures = torch.zeros(600, 1, 16, 16)
    pictures[left, ..., :8] = 0.5
    pictures[~left, ..., 8:] = 0.5
    programs = describe(torch.from_numpy(actions), SPACE)
    real, fake = join(pictures, programs), join(pictures.flip(3), programs)
    learner, _ = learn(real[:400], fake[:400], steps=100)
    right = scores_of(learner, real[400:])[:, None] > scores_of(learner, fake[400:])
    assert right.float().mean() > 0.8, "a sum of two scores would be right in one half"


def test_half_of_the_programs_are_shown_whole_and_both_sides_equally_long(monkeypatch):
    lengths = []

    def spy(pairs, taken, shape):
        lengths.append(taken)
        return cut(pairs, taken, shape)

    monkeypatch.setattr("limner.training.policy_learner.cut", spy)
    pairs = join(torch.rand(100, 1, 16, 16), describe(torch.from_numpy(random_actions(100)), SPACE))
    learn(pairs, pairs, steps=50)
    assert all(torch.equal(a, b) for a, b in zip(lengths[::2], lengths[1::2], strict=True))
    counts = torch.cat(lengths[::2]).bincount(minlength=4) / 1600
    torch.testing.assert_close(counts, torch.tensor([1 / 6, 1 / 6, 1 / 6, 1 / 2]), atol=0.05, rtol=0)


# --- Training ----------------------------------------------------------------------------------------------------


def test_a_joint_critic_is_shown_finished_pictures_and_the_programs_that_made_them(joint, source):
    training = Adversarial(joint, source)
    episodes = training.episodes
    expected = episodes.final.clone(), describe(episodes.actions.transpose(0, 1), SPACE)
    training.update(0.0)
    pixels, programs = separate(training.replay.pictures[: TINY.batch], SHAPE)
    assert torch.equal(pixels, expected[0].flatten(1))
    assert torch.equal(programs, expected[1])
    real = training.critic_learner.real(20, torch.Generator().manual_seed(0))
    pictures, programs = training.pairs.draw(20, torch.Generator().manual_seed(0))
    assert torch.equal(real, join(preprocess(pictures, TINY.resolution), programs))


def test_during_an_episode_it_scores_the_program_so_far(joint, source):
    training = Adversarial(joint, source)
    scores = score(training.judge, training.episodes)
    assert scores.shape == (TINY.steps + 1, TINY.batch)
    described = describe(training.episodes.actions.transpose(0, 1), SPACE)
    for t in range(TINY.steps + 1):
        begun = described.clone()
        begun[:, t:] = 0
        with torch.no_grad():
            expected = training.judge.score(join(training.episodes.ink[t], begun))
        torch.testing.assert_close(scores[t], expected)
    assert scores[0].unique().numel() == 1, "before the first action all episodes are alike"


@pytest.mark.parametrize("variant", ["differences", "final", "logistic", "bfloat16"])
def test_one_thread_and_two_give_the_same_run_and_so_does_resuming(variant, joint, source, everything, tmp_path):
    config = {
        "differences": joint,
        "final": replace(joint, reward=RewardConfig(form="final")),
        "logistic": replace(joint, critic=replace(joint.critic, loss="logistic")),
        "bfloat16": replace(joint, critic=replace(joint.critic, precision="bfloat16")),
    }[variant]
    whole, threaded = (Adversarial(replace(config, threads=threads), source) for threads in (1, 2))
    for i in range(4):
        assert whole.update(i / 4) == threaded.update(i / 4)
    first = Adversarial(config, source)
    for i in range(2):
        first.update(i / 4)
    checkpoint = save_checkpoint(tmp_path / "checkpoints", first, {})
    second = Adversarial(config, source)
    restore_checkpoint(checkpoint, second)
    for i in range(2, 4):
        second.update(i / 4)
    expected = everything(whole)
    for training in (threaded, second):
        found = everything(training)
        learnt = [name for name in expected if not name.startswith("episodes canvas")]
        assert [name for name in learnt if not torch.equal(expected[name], found[name])] == []
