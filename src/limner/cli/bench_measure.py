"""How fast this machine paints and learns.

Notable choices:
- What is painted is random strokes, no jumps, on a batch of canvases for a fixed time; decoding the actions and reading
  the canvases are included, as in training.
- What is trained is a preset, by the very code that a run executes, for some updates after a warm-up. Everything in an
  update counts, painting included; evaluation and saving do not.
- Shares of time are measured apart, on one thread, where the parts of an update come one after the other.
"""

from __future__ import annotations

import os
import time
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from limner.actions import PAINT
from limner.training.config import Config
from limner.training.presets import PRESETS
from limner.worlds.paint.renderer import Paint, PaintSettings

if TYPE_CHECKING:
    from limner.data.picture_source import PictureSource
    from limner.training.trainer import Training

BRUSHES = ("classic/pen", "classic/calligraphy", "classic/dry_brush")


def bench() -> dict[str, Any]:
    """All measurements, as JSON-able values."""
    from limner.data import load_dataset
    from limner.data.picture_source import PictureSource

    cores = len(os.sched_getaffinity(0))
    config = replace(PRESETS["mnist"], data="mnist-5k", threads=min(cores, 2))
    source = PictureSource(load_dataset(config.data), config.renderer.canvas)
    return {
        "cores": cores,
        "painting, strokes/s": painting(),
        "training, environment steps/s": round(training_speed(config, source)),
        "share of training time": training_shares(config, source),
    }


def painting_speed(settings: PaintSettings, threads: int, seconds: float = 1.0, batch: int = 64) -> float:
    """Strokes per second: ``batch`` canvases at a time, ``threads`` painting, for about ``seconds``."""
    renderer = Paint(settings, batch, threads)
    actions = renderer.actions.sample(np.random.default_rng(0), (20, batch))
    if "flag" in renderer.actions:
        actions[..., renderer.actions.index("flag")] = PAINT
    canvas = renderer.canvas()
    strokes = 0
    start = time.perf_counter()
    while (elapsed := time.perf_counter() - start) < seconds or strokes == 0:
        renderer.reset()
        for action in actions:
            renderer.step(action)
            renderer.canvas(canvas)
        strokes += actions.shape[0] * batch
    return strokes / elapsed


def painting(seconds: float = 1.0) -> dict[str, float]:
    """Strokes per second of ``BRUSHES`` at 64 × 64, 50 events a stroke, on one thread and on two."""
    return {
        f"{brush}, {threads} threads": round(painting_speed(replace(PaintSettings(), brush=brush), threads, seconds))
        for brush in BRUSHES
        for threads in (1, 2)
    }


def training_speed(config: Config, source: PictureSource, updates: int = 20, warm_up: int = 5) -> float:
    """Environment steps per second of training as ``config`` says."""
    from limner.training.spiral.trainer import Adversarial

    training = Adversarial(config, source)
    _advance(training, warm_up)
    frames = training.frames
    start = time.perf_counter()
    _advance(training, updates)
    return (training.frames - frames) / (time.perf_counter() - start)


def training_shares(config: Config, source: PictureSource, updates: int = 10, warm_up: int = 3) -> dict[str, float]:
    """Shares of an update's time on one thread; they add up to 1.

    ``inference`` is all that is none of the other three: acting, scoring, and moving arrays between them.
    """
    from limner.training.spiral.trainer import Adversarial

    training = Adversarial(replace(config, threads=1), source)
    _advance(training, warm_up)
    seconds: dict[str, float] = defaultdict(float)
    for method in ("reset", "step", "canvas", "pen"):
        _time(training.renderer, method, seconds, "painting")
    _time(training.policy_learner, "step", seconds, "policy learning")
    _time(training.critic_learner, "step", seconds, "critic learning")
    start = time.perf_counter()
    _advance(training, updates)
    total = time.perf_counter() - start
    shares = {name: seconds[name] / total for name in ("painting", "policy learning", "critic learning")}
    return {"inference": 1 - sum(shares.values())} | shares


def _advance(training: Training, updates: int) -> None:
    for _ in range(updates):
        training.update(0.0)


def _time(owner: object, method: str, seconds: dict[str, float], name: str) -> None:
    """Have the time that ``owner.method`` takes added to ``seconds[name]``."""
    original = getattr(owner, method)

    def timed(*arguments: Any) -> Any:
        start = time.perf_counter()
        result = original(*arguments)
        seconds[name] += time.perf_counter() - start
        return result

    setattr(owner, method, timed)
