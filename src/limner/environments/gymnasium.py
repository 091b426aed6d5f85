"""Gymnasium environments over any renderer: one (``PaintEnv``) and a lock-step batch (``PaintVectorEnv``).

Notable choices:
- Both are faces of one private class, ``_Episodes``; a single environment is a batch of one.
- An episode always has the same length. ``terminated`` is true at its end, ``truncated`` never; the index of the
  step is part of the observation, so that what remains is Markovian.
- An action is a ``MultiDiscrete``, its parts in the order of ``env.unwrapped.actions.names``. A ``Dict`` would sort
  them by name and so change the order in which a policy draws them.
- ``step`` is ``Discrete``: it is exact, says how long an episode is, indexes a table or becomes one-hot.
- Every array that is returned is fresh: callers may keep or change it.
- Actions decide everything that is painted; ``seed`` seeds ``np_random``, which nothing here draws from.
- All episodes of the vector environment begin and end together, so there is nothing to reset automatically:
  ``metadata["autoreset_mode"]`` is ``DISABLED``, and the caller resets.
- Importing ``limner`` registers ``limner/Paint-v0``, ``limner/Scenes-v0`` and ``limner/Toy-v0``. Gymnasium has had no
  plug-ins since 1.0; ``gymnasium.make("limner:limner/Paint-v0")`` imports the package by itself.
"""

from __future__ import annotations

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
from limner.worlds.world import Canvas, Renderer

EnvObservation = dict[str, Any]
Reward = Callable[[Canvas], ArrayLike]
"""Scores the final canvases ``uint8[N, H, W, C]`` of N episodes: ``float[N]``, finite."""


