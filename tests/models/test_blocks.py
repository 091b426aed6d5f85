from typing import get_args

import numpy as np
import pytest
import torch

from limner.models import blocks
from limner.models.blocks import Conditioning, coordinate_planes, reduced_precision
from limner.worlds.observation import Observation
from limner.worlds.paint.settings import PaintSettings, Space, paint_actions

BATCH, NOISE = 6, 3


def observe(previous, seed=0):
    generator = torch.Generator().manual_seed(seed)
    canvas = torch.zeros(BATCH, 1, 8, 8)
    pen, step, noise = (torch.rand(BATCH, *size, generator=generator) for size in ((2,), (), (NOISE,)))
    return Observation(canvas, canvas[:, :0], pen, step, previous, noise)


@pytest.mark.parametrize("name", get_args(Space))
@torch.no_grad()
def test_of_every_space_exactly_the_parts_that_count_make_a_difference(name):
    space = paint_actions(PaintSettings(space=name, grid=8, sizes=(2, 4), pressures=3, color=True, levels=5))
    torch.manual_seed(0)
    conditioning = Conditioning(space, NOISE, 32)
    previous = torch.from_numpy(space.sample(np.random.default_rng(0), BATCH))
    counts = torch.from_numpy(space.mask(previous.numpy()))
    expected = conditioning(observe(previous))
    for i, size in enumerate(space.sizes):
        if i == space.verb:
            continue
        changed = previous.clone()
        changed[:, i] = (previous[:, i] + 1) % size
        different = (conditioning(observe(changed)) != expected).any(-1)
        assert torch.equal(different, counts[:, i]), space.names[i]


@torch.no_grad()
def test_pen_step_and_noise_make_a_difference():
    space = paint_actions(PaintSettings(grid=8, sizes=(2, 4), pressures=3, color=True, levels=5))
    torch.manual_seed(0)
    conditioning = Conditioning(space, NOISE, 32)
    given = observe(torch.from_numpy(space.sample(np.random.default_rng(0), BATCH)))
    expected = conditioning(given)
    for name in ("pen", "step", "noise"):
        changed = given._replace(**{name: 1 - getattr(given, name)})
        assert (conditioning(changed) != expected).any(-1).all(), name


@pytest.mark.parametrize("size", [2, 5, 32])
def test_coordinate_planes_are_pixel_centres(size):
    planes = coordinate_planes(size)
    assert planes.shape == (2, size, size)
    for row in range(size):
        for column in range(size):
            x, y = (2 * column + 1) / size - 1, (2 * row + 1) / size - 1
            assert planes[:, row, column].tolist() == pytest.approx([x, y], abs=1e-6)


@pytest.mark.parametrize(("capability", "native"), [((7, 5), False), ((8, 0), True), ((9, 0), True)])
def test_native_precision_is_that_of_the_device(capability, native, monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: capability)
    blocks._multiplies_bfloat16.cache_clear()
    try:
        assert reduced_precision("native", "cuda") == native
        assert reduced_precision("bfloat16", "cuda")
        assert not reduced_precision("float32", "cuda")
    finally:
        blocks._multiplies_bfloat16.cache_clear()
