import numpy as np
import pytest
import torch

from limner.worlds.observation import Targets, preprocess, whole_episodes


@pytest.mark.parametrize(("size", "resolution", "channels"), [(64, 32, 1), (64, 64, 1), (96, 32, 3), (64, 8, 3)])
def test_preprocessing_gives_the_mean_darkness_of_the_area(size, resolution, channels):
    rng = np.random.default_rng(0)
    canvas = rng.integers(0, 256, (3, size, size, channels), dtype=np.uint8)
    observed = preprocess(torch.from_numpy(canvas), resolution)
    assert observed.dtype == torch.float32
    assert observed.shape == (3, channels, resolution, resolution)
    factor = size // resolution
    for n, c, row, column in rng.integers(0, (3, channels, resolution, resolution), (200, 4)):
        area = canvas[n, row * factor : (row + 1) * factor, column * factor : (column + 1) * factor, c]
        assert observed[n, c, row, column].item() == pytest.approx(1 - area.mean() / 255, abs=1e-6)


def test_white_is_exactly_zero_and_black_exactly_one():
    for factor in (1, 2, 3, 8):
        blank = torch.full((1, 8 * factor, 8 * factor, 1), 255, dtype=torch.uint8)
        assert not preprocess(blank, 8).any()
        assert (preprocess(torch.zeros_like(blank), 8) == 1).all()
        blank[0, 0, 0, 0] = 254
        assert preprocess(blank, 8)[0, 0, 0, 0] > 0  # the smallest difference counts


def test_a_canvas_that_does_not_divide_is_an_error():
    with pytest.raises(AssertionError, match="64×64 is no multiple of 24"):
        preprocess(torch.zeros(1, 64, 64, 1, dtype=torch.uint8), 24)


def test_whole_episodes_are_what_was_observed_before_each_action():
    steps, batch = 4, 3
    canvas, target = torch.rand(steps, batch, 1, 8, 8), torch.rand(batch, 1, 8, 8)
    pen, noise = torch.rand(steps, batch, 2), torch.rand(batch, 5)
    actions = torch.randint(1, 9, (steps, batch, 6))
    whole = whole_episodes(canvas, target, pen, actions, noise)
    assert torch.equal(whole.canvas, canvas)
    assert torch.equal(whole.pen, pen)
    assert whole.step.tolist() == [[t / steps] * batch for t in range(steps)]
    assert not whole.previous[0].any()
    assert torch.equal(whole.previous[1:], actions[:-1])
    for t in range(steps):
        assert torch.equal(whole.target[t], target)
        assert torch.equal(whole.noise[t], noise)


def test_targets_of_some_episodes():
    targets = Targets(
        torch.arange(3, dtype=torch.uint8).view(3, 1, 1, 1), torch.rand(3, 1, 8, 8), torch.arange(6.0).view(3, 2)
    )
    some = targets.take(torch.tensor([2, 0]))
    assert some.goal.flatten().tolist() == [2, 0]
    assert torch.equal(some.target, targets.target[[2, 0]])
    assert some.noise.tolist() == [[4, 5], [0, 1]]