class PaintEnv(gymnasium.Env[EnvObservation, IntArray]):
    """An episode of ``steps`` actions on one canvas.

    Action: ``int64[P]``, parts as in ``actions``; grid cells are numbered ``row * width + column``.

    EnvObservation:

    - ``canvas``: ``uint8[H, W, C]``;
    - ``step``: number of actions executed, 0 … horizon, as a ``Discrete`` space of ``horizon + 1`` values;
    - ``pen``: ``float32[2]``, (x, y) in [0, 1], where the next curve starts, or the last object of a scene stands;
    - ``mask``, with the preset ``deepmind-2018`` only: ``int8[P]``, 1 for each part that counted in the last action.
      This is no mask over legal actions: all are legal, always.

    Reward: 0 before the end, then ``reward`` of the final canvas, or 0 when no ``reward`` is given.

    The preset ``deepmind-2018`` repeats the environment released with Ganin et al. 2018: an episode has
    ``steps - 1`` actions, and the first observation carries the mask of a jump although no action came before it.

    Parameters: ``renderer`` is ``"paint"``, ``"scenes"`` or ``"toy"``, with any of its settings as keywords (``brush``,
    ``color``, ``canvas``, ``space``, ``preset`` …: see ``PaintSettings``, ``ScenesSettings`` and ``ToySettings``), or a
    ready ``Renderer`` with one canvas, which then belongs to the environment.

    ``step`` and ``render`` before the first ``reset``, and ``step`` after the end of an episode, raise
    ``gymnasium.error.ResetNeeded``. A bad action raises ``ValueError`` naming the part and changes nothing;
    so does an impossible configuration, naming the value.
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
        self._episodes = _Episodes(_renderer(renderer, settings, 1), steps, reward, render_mode)
        self.render_mode = render_mode
        self.observation_space = self._episodes.observation_space
        self.action_space = self._episodes.action_space

    @property
    def actions(self) -> ActionSpace:
        """The named parts of an action."""
        return self._episodes.actions

    def program(self) -> Program:
        """What was executed in this episode so far: it paints the same picture again, at any size."""
        return self._episodes.programs()[0]

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[EnvObservation, dict[str, Any]]:
        """Begin an episode on a blank canvas. ``options`` are ignored."""
        super().reset(seed=seed)
        self._episodes.reset()
        return _row(self._episodes.observe()), {}

    def step(self, action: ArrayLike) -> tuple[EnvObservation, float, bool, bool, dict[str, Any]]:
        """Execute one action ``int64[P]``: (observation, reward, terminated, False, {})."""
        rewards = self._episodes.step(self._episodes.validate(action, (len(self.actions),))[None])
        return _row(self._episodes.observe()), float(rewards[0]), self._episodes.ended, False, {}

    def render(self) -> NDArray[np.uint8] | None:
        """The canvas as ``uint8[H, W, 3]`` over white, when ``render_mode`` is ``"rgb_array"``."""
        pictures = self._episodes.render()
        return None if pictures is None else pictures[0]


class PaintVectorEnv(VectorEnv[EnvObservation, IntArray, NDArray[Any]]):
    """``num_envs`` episodes in lock-step: ``PaintEnv``, each array with a leading axis N.

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
        self._episodes = _Episodes(_renderer(renderer, settings, num_envs, threads), steps, reward, render_mode)
        self.num_envs = num_envs
        self.render_mode = render_mode
        self.single_observation_space = self._episodes.observation_space
        self.single_action_space = self._episodes.action_space
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)

    @property
    def actions(self) -> ActionSpace:
        """The named parts of an action."""
        return self._episodes.actions

    def programs(self) -> list[Program]:
        """What was executed in these episodes so far, one program per canvas."""
        return self._episodes.programs()

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[EnvObservation, dict[str, Any]]:
        """Begin all episodes on blank canvases. Gymnasium's option ``reset_mask`` must name all of them."""
        mask = (options or {}).get("reset_mask")
        if mask is not None and (np.shape(mask) != (self.num_envs,) or not np.all(mask)):
            raise ValueError(
                f"reset_mask is {mask}: these episodes run in lock-step and can only be reset together; leave it out "
                'or use gymnasium.make_vec(..., vectorization_mode="sync")'
            )
        super().reset(seed=seed)
        self._episodes.reset()
        return self._episodes.observe(), {}

    def step(
        self, actions: ArrayLike
    ) -> tuple[EnvObservation, NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]:
        """Execute one action per canvas, ``int64[N, P]``."""
        rewards = self._episodes.step(self._episodes.validate(actions, (self.num_envs, len(self.actions))))
        terminated = np.full(self.num_envs, self._episodes.ended)
        return self._episodes.observe(), rewards, terminated, np.zeros(self.num_envs, np.bool_), {}

    def render(self) -> tuple[NDArray[np.uint8], ...] | None:
        """The canvases as N arrays ``uint8[H, W, 3]`` over white, when ``render_mode`` is ``"rgb_array"``."""
        pictures = self._episodes.render()
        return None if pictures is None else tuple(pictures)


