"""The conformance suite catches a deliberately broken environment for every promise, and more."""

from __future__ import annotations

from functools import partial

import gymnasium
import numpy as np
import pytest
from broken import TINY, assert_caught, ink, name_of
from gymnasium import spaces

from limner.environments.conformance import ENVIRONMENT
from limner.environments.gymnasium import PaintEnv


class SortsParts(PaintEnv):
    def __init__(self, **options):
        super().__init__(**options)
        self.action_space = spaces.MultiDiscrete(sorted(self.actions.sizes))


class NoPen(PaintEnv):
    def __init__(self, **options):
        super().__init__(**options)
        self.observation_space = spaces.Dict({k: v for k, v in self.observation_space.items() if k != "pen"})


class Changes(PaintEnv):
    """Passes everything that ``reset`` and ``step`` return through ``change``."""

    def change(self, observation, reward, terminated, truncated, info):
        return observation, reward, terminated, truncated, info

    def reset(self, **options):
        observation, info = super().reset(**options)
        observation, *_, info = self.change(observation, 0.0, False, False, info)
        return observation, info

    def step(self, action):
        return self.change(*super().step(action))


class FloatObservation(Changes):
    def change(self, observation, *rest):
        return {**observation, "canvas": observation["canvas"] / 255}, *rest


class FloatStep(Changes):
    def change(self, observation, *rest):
        return {**observation, "step": float(observation["step"])}, *rest


class NumpyReward(Changes):
    def change(self, observation, reward, *rest):
        return observation, np.float32(reward), *rest


class InfiniteReward(Changes):
    def change(self, observation, reward, *rest):
        return observation, float("nan"), *rest


class NoInfo(Changes):
    def change(self, *rest):
        return *rest[:-1], None


class OneStepShort(Changes):
    def change(self, observation, reward, terminated, *rest):
        return observation, reward, observation["step"] >= 3, *rest


class NeverTerminates(Changes):
    def change(self, observation, reward, terminated, *rest):
        return observation, reward, False, *rest


class Truncates(Changes):
    def change(self, observation, reward, terminated, truncated, info):
        return observation, reward, False, terminated, info


class CountsFromOne(Changes):
    def change(self, observation, *rest):
        return {**observation, "step": min(observation["step"] + 1, np.int64(4))}, *rest


class SecondEpisodeShorter(Changes):
    episodes = 0

    def reset(self, **options):
        self.episodes += 1
        return super().reset(**options)

    def change(self, observation, reward, terminated, *rest):
        return observation, reward, terminated or (self.episodes > 1 and observation["step"] == 3), *rest


class ResetsItself(PaintEnv):
    def __init__(self, **options):
        super().__init__(**options)
        super().reset()


class StartsAgain(PaintEnv):
    def step(self, action):
        if self._vector._ended:
            self.reset()
        return super().step(action)


class EndOnce(PaintEnv):
    """Complains about the first step after the end, then goes on."""

    def step(self, action):
        try:
            return super().step(action)
        except gymnasium.error.ResetNeeded:
            if self._vector._ended:
                super().reset()
            raise


class KeepsCanvas(PaintEnv):
    def reset(self, **options):
        canvas = self._vector._renderer._canvas.copy()
        result = super().reset(**options)
        self._vector._renderer._canvas[:] = canvas
        return result


class KeepsPressureIfUnfinished(PaintEnv):
    def reset(self, **options):
        renderer = self._vector._renderer
        pressure = renderer._pressure * (not self._vector._ended)
        result = super().reset(**options)
        renderer._pressure[:] = pressure
        return result


class Unrepeatable(Changes):
    rng = np.random.default_rng(0)

    def change(self, observation, reward, *rest):
        return observation, self.rng.uniform(), *rest


class SharesRenderer(PaintEnv):
    one: list = []  # noqa: RUF012 (that it is shared is the point)

    def __init__(self, **options):
        super().__init__(**options)
        self.one.append(self._vector._renderer)
        self._vector._renderer = self.one[0]


class IgnoresSeed(PaintEnv):
    def reset(self, seed=None, options=None):
        return super().reset(options=options)


class OneSeed(PaintEnv):
    def reset(self, seed=None, options=None):
        return super().reset(seed=0, options=options)


