import pytest
import torch

from limner.training.buffers import Replay


def numbered(start, count):
    """Pictures [count, 1, 2, 2] that each hold their own number."""
    return torch.arange(start, start + count).float().view(-1, 1, 1, 1).expand(-1, 1, 2, 2)


def contents(replay):
    return sorted(int(picture[0, 0, 0]) for picture in replay.pictures[: len(replay)])


def test_it_holds_the_newest_pictures():
    replay = Replay(10, (1, 2, 2))
    for start in range(0, 32, 4):
        assert len(replay) == min(start, 10)
        replay.add(numbered(start, 4))
        assert contents(replay) == list(range(max(0, start + 4 - 10), start + 4))


def test_it_keeps_a_copy():
    replay, pictures = Replay(4, (1, 2, 2)), torch.ones(2, 1, 2, 2)
    replay.add(pictures)
    pictures.zero_()
    assert replay.sample(8, torch.Generator()).eq(1).all()


@pytest.mark.parametrize("added", [6, 16])
def test_samples_are_uniform_over_what_is_there_and_follow_the_generator(added):
    replay = Replay(8, (1, 2, 2))
    for start in range(0, added, 2):
        replay.add(numbered(start, 2))
    held, count = contents(replay), 8000
    sample = replay.sample(count, torch.Generator().manual_seed(0))
    assert torch.equal(sample, replay.sample(count, torch.Generator().manual_seed(0)))
    assert not torch.equal(sample, replay.sample(count, torch.Generator().manual_seed(1)))
    counts = sample[:, 0, 0, 0].long().bincount(minlength=added)[held]
    assert counts.sum() == count
    expected = 1 / len(held)
    assert (counts / count - expected).abs().max() < 4.5 * (expected * (1 - expected) / count) ** 0.5


def test_nothing_can_be_drawn_from_an_empty_replay():
    with pytest.raises(AssertionError, match="empty"):
        Replay(8, (1, 2, 2)).sample(1, torch.Generator())
