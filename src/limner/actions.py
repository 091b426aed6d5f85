"""Action spaces: ordered, named, discrete parts with masks and canvas grids.

An action is one integer per part, ``int64[..., P]``, in the order in which a policy samples them (autoregressively).
One part may be the verb, which says what kind of action it is. Dependent parts count only after a full verb: after
"jump" only ``end`` matters, after "skip" nothing does. ``mask_table`` is that rule, the only one, for NumPy and torch;
``canonical`` sets parts that do not count to 0, so that equal programs have equal arrays. A grid part numbers its cells
``row * width + column``. Offsets are grid parts whose origin is in the middle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float32]

COLOURS = ("red", "green", "blue")
"""The parts of an action that are a colour."""


@dataclass(frozen=True)
class Part:
    """One discrete part of an action.

    ``size`` is the number of its values. A location has ``grid = (rows, columns)`` with
    ``rows * columns == size``, and its cells are counted from ``origin``, the (row, column) of one of them.
    Its cells divide the picture evenly, unless ``sights`` says where each is seen: (x, y) in [0, 1], (0, 0) the upper
    left corner. Any other part may give the physical ``values`` that its indices stand for.

    The part that says what kind of action it is names its values in ``verbs``; ``full`` are those of them after which
    every part counts. ``dependent`` parts do not count after the other verbs.
    """

    name: str
    size: int
    grid: tuple[int, int] | None = None
    values: tuple[float, ...] | None = None
    dependent: bool = False
    origin: tuple[int, int] = (0, 0)
    sights: tuple[tuple[float, float], ...] | None = None
    verbs: tuple[str, ...] = ()
    full: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.size < 1:
            raise ValueError(f"part {self.name!r} needs at least one value, got size {self.size}")
        if self.grid is not None and self.grid[0] * self.grid[1] != self.size:
            raise ValueError(f"part {self.name!r}: grid {self.grid} does not have {self.size} cells")
        if self.grid is not None and not (0 <= self.origin[0] < self.grid[0] and 0 <= self.origin[1] < self.grid[1]):
            raise ValueError(f"part {self.name!r}: origin {self.origin} is no cell of the grid {self.grid}")
        if self.values is not None and len(self.values) != self.size:
            raise ValueError(f"part {self.name!r}: {len(self.values)} values given for size {self.size}")
        if self.sights is not None and (self.grid is None or len(self.sights) != self.size):
            raise ValueError(f"part {self.name!r}: {len(self.sights)} sights given for the grid {self.grid}")
        if self.verbs and (len(self.verbs) != self.size or not set(self.full) <= set(self.verbs)):
            raise ValueError(f"part {self.name!r}: verbs {self.verbs}, full {self.full} do not fit size {self.size}")


@dataclass(frozen=True)
class ActionSpace:
    """Ordered parts of an action, and what they mean on a canvas."""

    parts: tuple[Part, ...]

    def __post_init__(self) -> None:
        if not self.parts or len(self._index) != len(self.parts):
            raise ValueError(f"an action space needs distinct parts, got {list(self.names)}")
        if any(part.dependent for part in self.parts[: None if self.verb is None else self.verb + 1]):
            raise ValueError(f"dependent parts must follow a part with verbs, got {list(self.names)}")

    @cached_property
    def verb(self) -> int | None:
        """Position of the part that says what kind of action it is; None when all are of one kind."""
        return next((i for i, part in enumerate(self.parts) if part.verbs), None)

    @cached_property
    def mask_table(self) -> BoolArray:
        """Which parts count after each value of the verb, ``bool[V, P]``; one row of ones without a verb."""
        full = [True] if self.verb is None else [verb in self.full_verbs for verb in range(self.sizes[self.verb])]
        return np.array([[every or not part.dependent for part in self.parts] for every in full])

    @cached_property
    def _index(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.names)}

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the parts, in decoding order."""
        return tuple(part.name for part in self.parts)

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """Number of values of each part, in decoding order."""
        return tuple(part.size for part in self.parts)

    @property
    def coloured(self) -> bool:
        """Whether an action says in which colour it paints."""
        return COLOURS[0] in self

    @property
    def full_verbs(self) -> tuple[int, ...]:
        """Values of the verb after which every part counts; none in a space without a verb."""
        if self.verb is None:
            return ()
        return tuple(map(self.parts[self.verb].verbs.index, self.parts[self.verb].full))

    @property
    def jump(self) -> int | None:
        """Value of the verb called "jump", which moves the pen without a mark; None where there is none."""
        verbs = () if self.verb is None else self.parts[self.verb].verbs
        return verbs.index("jump") if "jump" in verbs else None

    def index(self, name: str) -> int:
        """Position of the part called ``name``; ``KeyError`` when there is none."""
        return self._index[name]

    def __contains__(self, name: object) -> bool:
        return name in self._index

    def __len__(self) -> int:
        return len(self.parts)

    def validate(self, actions: ArrayLike) -> IntArray:
        """Return ``actions`` as ``int64[..., P]``; raise ``ValueError`` naming the first bad entry."""
        array = np.asarray(actions)
        if array.dtype.kind not in "iu":
            raise ValueError(f"actions must be integers, got dtype {array.dtype}")
        if array.ndim == 0 or array.shape[-1] != len(self.parts):
            raise ValueError(f"an action has {len(self.parts)} parts {self.names}, got an array of shape {array.shape}")
        bad = (array < 0) | (array >= np.array(self.sizes))
        if bad.any():
            where = tuple(int(i) for i in np.argwhere(bad)[0])
            need = f"must be in 0 … {self.sizes[where[-1]] - 1}"
            raise ValueError(f"action {where[:-1] or ''}: part {self.names[where[-1]]!r} is {array[where]}, {need}")
        return array.astype(np.int64, copy=False)

    def mask(self, actions: IntArray) -> BoolArray:
        """Which parts influence the picture: ``bool[..., P]`` for ``int64[..., P]``."""
        verbs = np.zeros(actions.shape[:-1], np.int64) if self.verb is None else actions[..., self.verb]
        return np.asarray(self.mask_table[verbs])

    def canonical(self, actions: IntArray) -> IntArray:
        """A copy with every part that does not count set to 0."""
        return np.where(self.mask(actions), actions, 0)

    def sample(self, rng: np.random.Generator, shape: int | Sequence[int] = ()) -> IntArray:
        """Uniform random canonical actions ``int64[*shape, P]``."""
        shape = (shape,) if isinstance(shape, int) else tuple(shape)
        return self.canonical(rng.integers(0, self.sizes, (*shape, len(self.parts)), dtype=np.int64))

    def values(self, actions: IntArray, name: str) -> FloatArray:
        """Physical values ``float32[...]`` that the part ``name`` stands for."""
        part = self.parts[self._index[name]]
        assert part.values is not None, f"part {name!r} has no physical values"
        return np.asarray(part.values, np.float32)[actions[..., self._index[name]]]

    def cells(self, actions: IntArray, name: str) -> IntArray:
        """Grid cells ``int64[..., 2]`` as (row, column) of the location ``name``, counted from its origin."""
        part = self.parts[self._index[name]]
        assert part.grid is not None, f"part {name!r} is not a location"
        row, column = np.divmod(actions[..., self._index[name]], part.grid[1])
        return np.stack([row - part.origin[0], column - part.origin[1]], axis=-1)
