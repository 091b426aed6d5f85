import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from limner.worlds import make_renderer, read_settings
from limner.worlds.toy.renderer import JUMP, PAINT, Toy, ToySettings, toy_actions


def action(flag: int, end: tuple[int, int], control: tuple[int, int], size: int = 0, pressure: int = 3) -> np.ndarray:
    """One action on the grid of 8; places are (row, column)."""
    return np.array([[flag, end[0] * 8 + end[1], control[0] * 8 + control[1], size, pressure]])


def run(renderer: Toy, actions: np.ndarray) -> np.ndarray:
    for row in actions:
        renderer.step(row)
    return renderer.canvas()


def test_starts_white_with_the_pen_at_the_upper_left() -> None:
    renderer = Toy(batch=3)
    assert renderer.canvas().shape == (3, 32, 32, 1)
    assert (renderer.canvas() == 255).all()
    assert renderer.pen().dtype == np.float32
    assert (renderer.pen() == 0).all()


def test_a_horizontal_line_lies_where_it_should() -> None:
    renderer = Toy()
    renderer.step(action(JUMP, (4, 1), (0, 0)))
    assert (renderer.canvas() == 255).all()
    assert renderer.pen()[0] == pytest.approx([1.5 / 8, 4.5 / 8])
    renderer.step(action(PAINT, (4, 6), (4, 4)))
    canvas = renderer.canvas()[0, :, :, 0]
    rows, columns = np.nonzero(canvas < 255)
    assert (rows.min(), rows.max()) == (17, 18)
    assert (columns.min(), columns.max()) == (5, 26)
    assert canvas[17:19, 25].max() < 10  # pressure has risen from 0 to 1
    assert 100 < canvas[17, 15] < 200


def test_the_curve_bends_towards_its_control_point_without_reaching_it() -> None:
    renderer = Toy()
    renderer.step(action(JUMP, (0, 0), (0, 0)))
    renderer.step(action(PAINT, (0, 7), (7, 4)))
    rows = np.nonzero((renderer.canvas()[0, :, :, 0] < 255).any(1))[0]
    assert 15 <= rows.max() <= 18  # the middle lies half-way down: (0.5 / 8 + 7.5 / 8) / 2 of 32 pixels


def test_pressure_goes_on_from_the_last_stroke_and_a_jump_lifts_the_pen() -> None:
    def last_stroke(*before: np.ndarray) -> int:
        renderer = Toy()
        for first in before:
            renderer.step(first)
        blank = Toy()
        state = renderer.save()
        blank.restore(replace(state, parts=(blank.canvas(), *state.parts[1:])))
        blank.step(action(PAINT, (4, 7), (4, 4)))
        return int((255 - blank.canvas().astype(int)).sum())

    lifted = last_stroke(action(JUMP, (4, 0), (0, 0)))
    pressed = last_stroke(action(PAINT, (4, 0), (0, 0)))
    again = last_stroke(action(PAINT, (2, 0), (0, 0)), action(JUMP, (4, 0), (0, 0)))
    assert pressed > 1.5 * lifted
    assert again == lifted


def test_size_scales_with_the_canvas() -> None:
    shares = []
    for canvas in (32, 128):
        renderer = Toy(ToySettings(canvas=canvas))
        renderer.step(action(JUMP, (1, 1), (0, 0)))
        renderer.step(action(PAINT, (6, 6), (2, 5), size=1))
        shares.append(1 - renderer.canvas().mean() / 255)
    assert shares[1] == pytest.approx(shares[0], rel=0.1)


def test_a_canvas_does_not_depend_on_its_neighbours_and_runs_repeat() -> None:
    batch = Toy(batch=6)
    actions = batch.actions.sample(np.random.default_rng(0), (5, 6))
    together = run(batch, actions)
    assert len({canvas.tobytes() for canvas in together}) == 6
    for i in range(6):
        assert np.array_equal(run(Toy(), actions[:, i : i + 1])[0], together[i])


def test_save_and_restore_bit_for_bit_into_other_places() -> None:
    renderer = Toy(batch=4)
    actions = renderer.actions.sample(np.random.default_rng(3), (8, 4))
    actions[:, :, 0] = PAINT
    run(renderer, actions[:4])
    state = renderer.save(np.array([1, 3]))
    before = renderer.canvas()
    expected = run(renderer, actions[4:])

    other = Toy(batch=3)
    other.restore(state.take(np.array([1, 0, 1])))
    assert np.array_equal(other.canvas(), before[[3, 1, 3]])
    assert np.array_equal(run(other, actions[4:][:, [3, 1, 3]]), expected[[3, 1, 3]])
    assert len(state) == 2  # painting on has not changed what was saved
    renderer.restore(state, np.array([0, 2]))
    assert np.array_equal(renderer.canvas()[[0, 2]], before[[1, 3]])
    assert np.array_equal(renderer.canvas()[[1, 3]], expected[[1, 3]])


