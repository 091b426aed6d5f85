"""Gymnasium environments over any renderer: one (``PaintEnv``) and a lock-step batch (``PaintVectorEnv``).

Notable choices:
- An episode always has the same length. ``terminated`` is true at its end, ``truncated`` never; the index of the
  step is part of the observation, so that what remains is Markovian.
- An action is a ``MultiDiscrete``, its parts in the order of ``env.unwrapped.actions.names``. A ``Dict`` would sort
  them by name and so change the order in which a policy samples them.
- ``step`` is ``Discrete``: it states how long an episode is, and indexes a table or becomes one-hot.
- Every array that is returned is fresh: callers may keep or change it.
- Painting is deterministic: ``seed`` seeds ``np_random``, which nothing here samples from.
- Importing ``limner`` registers the ids of both for each world: see ``docs/environments.md``.
"""

from collections.abc import Callable
from typing import Any, ClassVar

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import ArrayLike, NDArray

from limner.actions import ActionSpace, IntArray
from limner.programs.program import Program
from limner.worlds import find_world, make_renderer, read_settings
from limner.worlds.validation import require
from limner.worlds.world import Canvas, Renderer, on_white

EnvObservation = dict[str, Any]
Reset = tuple[EnvObservation, dict[str, Any]]
Reward = Callable[[Canvas], ArrayLike]
"""Scores the final canvases ``uint8[N, H, W, C]`` of N episodes: ``float[N]``, finite."""


class PaintEnv(gymnasium.Env[EnvObservation, IntArray]):
    """An episode of ``steps`` actions on one canvas.

    Action: ``int64[P]``, parts as in ``actions``; grid cells are numbered ``row * width + column``.

    Observation:

    - ``canvas``: ``uint8[H, W, C]``;
    - ``step``: number of actions executed, 0 … horizon, as a ``Discrete`` space of ``horizon + 1`` values;
    - ``pen``: ``float32[2]``, (x, y) in [0, 1], where the next curve starts, or where the last object of a scene is;
    - ``mask``, with the preset ``deepmind-2018`` only: ``int8[P]``, 1 for each part that counted in the last action.
      It does not mask actions: all are always legal.

    Reward: 0 before the end, then ``reward`` of the final canvas, or 0 when no ``reward`` is given.

    The preset ``deepmind-2018`` repeats the environment released with Ganin et al. 2018: an episode has
    ``steps - 1`` actions, and the first observation carries the mask of a jump although no action came before it.

    Parameters: ``renderer`` is ``"paint"``, ``"scenes"`` or ``"toy"``, with any of its settings as keywords (``brush``,
    ``color``, ``canvas``, ``space``, ``preset`` …: see ``PaintSettings``, ``ScenesSettings`` and ``ToySettings``), or a
    ``Renderer`` with one canvas, which then belongs to the environment.

    ``step`` and ``render`` before the first ``reset``, and ``step`` after the end of an episode, raise
    ``gymnasium.error.ResetNeeded``. A bad action raises ``ValueError`` naming the part and changes nothing;
    a bad configuration raises ``ValueError`` naming the value.
    """

    metadata: dict[str, Any] = {"render_modes": ["rgb_array"], "render_fps": 8}  # noqa: RUF012 (as in the base class)

    def __init__(
        self,
        renderer: str | Renderer = "paint",
        steps: int = 20,
        reward: Reward | None = None,
        render_mode: str | None = None,
        **settings: Any,
    ) -> None:
        self._vector = PaintVectorEnv(1, renderer, steps, reward, render_mode, **settings)
        self.render_mode = render_mode
        self.observation_space = self._vector.single_observation_space
        self.action_space = self._vector.single_action_space
        self.actions = self._vector.actions
        """The named parts of an action."""

    def program(self) -> Program:
        """The actions executed in this episode so far, with the renderer's settings."""
        return self._vector.programs()[0]

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Reset:
        """Begin an episode on a blank canvas. ``options`` are ignored."""
        super().reset(seed=seed)
        return _first(self._vector.reset()[0]), {}

    def step(self, action: ArrayLike) -> tuple[EnvObservation, float, bool, bool, dict[str, Any]]:
        """Execute one action ``int64[P]``: (observation, reward, terminated, False, {})."""
        observation, rewards, terminated, *_ = self._vector.step(_validate(self.actions, action)[None])
        return _first(observation), float(rewards[0]), bool(terminated[0]), False, {}

    def render(self) -> NDArray[np.uint8] | None:
        """The canvas as ``uint8[H, W, 3]`` over white, when ``render_mode`` is ``"rgb_array"``."""
        frames = self._vector.render()
        return None if frames is None else frames[0]


