"""What the conformance checks share: random actions, comparisons, and the report of all broken promises."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from gymnasium.utils.env_checker import data_equivalence
from numpy.typing import NDArray

from limner.actions import ActionSpace, IntArray

STEPS, BATCH = 5, 3  # actions of a program, and canvases of a batch, by default


def check(promises: Iterable[Callable[..., None]], makers: tuple[Any, ...], seed: int) -> None:
    """Try every promise with a new generator; ``AssertionError`` listing those that are broken."""
    broken = []
    for promise in promises:
        try:
            promise(*makers, np.random.default_rng(seed))
        except Exception as error:  # any error breaks the promise
            what = str(error) if isinstance(error, AssertionError) else f"raised {error!r}"
            broken.append(f"- {promise.__name__}: {promise.__doc__}\n  {what}")
    if broken:
        raise AssertionError(f"{len(broken)} promises are broken:\n" + "\n".join(broken))


def random_program(actions: ActionSpace, rng: np.random.Generator, steps: int = STEPS, batch: int = BATCH) -> IntArray:
    """Random canonical actions ``int64[T, N, P]``: full actions, with a jump every fifth step where there are jumps.

    The canvases jump at different steps, never at the first or the last of five: both end and start of a program
    paint, so that state which a brush keeps from one program to the next has an effect.
    """
    shape = (steps, batch, len(actions))
    pool = actions.sample(rng, 64 * steps * batch)
    full = actions.mask(pool).all(-1)
    if full.all():
        return pool[: steps * batch].reshape(shape)
    strokes, jumps = (pool[kind][: steps * batch].reshape(shape) for kind in (full, ~full))
    jumping = np.arange(steps)[:, None] % 5 == 1 + np.arange(batch) % 3
    return np.where(jumping[..., None], jumps, strokes)


def with_noise(actions: ActionSpace, program: IntArray, rng: np.random.Generator) -> IntArray:
    """``program`` with other values in the parts that do not count."""
    shift = rng.integers(1, np.maximum(actions.sizes, 2), program.shape)
    return np.where(actions.mask(program), program, (program + shift) % actions.sizes)


def bad_actions(actions: ActionSpace, good: IntArray) -> Iterator[tuple[str, NDArray[Any]]]:
    """(description, actions): ``good`` with one entry out of range, with another dtype, or with another shape."""
    for i, part in enumerate(actions.parts):
        for value in (-1, part.size):
            bad = good.copy()
            bad.reshape(-1, len(actions))[-1, i] = value
            yield f"{part.name} = {value}", bad
    yield "floating-point actions", good.astype(np.float64)
    yield f"shape {good[..., 1:].shape}", good[..., 1:]
    yield f"shape {good[None].shape}", good[None]


def scramble(arrays: Iterable[Any]) -> None:
    """Change every array in place."""
    for array in arrays:
        if isinstance(array, np.ndarray):
            array[...] = np.where(array == 0, 1, 0)


def require(condition: object, message: str) -> None:
    """``assert`` that also works under ``python -O``."""
    if not condition:
        raise AssertionError(message)


def require_same(got: Any, expected: Any, message: str) -> None:
    """Require equal types, structures and dtypes, and arrays equal bit for bit."""
    require(data_equivalence(got, expected, exact=True), message)


def require_array(name: str, array: Any, shape: tuple[int, ...], dtype: Any) -> None:
    """Require an array of exactly this shape and dtype."""
    described = f"{array.dtype}{array.shape}" if isinstance(array, np.ndarray) else repr(array)
    right = isinstance(array, np.ndarray) and array.shape == shape and array.dtype == dtype
    require(right, f"{name} is {described}, must be {np.dtype(dtype)}{shape}")


def require_raises(
    error: type[Exception] | tuple[type[Exception], ...], what: str, call: Callable[..., Any], *args: Any
) -> None:
    """Require that ``call(*args)`` raises ``error``."""
    try:
        call(*args)
    except error:
        return
    except Exception as other:
        raise AssertionError(f"{what} raised {other!r}, not {error}") from other
    raise AssertionError(f"{what} was accepted")