def test_reset_of_some() -> None:
    renderer = Toy(batch=3)
    painted = run(renderer, np.tile(action(PAINT, (5, 5), (1, 5)), (1, 3, 1)))
    renderer.reset(np.array([1]))
    assert (renderer.canvas()[1] == 255).all()
    assert np.array_equal(renderer.canvas()[[0, 2]], painted[[0, 2]])
    assert (renderer.pen()[1] == 0).all()
    assert (renderer.pen()[[0, 2]] > 0).all()


def test_results_are_fresh_and_out_is_written() -> None:
    renderer = Toy(batch=2)
    canvas, pen = renderer.canvas(), renderer.pen()
    canvas[:], pen[:] = 0, 9
    assert (renderer.canvas() == 255).all()
    assert (renderer.pen() == 0).all()
    out = np.empty((2, 32, 32, 1), np.uint8)
    assert renderer.canvas(out) is out
    assert (out == 255).all()
    with pytest.raises(ValueError, match=r"uint8\[2, 32, 32, 1\], got uint8\[2, 32, 32\]"):
        renderer.canvas(out[..., 0])


def test_settings_are_json_and_rebuild_the_renderer() -> None:
    renderer = Toy(ToySettings(canvas=40, grid=10, sizes=(1, 3.5), pressures=2), batch=2)
    again = make_renderer(json.loads(json.dumps(renderer.settings())), batch=2)
    assert again.settings() == renderer.settings()
    assert again.actions == renderer.actions
    actions = renderer.actions.sample(np.random.default_rng(0), (4, 2))
    assert np.array_equal(run(again, actions), run(renderer, actions))


def test_bad_calls_change_nothing() -> None:
    renderer = Toy(batch=2)
    good = np.tile(action(PAINT, (5, 5), (1, 5)), (2, 1))
    bad = good.copy()
    bad[1, 1] = 64
    for actions in (bad, good[:1], good[None], good.astype(float)):
        with pytest.raises(ValueError, match=r"actions? "):
            renderer.step(actions)
    for indices in ([2], [-1], [0.5], [[0]]):
        with pytest.raises(ValueError, match="canvas numbers"):
            renderer.reset(np.array(indices))
    with pytest.raises(ValueError, match="cannot restore 2 canvases into 1"):
        renderer.restore(renderer.save(), np.array([0]))
    with pytest.raises(ValueError, match="batch is 0"):
        Toy(batch=0)
    assert (renderer.canvas() == 255).all()
    assert (renderer.pen() == 0).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"canvas": 4}, r"^renderer\.canvas is 4: must be in 8 … 1024$"),
        ({"canvas": 32.0}, r"^renderer\.canvas is 32\.0: must be a whole number$"),
        ({"pressures": True}, r"^renderer\.pressures is True: must be a whole number$"),
        ({"canvas": 16, "grid": 17}, r"^renderer\.grid is 17: must be at most the canvas, 16$"),
        ({"grid": 1}, r"^renderer\.grid is 1: must be in 2 … 1024$"),
        ({"sizes": []}, r"^renderer\.sizes is \(\): must be one or more, each a number$"),
        ({"sizes": [float("nan")]}, r"^renderer\.sizes is \(nan,\): must be one or more, each a number$"),
        ({"sizes": ["2"]}, r"^renderer\.sizes is \('2',\): must be one or more, each a number$"),
        ({"sizes": 2}, r"^renderer\.sizes is 2: must be one or more, each a number$"),
        ({"colour": True}, r"unknown field renderer\.colour, must be one of canvas, grid, sizes, pressures$"),
    ],
)
def test_bad_settings_are_named(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_renderer({"name": "toy", **settings})


def test_whole_radii_are_read_as_numbers() -> None:
    settings = read_settings({"name": "toy", "sizes": [1, 3.5]})
    assert settings == ToySettings(sizes=(1.0, 3.5))
    assert all(type(size) is float for size in settings.sizes)


def test_actions_are_those_of_spiral_in_grey() -> None:
    space = toy_actions(ToySettings(grid=4, sizes=(1.0, 2.0, 3.0), pressures=2))
    assert space.names == ("flag", "end", "control", "size", "pressure")
    assert space.sizes == (2, 16, 16, 3, 2)
    assert space.mask_table.tolist() == [[True, True, False, False, False], [True] * 5]
    assert space.parts[3].values == (1.0, 2.0, 3.0)
    assert space.parts[4].values == (0.5, 1.0)
