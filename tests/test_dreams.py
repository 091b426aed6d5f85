import numpy as np
import pytest
import torch

from limner import dreams
from limner.actions import bezier_actions, paint_actions
from limner.dreams import dream, random_programs

SPACES = {name: paint_actions(name, 32, (1, 2, 4), 4, False, 8) for name in ("bezier", "line", "stroke", "spline")}
SPACES |= {"relative": paint_actions("relative", 15, (1, 2), 3, False, 2)}
SPACES |= {"colour": paint_actions("stroke", 32, (1, 2), 3, True, 5)}
STEPS, BATCH = 7, 50


def random(seed=0):
    return torch.Generator().manual_seed(seed)


def programs(space, seed=0):
    return random_programs(space, torch.Size((STEPS, BATCH, len(space))), random(seed))


def still(monkeypatch, **left):
    """No transformation but those named."""
    for name in {"SCALE", "TURN", "SHIFT"} - left.keys():
        monkeypatch.setattr(dreams, name, 0.0)


@pytest.mark.parametrize("space", [bezier_actions(), paint_actions("stroke", 32, (1, 2), 3, False, 2)])
def test_random_programs_are_valid_and_local(space):
    shape = torch.Size((10, 500, len(space)))
    actions = random_programs(space, shape, random()).numpy()
    np.testing.assert_array_equal(space.canonical(space.validate(actions)), actions)
    painting = space.mask(actions).all(-1)
    ends, controls = (space.cells(actions, name)[painting] / 32 for name in ("end", "control"))
    assert 0.1 < np.abs(ends - controls).mean() < 0.25
    assert 0.2 < ends.std() < 0.35
    assert all(len(np.unique(actions[..., i])) > 800 for i, part in enumerate(space.parts) if part.grid)


@pytest.mark.parametrize("name", SPACES)
def test_dreams_are_valid_and_close_by(name):
    space = SPACES[name]
    known = programs(space)
    kept = known.clone()
    dreamt = dream(space, known, random(1))
    assert torch.equal(known, kept)
    assert dreamt.shape == known.shape
    np.testing.assert_array_equal(space.canonical(space.validate(dreamt.numpy())), dreamt)
    counts = space.mask(known.numpy())
    for i, part in enumerate(space.parts):
        before, after = known[..., i].numpy()[counts[..., i]], dreamt[..., i].numpy()[counts[..., i]]
        if part.name == "flag":
            np.testing.assert_array_equal(before, after)
        elif part.grid is None:
            assert abs(before - after).max() == 1
            assert 0.05 < (before != after).mean() < 0.2
        else:
            far = np.stack(np.divmod(before, part.grid[1])) - np.stack(np.divmod(after, part.grid[1]))
            assert (before != after).mean() > 0.5
            assert np.abs(far).mean() < 0.1 * part.grid[0]


@pytest.mark.parametrize("name", SPACES)
def test_without_a_transformation_the_shapes_stay(name, monkeypatch):
    still(monkeypatch)
    known = programs(SPACES[name])
    assert torch.equal(dream(SPACES[name], known, random(1), retouched=False), known)


def test_a_program_is_shifted_as_a_whole(monkeypatch):
    still(monkeypatch, SHIFT=0.03)
    space = SPACES["stroke"]
    known = programs(space)
    dreamt = dream(space, known, random(1), retouched=False)
    moves = []
    for name in ("start", "control", "end"):
        before, after = (space.cells(actions.numpy(), name) for actions in (known, dreamt))
        inside = ((after > 0) & (after < 31)).all(-1)
        moves.append(np.where(inside[..., None], (after - before).astype(float), np.nan))
    spread = np.nanmax(moves, axis=(0, 1)) - np.nanmin(moves, axis=(0, 1))
    assert (spread == 0).all()
    assert 0.4 < np.nanmean(moves, axis=(0, 1)).std() < 1.6  # cells, of 32


@pytest.mark.parametrize("left", [{"SCALE": 0.12}, {"TURN": 0.15}])
def test_turning_and_stretching_leave_the_middle(left, monkeypatch):
    still(monkeypatch, **left)
    space = SPACES["stroke"]
    known = programs(space)
    corners = torch.tensor([15 * 32 + 15, 16 * 32 + 16, 15 * 32 + 31])
    known[..., :3] = corners
    dreamt = dream(space, known, random(1), retouched=False)
    near, far = (space.cells(dreamt.numpy(), name) for name in ("start", "end"))
    assert (abs(near - [15, 15]) <= 1).all()
    assert far.std((0, 1)).max() > 0.5
    assert (dreamt[..., :3] == dreamt[:1, :, :3]).all()


def test_offsets_are_turned_about_the_pen_and_never_shifted(monkeypatch):
    """No offset stays none."""
    space = SPACES["relative"]
    known = programs(space)
    known[..., 0] = 1
    middle = 7 * 15 + 7
    known[..., 1] = middle
    dreamt = dream(space, known, random(1), retouched=False)
    assert (dreamt[..., 1] == middle).all()
    assert (dreamt[..., 2] != known[..., 2]).float().mean() > 0.3


def test_half_of_the_actions_are_retouched(monkeypatch):
    still(monkeypatch)
    known = programs(SPACES["stroke"])
    changed = (dream(SPACES["stroke"], known, random(1)) != known).any(-1)
    assert 0.3 < changed.float().mean() < 0.5
