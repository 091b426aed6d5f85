import pytest
import torch

from limner.agents.config import AgentConfig
from limner.agents.rollout import EpisodeBatch
from limner.models.config import PolicyConfig
from limner.training.imitation.demonstrations import Demonstrations
from limner.worlds.toy.renderer import Toy, ToySettings

STEPS, BATCH = 3, 4
SETTINGS = ToySettings(canvas=16, grid=4)


def episodes(seed, conditional=True):
    config = AgentConfig(SETTINGS, conditional=conditional, horizon=STEPS, resolution=8, policy=PolicyConfig(noise=2))
    batch = EpisodeBatch.empty(config, Toy(SETTINGS, BATCH))
    generator = torch.Generator().manual_seed(seed)
    for tensor in (batch.observed, batch.pen, batch.noise, batch.target):
        tensor.uniform_(generator=generator)
    batch.actions.random_(0, 2, generator=generator)
    expert = torch.randint(2, batch.actions.shape, generator=generator)
    return batch, expert


def close(a, b):
    return a.shape == b.shape and (a - b).abs().max().item() <= 0.5 / 255 + 1e-6


def test_what_is_sampled_is_what_was_added():
    batch, expert = episodes(0)
    demonstrations = Demonstrations(100, batch)
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
    demonstrations = Demonstrations(4, batch)
    demonstrations.add_episodes(batch, expert)
    observation, _ = demonstrations.sample_episodes(7, torch.Generator())
    assert observation.target.shape == (STEPS, 7, 0, 8, 8)


def test_the_oldest_make_room():
    demonstrations = Demonstrations(6, episodes(0)[0])
    added = [episodes(seed) for seed in range(3)]
    for batch, expert in added:
        demonstrations.add_episodes(batch, expert)
    assert len(demonstrations) == 6
    order = [(2, 0), (2, 1), (2, 2), (2, 3), (1, 2), (1, 3)]  # twelve were added, six remain
    remaining = {tuple(rows.flatten().tolist()) for rows in demonstrations.all("expert")}
    assert remaining == {tuple(added[batch][1][:, row].flatten().tolist()) for batch, row in order}


@pytest.mark.parametrize("count", [1, 2])
def test_what_was_saved_is_put_back(count):
    demonstrations, other = (Demonstrations(6, episodes(0)[0]) for _ in range(2))
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
