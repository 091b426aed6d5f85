"""``limner bench``: how fast this machine paints and learns.

Notable choices:
- What is painted is random strokes, no jumps, on a batch of canvases for a fixed time; decoding the actions and reading
  the canvases are included, as in training.
- What is trained is a preset, by the very code that a run executes, for some updates after a warm-up. Everything in an
  update counts, painting included; evaluation and saving do not.
- Shares of time are measured apart, on one thread, where the parts of an update come one after the other.
"""

import os
import time
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from limner.cli.terminal import show

if TYPE_CHECKING:
    from limner.data.picture_source import PictureSource
    from limner.training.config import TrainingConfig

BRUSHES = ("classic/pen", "classic/calligraphy", "classic/dry_brush")


@dataclass(frozen=True)
class Bench:
    """Measure the speed of painting and of training on this machine."""

    json: bool = False
    """Print one JSON object."""

    def run(self) -> None:
        """Measure and print."""
        show(bench(), self.json)


def bench() -> dict[str, Any]:
    """All measurements, as JSON-able values."""
    from limner.data import load_dataset
    from limner.data.picture_source import PictureSource
    from limner.training.presets import PRESETS

    cores = len(os.sched_getaffinity(0))
    preset = PRESETS["mnist"].config
    config = replace(preset, run=replace(preset.run, threads=min(cores, 2)))
    source = PictureSource(load_dataset(config.run.data), config.agent.renderer.canvas)
    return {
        "cores": cores,
        "painting, strokes/s": painting(),
        "training, environment steps/s": round(training_speed(config, source)),
        "share of training time": training_shares(config, source),
    }


def painting_speed(settings: dict[str, Any], threads: int, seconds: float = 1.0, batch: int = 64) -> float:
    """Strokes per second: ``batch`` canvases at a time, ``threads`` painting, for about ``seconds``."""
    import numpy as np

    from limner.worlds import make_renderer

    renderer = make_renderer(settings, batch, threads)
    space = renderer.actions
    actions = space.sample(np.random.default_rng(0), (20, batch))
    if space.verb is not None:
        actions[..., space.verb] = space.full_verbs[0]
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
        f"{brush}, {threads} threads": round(painting_speed({"name": "paint", "brush": brush}, threads, seconds))
        for brush in BRUSHES
        for threads in (1, 2)
    }


def training_speed(config: "TrainingConfig", source: "PictureSource", updates: int = 20, warm_up: int = 5) -> float:
    """Environment steps per second of training as ``config`` says."""
    from limner.training import make_trainer

    trainer = make_trainer(config, source)
    _advance(trainer, warm_up)
    frames = trainer.frames
    start = time.perf_counter()
    _advance(trainer, updates)
    return (trainer.frames - frames) / (time.perf_counter() - start)


def training_shares(
    config: "TrainingConfig", source: "PictureSource", updates: int = 10, warm_up: int = 3
) -> dict[str, float]:
    """Shares of an update's time of SPIRAL on one thread; they add up to 1.

    ``inference`` is all that is none of the other three: acting, scoring, and moving arrays between them.
    """
    from limner.training import make_trainer

    trainer: Any = make_trainer(replace(config, run=replace(config.run, threads=1)), source)
    _advance(trainer, warm_up)
    seconds: dict[str, float] = defaultdict(float)
    for method in ("reset", "step", "canvas", "pen"):
        _time(trainer.renderer, method, seconds, "painting")
    _time(trainer.policy_learner, "step", seconds, "policy learning")
    _time(trainer.critic_learner, "step", seconds, "critic learning")
    start = time.perf_counter()
    _advance(trainer, updates)
    total = time.perf_counter() - start
    shares = {name: seconds[name] / total for name in ("painting", "policy learning", "critic learning")}
    return {"inference": 1 - sum(shares.values())} | shares


def _advance(trainer: Any, updates: int) -> None:
    for _ in range(updates):
        trainer.update(0.0)


def _time(owner: object, method: str, seconds: dict[str, float], name: str) -> None:
    """Have the time that ``owner.method`` takes added to ``seconds[name]``."""
    original = getattr(owner, method)

    def timed(*arguments: Any) -> Any:
        start = time.perf_counter()
        result = original(*arguments)
        seconds[name] += time.perf_counter() - start
        return result

    setattr(owner, method, timed)
