import numpy as np
import pytest
import torch

from limner.worlds.scenes.objects import CHANGE, PLACE, SKIP
from limner.worlds.paint.actions import bezier_actions, paint_actions
from limner.worlds.variation import perturb
from limner.training.imitation import augmentation as dreams
from limner.training.imitation.augmentation import correct, dream, random_programs
from limner.worlds.scenes.objects import objects
from limner.worlds.scenes.settings import ScenesSettings, scene_actions

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


SCENES = scene_actions(ScenesSettings())


def test_random_scenes_place_and_then_skip():
    actions = random_programs(SCENES, torch.Size((8, 400, len(SCENES))), random())
    np.testing.assert_array_equal(SCENES.canonical(SCENES.validate(actions.numpy())), actions)
    placed = actions[..., 0] == PLACE
    assert set(placed.sum(0).tolist()) == {1, 2, 3, 4, 5}
    assert torch.equal(placed, torch.arange(8)[:, None] < placed.sum(0))
    assert (actions[~placed][:, 0] == SKIP).all()
    for i, size in enumerate(SCENES.sizes[1:], 1):
        assert len(actions[placed][:, i].unique()) == size


def rightly(actions):
    return actions


def never(space):
    """A hand that gets every object wrong, each by its colour."""

    def hand(actions):
        other = actions.clone()
        other[..., space.index("red")] = (actions[..., space.index("red")] + 1) % 4
        return torch.from_numpy(space.canonical(other.numpy()))

    return hand


@pytest.mark.parametrize("space", [*SPACES.values(), SCENES])
def test_a_hand_that_never_errs_does_what_is_right(space):
    known = programs(space)
    advice, done = correct(space, known, rightly)
    assert torch.equal(advice, known)
    assert torch.equal(done, known)


def test_strokes_that_went_wrong_stay_and_the_program_goes_on():
    space = SPACES["colour"]
    known = programs(space)
    advice, done = correct(space, known, never(space))
    assert torch.equal(advice, known)
    assert (done != known).any(-1).all()


@pytest.mark.parametrize("errs", [never, lambda space: lambda actions: perturb(space, actions, random(5))])
def test_wrong_objects_are_changed_until_they_are_right_and_all_are_placed_in_the_end(errs):
    known = random_programs(SCENES, torch.Size((12, BATCH, len(SCENES))), random())
    advice, done = correct(SCENES, known, errs(SCENES))
    for row in range(BATCH):
        np.testing.assert_array_equal(objects(SCENES, done[:, row].numpy()), objects(SCENES, known[:, row].numpy()))
        wrong = False
        for told, did in zip(advice[:, row], done[:, row], strict=True):
            assert (told[0] == CHANGE) == wrong
            wrong = not torch.equal(told, did)
    assert (advice[..., 0] == CHANGE).sum() > BATCH
