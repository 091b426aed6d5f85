from dataclasses import replace

import numpy as np
import pytest
import torch
from figures import untimed
from scripts import load_script

import limner.training
from limner.models.config import CriticConfig
from limner.programs.program import Program, save_programs
from limner.training.buffers import RingBuffer
from limner.training.saving import restore_checkpoint, save_checkpoint
from limner.worlds.observation import preprocess
from limner.worlds.paint.settings import JUMP, PAINT, PaintSettings, paint_actions
from limner.worlds.toy.renderer import Toy

SPACES = {
    name: paint_actions(PaintSettings(space=name, grid=8, sizes=(1, 2, 4), pressures=4, levels=2))
    for name in ("bezier", "line", "stroke", "relative", "spline")
} | {"colour": paint_actions(PaintSettings(grid=32, color=True)), "toy": Toy().actions}
VERBED = ("bezier", "line", "relative", "spline", "colour")


with pytest.MonkeyPatch.context() as patch:  # other tests do not meet its algorithm
    patch.setattr(limner.training, "_algorithms", dict(limner.training._algorithms))
    script = load_script("experiments/joint_critic.py")


@pytest.fixture(scope="module")
def space(tiny):
    return tiny.agent.actions


def random_actions(config, count, seed=0):
    return config.agent.actions.sample(np.random.default_rng(seed), (count, config.agent.horizon))


def write(path, config, titles):
    """A file of random programs with ``titles``; returns their actions int64[N, T, P]."""
    actions, settings = random_actions(config, len(titles)), config.agent.make_renderer(1).settings()
    save_programs(path, [Program(settings, rows, title=title) for rows, title in zip(actions, titles, strict=True)])
    return torch.from_numpy(actions)


def titles(rows, split="mnist-5k train"):
    return [f"{split} {row}" for row in rows]


@pytest.fixture
def joint(tiny, tmp_path):
    """The preset ``tiny`` with a joint critic: pictures 0 to 39 have a program each."""
    write(tmp_path / "programs.jsonl", tiny, titles(range(40)))
    critic = replace(tiny.critic, steps_per_update=2)
    programs = str(tmp_path / "programs.jsonl")
    return script.JointConfig(**vars(replace(tiny, critic=critic)), programs=programs)


@pytest.mark.parametrize("name", SPACES)
def test_different_programs_have_different_descriptions_in_a_bounded_range(name):
    space = SPACES[name]
    actions = torch.from_numpy(space.sample(np.random.default_rng(0), (3000, 1)))
    described = script.describe(actions, space)
    assert described.dtype == torch.float32
    assert described.shape[1:] == script.description_shape(space, 1)
    assert described.abs().max() <= 1
    assert len(described.unique(dim=0)) == len(actions.unique(dim=0))
    assert described.abs().sum(dim=(1, 2)).min() > 0, "an action looks as if it were not there"


@pytest.mark.parametrize("name", VERBED)
def test_parts_that_do_not_count_contribute_nothing(name):
    space = SPACES[name]
    anything = np.random.default_rng(1).integers(0, space.sizes, (500, 3, len(space)))
    canonical = space.canonical(anything)
    assert (anything != canonical).any()
    described = script.describe(torch.from_numpy(anything), space)
    assert torch.equal(described, script.describe(torch.from_numpy(canonical), space))


def test_an_action_is_described_part_by_part():
    space = paint_actions(PaintSettings(grid=4, sizes=(1, 2, 4), pressures=2))  # flag, end, control, size, pressure
    actions = torch.tensor([[PAINT, 3, 8, 1, 0], [JUMP, 0, 8, 1, 0]])
    expected = torch.tensor([[0, 1, 0.75, -0.75, -0.75, 0.25, 2 / 3, 0.5], [1, 0, -0.75, -0.75, 0, 0, 0, 0]])
    torch.testing.assert_close(script.describe(actions, space), expected)
    assert script.description_shape(space, 6) == (6, 8)


def test_pairs_come_apart_again_and_end_where_they_are_cut():
    space = SPACES["bezier"]
    actions = torch.from_numpy(space.sample(np.random.default_rng(0), (5, 4)))
    pictures, programs = torch.rand(5, 2, 4, 4), script.describe(actions, space)
    shape = script.description_shape(space, 4)
    pairs = script.join(pictures, programs)
    for found, expected in zip(script.separate(pairs, shape), (pictures.flatten(1), programs), strict=True):
        assert torch.equal(found, expected)
    pixels, short = script.separate(script.cut(pairs, torch.arange(5), shape), shape)
    assert torch.equal(pixels, pictures.flatten(1))
    for length in range(5):
        assert torch.equal(short[length, :length], programs[length, :length])
        assert not short[length, length:].any()


