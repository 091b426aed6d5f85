import numpy as np
import pytest
import torch

from limner.actions import bezier_actions
from limner.config import PolicyConfig
from limner.networks.decoder import Decoder
from limner.networks.pointer import FEATURES, PointerHead, features_at, smooth_functions

GRID, WIDTH = 16, 8


def head():
    torch.manual_seed(0)
    made = PointerHead(WIDTH, GRID)
    for layer in (made.query, made.place):
        torch.nn.init.normal_(layer.weight)
        torch.nn.init.normal_(layer.bias)
    return made


@pytest.mark.parametrize("repeats", [1, 3])
@torch.no_grad()
def test_a_logit_is_the_query_times_the_features_and_a_smooth_function_of_the_place(repeats):
    pointer, maps, z = head(), torch.randn(4, FEATURES, GRID**2), torch.randn(4 * repeats, WIDTH)
    logits = pointer(z, maps)
    at = (np.arange(GRID) + 0.5) / GRID * np.pi
    for row, cell in [(0, 0), (1, 17), (4 * repeats - 1, 255)]:
        y, x = divmod(cell, GRID)
        waves = [wave(k * at) for k in (1, 2, 3, 4) for wave in (np.sin, np.cos)]
        smooth = [w[y] for w in waves] + [w[x] for w in waves] + [a[y] * b[x] for a in waves for b in waves]
        weight, bias = pointer.place.weight.numpy(), pointer.place.bias.numpy()
        content = pointer.query(z[row]) @ maps[row // repeats, :, cell]
        expected = content.item() + (weight @ z[row].numpy() + bias) @ np.array(smooth)
        assert logits[row, cell].item() == pytest.approx(expected, rel=1e-4, abs=1e-4)


def test_smooth_functions_tell_all_places_apart():
    assert len(torch.unique(smooth_functions(32).T, dim=0)) == 32**2


@torch.no_grad()
def test_features_are_those_of_the_cell_in_the_map_of_its_row():
    maps, cells = torch.randn(2, FEATURES, GRID**2), torch.tensor([3, 200, 0, 255])
    found = features_at(maps, cells)
    for row, cell in enumerate(cells):
        assert torch.equal(found[row], maps[row // 2, :, cell])


@torch.no_grad()
def test_several_actions_share_a_map_as_if_each_had_its_own():
    torch.manual_seed(0)
    space = bezier_actions(grid=GRID, sizes=(2, 4), pressures=3)
    decoder = Decoder(space, PolicyConfig(network="pointer", hidden=WIDTH))
    z, maps = torch.randn(3, WIDTH), 3 * torch.randn(3, FEATURES, GRID**2)
    actions = torch.from_numpy(space.sample(np.random.default_rng(0), 6))
    shared = decoder.evaluate(z.repeat_interleave(2, dim=0), actions, maps)
    own = decoder.evaluate(z.repeat_interleave(2, dim=0), actions, maps.repeat_interleave(2, dim=0))
    torch.testing.assert_close(shared.log_prob, own.log_prob, rtol=1e-5, atol=1e-5)
    other = decoder.evaluate(z.repeat_interleave(2, dim=0), actions, maps.flip(0))
    assert (abs(other.log_prob - shared.log_prob)[[0, 1, 4, 5]] > 1e-3).all()
