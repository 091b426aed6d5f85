"""What every renderer promises. Each function is one promise, which its docstring states."""

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limner.actions import ActionSpace, IntArray
from limner.environments.conformance.promises import (
    BATCH,
    STEPS,
    bad_actions,
    random_program,
    require,
    require_array,
    require_raises,
    require_same,
    scramble,
    with_noise,
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
    for canvas, pen in _paint(renderer, random_program(renderer.actions, rng)):
        require_array("canvas()", canvas, (BATCH, *renderer.shape), np.uint8)
        require_array("pen()", pen, (BATCH, 2), np.float32)
        require(((pen >= 0) & (pen <= 1)).all(), f"the pen is outside [0, 1]: {pen}")


def paints(make: MakeRenderer, rng: np.random.Generator) -> None:
    """Canvases start equal; different actions give different pictures and move the pen."""
    renderer = make(BATCH)
    frames = list(_paint(renderer, random_program(renderer.actions, rng)))
    (blank, start), (last, end) = frames[0], frames[-1]
    require((blank == blank[:1]).all() and (start == start[:1]).all(), "new canvases differ")
    for i in range(BATCH):
        require(not np.array_equal(last[i], blank[i]), f"canvas {i} is blank after {len(frames) - 1} actions")
        require(not np.array_equal(last[i], last[i - 1]), "different actions gave the same picture")
        require(not np.array_equal(end[i], start[i]), f"pen {i} has not moved after {len(frames) - 1} actions")


def writes_into_out(make: MakeRenderer, rng: np.random.Generator) -> None:
    """``canvas(out)`` fills and returns ``out``; an ``out`` of another shape or dtype raises and stays as it is."""
    renderer, program, frames = _prepare(make, rng)
    list(_paint(renderer, program))
    expected = frames[-1][0]
    out = 255 - expected
    require(renderer.canvas(out) is out, "canvas(out) did not return out")
    require_same(out, expected, "canvas(out) differs from canvas()")
    for wrong in (np.zeros(out.shape, np.float32), np.zeros((BATCH + 1, *renderer.shape), np.uint8)):
        require_raises((ValueError, TypeError), f"out {wrong.dtype}{wrong.shape}", renderer.canvas, wrong)
        require(not wrong.any(), f"canvas(out) wrote into a refused out {wrong.dtype}{wrong.shape}")


def returns_fresh_arrays(make: MakeRenderer, rng: np.random.Generator) -> None:
    """``canvas`` and ``pen`` return copies: later steps do not change them, and writing to them has no effect."""
    renderer, program, expected = _prepare(make, rng)
    kept = [(frame, deepcopy(frame)) for frame in _paint(renderer, program)]
    for frame, snapshot in kept:
        require_same(frame, snapshot, "an array that was returned earlier has changed since")
    require_same([snapshot for _, snapshot in kept], expected, "keeping arrays changed what was painted")
    for frame, correct in zip(_paint(renderer, program), expected, strict=True):
        require_same(frame, correct, "changing a returned array changed what was painted")
        scramble(frame)


def deterministic(make: MakeRenderer, rng: np.random.Generator) -> None:
    """The same actions give the same bytes after a reset, in a new renderer, and while another one paints."""
    renderer, program, expected = _prepare(make, rng)
    for _ in range(2):
        require_same(list(_paint(renderer, program)), expected, "the same actions painted something else")
    other = make(BATCH)
    list(_paint(other, random_program(renderer.actions, rng)))
    require_same(list(_paint(renderer, program)), expected, "another renderer had an influence")
    require_same(list(_paint(other, program)), expected, "two renderers painted the same actions differently")


def canvases_are_independent(make: MakeRenderer, rng: np.random.Generator) -> None:
    """A canvas is the same alone, beside others, and at any position in the batch."""
    renderer, program, together = _prepare(make, rng)
    backwards = [(canvas[::-1], pen[::-1]) for canvas, pen in _paint(renderer, program[:, ::-1])]
    require_same(backwards, together, "the order of the canvases in the batch has an influence")
    for i in range(BATCH):
        alone = list(_paint(make(1), program[:, i : i + 1]))
        beside = [(canvas[i : i + 1], pen[i : i + 1]) for canvas, pen in together]
        require_same(alone, beside, f"canvas {i} differs from the same actions on a canvas alone")


def resets_some(make: MakeRenderer, rng: np.random.Generator) -> None:
    """``reset(indices)`` makes those canvases as new ones and does not change the others."""
    renderer = make(BATCH)
    first, second = random_program(renderer.actions, rng), random_program(renderer.actions, rng)
    unbroken = list(_paint(make(BATCH), np.concatenate([first, second])))[STEPS:]
    new = list(_paint(make(BATCH), second))
    list(_paint(renderer, first))
    renderer.reset(np.array([1]))
    for frame, old, blank in zip(_paint(renderer, second, reset=False), unbroken, new, strict=True):
        require_same([a[1] for a in frame], [a[1] for a in blank], "a canvas that was reset differs from a new one")
        for i in (0, 2):
            require_same([a[i] for a in frame], [a[i] for a in old], f"reset([1]) changed canvas {i}")


def masked_parts_do_nothing(make: MakeRenderer, rng: np.random.Generator) -> None:
    """A part that ``actions.mask`` leaves out changes neither this picture nor a later one."""
    renderer, program, expected = _prepare(make, rng)
    noisy = with_noise(renderer.actions, program, rng)
    require_same(list(_paint(renderer, noisy)), expected, "a masked part had an influence")


def refuses_bad_actions(make: MakeRenderer, rng: np.random.Generator) -> None:
    """A bad action raises ``ValueError``, and nothing is painted on any canvas, then or later."""
    renderer, program, expected = _prepare(make, rng)

    def try_bad() -> None:
        for what, bad in bad_actions(renderer.actions, program[0]):
            require_raises(ValueError, what, renderer.step, bad)

    require_same(list(_paint(renderer, program, before=try_bad)), expected, "a refused action painted")


def leaves_actions_alone(make: MakeRenderer, rng: np.random.Generator) -> None:
    """``step`` neither changes nor keeps the array it is given."""
    renderer, program, expected = _prepare(make, rng)
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
    start, rest, other = (random_program(renderer.actions, rng) for _ in range(3))
    expected = list(_paint(make(BATCH), np.concatenate([start, rest])))[STEPS:]
    list(_paint(renderer, start))
    state, second = renderer.save(), renderer.save(np.array([1]))
    require(len(state) == BATCH and len(second) == 1, f"{len(state)} and {len(second)} saved, not {BATCH} and 1")
    require_same(list(_paint(renderer, rest, reset=False)), expected, "saving changed what was painted")
    for target in (renderer, renderer, make(BATCH)):
        list(_paint(target, other))
        target.restore(state)
        require_same(list(_paint(target, rest, reset=False)), expected, "a restored canvas differs")
    list(_paint(renderer, other))
    renderer.restore(second, np.array([2]))
    renderer.restore(state.take(np.array([2, 1])), np.array([0, 1]))
    moved = list(_paint(renderer, rest[:, [2, 1, 1]], reset=False))
    require_same(
        moved,
        [tuple(array[[2, 1, 1]] for array in frame) for frame in expected],
        "canvases restored at other positions differ",
    )


def restores_one_into_many(make: MakeRenderer, rng: np.random.Generator) -> None:
    """One saved canvas can be restored into many, each of which is continued on its own, as search does."""
    renderer, many = make(1), make(4)
    start, rest = random_program(renderer.actions, rng, batch=1), random_program(renderer.actions, rng, batch=4)
    list(_paint(renderer, start))
    many.restore(renderer.save().take(np.zeros(4, np.int64)))
    expected = list(_paint(make(4), np.concatenate([start.repeat(4, axis=1), rest])))[STEPS:]
    require_same(list(_paint(many, rest, reset=False)), expected, "copies of one canvas differ")


def _prepare(make: MakeRenderer, rng: np.random.Generator) -> tuple[Renderer, IntArray, list[tuple[NDArray[Any], ...]]]:
    """A new renderer, a random program, and copies of (canvas, pen) before and after each of its actions."""
    renderer = make(BATCH)
    program = random_program(renderer.actions, rng)
    return renderer, program, [deepcopy(frame) for frame in _paint(make(BATCH), program)]


def _paint(
    renderer: Renderer, program: IntArray, before: Callable[[], None] | None = None, reset: bool = True
) -> Iterator[tuple[NDArray[Any], ...]]:
    """Execute ``int64[T, N, P]``; yield (canvas, pen) T + 1 times. ``before`` is called before each action."""
    if reset:
        renderer.reset()
    yield renderer.canvas(), renderer.pen()
    for action in program:
        if before:
            before()
        renderer.step(action)
        yield renderer.canvas(), renderer.pen()


RENDERER: tuple[Callable[[MakeRenderer, np.random.Generator], None], ...] = (
    describes_itself,
    paints,
    writes_into_out,
    returns_fresh_arrays,
    deterministic,
    canvases_are_independent,
    resets_some,
    masked_parts_do_nothing,
    refuses_bad_actions,
    leaves_actions_alone,
    restores,
    restores_one_into_many,
)