class _Episodes:
    """N episodes in lock-step over a renderer: the clock, the observations and the rewards."""

    def __init__(self, renderer: Renderer, steps: int, reward: Reward | None, render_mode: str | None) -> None:
        settings = read_settings(renderer.settings())
        release = find_world(settings.name).repeats_release(settings)
        least = 2 if release else 1
        if not _is_count(steps, least):
            why = " (the released environment has one action fewer than steps)" if release else ""
            raise ValueError(f"steps is {steps!r}, must be a whole number, at least {least}{why}")
        if reward is not None and not callable(reward):
            raise ValueError(f"reward is {reward!r}, must be None or a function of uint8[N, H, W, C]")
        if render_mode not in (None, "rgb_array"):
            raise ValueError(f"render_mode is {render_mode!r}, must be None or 'rgb_array'")
        self.actions = renderer.actions
        self._renderer = renderer
        self._reward = reward
        self._render_mode = render_mode
        self._shows_mask = release
        self._horizon = steps - 1 if release else steps
        self._step: int | None = None
        self._history = np.zeros((self._horizon, renderer.batch, len(self.actions)), np.int64)
        self.action_space = spaces.MultiDiscrete(list(self.actions.sizes))
        observations: dict[str, spaces.Space[Any]] = {
            "canvas": spaces.Box(0, 255, renderer.shape, np.uint8),
            "step": spaces.Discrete(self._horizon + 1),
            "pen": spaces.Box(0, 1, (2,), np.float32),
        }
        if self._shows_mask:
            observations["mask"] = spaces.MultiBinary(len(self.actions))
        self.observation_space = spaces.Dict(observations)

    @property
    def ended(self) -> bool:
        return self._step == self._horizon

    def programs(self) -> list[Program]:
        done = self._history[: self._step or 0]
        return [Program(self._renderer.settings(), done[:, i]) for i in range(self._renderer.batch)]

    def reset(self) -> None:
        self._renderer.reset()
        self._step = 0

    def validate(self, actions: ArrayLike, shape: tuple[int, ...]) -> IntArray:
        array = np.asarray(actions)
        if array.shape != shape:
            raise ValueError(f"the action has shape {array.shape}, must be {shape}: parts {self.actions.names}")
        return self.actions.validate(array)

    def step(self, actions: IntArray) -> NDArray[np.float64]:
        if self._step is None or self.ended:
            raise ResetNeeded("call reset() before step(): no episode is under way")
        self._renderer.step(actions)
        self._history[self._step] = actions
        self._step += 1
        if self._reward is None or not self.ended:
            return np.zeros(len(actions))
        rewards = np.array(self._reward(self._renderer.canvas()), np.float64)
        if rewards.shape != (len(actions),) or not np.isfinite(rewards).all():
            raise ValueError(f"reward must return {len(actions)} finite numbers, one per canvas, returned {rewards}")
        return rewards

    def observe(self) -> EnvObservation:
        assert self._step is not None
        observation = {
            "canvas": self._renderer.canvas(),
            "step": np.full(self._renderer.batch, self._step, np.int64),
            "pen": self._renderer.pen(),
        }
        if self._shows_mask:
            jump = np.zeros(self._history.shape[1:], np.int64)
            last = self._history[self._step - 1] if self._step else jump
            observation["mask"] = self.actions.mask(last).astype(np.int8)
        return observation

    def render(self) -> NDArray[np.uint8] | None:
        if self._step is None:
            raise ResetNeeded("call reset() before render(): no episode is under way")
        return None if self._render_mode is None else _over_white(self._renderer.canvas())


def _renderer(renderer: str | Renderer, settings: dict[str, Any], batch: int, threads: int = 1) -> Renderer:
    if not _is_count(batch, 1):
        raise ValueError(f"num_envs is {batch!r}, must be a whole number, at least 1")
    if isinstance(renderer, str):
        made = make_renderer({"name": renderer, **settings}, batch, threads)
        grid, pixels = made.settings().get("grid", 0), made.shape[0]
        if grid > pixels:
            raise ValueError(f"setting grid must be at most {pixels}, the pixels of the canvas, got {grid}")
        return made
    if settings:
        raise ValueError(f"settings {sorted(settings)} given together with a ready renderer: pass them to the renderer")
    if renderer.batch != batch:
        raise ValueError(f"the renderer has {renderer.batch} canvases, must have {batch}")
    return renderer


def _is_count(value: object, least: int) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and bool(value >= least)


def _row(observation: EnvObservation) -> EnvObservation:
    return {name: array[0] for name, array in observation.items()}


def _over_white(canvas: Canvas) -> NDArray[np.uint8]:
    """``uint8[N, H, W, 3]`` from grey, grey + alpha, RGB or RGBA (alpha not premultiplied)."""
    colours = canvas.shape[-1] - (canvas.shape[-1] in (2, 4))
    picture = canvas[..., :colours]
    if colours < canvas.shape[-1]:
        alpha = canvas[..., -1:].astype(np.uint32)
        picture = ((picture * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)
    return np.repeat(picture, 3 // colours, axis=-1)