def test_pictures_come_with_the_programs_that_are_titled_so(tiny, space, source, tmp_path):
    rows = [17, 3, 199, 3]
    actions = write(tmp_path / "programs.jsonl", tiny, titles(rows))
    renderer = tiny.agent.make_renderer(1)
    pairs = script.Pairs(str(tmp_path / "programs.jsonl"), "mnist-5k", source, renderer, tiny.agent.horizon)
    assert len(pairs.rows) == 4
    pictures, programs = pairs.draw(400, torch.Generator().manual_seed(0))
    described = script.describe(actions, space)
    counts = [0] * 4
    for picture, program in zip(pictures, programs, strict=True):
        (which,) = [i for i in range(4) if torch.equal(program, described[i])]
        assert torch.equal(picture, source.take(torch.tensor([rows[which]]))[0])
        counts[which] += 1
    assert min(counts) > 60


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (titles([0, 1], "mnist train"), "program 0 has the title 'mnist train 0', not 'mnist-5k train 0'"),
        ([*titles([0]), *titles([1], "mnist-5k test")], "program 1 has the title 'mnist-5k test 1', not 'mnist-5k tra"),
        (titles([0], "mnist-5k train 20/4000"), "title 'mnist-5k train 20/4000 0'.* without --limit"),
        ([""], "program 0 has the title ''"),
        (titles([199, 200]), "program 1 is of picture 200, the data have 200 pictures"),
        ([], r"programs\.jsonl holds no program"),
    ],
)
def test_programs_of_other_pictures_are_refused(names, message, joint, source):
    write(joint.programs, joint, names)
    with pytest.raises(ValueError, match=message):
        script.JointTrainer(joint, source)


def half(actions, grid, left):
    """The same actions with every ``end`` in one half of the canvas."""
    actions = actions.copy()
    column = actions[..., 1] % grid
    actions[..., 1] += column % (grid // 2) + (0 if left else grid // 2) - column
    return actions


def test_pictures_that_do_not_belong_to_their_programs_are_found_out(tiny, space):
    """Real and painted pictures are alike, and so are the programs; only which belongs to which is not."""
    grid, left = tiny.agent.renderer.grid, np.arange(600) % 2 == 0
    anything = random_actions(tiny, 600)
    actions = np.where(left[:, None, None], half(anything, grid, True), half(anything, grid, False))
    pictures = torch.zeros(600, 1, 16, 16)
    pictures[left, ..., :8] = 0.5
    pictures[~left, ..., 8:] = 0.5
    programs = script.describe(torch.from_numpy(actions), space)
    real, fake = script.join(pictures, programs), script.join(pictures.flip(3), programs)

    config = CriticConfig(width=4, learning_rate=2e-3, batch_size=32, steps_per_update=300)
    torch.manual_seed(0)
    critic = script.JointCritic(config, 1, 16, space, tiny.agent.horizon)
    replay = RingBuffer(400, {"pictures": fake[:400]}, "replay")
    replay.add({"pictures": fake[:400]})

    def draw(count, generator):
        return real[torch.randint(400, (count,), generator=generator)]

    script.JointCriticLearner(critic, config, torch.Generator().manual_seed(0)).step(draw, replay)
    critic.eval()
    with torch.no_grad():
        right = critic.score(real[400:])[:, None] > critic.score(fake[400:])
    assert right.float().mean() > 0.8, "a sum of two scores would be right in one half"


def test_it_is_shown_finished_pictures_and_the_programs_that_made_them(joint, space, source):
    trainer = script.JointTrainer(joint, source)
    episodes = trainer.runtime.batch
    expected = episodes.final.clone(), script.describe(episodes.actions.transpose(0, 1), space)
    trainer.update(0.0)
    shape = script.description_shape(space, joint.agent.horizon)
    pixels, programs = script.separate(trainer.critic.part.replay.all("pictures"), shape)
    assert torch.equal(pixels, expected[0].flatten(1))
    assert torch.equal(programs, expected[1])
    real = trainer.critic.part.real(20, torch.Generator().manual_seed(0))
    pictures, programs = trainer.critic.part.pairs.draw(20, torch.Generator().manual_seed(0))
    assert torch.equal(real, script.join(preprocess(pictures, joint.agent.resolution), programs))


def test_during_an_episode_it_scores_the_program_so_far(joint, space, source):
    trainer = script.JointTrainer(joint, source)
    scores = trainer._score(trainer.runtime.batch)
    horizon = joint.agent.horizon
    assert scores.shape == (horizon + 1, joint.run.episodes)
    described = script.describe(trainer.runtime.batch.actions.transpose(0, 1), space)
    for t in range(horizon + 1):
        begun = described.clone()
        begun[:, t:] = 0
        with torch.no_grad():
            expected = trainer.frozen_critic.score(script.join(trainer.runtime.batch.observed[t], begun))
        torch.testing.assert_close(scores[t], expected)
    assert scores[0].unique().numel() == 1, "before the first action all episodes are alike"


@pytest.mark.parametrize("loss", ["wasserstein", "relativistic"])
def test_one_thread_and_two_give_the_same_run_and_so_does_resuming(loss, joint, source, everything, tmp_path):
    config = replace(joint, critic=replace(joint.critic, loss=loss))
    threads = [replace(config, run=replace(config.run, threads=count)) for count in (1, 2)]
    whole, threaded = (script.JointTrainer(one, source) for one in threads)
    for i in range(4):
        one, two = untimed(trainer.update(i / 4) for trainer in (whole, threaded))
        assert one == two
    first = script.JointTrainer(config, source)
    for i in range(2):
        first.update(i / 4)
    checkpoint = save_checkpoint(tmp_path / "checkpoints", first, {})
    second = script.JointTrainer(config, source)
    restore_checkpoint(checkpoint, second)
    for i in range(2, 4):
        second.update(i / 4)
    expected = everything(whole)
    for trainer in (threaded, second):
        found = everything(trainer)
        learnt = [name for name in expected if not name.startswith("episodes canvas")]
        assert [name for name in learnt if not torch.equal(expected[name], found[name])] == []
