import pytest
import torch

from limner.training.buffers import RingBuffer


def numbered(start, count):
    """Pictures [count, 1, 2, 2] that each hold their own number, and the numbers."""
    numbers = torch.arange(start, start + count)
    return {"pictures": numbers.float().view(-1, 1, 1, 1).expand(-1, 1, 2, 2), "rows": numbers}


def make_buffer(capacity):
    return RingBuffer(capacity, numbered(0, 1), "prefix")


def contents(buffer):
    return sorted(buffer.all("rows").tolist())


def test_it_holds_the_newest_rows():
    buffer = make_buffer(10)
    for start in range(0, 32, 4):
        assert len(buffer) == min(start, 10)
        buffer.add(numbered(start, 4))
        assert contents(buffer) == list(range(max(0, start + 4 - 10), start + 4))
    assert buffer.added == 32
    buffer.clear()
    assert len(buffer) == 0


def test_it_keeps_a_copy():
    buffer, batch = make_buffer(4), {"pictures": torch.ones(2, 1, 2, 2), "rows": torch.ones(2, dtype=torch.int64)}
    buffer.add(batch)
    for tensor in batch.values():
        tensor.zero_()
    assert all(tensor.eq(1).all() for tensor in buffer.sample(8, torch.Generator()).values())


def test_rows_of_all_tensors_stay_together():
    buffer = make_buffer(8)
    buffer.add(numbered(0, 4))
    buffer.add(numbered(4, 6))
    for rows in (buffer.sample(50, torch.Generator()), buffer.take(torch.tensor([3, 0, 7]))):
        assert torch.equal(rows["pictures"][:, 0, 1, 1].long(), rows["rows"])
    assert buffer.take(torch.tensor([3, 0, 7]))["rows"].tolist() == [3, 8, 7]


@pytest.mark.parametrize("added", [6, 16])
def test_samples_are_uniform_over_what_is_there_and_follow_the_generator(added):
    buffer = make_buffer(8)
    for start in range(0, added, 2):
        buffer.add(numbered(start, 2))
    held, count = contents(buffer), 8000

    def sample(seed):
        return buffer.sample(count, torch.Generator().manual_seed(seed))["pictures"]

    assert torch.equal(sample(0), sample(0))
    assert not torch.equal(sample(0), sample(1))
    counts = sample(0)[:, 0, 0, 0].long().bincount(minlength=added)[held]
    assert counts.sum() == count
    expected = 1 / len(held)
    assert (counts / count - expected).abs().max() < 4.5 * (expected * (1 - expected) / count) ** 0.5


def test_nothing_can_be_drawn_from_an_empty_buffer():
    with pytest.raises(AssertionError, match="empty"):
        make_buffer(8).sample(1, torch.Generator())


@pytest.mark.parametrize("added", [6, 12])
def test_what_was_saved_is_put_back(added):
    buffer, other = make_buffer(8), make_buffer(8)
    buffer.add(numbered(0, added // 2))
    buffer.add(numbered(added // 2, added // 2))
    saved = {name: tensor.clone() for name, tensor in buffer.tensors().items()}
    assert saved.keys() == {"prefix.pictures", "prefix.rows"}
    assert all(len(tensor) == min(added, 8) for tensor in saved.values())
    other.load(saved, buffer.added)
    for one in (buffer, other):
        one.add(numbered(100, 3))
    for name in ("pictures", "rows"):
        assert torch.equal(buffer.all(name), other.all(name))
