"""What every environment and every vector environment promises. Each function is one, stated by its docstring."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from itertools import chain
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import data_equivalence
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from limner.actions import ActionSpace, IntArray
from limner.environments.conformance.promises import (
    BATCH,
    bad_actions,
    random_program,
    require,
    require_array,
    require_raises,
    require_same,
    scramble,
    with_noise,
)

SingleEnv = gymnasium.Env[Any, Any]
Environment = SingleEnv | VectorEnv[Any, Any, Any]
Make = Callable[[], Environment]
"""Makes an environment, always with the same settings."""
MakeVector = Callable[[int], VectorEnv[Any, Any, Any]]
"""Makes a vector environment with the given number of episodes, always with the same settings."""


def declares_spaces(make: Make, rng: np.random.Generator) -> None:
    """Actions are ``MultiDiscrete`` in the order of ``actions``; observations have ``canvas``, ``step`` and ``pen``."""
    env = make()
    action_space, space = _single_spaces(env)
    sizes = _actions(env).sizes
    require(
        isinstance(action_space, spaces.MultiDiscrete) and tuple(action_space.nvec) == sizes,
        f"the action space is {action_space}, not MultiDiscrete({list(sizes)})",
    )
    require(isinstance(space, spaces.Dict), f"the observation space is {space}, not a Dict")
    canvas, step, pen = (space.get(name) for name in ("canvas", "step", "pen"))
    image = isinstance(canvas, spaces.Box) and canvas.dtype == np.uint8 and len(canvas.shape) == 3
    require(image, f'observation "canvas" is {canvas}, not a Box of uint8[H, W, C]')
    require(isinstance(step, spaces.Discrete) and step.start == 0, f'observation "step" is {step}, not Discrete')
    require(isinstance(pen, spaces.Box) and pen == spaces.Box(0, 1, (2,), np.float32), f'"pen" is {pen}')
    if isinstance(env, VectorEnv):
        for got, single in ((env.action_space, action_space), (env.observation_space, space)):
            batched = batch_space(single, env.num_envs)
            require(got == batched, f"{got} is not {batched}, the batched single space")


def returns_what_it_declares(make: Make, rng: np.random.Generator) -> None:
    """Observations lie in their space with its dtypes; rewards, ends and infos have the types Gymnasium asks for."""
    env = make()
    for observation, reward, terminated, truncated, info in _play(env, _episode(env, rng)):
        require(observation in env.observation_space, f"an observation is not in the space: {_brief(observation)}")
        for name, value in observation.items():
            wanted = env.observation_space[name].dtype  # type: ignore[index]
            require(np.asarray(value).dtype == wanted, f"{name!r} has dtype {np.asarray(value).dtype}, not {wanted}")
        require(np.isfinite(reward).all(), f"the reward is {reward}")
        require(isinstance(info, dict), f"info is {info!r}")
        if isinstance(env, VectorEnv):
            require_array("rewards", reward, (env.num_envs,), np.float64)
            require_array("terminations", terminated, (env.num_envs,), np.bool_)
            require_array("truncations", truncated, (env.num_envs,), np.bool_)
        else:
            types = (type(reward), type(terminated), type(truncated))
            require(types == (float, bool, bool), f"reward, terminated, truncated have types {types}")


def has_one_horizon(make: Make, rng: np.random.Generator) -> None:
    """``step`` counts 0 … n − 1 of its space; every episode terminates exactly then and is never truncated."""
    env = make()
    horizon = _horizon(env)
    for _ in range(2):
        for t, (observation, _, terminated, truncated, _) in enumerate(_play(env, _episode(env, rng))):
            require(np.all(observation["step"] == t), f"after {t} actions step is {observation['step']}")
            require(np.all(np.equal(terminated, t == horizon)), f"terminated is {terminated} after {t} of {horizon}")
            require(not np.any(truncated), f"the episode was truncated after {t} actions")


def needs_reset_first(make: Make, rng: np.random.Generator) -> None:
    """``step`` before the first ``reset`` raises ``gymnasium.error.ResetNeeded``."""
    env = make()
    require_raises(ResetNeeded, "step before reset", env.step, _episode(env, rng)[0])


def needs_reset_after_the_end(make: Make, rng: np.random.Generator) -> None:
    """``step`` after the end of an episode raises ``ResetNeeded`` until ``reset``."""
    env, actions, expected = _prepare(make, rng)
    list(_play(env, actions))
    for _ in range(2):
        require_raises(ResetNeeded, "step after the end", env.step, actions[0])
    require_same(list(_play(env, actions)), expected, "stepping after the end changed the next episode")


def resets_completely(make: Make, rng: np.random.Generator) -> None:
    """An episode does not depend on earlier ones, finished or not."""
    env, actions, expected = _prepare(make, rng)
    others = _episode(env, rng)
    for length in (1, len(others)):
        list(_play(env, others[:length]))
        require_same(list(_play(env, actions)), expected, f"an episode of {length} steps changed the next one")


def repeats_episodes(make: Make, rng: np.random.Generator) -> None:
    """The same seed and actions give the same episode, bit for bit, even while another environment is used."""
    one, two = make(), make()
    actions, others = _episode(one, rng), _episode(one, rng)
    expected = list(_play(one, actions))
    between = iter(list(others))
    two.reset(seed=1)
    require_same(list(_play(one, actions, before=lambda: two.step(next(between)))), expected, "environments interfere")
    require_same(list(_play(two, actions)), expected, "two environments played the same actions differently")


def seeds_its_generator(make: Make, rng: np.random.Generator) -> None:
    """``reset(seed)`` seeds ``np_random``: equal seeds give equal numbers, different seeds different ones."""
    env = make()
    draws = []
    for seed in (1, 1, 2):
        env.reset(seed=seed)
        draws.append(env.unwrapped.np_random.integers(2**62))
    require(draws[0] == draws[1] != draws[2], f"reset(seed) does not seed np_random: seeds 1, 1, 2 drew {draws}")


def returns_fresh_arrays(make: Make, rng: np.random.Generator) -> None:
    """Returned arrays are fresh: later calls do not change them, and writing to them has no effect."""
    env, actions, expected = _prepare(make, rng)
    kept = [(step, deepcopy(step)) for step in chain(_play(env, actions), _play(env, actions))]
    for step, snapshot in kept:
        require_same(step, snapshot, "an observation that was returned earlier has changed since")
    for _ in range(2):
        for step, correct in zip(_play(env, actions), expected, strict=True):
            require_same(step, correct, "changing a returned observation changed a later one")
            scramble(step[0].values())
            scramble(step[1:4])


def ignores_masked_parts(make: Make, rng: np.random.Generator) -> None:
    """A part that ``actions.mask`` leaves out changes nothing in the episode."""
    env, actions, expected = _prepare(make, rng)
    noisy = with_noise(_actions(env), actions, rng)
    require_same(list(_play(env, noisy)), expected, "a masked part had an influence")


def refuses_bad_steps(make: Make, rng: np.random.Generator) -> None:
    """A bad action raises ``ValueError`` and has no effect: it paints nothing and counts as no step."""
    env, actions, expected = _prepare(make, rng)

    def try_bad() -> None:
        for what, bad in bad_actions(_actions(env), actions[0]):
            require_raises(ValueError, what, env.step, bad)

    require_same(list(_play(env, actions, before=try_bad)), expected, "a refused action had an effect")


def renders(make: Make, rng: np.random.Generator) -> None:
    """With a ``render_mode``, ``render`` returns the current canvas as fresh ``uint8[H, W, 3]`` and has no effect."""
    env, actions, expected = _prepare(make, rng)
    if env.render_mode is None:
        return
    require_raises(ResetNeeded, "render before reset", env.render)
    frames: list[Any] = []

    def render_twice() -> None:
        for _ in range(2):
            frame = env.render()
            frames.append(deepcopy(frame))
            scramble(frame if isinstance(frame, tuple) else [frame])

    require_same(list(_play(env, actions, before=render_twice)), expected, "rendering had an effect")
    _, space = _single_spaces(env)
    for frame in frames:
        if isinstance(env, VectorEnv):
            require(isinstance(frame, tuple) and len(frame) == env.num_envs, f"{type(frame)} is not one frame each")
        for picture in frame if isinstance(frame, tuple) else [frame]:
            require_array("a frame", picture, (*space["canvas"].shape[:2], 3), np.uint8)
    require_same(frames[::2], frames[1::2], "changing a rendered frame changed the next")
    require(not data_equivalence(frames[0], frames[-1], exact=True), "the rendered frames show nothing of the episode")


def disables_autoreset(make: MakeVector, make_single: Make, rng: np.random.Generator) -> None:
    """``metadata["autoreset_mode"]`` is ``DISABLED``: episodes run in lock-step and the caller resets."""
    mode = make(BATCH).metadata.get("autoreset_mode")
    require(mode is AutoresetMode.DISABLED, f"autoreset_mode is {mode}, not DISABLED")


def equals_singles(make: MakeVector, make_single: Make, rng: np.random.Generator) -> None:
    """Each row equals the single environment given the same actions, bit for bit, for any batch size."""
    single = make_single()
    for num_envs in (1, BATCH):
        vector = make(num_envs)
        require(vector.num_envs == num_envs, f"num_envs is {vector.num_envs}, not {num_envs}")
        actions = _episode(vector, rng)
        steps = list(_play(vector, actions))
        for i in range(num_envs):
            rows = [
                ({name: array[i] for name, array in observation.items()}, *(array[i].item() for array in rest), info)
                for observation, *rest, info in steps
            ]
            require_same(rows, list(_play(single, actions[:, i])), f"row {i} of {num_envs} differs from a single one")


def _for_vectors(promise: Callable[[Make, np.random.Generator], None]) -> Callable[..., None]:
    def of_vector(make: MakeVector, make_single: Make, rng: np.random.Generator) -> None:
        promise(lambda: make(BATCH), rng)

    of_vector.__name__, of_vector.__doc__ = promise.__name__, promise.__doc__
    return of_vector


def _prepare(make: Make, rng: np.random.Generator) -> tuple[Environment, IntArray, list[tuple[Any, ...]]]:
    """A new environment, random actions for an episode, and copies of all that another new one returns for them."""
    env = make()
    actions = _episode(env, rng)
    return env, actions, [deepcopy(step) for step in _play(make(), actions)]


def _play(env: Environment, actions: IntArray, before: Callable[[], Any] | None = None) -> Iterator[tuple[Any, ...]]:
    """Play an episode; yield (observation, reward, terminated, truncated, info), after the reset with zeros."""
    observation, info = env.reset(seed=1)
    if isinstance(env, VectorEnv):
        yield observation, np.zeros(env.num_envs), *np.zeros((2, env.num_envs), np.bool_), info
    else:
        yield observation, 0.0, False, False, info
    for action in actions:
        if before:
            before()
        yield env.step(action)


def _episode(env: Environment, rng: np.random.Generator) -> IntArray:
    """Random actions for a whole episode: ``int64[T, P]``, or ``int64[T, N, P]`` for a vector environment."""
    if isinstance(env, VectorEnv):
        return random_program(_actions(env), rng, _horizon(env), env.num_envs)
    return random_program(_actions(env), rng, _horizon(env), 1)[:, 0]


def _actions(env: Environment) -> ActionSpace:
    return env.unwrapped.actions  # type: ignore[union-attr, no-any-return]


def _horizon(env: Environment) -> int:
    return int(_single_spaces(env)[1]["step"].n) - 1


def _single_spaces(env: Environment) -> tuple[Any, Any]:
    if isinstance(env, VectorEnv):
        return env.single_action_space, env.single_observation_space
    return env.action_space, env.observation_space


def _brief(observation: dict[str, Any]) -> str:
    return ", ".join(f"{name} {np.asarray(value).dtype}{np.shape(value)}" for name, value in observation.items())


ENVIRONMENT: tuple[Callable[[Make, np.random.Generator], None], ...] = (
    declares_spaces,
    returns_what_it_declares,
    has_one_horizon,
    needs_reset_first,
    needs_reset_after_the_end,
    resets_completely,
    repeats_episodes,
    seeds_its_generator,
    returns_fresh_arrays,
    ignores_masked_parts,
    refuses_bad_steps,
    renders,
)
VECTOR_ENVIRONMENT: tuple[Callable[[MakeVector, Make, np.random.Generator], None], ...] = (
    disables_autoreset,
    equals_singles,
    *(_for_vectors(promise) for promise in ENVIRONMENT),
)
