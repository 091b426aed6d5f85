"""How many pictures generated ones are compared with, and how far chance moves figures of so few.

Notable choices:
- Where a data set has fewer than ``FEWEST`` test pictures training pictures stand in for those that are missing:
  figures of so few would say nothing, and a reference row of other real pictures is needed too.
- Precision and coverage look at fewer neighbours where there are fewer pictures. The fifth neighbour among twenty is
  far away, and two in three pictures with a single stroke lie within reach of it.
- What chance does was measured with digits, 10 to 1,000 of them: ``experiments/few_pictures.py``.
"""

import math

from limner.worlds.validation import require

USUAL = 1000
"""Pictures that figures are of, where there are as many."""
FEWEST = 20
"""Pictures that a data set must have, and, where it has twice as many, that figures are of at least."""


def compared_pictures(train: int, test: int, name: str, most: int = USUAL) -> int:
    """How many drawings are compared with as many real pictures, of a data set of ``train`` and ``test`` pictures.

    As many other real pictures make a reference row. ``ValueError`` naming the data set when it is too small.
    """
    fewest = f"an agent that makes pictures up is measured against real ones, and needs {FEWEST}: add more"
    require(train + test >= FEWEST, f"data set {name!r} has {train + test} pictures in all; {fewest}")
    return min(most, max(min(train, test), min(FEWEST, (train + test) // 2)))


def neighbours(count: int) -> int:
    """The k of precision and coverage among ``count`` real pictures: 2 of 20, 3 of 100, 5 of 1,000."""
    return max(1, round(math.log2(count) / 2))


def sampling_error(count: int, borrowed: int) -> str:
    """What to know of figures of ``count`` pictures, ``borrowed`` real ones being training pictures; empty if usual."""
    if count >= USUAL:
        return ""
    trained = f", {borrowed} of which are training pictures" if borrowed else ""
    return (
        f"figures are of {count} drawings against {count} real pictures{trained}: chance alone moves precision and "
        f"coverage by {_share(count):.2f} ({_share(USUAL):.2f} with {USUAL:,}) and the normalised Fréchet distance by "
        f"{_distance(count):.3f} ({_distance(USUAL):.3f}), one standard deviation; Fréchet distances compare only "
        "between equal numbers"
    )


def _share(count: int) -> float:
    """Standard deviation of precision and coverage."""
    return 0.8 * math.pow(count, -0.65)


def _distance(count: int) -> float:
    """Standard deviation of the normalised Fréchet distance."""
    return 2 / count
