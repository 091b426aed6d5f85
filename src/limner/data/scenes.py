"""Scenes that we make ourselves: random objects on a platform, their pictures, and the programs behind them.

Notable choices:
- A set lies in files of ``SHARD`` scenes each, ``scenes/train-00.npz`` and so on: ``images`` uint8[n, 64, 64, 3],
  ``actions`` uint8[n, 5, P] (a scene of fewer objects ends in skips) and ``about``, JSON that says what was made.
- What is in a file depends on the seed, the split and its number alone. So making goes on where it was interrupted, and
  gives the same bytes on any number of cores.
- A scene has 1 to 5 objects, as many of each count. All else is uniform, but that no two objects are in one place and
  each can be seen: who is to parse a picture has to be able to (as in CLEVR, Johnson et al. 2017). One scene of seven
  would have an object that is hidden by others; it is thrown anew.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from limner.actions import PLACE, SKIP, IntArray
from limner.data.dataset import ArrayDataset, Split
from limner.data.root import download_folder, find_place
from limner.files import write_atomic
from limner.worlds.scenes.renderer import Scenes, ScenesSettings, scene_actions
from limner.worlds.world import Canvas

COUNTS: dict[Split, int] = {"train": 50_000, "test": 1_000}
SHARD = 1_000
MOST = 5
"""Objects in a scene."""
VISIBLE = 11
"""Pixels of 64 × 64 that each object has to change: as large a share as CLEVR asks for, 200 of 320 × 240."""
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
            rng = np.random.default_rng([seed, list(COUNTS).index(split), number])
            scenes = random_scenes(rng, SHARD, threads=threads)
            file = io.BytesIO()
            np.savez_compressed(file, images=scenes.images, actions=scenes.programs.astype(np.uint8), about=about)
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
    about = str(_read(paths[0], "about"))
    if about != _about(json.loads(about).get("seed"), split, 0):
        raise ValueError(f"{paths[0]} holds scenes of another version ({about}): remove its folder, and {REMEDY}")
    images, actions = (np.concatenate([_read(path, name) for path in paths]) for name in ("images", "actions"))
    return SceneDataset(images, actions.astype(np.int64))


def random_scenes(
    rng: np.random.Generator, count: int, fewest: int = 1, most: int = MOST, threads: int = 1
) -> SceneDataset:
    """So many scenes with ``fewest`` to ``most`` objects each, all of which can be seen."""
    objects = rng.integers(fewest, most + 1, count)
    settings = ScenesSettings()
    programs = np.empty((count, most, len(scene_actions(settings))), np.int64)
    images = np.empty((count, settings.canvas, settings.canvas, 3), np.uint8)
    rows = np.arange(count)
    while len(rows):
        programs[rows] = scatter(rng, objects[rows], most)
        renderer = Scenes(settings, len(rows), threads)
        images[rows] = show(renderer, programs[rows])
        rows = rows[seen(renderer, programs[rows], images[rows]).min(1) < VISIBLE]
    return SceneDataset(images, programs)


def scatter(rng: np.random.Generator, objects: IntArray, most: int = MOST) -> IntArray:
    """Programs that place ``objects`` int64[N] at random, no two in one place, and then skip: ``int64[N, most, P]``."""
    space, count = scene_actions(ScenesSettings()), len(objects)
    actions = rng.integers(0, space.sizes, (count, most, len(space)))
    cells = space.sizes[space.index("location")]
    actions[..., space.index("location")] = rng.permuted(np.tile(np.arange(cells), (count, 1)), axis=1)[:, :most]
    actions[..., 0] = np.where(np.arange(most) < objects[:, None], PLACE, SKIP)
    return space.canonical(actions)


def seen(renderer: Scenes, programs: IntArray, images: Canvas) -> IntArray:
    """How many pixels of ``images`` each action of ``programs`` int64[N, T, P] changes, a skip all: ``int64[N, T]``."""
    pixels = np.full(programs.shape[:2], images[0, ..., 0].size)
    skip = np.array([SKIP, *[0] * (programs.shape[2] - 1)])
    for step in range(programs.shape[1]):
        placed = programs[:, step, 0] != SKIP
        without = np.where(placed[:, None, None], programs, skip)  # an empty platform is not rendered again
        without[:, step] = skip
        pixels[placed, step] = (show(renderer, without) != images).any(3).sum((1, 2))[placed]
    return pixels


def show(renderer: Scenes, actions: IntArray) -> Canvas:
    """What the programs ``int64[N, T, P]`` show, one on each canvas of ``renderer``: ``uint8[N, H, W, 3]``."""
    renderer.reset()
    for step in actions.swapaxes(0, 1):
        renderer.step(step)
    return renderer.canvas()


def _about(seed: int, split: Split, number: int) -> str:
    return json.dumps(
        {"seed": seed, "split": split, "number": number, "visible": VISIBLE, "scenes": asdict(ScenesSettings())}
    )


def _read(path: Path, name: str) -> Any:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return archive[name][()]
    except Exception as error:  # damaged archives raise almost anything
        raise ValueError(f"cannot read {path}: {error}; remove it, and {REMEDY}") from None
