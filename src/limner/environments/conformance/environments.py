"""What only environments promise, and all that they do: ``ENVIRONMENT`` of one, ``VECTOR_ENVIRONMENT`` of a batch.

Each function is one promise, stated by its docstring.
"""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import data_equivalence
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from limner.environments.conformance.promises import (
    BATCH,
    SHARED,
    Environment,
    SingleEnv,
    actions_of,
    for_batches,
    play,
    prepare,
    random_program,
    require,
    require_array,
    require_raises,
    require_same,
    scramble,
    spaces_of,
)

Make = Callable[[], Environment]
"""Makes an environment, always with the same settings."""
MakeSingle = Callable[[], SingleEnv]
MakeVector = Callable[[int], VectorEnv[Any, Any, Any]]
"""Makes a vector environment with the given number of episodes, always with the same settings."""


def declares_spaces(make: Make, rng: np.random.Generator) -> None:
    """Actions are ``MultiDiscrete`` in the order of ``actions``; observations have ``canvas``, ``step`` and ``pen``."""
    env = make()
    action_space, space = spaces_of(env)
    sizes = actions_of(env).sizes
    ordered = isinstance(action_space, spaces.MultiDiscrete) and tuple(action_space.nvec) == sizes
    require(ordered, f"the action space is {action_space}, not MultiDiscrete({list(sizes)})")
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
    declared: Any = env.observation_space
    for observation, reward, terminated, truncated, info in play(env, random_program(env, rng)):
        require(observation.keys() == declared.keys(), f"an observation has {list(observation)}, not {list(declared)}")
        for name, value in observation.items():
            right = value in declared[name] and np.asarray(value).dtype == declared[name].dtype
            require(right, f"{name!r} is {np.asarray(value).dtype}{np.shape(value)}, must be in {declared[name]}")
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
    for _ in range(2):
        program = random_program(env, rng)
        horizon = len(program)
        for t, (observation, _, terminated, truncated, _) in enumerate(play(env, program)):
            require(np.all(observation["step"] == t), f"after {t} actions step is {observation['step']}")
            require(np.all(np.equal(terminated, t == horizon)), f"terminated is {terminated} after {t} of {horizon}")
            require(not np.any(truncated), f"the episode was truncated after {t} actions")


def needs_reset(make: Make, rng: np.random.Generator) -> None:
    """``step`` before the first ``reset``, and after the end of an episode until the next, raises ``ResetNeeded``."""
    env, actions, expected = prepare(make, rng)
    require_raises(ResetNeeded, "step before reset", env.step, actions[0])
    list(play(env, actions))
    for _ in range(2):
        require_raises(ResetNeeded, "step after the end", env.step, actions[0])
    require_same(list(play(env, actions)), expected, "stepping after the end changed the next episode")


def seeds_its_generator(make: Make, rng: np.random.Generator) -> None:
    """``reset(seed)`` seeds ``np_random``: equal seeds give equal numbers, different seeds different ones."""
    env = make()
    draws = []
    for seed in (1, 1, 2):
        env.reset(seed=seed)
        draws.append(env.unwrapped.np_random.integers(2**62))
    require(draws[0] == draws[1] != draws[2], f"reset(seed) does not seed np_random: seeds 1, 1, 2 drew {draws}")


def renders(make: Make, rng: np.random.Generator) -> None:
    """With a ``render_mode``, ``render`` returns the current canvas as fresh ``uint8[H, W, 3]`` and has no effect."""
    env, actions, expected = prepare(make, rng)
    if env.render_mode is None:
        return
    require_raises(ResetNeeded, "render before reset", env.render)
    frames: list[Any] = []

    def render_twice() -> None:
        for _ in range(2):
            frame = env.render()
            frames.append(deepcopy(frame))
            scramble(frame)

    require_same(list(play(env, actions, render_twice)), expected, "rendering had an effect")
    shape = (*spaces_of(env)[1]["canvas"].shape[:2], 3)
    for frame in frames:
        if isinstance(env, VectorEnv):
            require(isinstance(frame, tuple) and len(frame) == env.num_envs, f"{type(frame)} is not one frame each")
        for picture in frame if isinstance(frame, tuple) else [frame]:
            require_array("a frame", picture, shape, np.uint8)
    require_same(frames[::2], frames[1::2], "changing a rendered frame changed the next")
    require(not data_equivalence(frames[0], frames[-1], exact=True), "the rendered frames show nothing of the episode")


def disables_autoreset(make: MakeVector, make_single: MakeSingle, rng: np.random.Generator) -> None:
    """``metadata["autoreset_mode"]`` is ``DISABLED``: episodes run in lock-step and the caller resets."""
    mode = make(BATCH).metadata.get("autoreset_mode")
    require(mode is AutoresetMode.DISABLED, f"autoreset_mode is {mode}, not DISABLED")


def equals_singles(make: MakeVector, make_single: MakeSingle, rng: np.random.Generator) -> None:
    """Each row equals the single environment given the same actions, bit for bit, for any batch size."""
    single = make_single()
    for num_envs in (1, BATCH):
        vector = make(num_envs)
        require(vector.num_envs == num_envs, f"num_envs is {vector.num_envs}, not {num_envs}")
        actions = random_program(vector, rng)
        steps = list(play(vector, actions))
        for i in range(num_envs):
            rows = [
                ({name: array[i] for name, array in observation.items()}, *(array[i].item() for array in rest), info)
                for observation, *rest, info in steps
            ]
            require_same(rows, list(play(single, actions[:, i])), f"row {i} of {num_envs} differs from a single one")


ENVIRONMENT: tuple[Callable[[Make, np.random.Generator], None], ...] = (
    declares_spaces,
    returns_what_it_declares,
    has_one_horizon,
    needs_reset,
    seeds_its_generator,
    *SHARED,
    renders,
)
VECTOR_ENVIRONMENT: tuple[Callable[[MakeVector, MakeSingle, np.random.Generator], None], ...] = (
    disables_autoreset,
    equals_singles,
    *(for_batches(promise) for promise in ENVIRONMENT),
)
