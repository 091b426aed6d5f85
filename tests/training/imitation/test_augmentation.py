import numpy as np
import pytest
import torch

from limner.training.imitation import augmentation
from limner.training.imitation.augmentation import augment, mirror
from limner.worlds import find_world
from limner.worlds.paint.settings import PaintSettings, paint_actions
from limner.worlds.simulator import execute

SPACES = {
    name: paint_actions(PaintSettings(space=name, grid=32, sizes=(1, 2, 4), pressures=4, levels=8))
    for name in ("bezier", "line", "stroke", "spline")
}
SPACES |= {"relative": paint_actions(PaintSettings(space="relative", grid=15, sizes=(1, 2), pressures=3, levels=2))}
SPACES |= {
    "colour": paint_actions(PaintSettings(space="stroke", grid=32, sizes=(1, 2), pressures=3, color=True, levels=5))
}
STEPS, BATCH = 7, 50


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def programs(space, seed=0):
    return find_world("paint").random_programs(space, STEPS, BATCH, seeded(seed))


def only(monkeypatch, **left):
    """No transformation but those named."""
    for name in {"SCALE", "TURN", "SHIFT"} - left.keys():
        monkeypatch.setattr(augmentation, name, 0.0)


@pytest.mark.parametrize("name", SPACES)
def test_augmented_programs_are_valid_and_close_by(name):
    space = SPACES[name]
    known = programs(space)
    kept = known.clone()
    augmented = augment(space, known, seeded(1))
    assert torch.equal(known, kept)
    assert augmented.shape == known.shape
    np.testing.assert_array_equal(space.canonical(space.validate(augmented.numpy())), augmented)
    counts = space.mask(known.numpy())
    for i, part in enumerate(space.parts):
        before, after = known[..., i].numpy()[counts[..., i]], augmented[..., i].numpy()[counts[..., i]]
        if i == space.verb:
            np.testing.assert_array_equal(before, after)
        elif part.grid is None:
            assert abs(before - after).max() == 1
            assert 0.05 < (before != after).mean() < 0.2
        else:
            far = np.stack(np.divmod(before, part.grid[1])) - np.stack(np.divmod(after, part.grid[1]))
            assert (before != after).mean() > 0.5
            assert np.abs(far).mean() < 0.1 * part.grid[0]


@pytest.mark.parametrize("name", SPACES)
def test_without_a_transformation_programs_stay(name, monkeypatch):
    only(monkeypatch)
    known = programs(SPACES[name])
    assert torch.equal(augment(SPACES[name], known, seeded(1), perturbed=False), known)


def test_a_program_is_shifted_as_a_whole(monkeypatch):
    only(monkeypatch, SHIFT=0.03)
    space = SPACES["stroke"]
    known = programs(space)
    augmented = augment(space, known, seeded(1), perturbed=False)
    moves = []
    for name in ("start", "control", "end"):
        before, after = (space.cells(actions.numpy(), name) for actions in (known, augmented))
        inside = ((after > 0) & (after < 31)).all(-1)
        moves.append(np.where(inside[..., None], (after - before).astype(float), np.nan))
    spread = np.nanmax(moves, axis=(0, 1)) - np.nanmin(moves, axis=(0, 1))
    assert (spread == 0).all()
    assert 0.4 < np.nanmean(moves, axis=(0, 1)).std() < 1.6  # cells, of 32


@pytest.mark.parametrize("left", [{"SCALE": 0.12}, {"TURN": 0.15}])
def test_turning_and_stretching_leave_the_middle(left, monkeypatch):
    only(monkeypatch, **left)
    space = SPACES["stroke"]
    known = programs(space)
    corners = torch.tensor([15 * 32 + 15, 16 * 32 + 16, 15 * 32 + 31])
    known[..., :3] = corners
    augmented = augment(space, known, seeded(1), perturbed=False)
    near, far = (space.cells(augmented.numpy(), name) for name in ("start", "end"))
    assert (abs(near - [15, 15]) <= 1).all()
    assert far.std((0, 1)).max() > 0.5
    assert (augmented[..., :3] == augmented[:1, :, :3]).all()


def test_offsets_are_turned_about_the_pen_and_never_shifted():
    """No offset stays none."""
    space = SPACES["relative"]
    known = programs(space)
    known[..., 0] = 1
    middle = 7 * 15 + 7
    known[..., 1] = middle
    augmented = augment(space, known, seeded(1), perturbed=False)
    assert (augmented[..., 1] == middle).all()
    assert (augmented[..., 2] != known[..., 2]).float().mean() > 0.3


def test_half_of_the_actions_are_perturbed(monkeypatch):
    only(monkeypatch)
    known = programs(SPACES["stroke"])
    changed = (augment(SPACES["stroke"], known, seeded(1)) != known).any(-1)
    assert 0.3 < changed.float().mean() < 0.5


def test_mirrored_programs_paint_mirrored_pictures():
    """In all eight ways, but for what a brush leaves between the middles of pixels."""
    settings = PaintSettings(brush="experimental/basic", space="stroke", color=True, sizes=(2, 4, 8), pressures=8)
    renderer = find_world("paint").renderer_type(settings, BATCH)
    known = find_world("paint").random_programs(renderer.actions, STEPS, BATCH, seeded())
    pictures = execute(renderer, known)
    programs, mirrored = mirror(renderer.actions, known, pictures, seeded(1))
    assert (renderer.actions.canonical(programs.numpy()) == programs.numpy()).all()
    apart = (execute(renderer, programs).float() - mirrored).abs().mean((1, 2, 3))
    assert apart.max() < 3
    assert (mirrored.float() - pictures).abs().mean((1, 2, 3)).max() > 30
    ways = [pictures.rot90(turns, (1, 2)) for turns in range(4)]
    ways += [way.transpose(1, 2) for way in ways]
    seen = [bool((way == mirrored).all(-1).all(-1).all(-1).any()) for way in ways]
    assert all(seen)
