"""Omniglot: handwritten characters of many alphabets, each drawn by twenty people (Lake et al., Science 2015).

Notable choices:
- Read as published: ``images_background/<Alphabet>/characterNN/NNNN_MM.png``, MM being the drawer; a folder or a zip.
- Drawers 19 and 20 of every character are test, the others train.
- ``omniglot:Greek,Latin`` has these alphabets alone, ``omniglot:-Greek,-Latin`` all but these, in both splits, so that
  agents can be tested on unseen characters.
- Labels number the characters of the spec in sorted order.
- ``omniglot-evaluation`` is ``images_evaluation``, alphabets that nothing should be tuned on.
"""

import re
from pathlib import Path

import numpy as np

from limner.data.archive import Archive
from limner.data.dataset import FileDataset, Splits
from limner.data.root import find_place
from limner.worlds.validation import require

PICTURE = re.compile(r"(?:.*/)?([^/]+)/(character\d+)/\d+_(\d+)\.png")
FOLDERS = {"omniglot": "images_background", "omniglot-evaluation": "images_evaluation"}
TEST_DRAWERS = (19, 20)


def open_omniglot(spec: str, root: str | Path | None) -> tuple[FileDataset, Splits]:
    """The data set and the split of each picture; ``ValueError`` on unknown alphabets or another layout."""
    name = spec.partition(":")[0]
    place = f"omniglot/{FOLDERS[name]}"
    remedy = "fetch it with 'limner data fetch omniglot', or put the published folder or zip there"
    archive = Archive(find_place(name, (place, f"{place}.zip"), remedy, root))
    found = []
    for file in archive.names:
        match = PICTURE.fullmatch(file)
        if match is None:
            raise ValueError(f"{archive.where(file)} is not named as <Alphabet>/characterNN/NNNN_MM.png: remove it")
        alphabet, character, drawer = match.groups()
        found.append((file, (alphabet, character), int(drawer)))
    wanted = _choose(spec, sorted({alphabet for _, (alphabet, _), _ in found}))
    files, characters, drawers = zip(*(row for row in found if row[1][0] in wanted), strict=True)
    label_of = {character: label for label, character in enumerate(sorted(set(characters)))}
    labels = np.array([label_of[character] for character in characters], np.int64)
    splits = np.where(np.isin(drawers, TEST_DRAWERS), "test", "train")
    return FileDataset(spec, archive, files, channels=1, labels=labels), splits


def _choose(spec: str, alphabets: list[str]) -> set[str]:
    """Which of ``alphabets`` the spec names; all of them when it names none."""
    if ":" not in spec:
        return set(alphabets)
    words = [word.strip() for word in spec.partition(":")[2].split(",")]
    named = {word.removeprefix("-") for word in words}
    if unknown := sorted(named - set(alphabets)):
        raise ValueError(f"data set {spec!r}: there is no alphabet {unknown[0]!r}, only {', '.join(alphabets)}")
    minus = {word.startswith("-") for word in words}
    require(len(minus) == 1, f"data set {spec!r}: put a minus before every alphabet, to leave them out, or before none")
    wanted = set(alphabets) - named if minus.pop() else named
    require(bool(wanted), f"data set {spec!r} leaves out every alphabet: keep one")
    return wanted
