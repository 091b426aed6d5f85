"""Data sets that a world makes itself: pictures and the programs behind them.

Notable choices:
- A set lies in files of ``SHARD`` pictures each, ``NAME/train-00.npz`` and so on: ``images`` uint8[n, H, W, C],
  ``actions`` uint8[n, T, P] and ``about``, JSON that says what was made (``World.examples``).
- What is in a file depends on the seed, the split and its number alone. So making goes on where it was interrupted, and
  gives the same bytes on any number of cores.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from limner.actions import ActionSpace, IntArray
from limner.data.dataset import ArrayDataset, Split
from limner.data.root import download_folder, find_place
from limner.files import write_atomic
from limner.worlds import find_world, world_names
from limner.worlds.world import Canvas, Examples

SHARD = 1_000
"""Pictures in a file."""

Report = Callable[[int, int], object]


class ProgramDataset(ArrayDataset):
    """Pictures, and the ``programs`` behind them, ``int64[N, T, P]`` in the action space ``space``."""

    def __init__(self, name: str, images: Canvas, programs: IntArray, space: ActionSpace) -> None:
        super().__init__(name, images)
        self.programs, self.space = programs, space

    def select(self, rows: IntArray) -> ProgramDataset:
        """As ``Dataset.select``."""
        return ProgramDataset(self.name, self.images[rows], self.programs[rows], self.space)


def generated_names() -> list[str]:
    """The worlds that can make a data set."""
    return [name for name in world_names() if find_world(name).examples is not None]


def generate(
    name: str, root: str | Path | None = None, seed: int = 0, threads: int = 1, report: Report | None = None
) -> Path:
    """Make what is missing of both splits of the data set ``name``, and return the folder.

    ``report(done, total)`` counts pictures. ``ValueError`` when there are pictures of another seed already.
    """
    examples, folder = _examples(name), download_folder(root) / name
    shards = [(split, number) for split, count in examples.counts.items() for number in range(-(-count // SHARD))]
    for done, (split, number) in enumerate(shards):
        path, about = folder / f"{split}-{number:02}.npz", _about(examples, seed, split, number)
        if path.exists():
            if (found := _read(name, path, "about")) != about:
                raise ValueError(f"{path} holds other {name} ({found}): remove {folder}, or choose another data folder")
        else:
            rng = np.random.default_rng([seed, list(examples.counts).index(split), number])
            images, programs = examples.generate(rng, SHARD, threads)
            file = io.BytesIO()
            np.savez_compressed(file, images=images, actions=programs.astype(np.uint8), about=about)
            write_atomic(path, file.getvalue())
        if report:
            report((done + 1) * SHARD, len(shards) * SHARD)
    return folder


def load_generated(name: str, split: Split, root: str | Path | None = None) -> ProgramDataset:
    """A split that ``generate`` made; ``ValueError`` when it is not all there, or of another version."""
    examples = _examples(name)
    find_place(name, (f"{name}/{split}-00.npz",), _remedy(name), root)
    count = -(-examples.counts[split] // SHARD)
    paths = [download_folder(root) / f"{name}/{split}-{n:02}.npz" for n in range(count)]
    if missing := [path for path in paths if not path.exists()]:
        raise ValueError(f"{len(missing)} files of {name} are missing, {missing[0]} the first: {_remedy(name)}")
    about = str(_read(name, paths[0], "about"))
    if about != _about(examples, json.loads(about).get("seed"), split, 0):
        raise ValueError(
            f"{paths[0]} holds {name} of another version ({about}): remove its folder, and {_remedy(name)}"
        )
    images, actions = (np.concatenate([_read(name, path, key) for path in paths]) for key in ("images", "actions"))
    return ProgramDataset(name, images, actions.astype(np.int64), find_world(name).actions(examples.settings))


def _examples(name: str) -> Examples:
    examples = find_world(name).examples
    if examples is None:
        raise ValueError(f"the world {name!r} cannot make a data set: must be one of {', '.join(generated_names())}")
    return examples


def _remedy(name: str) -> str:
    return f"make them with: limner data make {name}"


def _about(examples: Examples, seed: int, split: str, number: int) -> str:
    return json.dumps({"seed": seed, "split": split, "number": number, **examples.about})


def _read(name: str, path: Path, key: str) -> Any:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return archive[key][()]
    except Exception as error:  # damaged archives raise almost anything
        raise ValueError(f"cannot read {path}: {error}; remove it, and {_remedy(name)}") from None
