"""What renderers and environments both promise, how they are made to play, and the report of broken promises."""

from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from functools import partial, wraps
from itertools import chain
from typing import Any, TypeVar

import gymnasium
import numpy as np
from gymnasium.utils.env_checker import data_equivalence
from gymnasium.vector import VectorEnv
from numpy.typing import NDArray

from limner.actions import ActionSpace, IntArray
from limner.worlds.world import Renderer

SingleEnv = gymnasium.Env[Any, Any]
Environment = SingleEnv | VectorEnv[Any, Any, Any]
Subject = Renderer | Environment
Kind = TypeVar("Kind", bound=Subject)
Make = Callable[[], Subject]
"""Makes what is checked, always with the same settings."""
Returned = tuple[Any, ...]

STEPS, BATCH = 5, 3  # actions of a renderer's program, and canvases of a batch


def resets_completely(make: Make, rng: np.random.Generator) -> None:
    """An episode does not depend on earlier ones, finished or not."""
    subject, program, expected = prepare(make, rng)
    others = random_program(subject, rng)
    for length in (1, len(others)):
        list(play(subject, others[:length]))
        require_same(list(play(subject, program)), expected, f"an episode of {length} steps changed the next one")


def deterministic(make: Make, rng: np.random.Generator) -> None:
    """The same actions (and seed) give the same bytes in another one, and while another one is used."""
    subject, program, expected = prepare(make, rng)
    other = make()
    between = play(other, random_program(subject, rng))
    next(between)
    require_same(list(play(subject, program, lambda: next(between))), expected, "another one had an influence")
    require_same(list(play(other, program)), expected, "two played the same actions differently")


def returns_fresh_arrays(make: Make, rng: np.random.Generator) -> None:
    """Returned arrays are fresh: later calls do not change them, and writing to them has no effect."""
    subject, program, expected = prepare(make, rng)
    kept = [(step, deepcopy(step)) for step in chain(play(subject, program), play(subject, program))]
    for (step, snapshot), correct in zip(kept, expected * 2, strict=True):
        require_same(step, snapshot, "an array that was returned earlier has changed since")
        require_same(snapshot, correct, "keeping returned arrays changed a later one")
    for _ in range(2):
        for step, correct in zip(play(subject, program), expected, strict=True):
            require_same(step, correct, "changing a returned array changed a later one")
            scramble(step)


def ignores_masked_parts(make: Make, rng: np.random.Generator) -> None:
    """A part that ``actions.mask`` leaves out changes nothing, then or later."""
    subject, program, expected = prepare(make, rng)
    actions = actions_of(subject)
    shift = rng.integers(1, np.maximum(actions.sizes, 2), program.shape)
    noisy = np.where(actions.mask(program), program, (program + shift) % actions.sizes)
    require_same(list(play(subject, noisy)), expected, "a masked part had an influence")


def refuses_bad_actions(make: Make, rng: np.random.Generator) -> None:
    """A bad action raises ``ValueError`` and has no effect: nothing is painted, then or later, and no step counted."""
    subject, program, expected = prepare(make, rng)

    def try_bad() -> None:
        for what, bad in _bad_actions(actions_of(subject), program[0]):
            require_raises(ValueError, what, subject.step, bad)

    require_same(list(play(subject, program, try_bad)), expected, "a refused action had an effect")


def copies(make: Make, rng: np.random.Generator) -> None:
    """A deep copy, made after any number of actions, goes on as the original does, and neither changes the other."""
    subject, program, expected = prepare(make, rng)
    others = random_program(subject, rng)
    twins: list[Any] = []

    def copy_and_disturb() -> None:
        twins.append(deepcopy(subject))
        list(go_on(deepcopy(subject), others[len(twins) - 1 :]))

    require_same(list(play(subject, program, copy_and_disturb)), expected, "playing a copy changed the original")
    for t, twin in enumerate(twins):
        rest = list(go_on(twin, program[t:]))
        require_same(rest, expected[t + 1 :], f"a copy made after {t} actions differs from the original")


SHARED = (resets_completely, deterministic, returns_fresh_arrays, ignores_masked_parts, refuses_bad_actions, copies)


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


def for_batches(promise: Callable[..., None]) -> Callable[..., None]:
    """``promise`` of what ``make(BATCH)`` makes. Arguments between ``make`` and the generator are not used."""

    @wraps(promise)
    def of_batch(make: Callable[[int], Any], *rest: Any) -> None:
        promise(partial(make, BATCH), rest[-1])

    return of_batch