class SameArray(Changes):
    buffer = None

    def change(self, observation, *rest):
        if self.buffer is None:
            self.buffer = observation["canvas"]
        self.buffer[:] = observation["canvas"]
        return {**observation, "canvas": self.buffer}, *rest


class SharesRendererCanvas(Changes):
    def change(self, observation, *rest):
        return {**observation, "canvas": self._vector._renderer._canvas[0]}, *rest


class ConstantPenAtReset(PaintEnv):
    pen = np.zeros(2, np.float32)

    def reset(self, **options):
        observation, info = super().reset(**options)
        return {**observation, "pen": self.pen}, info


class RewardsMaskedParts(PaintEnv):
    def step(self, action):
        observation, _, *rest = super().step(action)
        return observation, float(np.sum(action)), *rest


class Clips(PaintEnv):
    def step(self, action):
        if np.shape(action) == (len(self.actions),):
            action = np.clip(action, 0, np.array(self.actions.sizes) - 1).astype(np.int64)
        return super().step(action)


class CountsRefused(PaintEnv):
    def step(self, action):
        try:
            return super().step(action)
        except ValueError:
            self._vector._step = min(self._vector._step + 1, 3)
            raise


class AssertsOnBad(PaintEnv):
    def step(self, action):
        assert action in self.action_space
        return super().step(action)


class FlatFrame(PaintEnv):
    def render(self):
        return super().render()[..., 0]


class FloatFrame(PaintEnv):
    def render(self):
        return super().render() / 255


class SharedFrame(PaintEnv):
    frame = None

    def render(self):
        if self.frame is None:
            self.frame = super().render()
        return self.frame


class BlankFrame(PaintEnv):
    def render(self):
        return np.zeros_like(super().render())


class RenderSteps(PaintEnv):
    def render(self):
        self._vector._renderer._pressure[:] = 1
        return super().render()


class RendersTooEarly(PaintEnv):
    def render(self):
        return super().render() if self._vector._step is not None else np.zeros((12, 12, 3), np.uint8)


class CopiesForget(PaintEnv):
    def __deepcopy__(self, memo):
        copy = type(self)(self._vector._renderer.settings()["name"], self._vector._horizon)
        copy.reset()
        return copy


BROKEN_ENVIRONMENTS = {
    SortsParts: "declares_spaces",
    NoPen: "declares_spaces",
    FloatObservation: "returns_what_it_declares",
    FloatStep: "returns_what_it_declares",
    NumpyReward: "returns_what_it_declares",
    InfiniteReward: "returns_what_it_declares",
    NoInfo: "returns_what_it_declares",
    OneStepShort: "has_one_horizon",
    NeverTerminates: "has_one_horizon",
    Truncates: "has_one_horizon",
    CountsFromOne: "has_one_horizon",
    SecondEpisodeShorter: "has_one_horizon",
    ResetsItself: "needs_reset",
    StartsAgain: "needs_reset",
    EndOnce: "needs_reset",
    KeepsCanvas: "resets_completely",
    KeepsPressureIfUnfinished: "resets_completely",
    Unrepeatable: "deterministic",
    SharesRenderer: "deterministic",
    IgnoresSeed: "seeds_its_generator",
    OneSeed: "seeds_its_generator",
    SameArray: "returns_fresh_arrays",
    SharesRendererCanvas: "returns_fresh_arrays",
    ConstantPenAtReset: "returns_fresh_arrays",
    RewardsMaskedParts: "ignores_masked_parts",
    Clips: "refuses_bad_actions",
    CountsRefused: "refuses_bad_actions",
    AssertsOnBad: "refuses_bad_actions",
    CopiesForget: "copies",
    FlatFrame: "renders",
    FloatFrame: "renders",
    SharedFrame: "renders",
    BlankFrame: "renders",
    RenderSteps: "renders",
    RendersTooEarly: "renders",
}


@pytest.mark.parametrize(("env", "promise"), BROKEN_ENVIRONMENTS.items(), ids=name_of)
def test_broken_environment_is_caught(env, promise):
    make = partial(env, renderer="toy", steps=4, reward=ink, render_mode="rgb_array", **TINY)
    assert_caught(ENVIRONMENT, promise, make)


def test_every_promise_of_an_environment_has_been_broken():
    assert set(BROKEN_ENVIRONMENTS.values()) == {promise.__name__ for promise in ENVIRONMENT}
