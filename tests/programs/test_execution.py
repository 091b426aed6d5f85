"""Execution of programs: the pictures are the same in any batch, order, thread and process, at any size; strokes."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

from limner.programs.execution import coloured_strokes, execute, execute_all, frames, pen_strokes, snapshots
from limner.programs.frame import Frame
from limner.programs.program import Program
from limner.worlds import find_world, make_renderer, read_settings
from limner.worlds.paint.settings import Space

TOY = {"name": "toy", "canvas": 32, "grid": 8, "sizes": [2.0, 4.0], "pressures": 4}


def random_program(seed: int, steps: int = 5, **changes: object) -> Program:
    actions = make_renderer(TOY).actions.sample(np.random.default_rng(seed), steps)
    actions[:1, 0] = 1
    return Program(TOY | changes, actions, seed)


def test_execute_equals_a_plain_loop() -> None:
    program = random_program(3)
    renderer = make_renderer(TOY)
    pictures = [renderer.canvas()[0]]
    for action in program.actions:
        renderer.step(action[None])
        pictures.append(renderer.canvas()[0])
    assert np.array_equal(frames(program), pictures)
    assert np.array_equal(execute(program), pictures[-1])
    assert pictures[-1].min() < 255


def test_same_bytes_in_any_batch_order_and_thread() -> None:
    some = [random_program(seed, steps=seed % 4) for seed in range(9)]
    some += [random_program(seed, canvas=40) for seed in range(3)]
    expected = [execute(program) for program in some]
    order = np.random.default_rng(0).permutation(len(some))
    for i, picture in zip(order, execute_all([some[i] for i in order], threads=2), strict=True):
        assert np.array_equal(picture, expected[i])
    with ThreadPoolExecutor(4) as pool:
        for picture, same in zip(pool.map(execute, some), expected, strict=True):
            assert np.array_equal(picture, same)
    assert execute_all([]) == []


def test_same_bytes_in_another_process(tmp_path: object) -> None:
    path = f"{tmp_path}/program.json"
    random_program(7).save(path)
    code = "import sys, limner; sys.stdout.buffer.write(limner.execute(limner.Program.load(sys.argv[1])))"
    other = subprocess.run([sys.executable, "-c", code, path], capture_output=True, check=True).stdout
    assert other == execute(random_program(7)).tobytes()


def test_another_size_is_the_same_picture() -> None:
    program = random_program(5)
    large = execute(program, size=128)
    assert large.shape == (128, 128, 1)
    small = large.reshape(32, 4, 32, 4).mean((1, 3))
    assert np.abs(small - execute(program)[..., 0]).mean() < 4
    assert frames(program, size=64).shape == (6, 64, 64, 1)
    with pytest.raises(ValueError, match="canvas"):
        execute(program, size=5)


@pytest.mark.parametrize("frame", [Frame(3, 2), Frame(10, 400), Frame(7, 7)])
def test_a_program_shows_what_lies_in_its_frame(frame: Frame) -> None:
    whole = random_program(5)
    framed = replace(whole, frame=frame)
    for size in (None, 50):
        expected = frame.cut(execute(whole, size))
        np.testing.assert_array_equal(execute(framed, size), expected)
        np.testing.assert_array_equal(execute_all([whole, framed], size=size)[1], expected)
        np.testing.assert_array_equal(frames(framed, size), frame.cut(frames(whole, size)))
        np.testing.assert_array_equal(next(snapshots(framed, [5], size)), expected)


def test_snapshots_are_some_of_the_frames() -> None:
    program = Program(TOY, make_renderer(TOY).actions.sample(np.random.default_rng(0), 6))
    every = frames(program, 96)
    some = list(snapshots(program, [0, 2, 2, 3, 6], 96))
    np.testing.assert_array_equal(some, every[[0, 2, 2, 3, 6]])
    np.testing.assert_array_equal(next(snapshots(program, [6])), execute(program))


def test_frames_that_do_not_fit_into_memory_are_refused() -> None:
    program = Program(TOY, np.zeros((100_000, 5), np.int64))
    with pytest.raises(ValueError, match="smaller size"):
        frames(program, size=1024)


@pytest.mark.parametrize("space", get_args(Space))
def test_same_bytes_in_a_batch_of_programs_of_any_length(space: str) -> None:
    paint = {"name": "paint", "space": space, "sizes": [2.0, 4.0], "events": 8}
    sampler, rng = make_renderer(paint).actions, np.random.default_rng(0)
    some = [Program(paint, sampler.sample(rng, steps)) for steps in (6, 0, 3, 6, 1)]
    for picture, program in zip(execute_all(some, threads=2), some, strict=True):
        assert np.array_equal(picture, execute(program))
        assert np.array_equal(picture, frames(program)[-1])
    assert not np.array_equal(execute(some[0]), execute(some[3]))


@pytest.mark.parametrize("name", ["paint", "toy"])
def test_strokes_are_those_of_the_world(name: str) -> None:
    renderer = make_renderer({"name": name})
    program = Program(renderer.settings(), renderer.actions.sample(np.random.default_rng(0), 9))
    strokes = pen_strokes(program)
    expected = find_world(name).strokes(read_settings(program.renderer), program.actions)
    assert expected
    for stroke, coloured, (points, colour) in zip(strokes, coloured_strokes(program), expected, strict=True):
        np.testing.assert_array_equal(stroke, points)
        np.testing.assert_array_equal(coloured.points, points)
        assert coloured.colour == colour == (0, 0, 0)
        assert ((stroke >= 0) & (stroke <= 1)).all()


def test_scenes_have_no_strokes() -> None:
    program = Program({"name": "scenes"}, np.zeros((2, 7), np.int64))
    with pytest.raises(ValueError, match="'scenes' has no pen: a program of 'paint' is needed"):
        pen_strokes(program)