def prepare(make: Callable[[], Kind], rng: np.random.Generator) -> tuple[Kind, IntArray, list[Returned]]:
    """What ``make`` makes, a random program, and copies of all that another new one returns for it."""
    subject = make()
    program = random_program(subject, rng)
    return subject, program, [deepcopy(step) for step in play(make(), program)]


def play(subject: Subject, program: IntArray, before: Callable[[], Any] = lambda: None) -> Iterator[Returned]:
    """Reset and play a program; yield what is returned then and after each action, before which ``before`` is called.

    That is (canvas, pen), or (observation, reward, terminated, truncated, info), after the reset with zeros.
    """
    if not isinstance(subject, gymnasium.Env | VectorEnv):
        subject.reset()
        yield from paint(subject, program, before)
        return
    observation, info = subject.reset(seed=1)
    if isinstance(subject, VectorEnv):
        yield observation, np.zeros(subject.num_envs), *np.zeros((2, subject.num_envs), np.bool_), info
    else:
        yield observation, 0.0, False, False, info
    yield from go_on(subject, program, before)


def go_on(subject: Subject, program: IntArray, before: Callable[[], Any] = lambda: None) -> Iterator[Returned]:
    """Execute a program without a reset; yield what is returned after each action, as ``play`` does."""
    for action in program:
        before()
        if isinstance(subject, gymnasium.Env | VectorEnv):
            yield subject.step(action)
        else:
            subject.step(action)
            yield subject.canvas(), subject.pen()


def paint(renderer: Renderer, program: IntArray, before: Callable[[], Any] = lambda: None) -> Iterator[Returned]:
    """Go on with ``int64[T, N, P]``, without a reset; yield (canvas, pen) T + 1 times."""
    yield renderer.canvas(), renderer.pen()
    yield from go_on(renderer, program, before)


def random_program(subject: Subject, rng: np.random.Generator) -> IntArray:
    """Random canonical actions, ``int64[T, N, P]`` or, for a single environment, ``int64[T, P]``; T its horizon.

    Full actions, with a jump every fifth step where there are jumps. The canvases jump at different steps, never at the
    first or the last of five: both end and start of a program paint, so that state which a brush keeps from one program
    to the next has an effect.
    """
    actions = actions_of(subject)
    if isinstance(subject, gymnasium.Env | VectorEnv):
        steps, batch = int(spaces_of(subject)[1]["step"].n) - 1, getattr(subject, "num_envs", 1)
    else:
        steps, batch = STEPS, subject.batch
    shape = (steps, batch, len(actions))
    pool = actions.sample(rng, 64 * steps * batch)
    full = actions.mask(pool).all(-1)
    program = pool[full][: steps * batch].reshape(shape)
    if not full.all():
        jumping = np.arange(steps)[:, None] % 5 == 1 + np.arange(batch) % 3
        program = np.where(jumping[..., None], pool[~full][: steps * batch].reshape(shape), program)
    return program[:, 0] if isinstance(subject, gymnasium.Env) else program


def actions_of(subject: Subject) -> ActionSpace:
    """The action space of a renderer or an environment."""
    bare: Any = subject.unwrapped if isinstance(subject, gymnasium.Env | VectorEnv) else subject
    actions: ActionSpace = bare.actions
    return actions


def spaces_of(env: Environment) -> tuple[Any, Any]:
    """Spaces of actions and observations of one episode."""
    if isinstance(env, VectorEnv):
        return env.single_action_space, env.single_observation_space
    return env.action_space, env.observation_space


def _bad_actions(actions: ActionSpace, good: IntArray) -> Iterator[tuple[str, NDArray[Any]]]:
    """(description, actions): ``good`` with one entry out of range, with another dtype, or with another shape."""
    for i, part in enumerate(actions.parts):
        for value in (-1, part.size):
            bad = good.copy()
            bad.reshape(-1, len(actions))[-1, i] = value
            yield f"{part.name} = {value}", bad
    yield "floating-point actions", good.astype(np.float64)
    yield f"shape {good[..., 1:].shape}", good[..., 1:]
    yield f"shape {good[None].shape}", good[None]


def scramble(returned: Any) -> None:
    """Change every array in it in place."""
    if isinstance(returned, np.ndarray):
        returned[...] = np.where(returned == 0, 1, 0)
    elif isinstance(returned, tuple | dict):
        for value in returned.values() if isinstance(returned, dict) else returned:
            scramble(value)


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
