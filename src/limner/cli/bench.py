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
from collections.abc import Callable
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
    """All measurements, as JSON-able values. Painting is at 64 × 64, 50 events a stroke, on one thread and on two."""
    from limner.data import load_dataset
    from limner.data.picture_source import PictureSource
    from limner.training.presets import PRESETS

    cores = len(os.sched_getaffinity(0))
    config = PRESETS["mnist"].config
    source = PictureSource(load_dataset(config.run.data), config.agent.renderer.canvas)
    return {
        "cores": cores,
        "painting, strokes/s": {
            f"{brush}, {threads} threads": round(painting_speed({"name": "paint", "brush": brush}, threads))
            for brush in BRUSHES
            for threads in (1, 2)
        },
        "training, environment steps/s": round(training(config, source, min(cores, 2))[0]),
        "share of training time": training(config, source, 1)[1],
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
    strokes, start = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - start) < seconds:
        renderer.reset()
        for action in actions:
            renderer.step(action)
            renderer.canvas(canvas)
        strokes += len(actions) * batch
    return strokes / elapsed


def training(
    config: "TrainingConfig", source: "PictureSource", threads: int, updates: int = 20, warm_up: int = 5
) -> tuple[float, dict[str, float]]:
    """Environment steps per second of SPIRAL, and shares of an update's time, which on one thread are exclusive.

    ``inference`` is all that is none of the other three: acting without painting, scoring, and moving arrays.
    """
    from limner.training import make_trainer

    trainer: Any = make_trainer(replace(config, run=replace(config.run, threads=threads)), source)
    for _ in range(warm_up):
        trainer.update(0.0)
    painting = _timed(trainer.runtime.actor.renderer, "reset", "step", "canvas", "pen")
    seconds = {"policy learning": 0.0, "critic learning": 0.0}
    frames, start = trainer.frames, time.perf_counter()
    for _ in range(updates):
        trainer.update(0.0)
        seconds = {name: before + trainer.seconds[name] for name, before in seconds.items()}
    total = time.perf_counter() - start
    shares = {name: each / total for name, each in ({"painting": sum(painting)} | seconds).items()}
    return (trainer.frames - frames) / total, {"inference": 1 - sum(shares.values())} | shares


def _timed(owner: object, *methods: str) -> list[float]:
    """A list to which the seconds of every later call of these methods of ``owner`` are appended."""
    seconds: list[float] = []

    def timed(method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            start = time.perf_counter()
            result = method(*arguments)
            seconds.append(time.perf_counter() - start)
            return result

        return call

    for name in methods:
        setattr(owner, name, timed(getattr(owner, name)))
    return seconds