class PaintVectorEnv(VectorEnv[EnvObservation, IntArray, NDArray[Any]]):
    """``num_envs`` episodes in lock-step: ``PaintEnv``, each array with a leading axis N. The caller resets.

    Row i equals, bit for bit, what a ``PaintEnv`` returns for the same actions. ``step`` takes ``int64[N, P]`` and
    returns rewards ``float64[N]`` and terminations ``bool[N]`` (all equal). ``threads`` paint at the same time.
    """

    metadata: ClassVar[dict[str, Any]] = {**PaintEnv.metadata, "autoreset_mode": AutoresetMode.DISABLED}  # type: ignore[misc]

    def __init__(
        self,
        num_envs: int = 1,
        renderer: str | Renderer = "paint",
        steps: int = 20,
        reward: Reward | None = None,
        render_mode: str | None = None,
        threads: int = 1,
        **settings: Any,
    ) -> None:
        self._renderer = _renderer(renderer, settings, num_envs, threads)
        complete = read_settings(self._renderer.settings())
        self._shows_mask = find_world(complete.name).repeats_release(complete)
        if self._shows_mask:
            _check_count("steps", steps, 2, " (the released environment has one action fewer than steps)")
        _check_count("steps", steps, 1)
        scores = reward is None or callable(reward)
        require(scores, f"reward is {reward!r}, must be None or a function of uint8[N, H, W, C]")
        shown = render_mode in (None, "rgb_array")
        require(shown, f"render_mode is {render_mode!r}, must be None or 'rgb_array'")
        self.num_envs, self.render_mode = num_envs, render_mode
        self.actions = self._renderer.actions
        """The named parts of an action."""
        self._reward = reward
        self._horizon = steps - 1 if self._shows_mask else steps
        self._step: int | None = None
        self._history = np.zeros((self._horizon, num_envs, len(self.actions)), np.int64)
        observations: dict[str, spaces.Space[Any]] = {
            "canvas": spaces.Box(0, 255, self._renderer.shape, np.uint8),
            "step": spaces.Discrete(self._horizon + 1),
            "pen": spaces.Box(0, 1, (2,), np.float32),
        }
        if self._shows_mask:
            observations["mask"] = spaces.MultiBinary(len(self.actions))
        self.single_observation_space = spaces.Dict(observations)
        self.single_action_space = spaces.MultiDiscrete(list(self.actions.sizes))
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)

    def programs(self) -> list[Program]:
        """The actions executed in these episodes so far: one program for each canvas."""
        done = self._history[: self._step or 0]
        return [Program(self._renderer.settings(), done[:, i]) for i in range(self.num_envs)]

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Reset:
        """Begin all episodes on blank canvases. Gymnasium's option ``reset_mask`` must name all of them."""
        mask = (options or {}).get("reset_mask")
        require(
            mask is None or (np.shape(mask) == (self.num_envs,) and bool(np.all(mask))),
            f"reset_mask is {mask}: these episodes run in lock-step and can only be reset together; leave it out "
            'or use gymnasium.make_vec(..., vectorization_mode="sync")',
        )
        super().reset(seed=seed)
        self._renderer.reset()
        self._step = 0
        return self._observe(0), {}

    def step(
        self, actions: ArrayLike
    ) -> tuple[EnvObservation, NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]:
        """Execute one action per canvas, ``int64[N, P]``."""
        actions = _validate(self.actions, actions, self.num_envs)
        if self._step is None or self._ended:
            raise ResetNeeded("call reset() before step(): no episode is under way")
        self._renderer.step(actions)
        self._history[self._step] = actions
        self._step += 1
        rewards = self._score() if self._ended else np.zeros(self.num_envs)
        terminated = np.full(self.num_envs, self._ended)
        return self._observe(self._step), rewards, terminated, np.zeros(self.num_envs, np.bool_), {}

    def render(self) -> tuple[NDArray[np.uint8], ...] | None:
        """The canvases as N arrays ``uint8[H, W, 3]`` over white, when ``render_mode`` is ``"rgb_array"``."""
        if self._step is None:
            raise ResetNeeded("call reset() before render(): no episode is under way")
        if self.render_mode is None:
            return None
        canvases = on_white(self._renderer.canvas())
        return tuple(np.repeat(canvases, 3 // canvases.shape[-1], axis=-1))

    @property
    def _ended(self) -> bool:
        return self._step == self._horizon

    def _score(self) -> NDArray[np.float64]:
        """Rewards ``float64[N]`` of the final canvases."""
        if self._reward is None:
            return np.zeros(self.num_envs)
        rewards = np.array(self._reward(self._renderer.canvas()), np.float64)
        finite = rewards.shape == (self.num_envs,) and bool(np.isfinite(rewards).all())
        require(finite, f"reward must return {self.num_envs} finite numbers, one per canvas, returned {rewards}")
        return rewards

    def _observe(self, step: int) -> EnvObservation:
        """Observations after ``step`` actions."""
        observation = {
            "canvas": self._renderer.canvas(),
            "step": np.full(self.num_envs, step, np.int64),
            "pen": self._renderer.pen(),
        }
        if self._shows_mask:
            last = self._history[step - 1] if step else np.zeros_like(self._history[0])
            observation["mask"] = self.actions.mask(last).astype(np.int8)
        return observation


def _renderer(renderer: str | Renderer, settings: dict[str, Any], batch: int, threads: int) -> Renderer:
    _check_count("num_envs", batch, 1)
    if isinstance(renderer, str):
        made = make_renderer({"name": renderer, **settings}, batch, threads)
        grid, pixels = made.settings().get("grid", 0), made.shape[0]
        require(grid <= pixels, f"setting grid must be at most {pixels}, the pixels of the canvas, got {grid}")
        return made
    given = sorted(settings)
    require(not given, f"settings {given} given together with a ready renderer: pass them to the renderer")
    require(renderer.batch == batch, f"the renderer has {renderer.batch} canvases, must have {batch}")
    return renderer


def _check_count(name: str, value: Any, least: int, why: str = "") -> None:
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    require(whole and value >= least, f"{name} is {value!r}, must be a whole number, at least {least}{why}")


def _validate(space: ActionSpace, actions: ArrayLike, *leading: int) -> IntArray:
    """``actions`` as ``int64[*leading, P]``; ``ValueError`` when they have another shape or a bad entry."""
    array, shape = np.asarray(actions), (*leading, len(space))
    require(array.shape == shape, f"the action has shape {array.shape}, must be {shape}: parts {space.names}")
    return space.validate(array)


def _first(observation: EnvObservation) -> EnvObservation:
    return {name: array[0] for name, array in observation.items()}
