"""The conformance suite passes what conforms, and catches one deliberately broken thing per promise and more."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import get_args

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode

from limner.actions import Space
from limner.conformance import (
    ENVIRONMENT,
    RENDERER,
    VECTOR_ENVIRONMENT,
    check_environment,
    check_renderer,
    check_vector_environment,
)
from limner.environments import PaintEnv, PaintVectorEnv
from limner.renderers import make_renderer
from limner.renderers.toy import Toy, ToySettings

TINY = {"canvas": 12, "grid": 6}


def name_of(value) -> str:
    return value if isinstance(value, str) else value.__name__


def ink(canvas):
    return (255 - canvas).mean(axis=(1, 2, 3))


def caught(check, *makers) -> dict[str, str]:
    """The promises that ``check`` says are broken, with what it says about each."""
    with pytest.raises(AssertionError) as error:
        check(*makers)
    lines = str(error.value).splitlines()
    return {line[2:].split(":")[0]: line for line in lines if line.startswith("- ")}


def assert_caught(promises, name, *makers):
    """The promise finds the fault itself: an accidental exception would be no ``AssertionError``."""
    (promise,) = (promise for promise in promises if promise.__name__ == name)
    with pytest.raises(AssertionError) as error:
        promise(*makers, np.random.default_rng(0))
    assert str(error.value)


# --- what conforms -----------------------------------------------------------------------------------------------

RENDERERS = [
    pytest.param({"name": "toy"}, id="toy"),
    pytest.param({"name": "paint", "canvas": 64}, id="paint"),
    pytest.param({"name": "paint", "brush": "classic/dry_brush", "color": True}, id="paint-color"),
    pytest.param({"name": "paint", "preset": "deepmind-2018", "color": True}, id="paint-deepmind-2018"),
    pytest.param({"name": "paint", "ground": "transparent"}, id="paint-transparent"),
    *(
        pytest.param({"name": "paint", "space": space, "events": 16}, id=f"paint-{space}")
        for space in get_args(Space)
        if space != "bezier"
    ),
]


@pytest.fixture(params=RENDERERS)
def settings(request):
    if request.param["name"] == "paint":
        pytest.importorskip("limner.renderers.paint", exc_type=ImportError)
    return request.param


@pytest.mark.parametrize("promise", RENDERER, ids=name_of)
def test_renderer(promise, settings):
    promise(partial(make_renderer, settings), np.random.default_rng(1))


def test_environment(settings):
    make, _ = environments(settings, "rgb_array")
    check_environment(make, seed=1)


def test_vector_environment(settings):
    make, make_vector = environments(settings, "rgb_array")
    check_vector_environment(make_vector, make, seed=1)


def environments(settings, render_mode):
    options = {**settings, "steps": 4, "reward": ink, "render_mode": render_mode}
    name = options.pop("name").capitalize()
    return (
        lambda: gymnasium.make(f"limner/{name}-v0", **options),
        lambda n: gymnasium.make_vec(f"limner/{name}-v0", num_envs=n, **options),
    )


def test_sync_vector_environment_of_gymnasium_is_not_lock_step():
    make, _ = environments({"name": "toy", **TINY}, None)
    broken = caught(check_vector_environment, lambda n: gymnasium.vector.SyncVectorEnv([make] * n), make)
    assert "disables_autoreset" in broken


# --- broken renderers --------------------------------------------------------------------------------------------


class LiesAboutBatch(Toy):
    def __init__(self, *args):
        super().__init__(*args)
        self.batch += 1


class FloatCanvas(Toy):
    def canvas(self, out=None):
        return super().canvas(out).astype(np.float32)


class PenInPixels(Toy):
    def pen(self):
        return super().pen() * np.float32(12)


class SettingsNotJson(Toy):
    def settings(self):
        return {**super().settings(), "sizes": (2.0, 4.0)}


class NeverPaints(Toy):
    def _paint(self, *args):
        pass


class OnePictureForAll(Toy):
    def canvas(self, out=None):
        canvas = super().canvas(out)
        canvas[:] = canvas[:1]
        return canvas


class NoisyGround(Toy):
    def reset(self, indices=None):
        super().reset(indices)
        self._canvas[:, 0, 0] = 254


class IgnoresOut(Toy):
    def canvas(self, out=None):
        super().canvas(out)
        return super().canvas()


class BroadcastsIntoOut(Toy):
    def canvas(self, out=None):
        if out is None:
            return super().canvas()
        np.copyto(out.ravel()[: self._canvas.size].reshape(self._canvas.shape), self._canvas, casting="unsafe")
        return out


class SharesCanvas(Toy):
    def canvas(self, out=None):
        return super().canvas(out) if out is not None else self._canvas


class SharesPen(Toy):
    def pen(self):
        return self._pen


class ReusesBuffer(Toy):
    def canvas(self, out=None):
        if not hasattr(self, "_buffer"):
            self._buffer = super().canvas()
        return super().canvas(self._buffer if out is None else out)


class LongLivedGenerator(Toy):
    """What libmypaint does when a brush outlives its picture."""

    def __init__(self, *args):
        self._rng = np.random.default_rng(0)
        super().__init__(*args)

    def _paint(self, rows, actions, end, pressure):
        super()._paint(rows, actions, end, pressure * self._rng.uniform(0.5, 1, len(rows)).astype(np.float32))


class SharedGenerator(LongLivedGenerator):
    shared = np.random.default_rng(0)

    def __init__(self, *args):
        super().__init__(*args)
        self._rng = SharedGenerator.shared


class ReseedsByBatch(LongLivedGenerator):
    """Deterministic, but what a canvas gets depends on its place."""

    def step(self, actions):
        self._rng = np.random.default_rng(0)
        super().step(actions)


class DripsOnNeighbour(Toy):
    def step(self, actions):
        super().step(actions)
        self._canvas[1:, -1, -1] = self._canvas[:-1, 0, 0]


class ResetsAll(Toy):
    def reset(self, indices=None):
        super().reset()


class KeepsPressure(Toy):
    def reset(self, indices=None):
        pressure = self._pressure.copy()
        super().reset(indices)
        self._pressure[:] = np.where(pressure > 0, pressure, 0)


class KeepsPressureOfSome(Toy):
    def reset(self, indices=None):
        pressure = self._pressure.copy()
        super().reset(indices)
        if indices is not None:
            self._pressure[:] = pressure


class JumpUsesControl(Toy):
    def step(self, actions):
        super().step(actions)
        self._pen = np.where(actions[:, :1] == 0, self._place(actions, "control"), self._pen)


class ClipsActions(Toy):
    def step(self, actions):
        if actions.shape == (self.batch, len(self.actions)):
            actions = np.clip(actions, 0, np.array(self.actions.sizes) - 1).astype(np.int64)
        super().step(actions)


class WrongError(Toy):
    def step(self, actions):
        try:
            super().step(actions)
        except ValueError as error:
            raise IndexError(str(error)) from error


class ValidatesTooLate(Toy):
    def step(self, actions):
        try:
            super().step(actions)
        except ValueError:
            self._pressure[:] = 0
            raise


class CanonicalInPlace(Toy):
    def step(self, actions):
        actions[:] = self.actions.canonical(self.actions.validate(actions)) if len(actions) else actions
        super().step(actions)
        actions[:, 1] = 0


class PaintsLazily(Toy):
    waiting = ()

    def reset(self, indices=None):
        self.waiting = []
        super().reset(indices)

    def step(self, actions):
        self.actions.validate(actions)
        if self.waiting:
            super().step(self.waiting.pop())
        self.waiting.append(actions)


class SavesNoPressure(Toy):
    def save(self, indices=None):
        state = super().save(indices)
        return replace(state, pressure=np.zeros_like(state.pressure))


class SavesReference(Toy):
    def save(self, indices=None):
        return replace(super().save(indices), canvas=self._canvas if indices is None else self._canvas[indices])


class SavesAll(Toy):
    def save(self, indices=None):
        return super().save()


class RestoresInOrder(Toy):
    def restore(self, state, indices=None):
        super().restore(state, None if indices is None else np.arange(len(indices)))


class TakesEachOnce(Toy):
    def restore(self, state, indices=None):
        super().restore(state, indices)
        same = (state.canvas == state.canvas[:1]).all(axis=(1, 2, 3)) & (np.arange(len(state)) > 0)
        self._canvas[np.flatnonzero(same)] = 255


BROKEN_RENDERERS = {
    LiesAboutBatch: "describes_itself",
    FloatCanvas: "describes_itself",
    PenInPixels: "describes_itself",
    SettingsNotJson: "describes_itself",
    NeverPaints: "paints",
    OnePictureForAll: "paints",
    NoisyGround: "paints",
    IgnoresOut: "writes_into_out",
    BroadcastsIntoOut: "writes_into_out",
    SharesCanvas: "returns_fresh_arrays",
    SharesPen: "returns_fresh_arrays",
    ReusesBuffer: "returns_fresh_arrays",
    KeepsPressure: "deterministic",
    LongLivedGenerator: "deterministic",
    SharedGenerator: "deterministic",
    ReseedsByBatch: "canvases_are_independent",
    DripsOnNeighbour: "canvases_are_independent",
    ResetsAll: "resets_some",
    KeepsPressureOfSome: "resets_some",
    JumpUsesControl: "masked_parts_do_nothing",
    ClipsActions: "refuses_bad_actions",
    WrongError: "refuses_bad_actions",
    ValidatesTooLate: "refuses_bad_actions",
    CanonicalInPlace: "leaves_actions_alone",
    PaintsLazily: "leaves_actions_alone",
    SavesNoPressure: "restores",
    SavesReference: "restores",
    SavesAll: "restores",
    RestoresInOrder: "restores",
    TakesEachOnce: "restores_one_into_many",
}


@pytest.mark.parametrize(("renderer", "promise"), BROKEN_RENDERERS.items(), ids=name_of)
def test_broken_renderer_is_caught(renderer, promise):
    assert_caught(RENDERER, promise, lambda batch: renderer(ToySettings(**TINY), batch))


def test_every_promise_of_a_renderer_has_been_broken():
    assert set(BROKEN_RENDERERS.values()) == {promise.__name__ for promise in RENDERER}


# --- broken environments -----------------------------------------------------------------------------------------


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
        if self._episodes.ended:
            self.reset()
        return super().step(action)


class EndOnce(PaintEnv):
    """Complains about the first step after the end, then goes on."""

    def step(self, action):
        try:
            return super().step(action)
        except gymnasium.error.ResetNeeded:
            if self._episodes.ended:
                super().reset()
            raise


class KeepsCanvas(PaintEnv):
    def reset(self, **options):
        canvas = self._episodes._renderer._canvas.copy()
        result = super().reset(**options)
        self._episodes._renderer._canvas[:] = canvas
        return result


class KeepsPressureIfUnfinished(PaintEnv):
    def reset(self, **options):
        renderer = self._episodes._renderer
        pressure = renderer._pressure * (not self._episodes.ended)
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
        self.one.append(self._episodes._renderer)
        self._episodes._renderer = self.one[0]


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
        return {**observation, "canvas": self._episodes._renderer._canvas[0]}, *rest


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
            self._episodes._step = min(self._episodes._step + 1, 3)
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
        self._episodes._renderer._pressure[:] = 1
        return super().render()


class RendersTooEarly(PaintEnv):
    def render(self):
        return super().render() if self._episodes._step is not None else np.zeros((12, 12, 3), np.uint8)


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
    ResetsItself: "needs_reset_first",
    StartsAgain: "needs_reset_after_the_end",
    EndOnce: "needs_reset_after_the_end",
    KeepsCanvas: "resets_completely",
    KeepsPressureIfUnfinished: "resets_completely",
    Unrepeatable: "repeats_episodes",
    SharesRenderer: "repeats_episodes",
    IgnoresSeed: "seeds_its_generator",
    OneSeed: "seeds_its_generator",
    SameArray: "gives_its_arrays_away",
    SharesRendererCanvas: "gives_its_arrays_away",
    ConstantPenAtReset: "gives_its_arrays_away",
    RewardsMaskedParts: "ignores_masked_parts",
    Clips: "refuses_bad_steps",
    CountsRefused: "refuses_bad_steps",
    AssertsOnBad: "refuses_bad_steps",
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


# --- broken vector environments ----------------------------------------------------------------------------------


class SaysNextStep(PaintVectorEnv):
    metadata = {**PaintVectorEnv.metadata, "autoreset_mode": AutoresetMode.NEXT_STEP}  # noqa: RUF012


class ResetsOnNextStep(PaintVectorEnv):
    def step(self, actions):
        if self._episodes.ended:
            observation, info = self.reset()
            zeros = np.zeros(self.num_envs)
            return observation, zeros, zeros > 0, zeros > 0, info
        return super().step(actions)


class RewardsBackwards(PaintVectorEnv):
    def step(self, actions):
        observation, rewards, *rest = super().step(actions)
        return observation, rewards[::-1].copy(), *rest


class NormalisesRewards(PaintVectorEnv):
    def step(self, actions):
        observation, rewards, *rest = super().step(actions)
        return observation, rewards - rewards.mean(), *rest


class LastRowLate(PaintVectorEnv):
    def step(self, actions):
        observation, rewards, terminated, *rest = super().step(actions)
        terminated[-1] = False
        return observation, rewards, terminated, *rest


class FloatTerminations(PaintVectorEnv):
    def step(self, actions):
        observation, rewards, terminated, *rest = super().step(actions)
        return observation, rewards, terminated.astype(np.float32), *rest


class PaintsGoodRows(PaintVectorEnv):
    """Refuses a batch with a bad row only after painting the good ones."""

    def step(self, actions):
        try:
            return super().step(actions)
        except ValueError:
            self._episodes._renderer._pressure[0] = 1
            raise


class UnbatchedSpace(PaintVectorEnv):
    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.action_space = self.single_action_space


class StackedFrames(PaintVectorEnv):
    def render(self):
        return np.stack(super().render())


BROKEN_VECTOR_ENVIRONMENTS = {
    SaysNextStep: "disables_autoreset",
    ResetsOnNextStep: "needs_reset_after_the_end",
    RewardsBackwards: "equals_singles",
    NormalisesRewards: "equals_singles",
    LastRowLate: "has_one_horizon",
    FloatTerminations: "returns_what_it_declares",
    PaintsGoodRows: "refuses_bad_steps",
    UnbatchedSpace: "declares_spaces",
    StackedFrames: "renders",
}


@pytest.mark.parametrize(("env", "promise"), BROKEN_VECTOR_ENVIRONMENTS.items(), ids=name_of)
def test_broken_vector_environment_is_caught(env, promise):
    options = {"renderer": "toy", "steps": 4, "reward": ink, "render_mode": "rgb_array", **TINY}
    assert_caught(VECTOR_ENVIRONMENT, promise, partial(env, **options), partial(PaintEnv, **options))


# --- the report --------------------------------------------------------------------------------------------------


def test_report_names_every_broken_promise_with_what_it_promises():
    makers = (lambda batch: NeverPaints(ToySettings(**TINY), batch),)
    with pytest.raises(AssertionError) as error:
        check_renderer(*makers)
    assert "- paints: Canvases start equal and blank" in str(error.value)
    assert "canvas 0 is blank after 5 actions" in str(error.value)


def test_unexpected_exceptions_are_reported_not_raised():
    broken = caught(check_renderer, lambda batch: SimpleNamespace(batch=batch))
    assert set(broken) == {promise.__name__ for promise in RENDERER}


def test_vector_environments_keep_the_promises_of_single_ones():
    names = {promise.__name__ for promise in VECTOR_ENVIRONMENT}
    assert names == {promise.__name__ for promise in ENVIRONMENT} | {"disables_autoreset", "equals_singles"}
