import numpy as np
import pytest
import torch

from limner.models.config import PolicyConfig
from limner.models.decoder import Decoder
from limner.models.pointer import MAP, PointerHead, PointerTorso, smooth_functions
from limner.worlds.observation import Observation
from limner.worlds.paint.settings import PaintSettings, paint_actions
from limner.worlds.scenes.settings import ScenesSettings, scene_actions

FEATURES, WIDTH = 5, 8
GRIDS = [16, 32, 48]


def head(grid):
    torch.manual_seed(0)
    made = PointerHead(WIDTH, FEATURES, grid)
    for layer in (made.query, made.place):
        torch.nn.init.normal_(layer.weight)
        torch.nn.init.normal_(layer.bias)
    return made


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("repeats", [1, 3])
@torch.no_grad()
def test_a_logit_is_a_query_times_the_features_and_a_smooth_function_of_the_place(repeats, grid):
    pointer, maps, z = head(grid), torch.randn(4, FEATURES, MAP**2), torch.randn(4 * repeats, WIDTH)
    logits = pointer(z, maps)
    assert logits.shape == (4 * repeats, grid**2)
    at = (np.arange(grid) + 0.5) / grid * np.pi
    spread = grid // MAP
    for row, cell in [(0, 0), (1, grid + 1), (2, 3 * grid - 2), (4 * repeats - 1, grid**2 - 1)]:
        y, x = divmod(cell, grid)
        waves = [wave(k * at) for k in (1, 2, 3, 4) for wave in (np.sin, np.cos)]
        smooth = [w[y] for w in waves] + [w[x] for w in waves] + [a[y] * b[x] for a in waves for b in waves]
        weight, bias = pointer.place.weight.numpy(), pointer.place.bias.numpy()
        own = y % spread * spread + x % spread  # of the queries that share a place of the map
        query = pointer.query(z[row]).view(spread**2, FEATURES)[own]
        content = query @ maps[row // repeats, :, y // spread * MAP + x // spread]
        expected = content.item() + (weight @ z[row].numpy() + bias) @ np.array(smooth)
        assert logits[row, cell].item() == pytest.approx(expected, rel=1e-4, abs=1e-4)


def test_smooth_functions_tell_all_places_apart():
    assert len(torch.unique(smooth_functions(32).T, dim=0)) == 32**2


@pytest.mark.parametrize("grid", GRIDS)
@torch.no_grad()
def test_features_are_those_of_the_cell_in_the_map_of_its_row(grid):
    maps, cells = torch.randn(2, FEATURES, MAP**2), torch.tensor([3, 200, 0, grid**2 - 1])
    found = head(grid).features_at(maps, cells)
    assert found.shape == (4, FEATURES)
    for row, cell in enumerate(cells.tolist()):
        y, x = cell // grid * MAP // grid, cell % grid * MAP // grid
        assert torch.equal(found[row], maps[row // 2, :, y * MAP + x])


@torch.no_grad()
def test_several_actions_share_a_map_as_if_each_had_its_own():
    torch.manual_seed(0)
    space = paint_actions(PaintSettings(grid=16, sizes=(2, 4), pressures=3))
    decoder = Decoder(space, PolicyConfig(network="pointer", channels=FEATURES, hidden=WIDTH))
    z, maps = torch.randn(3, WIDTH), 3 * torch.randn(3, FEATURES, MAP**2)
    actions = torch.from_numpy(space.sample(np.random.default_rng(0), 6))
    shared = decoder.evaluate(z.repeat_interleave(2, dim=0), actions, maps)
    own = decoder.evaluate(z.repeat_interleave(2, dim=0), actions, maps.repeat_interleave(2, dim=0))
    torch.testing.assert_close(shared.log_prob, own.log_prob, rtol=1e-5, atol=1e-5)
    other = decoder.evaluate(z.repeat_interleave(2, dim=0), actions, maps.flip(0))
    assert (abs(other.log_prob - shared.log_prob)[[0, 1, 4, 5]] > 1e-3).all()


@pytest.mark.parametrize(("resolution", "channels"), [(32, 2), (64, 3)])
@torch.no_grad()
def test_the_torso_leaves_a_vector_and_a_map(resolution, channels):
    torch.manual_seed(0)
    space = paint_actions(PaintSettings(grid=16))
    torso = PointerTorso(space, PolicyConfig(channels=FEATURES, hidden=WIDTH, noise=2), channels, resolution)
    canvas = torch.rand(3, channels, resolution, resolution)
    previous = torch.zeros(3, len(space), dtype=torch.int64)
    seen = Observation(canvas, canvas[:, :0], torch.rand(3, 2), torch.zeros(3), previous, torch.zeros(3, 2))
    vectors, maps = torso(seen)
    assert (vectors.shape, maps.shape) == ((3, WIDTH), (3, FEATURES, MAP**2))
    assert (vectors.dtype, maps.dtype) == (torch.float32, torch.float32)
    assert len(torch.unique(maps[0].T, dim=0)) > MAP**2 / 2


def observing(canvas):
    """An observation of pictures in the space of scenes."""
    count = len(canvas)
    nothing = torch.zeros(count, 7, dtype=torch.int64)
    return Observation(canvas, canvas[:, :0], torch.zeros(count, 2), torch.zeros(count), nothing, torch.zeros(count, 2))


@pytest.mark.parametrize(("grid", "resolution"), [(16, 64), (32, 64), (16, 128)])
@torch.no_grad()
def test_cells_that_are_not_evenly_spread_are_looked_up_where_they_are_seen(grid, resolution):
    torch.manual_seed(0)
    space = scene_actions(ScenesSettings(grid=grid, canvas=resolution))
    sights = np.array(space.parts[space.index("location")].sights)
    torso = PointerTorso(space, PolicyConfig(channels=16, hidden=WIDTH, noise=2), 3, resolution)
    blank = torch.full((1, 3, resolution, resolution), 0.5)
    before = torso(observing(blank))[1]
    for cell in (0, grid // 3, grid**2 // 2 + 3, grid**2 - 1):
        x, y = (sights[cell] * resolution).astype(int)
        spotted = blank.clone()
        spotted[..., y - 1 : y + 2, x - 1 : x + 2] = 1.0
        moved = (torso(observing(spotted))[1] - before).square().sum(1).view(MAP, MAP)
        place = np.array(divmod(cell, grid)) * MAP // grid
        found = np.array(divmod(moved.argmax().item(), MAP))
        assert abs(found - place).max() <= 2
        far = np.abs(np.indices((MAP, MAP)) - place[:, None, None]).max(0) > 9
        assert moved[torch.from_numpy(far)].sum() < 0.05 * moved.sum()


@torch.no_grad()
def test_outside_the_window_there_is_no_cell():
    torch.manual_seed(0)
    space = scene_actions(ScenesSettings())
    lookup = PointerTorso(space, PolicyConfig(channels=16, hidden=WIDTH, noise=2), 3, 64).lookup
    assert 0 < lookup.top < lookup.bottom <= MAP
    assert 0 < lookup.left < lookup.right < MAP
    assert abs(lookup.at).max() < 1
