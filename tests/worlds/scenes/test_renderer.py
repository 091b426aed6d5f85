"""Scenes: what an action does to the picture, what is the same, and what is refused."""

import hashlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from limner.programs.execution import execute, frames
from limner.programs.program import Program
from limner.worlds.scenes import renderer as scenes
from limner.worlds.scenes.renderer import Scenes
from limner.worlds.scenes.settings import CHANGE, KINDS, PLACE, SKIP, ScenesSettings, scene_actions

pytestmark = pytest.mark.usefixtures("gl")
RED, GREEN, BLUE = (3, 0, 0), (0, 3, 0), (0, 0, 3)
SCRIPT = """
import sys, hashlib, numpy as np
from limner.worlds.scenes.renderer import Scenes
scenes = Scenes(batch=4)
for action in np.load(sys.argv[1]): scenes.step(action)
print(hashlib.sha256(scenes.canvas().tobytes()).hexdigest())
"""


def action(kind: str = "box", row: int = 8, column: int = 8, size: int = 2, colour=RED, op: int = PLACE) -> list[int]:
    return [op, KINDS.index(kind), row * 16 + column, size, *colour]


def picture(*actions: list[int], **settings: object) -> np.ndarray:
    """uint8[H, W, 3]"""
    renderer = Scenes(ScenesSettings(**settings))
    for row in actions:
        renderer.step(np.asarray([row]))
    return renderer.canvas()[0]


def programs(steps: int = 6, batch: int = 4, seed: int = 0) -> np.ndarray:
    """int64[T, N, P]: half of the actions place something."""
    rng = np.random.default_rng(seed)
    actions = rng.integers(0, scene_actions(ScenesSettings()).sizes, (steps, batch, 7))
    actions[..., 0] = rng.choice([PLACE, PLACE, CHANGE, SKIP], (steps, batch))
    return actions


def changed(one: np.ndarray, other: np.ndarray) -> tuple[float, float, int]:
    """Middle row, middle column and number of the pixels that differ."""
    rows, columns = np.nonzero((one != other).any(-1))
    return float(rows.mean()), float(columns.mean()), len(rows)


def test_an_empty_platform_has_sand_wood_and_air() -> None:
    empty = picture()
    assert empty.shape == (64, 64, 3)
    red, green, blue = empty[32, 32].tolist()
    assert red > green > blue + 30
    red, green, blue = empty[2, 32].tolist()
    assert blue > green > red
    assert len(np.unique(empty[28:48, 20:44].reshape(-1, 3), axis=0)) > 20  # the sand has a grain


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("colour", "channel"), [(RED, 0), (GREEN, 1), (BLUE, 2)])
def test_an_object_has_its_colour_and_stands_in_its_place(kind: str, colour: tuple[int, ...], channel: int) -> None:
    empty, shown = picture(), picture(action(kind, colour=colour))
    row, column, count = changed(empty, shown)
    assert 100 < count < 600
    assert abs(column - 32.5) < 4
    assert 20 < row < 44
    body = shown[(empty != shown).any(-1)].astype(int)
    ahead = body[:, channel] - np.delete(body, channel, 1).max(1)
    assert np.median(ahead) > 60


def test_rows_go_from_the_back_to_the_front_and_columns_from_left_to_right() -> None:
    places = {(row, column): changed(picture(), picture(action(row=row, column=column, size=0)))[:2]
              for row in (0, 8, 15) for column in (0, 8, 15)}  # fmt: skip
    for column in (0, 8, 15):
        assert places[0, column][0] < places[8, column][0] < places[15, column][0]
    for row in (0, 8, 15):
        assert places[row, 0][1] < places[row, 8][1] < places[row, 15][1]


def test_cells_are_where_they_are_seen() -> None:
    (sights,) = (part.sights for part in scene_actions(ScenesSettings()).parts if part.sights)
    bare = picture()
    for cell in (0, 15, 100, 119, 240, 255):
        row, column = divmod(cell, 16)
        y, x, _ = changed(bare, picture(action("sphere", row, column, size=1)))
        assert sights[cell] == pytest.approx(((x + 0.5) / 64, (y + 0.5) / 64), abs=0.012)


def test_sizes_and_kinds_look_different() -> None:
    counts = [changed(picture(), picture(action(size=size)))[2] for size in range(3)]
    assert counts[0] * 1.5 < counts[1]
    assert counts[1] * 1.5 < counts[2]
    shown = [picture(action(kind)).tobytes() for kind in KINDS]
    assert len(set(shown)) == len(KINDS)


def test_change_replaces_the_last_object_only() -> None:
    first, second, third = action(row=3, column=3), action("sphere", 12, 12), action("capsule", 12, 3, colour=BLUE)
    assert np.array_equal(picture(first, second, [CHANGE, *third[1:]]), picture(first, third))
    assert np.array_equal(picture([CHANGE, *first[1:]]), picture(first))


def test_skip_does_nothing() -> None:
    first, skip = action(), action("sphere", op=SKIP)
    assert np.array_equal(picture(skip, first, skip), picture(first))


def test_where_surfaces_coincide_the_newer_shows() -> None:
    red, blue = action(colour=RED), action(colour=BLUE)
    assert np.abs(picture(red, blue).astype(int) - picture(blue)).max() <= 1
    assert np.abs(picture(blue, red).astype(int) - picture(red)).max() <= 1


