"""The conformance suite catches a deliberately broken renderer for every promise, and more."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from broken import TINY, assert_caught, caught, name_of

from limner.environments.conformance import RENDERER, check_renderer
from limner.worlds.toy.renderer import Toy, ToySettings


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


class SpotOnOne(Toy):
    def reset(self, indices=None):
        super().reset(indices)
        self._canvas[0, 0, 0] = 254


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
        canvas, pen, pressure = state.parts
        return replace(state, parts=(canvas, pen, np.zeros_like(pressure)))


class SavesReference(Toy):
    def save(self, indices=None):
        state = super().save(indices)
        return replace(state, parts=(self._canvas if indices is None else self._canvas[indices], *state.parts[1:]))


class SavesAll(Toy):
    def save(self, indices=None):
        return super().save()


class RestoresInOrder(Toy):
    def restore(self, state, indices=None):
        super().restore(state, None if indices is None else np.arange(len(indices)))


class TakesEachOnce(Toy):
    def restore(self, state, indices=None):
        super().restore(state, indices)
        canvas, *_ = state.parts
        same = (canvas == canvas[:1]).all(axis=(1, 2, 3)) & (np.arange(len(state)) > 0)
        self._canvas[np.flatnonzero(same)] = 255


class CopiesNoPressure(Toy):
    def __deepcopy__(self, memo):
        copy = type(self)(self._settings, self.batch)
        copy._canvas[:], copy._pen[:] = self._canvas, self._pen
        return copy


class CopiesNothing(Toy):
    def __deepcopy__(self, memo):
        return self


BROKEN_RENDERERS = {
    LiesAboutBatch: "describes_itself",
    FloatCanvas: "describes_itself",
    PenInPixels: "describes_itself",
    SettingsNotJson: "describes_itself",
    NeverPaints: "paints",
    OnePictureForAll: "paints",
    SpotOnOne: "paints",
    IgnoresOut: "writes_into_out",
    BroadcastsIntoOut: "writes_into_out",
    SharesCanvas: "returns_fresh_arrays",
    SharesPen: "returns_fresh_arrays",
    ReusesBuffer: "returns_fresh_arrays",
    KeepsPressure: "resets_completely",
    LongLivedGenerator: "deterministic",
    SharedGenerator: "deterministic",
    ReseedsByBatch: "canvases_are_independent",
    DripsOnNeighbour: "canvases_are_independent",
    ResetsAll: "resets_some",
    KeepsPressureOfSome: "resets_some",
    JumpUsesControl: "ignores_masked_parts",
    ClipsActions: "refuses_bad_actions",
    WrongError: "refuses_bad_actions",
    ValidatesTooLate: "refuses_bad_actions",
    CopiesNoPressure: "copies",
    CopiesNothing: "copies",
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


def test_report_names_every_broken_promise_with_what_it_promises():
    makers = (lambda batch: NeverPaints(ToySettings(**TINY), batch),)
    with pytest.raises(AssertionError) as error:
        check_renderer(*makers)
    assert "- paints: Canvases start equal" in str(error.value)
    assert "canvas 0 is blank after 5 actions" in str(error.value)


def test_unexpected_exceptions_are_reported_not_raised():
    broken = caught(check_renderer, lambda batch: SimpleNamespace(batch=batch))
    assert set(broken) == {promise.__name__ for promise in RENDERER}
