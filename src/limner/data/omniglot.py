"""Omniglot: handwritten characters of many alphabets, twenty drawers each (Lake et al., Science 2015).

Notable choices:
- Read as published: ``images_background/<Alphabet>/characterNN/NNNN_MM.png``, MM being the drawer; a folder or a zip.
- The last two drawers (19 and 20) of every character are test, the others train.
- ``omniglot:Greek,Latin`` is these alphabets alone, ``omniglot:-Greek,-Latin`` all but these, in both splits: what is
  left out can serve to test with, as characters of which nothing has been seen.
- A label is the place of a character among those of the spec, sorted; ``groups`` names the alphabet of each picture.
- ``omniglot-evaluation`` is ``images_evaluation``, alphabets that nothing should be tuned on.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from limner.data.archive import Archive
from limner.data.files import FileDataset, Parts
from limner.data.root import find_place

PICTURE = re.compile(r"(?:.*/)?([^/]+)/(character\d+)/\d+_(\d+)\.png")
FOLDERS = {"omniglot": "images_background", "omniglot-evaluation": "images_evaluation"}
TEST_DRAWERS = (19, 20)


def open_omniglot(spec: str, root: str | Path | None) -> tuple[FileDataset, Parts]:
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
        found.append((file, *match.groups()))
    alphabets = sorted({alphabet for _, alphabet, _, _ in found})
    wanted = _choose(spec, alphabets)
    found = [picture for picture in found if picture[1] in wanted]
    characters = [(alphabet, character) for _, alphabet, character, _ in found]
    place_of = {character: place for place, character in enumerate(sorted(set(characters)))}
    data = FileDataset(
        spec,
        archive,
        [file for file, *_ in found],
        channels=1,
        labels=np.array([place_of[character] for character in characters], np.int64),
        groups=np.array([alphabet for alphabet, _ in characters]),
    )
    return data, np.array(["test" if int(drawer) in TEST_DRAWERS else "train" for *_, drawer in found])


def _choose(spec: str, alphabets: list[str]) -> set[str]:
    """The alphabets that a spec means, of those there are."""
    if ":" not in spec:
        return set(alphabets)
    words = [word.strip() for word in spec.partition(":")[2].split(",")]
    named = {word.removeprefix("-") for word in words}
    unknown = sorted(named - set(alphabets))
    if unknown:
        raise ValueError(f"data set {spec!r}: there is no alphabet {unknown[0]!r}, only {', '.join(alphabets)}")
    minus = {word.startswith("-") for word in words}
    if len(minus) > 1:
        raise ValueError(f"data set {spec!r}: put a minus before every alphabet, to leave them out, or before none")
    wanted = set(alphabets) - named if minus.pop() else named
    if not wanted:
        raise ValueError(f"data set {spec!r} leaves out every alphabet: keep one")
    return wanted