def test_the_order_of_objects_in_different_places_does_not_count() -> None:
    rng = np.random.default_rng(0)
    for _ in range(30):
        cells = rng.permutation(64)[:6]
        scene = [
            action(KINDS[rng.integers(2) * 2], 6 + cell // 8, 4 + cell % 8, colour=tuple(rng.integers(0, 4, 3)))
            for cell in cells
        ]
        assert np.array_equal(picture(*scene), picture(*reversed(scene)))


def test_what_is_hidden_leaves_no_trace() -> None:
    wall, ball = action(row=10, column=8, size=2), action("sphere", 15, 15, colour=BLUE)
    for kind in KINDS:
        hidden = action(kind, row=9, column=8, size=0, colour=RED)
        assert np.array_equal(picture(hidden, wall, ball), picture(wall, ball))
        assert changed(picture(hidden, ball), picture(ball))[2] > 20


def test_twenty_objects_in_one_place() -> None:
    many = [action(KINDS[i % 4], colour=(i % 4, i // 4 % 4, 3)) for i in range(20)]
    assert np.array_equal(picture(*many), picture(*many))
    assert changed(picture(), picture(*many))[2] < 800


def test_a_scene_that_is_full_refuses_another_object_and_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scenes, "MAX_OBJECTS", 2)
    renderer = Scenes(batch=2)
    rows = [np.asarray([action(row=i), action(op=SKIP if i else PLACE)]) for i in range(3)]
    for row in rows[:2]:
        renderer.step(row)
    before = renderer.canvas()
    with pytest.raises(ValueError, match="scene 0 holds 2 objects"):
        renderer.step(rows[2])
    assert np.array_equal(renderer.canvas(), before)
    renderer.step(np.asarray([action(op=CHANGE), action()]))


def test_the_same_bytes_in_another_process_thread_and_order(tmp_path) -> None:
    actions = programs()
    np.save(tmp_path / "actions.npy", actions)

    def paint(threads: int = 1) -> str:
        renderer = Scenes(batch=4, threads=threads)
        for row in actions:
            renderer.step(row)
        return hashlib.sha256(renderer.canvas().tobytes()).hexdigest()

    expected = paint()
    assert paint(threads=3) == expected
    with ThreadPoolExecutor(3) as pool:
        assert set(pool.map(paint, (1, 2, 1, 2))) == {expected}
    words = [sys.executable, "-c", SCRIPT, str(tmp_path / "actions.npy")]
    assert subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip() == expected


def test_restoring_brings_back_what_a_change_replaces() -> None:
    renderer = Scenes(batch=2)
    before, after = programs(batch=2), programs(batch=2, seed=1)
    for row in before:
        renderer.step(row)
    state = renderer.save()
    ends = []
    for _ in range(2):
        for row in after:
            renderer.step(row)
        ends.append((renderer.canvas(), renderer.pen()))
        renderer.reset()
        renderer.restore(state)
    assert np.array_equal(ends[0][0], ends[1][0])
    assert np.array_equal(ends[0][1], ends[1][1])
    renderer.restore(state.take(np.array([1])), np.array([0]))
    assert np.array_equal(renderer.canvas()[0], renderer.canvas()[1])


def test_a_large_picture_shows_the_same_scene() -> None:
    some = [action("capsule", 3, 4, colour=BLUE), action("cylinder", 12, 11), action("sphere", 6, 12, colour=GREEN)]
    small, large = picture(*some), picture(*some, canvas=256)
    reduced = large.reshape(64, 4, 64, 4, 3).mean((1, 3))
    assert np.abs(reduced - small).mean() < 3


def test_programs_are_tables_with_words() -> None:
    rows = np.asarray([action("sphere", 2, 5), action("box", op=CHANGE), action(op=SKIP)])
    program = Program({"name": "scenes"}, rows)
    text = program.to_json()
    assert '["place",' in text
    assert '["change",' in text
    assert '["skip"]' in text.replace(" ]", "]")
    again = Program.from_json(text)
    assert again == program
    assert np.array_equal(execute(again), picture(*rows.tolist()))
    assert len(frames(program)) == 4


def test_gymnasium_accepts_the_environment() -> None:
    check_env(gymnasium.make("limner/Scenes-v0", render_mode="rgb_array", canvas=32).unwrapped)


def test_more_cameras_than_scenes_that_have_changed() -> None:
    renderer = Scenes(batch=4, threads=3)
    renderer.step(np.asarray([action(op=SKIP)] * 3 + [action()]))
    shown = renderer.canvas()
    assert np.array_equal(shown[3], picture(action()))
    assert np.array_equal(shown[0], picture())


def test_scenes_that_are_alike_are_rendered_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rendered = []
    render = Scenes._render
    monkeypatch.setattr(Scenes, "_render", lambda self, scenes: (rendered.append(len(scenes)), render(self, scenes))[1])
    renderer, one, other = Scenes(batch=5), action("box"), action("sphere")
    renderer.step(np.array([one, other, one, one, other]))
    pictures = renderer.canvas()
    assert rendered == [2]
    for row, given in enumerate([one, other, one, one, other]):
        np.testing.assert_array_equal(pictures[row], picture(given))
