"""What only renderers promise, and ``RENDERER``: all that they do. Each function is one, stated by its docstring."""

import json
from collections.abc import Callable
from functools import partial

import numpy as np

from limner.actions import ActionSpace
from limner.environments.conformance.promises import (
    BATCH,
    SHARED,
    STEPS,
    for_batches,
    paint,
    play,
    prepare,
    random_program,
    require,
    require_array,
    require_raises,
    require_same,
)
from limner.worlds.world import Renderer

MakeRenderer = Callable[[int], Renderer]
"""Makes a renderer with the given number of canvases, always with the same settings."""


def describes_itself(make: MakeRenderer, rng: np.random.Generator) -> None:
    """``batch``, ``shape``, ``actions`` and JSON ``settings`` are as declared, and so are all arrays."""
    renderer = make(BATCH)
    require(renderer.batch == BATCH, f"batch is {renderer.batch}, {BATCH} canvases were asked for")
    require(isinstance(renderer.actions, ActionSpace), f"actions is {renderer.actions!r}, not an ActionSpace")
    settings = renderer.settings()
    require(json.loads(json.dumps(settings)) == settings, f"settings do not survive JSON: {settings}")
    require(isinstance(settings.get("name"), str), f'settings have no "name": {settings}')
    for canvas, pen in play(renderer, random_program(renderer, rng)):
        require_array("canvas()", canvas, (BATCH, *renderer.shape), np.uint8)
        require_array("pen()", pen, (BATCH, 2), np.float32)
        require(((pen >= 0) & (pen <= 1)).all(), f"the pen is outside [0, 1]: {pen}")


def paints(make: MakeRenderer, rng: np.random.Generator) -> None:
    """Canvases start equal; different actions give different pictures and move the pen."""
    renderer = make(BATCH)
    frames = list(play(renderer, random_program(renderer, rng)))
    (blank, start), (last, end) = frames[0], frames[-1]
    require((blank == blank[:1]).all() and (start == start[:1]).all(), "new canvases differ")
    for i in range(BATCH):
        require(not np.array_equal(last[i], blank[i]), f"canvas {i} is blank after {len(frames) - 1} actions")
        require(not np.array_equal(last[i], last[i - 1]), "different actions gave the same picture")
        require(not np.array_equal(end[i], start[i]), f"pen {i} has not moved after {len(frames) - 1} actions")


def writes_into_out(make: MakeRenderer, rng: np.random.Generator) -> None:
    """``canvas(out)`` fills and returns ``out``; an ``out`` of another shape or dtype raises and stays as it is."""
    renderer, program, frames = prepare(partial(make, BATCH), rng)
    list(play(renderer, program))
    expected = frames[-1][0]
    out = 255 - expected
    require(renderer.canvas(out) is out, "canvas(out) did not return out")
    require_same(out, expected, "canvas(out) differs from canvas()")
    for wrong in (np.zeros(out.shape, np.float32), np.zeros((BATCH + 1, *renderer.shape), np.uint8)):
        require_raises((ValueError, TypeError), f"out {wrong.dtype}{wrong.shape}", renderer.canvas, wrong)
        require(not wrong.any(), f"canvas(out) wrote into a refused out {wrong.dtype}{wrong.shape}")


def canvases_are_independent(make: MakeRenderer, rng: np.random.Generator) -> None:
    """A canvas is the same alone, beside others, and at any position in the batch."""
    renderer, program, together = prepare(partial(make, BATCH), rng)
    backwards = [(canvas[::-1], pen[::-1]) for canvas, pen in play(renderer, program[:, ::-1])]
    require_same(backwards, together, "the order of the canvases in the batch has an influence")
    for i in range(BATCH):
        alone = list(play(make(1), program[:, i : i + 1]))
        beside = [(canvas[i : i + 1], pen[i : i + 1]) for canvas, pen in together]
        require_same(alone, beside, f"canvas {i} differs from the same actions on a canvas alone")


def resets_some(make: MakeRenderer, rng: np.random.Generator) -> None:
    """``reset(indices)`` makes those canvases as new ones and does not change the others."""
    renderer = make(BATCH)
    first, second = random_program(renderer, rng), random_program(renderer, rng)
    unbroken = list(play(make(BATCH), np.concatenate([first, second])))[STEPS:]
    new = list(play(make(BATCH), second))
    list(play(renderer, first))
    renderer.reset(np.array([1]))
    for frame, old, blank in zip(paint(renderer, second), unbroken, new, strict=True):
        require_same([a[1] for a in frame], [a[1] for a in blank], "a canvas that was reset differs from a new one")
        for i in (0, 2):
            require_same([a[i] for a in frame], [a[i] for a in old], f"reset([1]) changed canvas {i}")


def leaves_actions_alone(make: MakeRenderer, rng: np.random.Generator) -> None:
    """``step`` neither changes nor keeps the array it is given."""
    renderer, program, expected = prepare(partial(make, BATCH), rng)
    renderer.reset()
    for action, frame in zip(program, expected[1:], strict=True):
        given = action.copy()
        renderer.step(given)
        require_same(given, action, "step changed the array of actions")
        given[:] = 0
        require_same((renderer.canvas(), renderer.pen()), frame, "step kept the array of actions")


def restores(make: MakeRenderer, rng: np.random.Generator) -> None:
    """A canvas that is saved, restored (in any renderer with these settings) and continued is the same bit for bit."""
    renderer = make(BATCH)
    start, rest, other = (random_program(renderer, rng) for _ in range(3))
    expected = list(play(make(BATCH), np.concatenate([start, rest])))[STEPS:]
    list(play(renderer, start))
    state, second = renderer.save(), renderer.save(np.array([1]))
    require(len(state) == BATCH and len(second) == 1, f"{len(state)} and {len(second)} saved, not {BATCH} and 1")
    require_same(list(paint(renderer, rest)), expected, "saving changed what was painted")
    for target in (renderer, renderer, make(BATCH)):
        list(play(target, other))
        target.restore(state)
        require_same(list(paint(target, rest)), expected, "a restored canvas differs")
    list(play(renderer, other))
    renderer.restore(second, np.array([2]))
    renderer.restore(state.take(np.array([2, 1])), np.array([0, 1]))
    moved = [tuple(array[[2, 1, 1]] for array in frame) for frame in expected]
    require_same(list(paint(renderer, rest[:, [2, 1, 1]])), moved, "canvases restored at other positions differ")


def restores_one_into_many(make: MakeRenderer, rng: np.random.Generator) -> None:
    """One saved canvas can be restored into many, each of which is continued on its own, as search does."""
    renderer, many = make(1), make(4)
    start, rest = random_program(renderer, rng), random_program(many, rng)
    list(play(renderer, start))
    many.restore(renderer.save().take(np.zeros(4, np.int64)))
    expected = list(play(make(4), np.concatenate([start.repeat(4, axis=1), rest])))[STEPS:]
    require_same(list(paint(many, rest)), expected, "copies of one canvas differ")


RENDERER: tuple[Callable[[MakeRenderer, np.random.Generator], None], ...] = (
    describes_itself,
    paints,
    writes_into_out,
    *(for_batches(promise) for promise in SHARED),
    canvases_are_independent,
    resets_some,
    leaves_actions_alone,
    restores,
    restores_one_into_many,
)
