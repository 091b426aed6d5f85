"""Films: strokes stay where nothing changes."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from limner.agents.agent import Agent, make_policy
from limner.data.resize import resize_square
from limner.inference.draw import DrawOptions
from limner.inference.film import changed_patches, paint_film
from limner.inference.paint import PaintOptions, paint
from limner.metrics.reconstruction import squared_error
from limner.programs.execution import execute

OPTIONS = DrawOptions(sweeps=1)


@pytest.fixture(scope="module")
def agent(conditional_agent):
    config = replace(
        conditional_agent.config, renderer=replace(conditional_agent.config.renderer, sizes=(4.0, 8.0, 24.0))
    )
    torch.manual_seed(0)
    return Agent("film", make_policy(config).eval(), config)


def picture(side=256, seed=0):
    coarse = np.random.default_rng(seed).integers(0, 256, (1, 8, 8, 1), np.uint8)
    return resize_square(coarse, side)[0]


def noisy(frame, seed):
    noise = np.random.default_rng(seed).normal(0, 2, frame.shape)
    return np.clip(frame + noise, 0, 255).round().astype(np.uint8)


def error(program, goal):
    return squared_error(execute(program)[None], goal[None])[0]


def test_noise_does_not_flicker(agent):
    frames = [noisy(picture(), seed) for seed in range(4)]
    programs = list(paint_film(agent, frames, 4, OPTIONS))
    paintings = [execute(program) for program in programs]
    flicker = np.mean([squared_error(a[None], b[None])[0] for a, b in pairwise(paintings)])
    assert flicker <= 0.1 * np.mean([error(program, frame) for program, frame in zip(programs, frames, strict=True)])
    *_, alone = paint(agent, frames[0], 4, OPTIONS)
    assert programs[0] == alone.program


def test_what_changes_is_painted_anew_and_the_rest_stays(agent):
    """Patch by patch, strokes stay; of a search for all together, what is painted stays."""
    before = picture()
    after = before.copy()
    after[:64, 192:] = 255 - after[:64, 192:]
    for options in (OPTIONS, DrawOptions()):
        first, second = paint_film(agent, [before, after], 4, options)
        assert error(second, after) < error(first, after)
        same = np.abs(execute(second)[128:].astype(int) - execute(first)[128:])
        assert same.mean() < 1, "far from it hardly anything changes"
    patches = np.stack([first.space.cells(first.actions, name) for name in ("start", "control", "end")])
    elsewhere = first.actions[(patches // (first.renderer["grid"] // 4) != (0, 3)).any((0, 2))]
    np.testing.assert_array_equal(second.actions[: len(elsewhere)], elsewhere)


def test_what_moves_leaves_no_trace(agent):
    """Where it was a search paints as closely as anywhere else."""
    frames = []
    for step in range(3):
        frame = picture()
        frame[100:150, 20 + 70 * step : 70 + 70 * step] = 0
        frames.append(frame)
    programs = list(paint_film(agent, frames, 4, DrawOptions(sweeps=2)))
    left = np.square(execute(programs[-1])[100:150, 20:70].astype(float) - frames[-1][100:150, 20:70]).mean()
    assert left < 2 * 255**2 * error(programs[-1], frames[-1])
    assert len(programs[-1]) <= len(programs[0])


def test_slow_changes_add_up(agent):
    frames = [np.full((64, 64, 1), 120 - 3 * step, np.uint8) for step in range(20)]
    programs = list(paint_film(agent, frames, 1, OPTIONS))
    assert 1 < len({program.to_json() for program in programs}) < 20


def test_changed_patches():
    before = picture(128)
    assert not changed_patches(before, noisy(before, 0), 2).any()
    after = before.copy()
    after[100:110, 10:20] ^= 255
    np.testing.assert_array_equal(changed_patches(before, after, 2), [[False, False], [True, False]])


def test_wishes_are_for_every_frame(agent):
    frames = [picture(128), 255 - picture(128)]
    programs = list(paint_film(agent, frames, 2, OPTIONS, PaintOptions(strokes=25)))
    assert [len(program) for program in programs] == [25, 25]
