"""Scenes that we make ourselves: random objects on a platform, their pictures, and the programs behind them.

Notable choices:
- A set lies in files of ``SHARD`` scenes each, ``scenes/train-00.npz`` and so on: ``images`` uint8[n, 64, 64, 3],
  ``actions`` uint8[n, 5, P] (a scene of fewer objects ends in skips) and ``about``, JSON that says what was made.
- What is in a file depends on the seed, the split and its number alone. So making goes on where it was interrupted, and
  gives the same bytes on any number of cores.
- A scene has 1 to 5 objects, as many of each count. All else is uniform, but no two objects are in the same place.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from limner.actions import SKIP, IntArray
from limner.datasets.dataset import ArrayDataset, Split
from limner.datasets.root import download_folder, find_place
from limner.files import write_atomic
from limner.renderers import Canvas
from limner.renderers.scenes import Scenes, ScenesSettings, scene_actions

COUNTS: dict[Split, int] = {"train": 50_000, "test": 1_000}
SHARD = 1_000
MOST = 5
"""Objects in a scene."""
REMEDY = "make them with: limner data make scenes"

Report = Callable[[int, int], object]


def make_scenes(root: str | Path | None = None, seed: int = 0, threads: int = 1, report: Report | None = None) -> Path:
    """Make what is missing of both splits, and return the folder. ``report(done, total)`` counts scenes.

    ``ValueError`` when there are scenes of another seed already.
    """
    folder = download_folder(root) / "scenes"
    shards = [(split, number) for split, count in COUNTS.items() for number in range(-(-count // SHARD))]
    for done, (split, number) in enumerate(shards):
        path, about = folder / f"{split}-{number:02}.npz", _about(seed, split, number)
        if path.exists():
            if (found := _read(path, "about")) != about:
                raise ValueError(f"{path} holds other scenes ({found}): remove {folder}, or choose another data folder")
        else:
            actions = random_scenes(np.random.default_rng([seed, list(COUNTS).index(split), number]), SHARD)
            file = io.BytesIO()
            images = show(Scenes(batch=SHARD, threads=threads), actions)
            np.savez_compressed(file, images=images, actions=actions.astype(np.uint8), about=about)
            write_atomic(path, file.getvalue())
        if report:
            report((done + 1) * SHARD, len(shards) * SHARD)
    return folder


class SceneDataset(ArrayDataset):
    """Pictures of scenes, and the ``programs`` behind them, ``int64[N, MOST, P]``."""

    def __init__(self, images: Canvas, programs: IntArray) -> None:
        super().__init__("scenes", images)
        self.programs = programs
        self.space = scene_actions(ScenesSettings())

    def select(self, rows: IntArray) -> SceneDataset:
        """As ``Dataset.select``."""
        return SceneDataset(self.images[rows], self.programs[rows])


def load_scenes(split: Split, root: str | Path | None = None) -> SceneDataset:
    """The scenes of a split that ``make_scenes`` made; ``ValueError`` when they are not all there."""
    find_place("scenes", (f"scenes/{split}-00.npz",), REMEDY, root)
    paths = [download_folder(root) / f"scenes/{split}-{n:02}.npz" for n in range(-(-COUNTS[split] // SHARD))]
    if missing := [path for path in paths if not path.exists()]:
        raise ValueError(f"{len(missing)} files of the scenes are missing, {missing[0]} the first: {REMEDY}")
    images, actions = (np.concatenate([_read(path, name) for path in paths]) for name in ("images", "actions"))
    return SceneDataset(images, actions.astype(np.int64))


def random_scenes(rng: np.random.Generator, count: int, fewest: int = 1, most: int = MOST) -> IntArray:
    """Programs of so many scenes with ``fewest`` to ``most`` objects each: ``int64[count, most, P]``."""
    space = scene_actions(ScenesSettings())
    actions = rng.integers(0, space.sizes, (count, most, len(space)))
    cells = space.sizes[space.index("location")]
    actions[..., space.index("location")] = rng.permuted(np.tile(np.arange(cells), (count, 1)), axis=1)[:, :most]
    objects = rng.integers(fewest, most + 1, count)
    actions[..., 0] = np.where(np.arange(most) < objects[:, None], 0, SKIP)
    return space.canonical(actions)


def show(renderer: Scenes, actions: IntArray) -> Canvas:
    """What the programs ``int64[N, T, P]`` show, one on each canvas of ``renderer``: ``uint8[N, H, W, 3]``."""
    renderer.reset()
    for step in actions.swapaxes(0, 1):
        renderer.step(step)
    return renderer.canvas()


def _about(seed: int, split: Split, number: int) -> str:
    return json.dumps({"seed": seed, "split": split, "number": number, "scenes": asdict(ScenesSettings())})


def _read(path: Path, name: str) -> Any:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return archive[name][()]
    except Exception as error:  # damaged archives raise almost anything
        raise ValueError(f"cannot read {path}: {error}; remove it, and {REMEDY}") from None
