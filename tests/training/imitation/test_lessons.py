import pytest
import torch

from limner.agents.rollout import EpisodeBatch
from limner.training.config import Config, PolicyConfig
from limner.training.imitation.lessons import Lessons
from limner.worlds.toy.renderer import Toy
from limner.worlds.toy.settings import ToySettings

STEPS, BATCH = 3, 4


def episodes(seed, conditional=True):
    renderer = Toy(ToySettings(canvas=16, grid=4), BATCH)
    config = Config(conditional=conditional, steps=STEPS, resolution=8, policy=PolicyConfig(noise=2))
    batch = EpisodeBatch.empty(config, renderer)
    generator = torch.Generator().manual_seed(seed)
    for tensor in (batch.ink, batch.pen, batch.noise, batch.target):
        tensor.uniform_(generator=generator)
    batch.actions.random_(0, 2, generator=generator)
    advice = torch.randint(2, batch.actions.shape, generator=generator)
    return batch, advice


def close(a, b):
    return a.shape == b.shape and (a - b).abs().max().item() <= 0.5 / 255 + 1e-6


def test_what_is_sampled_is_what_was_added():
    batch, advice = episodes(0)
    lessons = Lessons(100, batch)
    lessons.add(batch, advice)
    assert len(lessons) == BATCH
    observation, sampled = lessons.sample(20, torch.Generator().manual_seed(0))
    rows = torch.randint(BATCH, (20,), generator=torch.Generator().manual_seed(0))
    assert len(rows.unique()) == BATCH
    expected = batch.observations(rows)
    assert torch.equal(sampled, advice[:, rows])
    assert close(observation.ink, expected.ink)
    assert close(observation.target, expected.target)
    for name in ("pen", "step", "previous", "noise"):
        torch.testing.assert_close(getattr(observation, name), getattr(expected, name), rtol=0, atol=0)


def test_agents_without_targets_have_lessons_too():
    batch, advice = episodes(0, conditional=False)
    lessons = Lessons(4, batch)
    lessons.add(batch, advice)
    observation, _ = lessons.sample(7, torch.Generator())
    assert observation.target.shape == (STEPS, 7, 0, 8, 8)


def test_the_oldest_make_room():
    lessons = Lessons(6, episodes(0)[0])
    added = [episodes(seed) for seed in range(3)]
    for batch, advice in added:
        lessons.add(batch, advice)
    assert len(lessons) == 6
    order = [(2, 0), (2, 1), (2, 2), (2, 3), (1, 2), (1, 3)]  # twelve were added, six remain
    remaining = {tuple(lessons.advice[i].flatten().tolist()) for i in range(6)}
    assert remaining == {tuple(added[batch][1][:, row].flatten().tolist()) for batch, row in order}


@pytest.mark.parametrize("count", [1, 2])
def test_what_was_saved_is_put_back(count):
    lessons, other = (Lessons(6, episodes(0)[0]) for _ in range(2))
    for seed in range(count):
        lessons.add(*episodes(seed))
    saved = {name: tensor.clone() for name, tensor in lessons.tensors().items()}
    assert all(len(tensor) == min(6, 4 * count) for tensor in saved.values())
    other.load(saved, lessons.added)
    for one in (lessons, other):
        one.add(*episodes(9))
    for a, b in zip(lessons.sample(50, torch.Generator()), other.sample(50, torch.Generator()), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)
