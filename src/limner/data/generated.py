"""Data sets made from programs: a world's own examples (``World.examples``), or a file of programs.

Notable choices:
- A generated set is a folder of files with ``SHARD`` pictures each, ``NAME/train-00.npz`` and so on: ``images``
  uint8[n, H, W, C], ``actions`` uint8[n, T, P] and ``about``, JSON that says how they were made.
- A file depends on the seed, the split and its number alone. So an interrupted ``generate`` continues where it stopped,
  and gives the same bytes on any number of threads.
"""

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from limner.actions import ActionSpace, IntArray
from limner.data.archive import reading
from limner.data.dataset import ArrayDataset, Split
from limner.data.folder import every_tenth
from limner.data.root import download_folder, find_place
from limner.files import write_atomic
from limner.programs.execution import execute_all
from limner.programs.program import load_programs
from limner.worlds import find_world, world_names
from limner.worlds.examples import Examples
from limner.worlds.validation import require
from limner.worlds.world import Canvas

SHARD = 1_000  # pictures in a file
Report = Callable[[int, int], object]


class ProgramDataset(ArrayDataset):
    """Pictures, and the ``programs`` that paint them, ``int64[N, T, P]`` in the action space ``space``."""

    def __init__(self, name: str, images: Canvas, programs: IntArray, space: ActionSpace) -> None:
        super().__init__(name, images)
        self.programs, self.space = programs, space

    def select(self, rows: IntArray) -> Self:
        """As ``Dataset.select``."""
        chosen = super().select(rows)
        chosen.programs = self.programs[rows]
        return chosen


def generated_names() -> list[str]:
    """The worlds that can make a data set."""
    return [name for name in world_names() if find_world(name).examples is not None]


def generate(
    name: str, root: str | Path | None = None, seed: int = 0, threads: int = 1, report: Report | None = None
) -> Path:
    """Make the missing files of both splits of the data set ``name``, and return the folder.

    ``report(done, total)`` counts pictures. ``ValueError`` when there are pictures of another seed already.
    """
    examples, folder = _examples(name), download_folder(root) / name
    shards = [(split, number) for split, count in examples.counts.items() for number in range(-(-count // SHARD))]
    for done, (split, number) in enumerate(shards, 1):
        path, about = folder / f"{split}-{number:02}.npz", _about(examples, seed, split, number)
        if path.exists():
            found = _read(name, path, "about")
            require(found == about, f"{path} holds other {name} ({found}): remove {folder}, or choose another folder")
        else:
            rng = np.random.default_rng([seed, list(examples.counts).index(split), number])
            images, programs = examples.generate(rng, SHARD, threads)
            file = io.BytesIO()
            np.savez_compressed(file, images=images, actions=programs.astype(np.uint8), about=about)
            write_atomic(path, file.getvalue())
        if report:
            report(done * SHARD, len(shards) * SHARD)
    return folder


def load_generated(name: str, split: Split, root: str | Path | None = None) -> ProgramDataset:
    """A split that ``generate`` made; ``ValueError`` when files are missing, damaged or of another version."""
    examples = _examples(name)
    folder = find_place(name, (f"{name}/{split}-00.npz",), _remedy(name), root).parent
    paths = [folder / f"{split}-{number:02}.npz" for number in range(-(-examples.counts[split] // SHARD))]
    if missing := [path for path in paths if not path.exists()]:
        raise ValueError(f"{len(missing)} files of {name} are missing, {missing[0]} the first: {_remedy(name)}")
    about = str(_read(name, paths[0], "about"))
    current = about == _about(examples, json.loads(about).get("seed"), split, 0)
    require(current, f"{paths[0]} holds {name} of another version ({about}): remove its folder, and {_remedy(name)}")
    images, actions = (np.concatenate([_read(name, path, key) for path in paths]) for key in ("images", "actions"))
    return ProgramDataset(name, images, actions.astype(np.int64), find_world(name).actions(examples.settings))


def load_paintings(spec: str, path: str, split: Split) -> ArrayDataset:
    """What the programs in ``path`` (JSON lines) paint; every tenth is test.

    ``ValueError`` when it cannot be read, its canvases differ or are transparent, or the split is empty.
    """
    try:
        programs = load_programs(path)
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror}; name a file of programs, one a line") from None
    rows = np.flatnonzero(every_tenth(len(programs)) == split)
    require(len(rows) > 0, f"{path} has no program for the split {split!r}, of {len(programs)} in all: add more")
    programs = [replace(program, frame=None) for program in programs]  # a data set has square pictures
    pictures = execute_all([programs[row] for row in rows])
    shapes = sorted({picture.shape for picture in pictures})
    alike = len(shapes) == 1 and shapes[0][2] in (1, 3)
    require(alike, f"{path} paints canvases of {shapes}: must be all alike, grey or RGB on white")
    return ArrayDataset(spec, np.stack(pictures))


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
    remedy = f"remove it, and {_remedy(name)}"
    with reading(path, remedy), path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
        return archive[key][()]
