"""Action spaces: ordered, named, discrete parts with masks and canvas grids.

Notable choices:
- An action is one integer per part, ``int64[..., P]``; a batch of actions is one array.
- The order of the parts is the order in which a policy draws them (autoregressively).
- A part may depend on an earlier one: after ``flag = 0`` (jump) only ``end`` matters, after ``op = 2`` (skip) nothing
  does. ``mask`` says which parts count, ``canonical`` zeroes the others, so equal programs have equal arrays.
- A grid part numbers its cells ``row * width + column``. Offsets are such a part, too, whose origin is in its middle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float32]

JUMP, PAINT, VIA = 0, 1, 2
"""Values of the part ``flag``: move with the pen lifted, paint a curve, or (splines only) have the next one bend."""
PLACE, CHANGE, SKIP = 0, 1, 2
"""Values of the part ``op``: place a new object, change the one placed last, or do nothing."""
WORDS = {"flag": ("jump", "paint", "via"), "op": ("place", "change", "skip")}
"""The parts that say what kind of action it is (the verb of a space), and what their values are called."""
COMPLETE = ("paint", "place", "change")
"""The verbs that all other parts belong to."""

COLOURS = ("red", "green", "blue")
"""The parts of an action that are a colour."""

Space = Literal["bezier", "line", "stroke", "relative", "spline"]
"""How the actions of a painter are parametrised: see ``paint_actions``."""


@dataclass(frozen=True)
class Part:
    """One discrete part of an action.

    ``size`` is the number of its values. A location has ``grid = (rows, columns)`` with
    ``rows * columns == size``, and its cells are counted from ``origin``, the (row, column) of one of them.
    Its cells divide the picture evenly, unless ``sights`` says where each is seen: (x, y) in [0, 1], (0, 0) the upper
    left corner. Any other part may give the physical ``values`` that its indices stand for.
    """

    name: str
    size: int
    grid: tuple[int, int] | None = None
    values: tuple[float, ...] | None = None
    dependent: bool = False
    origin: tuple[int, int] = (0, 0)
    sights: tuple[tuple[float, float], ...] | None = None

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


@dataclass(frozen=True)
class ActionSpace:
    """Ordered parts of an action, and what they mean on a canvas."""

    parts: tuple[Part, ...]
    verb: int | None = field(init=False, repr=False, compare=False)
    """Position of the part that says what kind of action it is; None when all are of one kind."""
    complete: tuple[bool, ...] = field(init=False, repr=False, compare=False)
    """For each value of the verb, whether all parts count after it."""
    _index: dict[str, int] = field(init=False, repr=False, compare=False)
    _limits: IntArray = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        index = {part.name: i for i, part in enumerate(self.parts)}
        if not self.parts or len(index) != len(self.parts):
            raise ValueError(f"an action space needs distinct parts, got {[p.name for p in self.parts]}")
        verb = next((i for i, part in enumerate(self.parts) if part.name in WORDS), None)
        words = () if verb is None else WORDS[self.parts[verb].name][: self.parts[verb].size]
        object.__setattr__(self, "verb", verb)
        object.__setattr__(self, "complete", tuple(word in COMPLETE for word in words))
        object.__setattr__(self, "_index", index)
        object.__setattr__(self, "_limits", np.asarray([part.size for part in self.parts], np.int64))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parts, in decoding order."""
        return tuple(part.name for part in self.parts)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of values of each part, in decoding order."""
        return tuple(part.size for part in self.parts)

    @property
    def standalone(self) -> bool:
        """Whether what an action paints does not depend on where the pen was left: it says itself where it starts."""
        return "start" in self

    @property
    def coloured(self) -> bool:
        """Whether an action says in which colour it paints."""
        return COLOURS[0] in self

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
        bad = (array < 0) | (array >= self._limits)
        if bad.any():
            where = tuple(int(i) for i in np.argwhere(bad)[0])
            part = self.parts[where[-1]]
            raise ValueError(
                f"action {where[:-1] or ''}: part {part.name!r} is {array[where]}, must be in 0 … {part.size - 1}"
            )
        return array.astype(np.int64, copy=False)

    def mask(self, actions: IntArray) -> BoolArray:
        """Which parts influence the picture: ``bool[..., P]`` for ``int64[..., P]``."""
        painting = self._painting(actions)
        conditional = np.asarray([part.dependent for part in self.parts])
        counts: BoolArray = np.logical_or(~conditional, painting[..., None])
        return counts

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

    def _painting(self, actions: IntArray) -> BoolArray:
        if self.verb is None:
            return np.ones(actions.shape[:-1], np.bool_)
        painting: BoolArray = np.asarray(self.complete)[actions[..., self.verb]]
        return painting


def bezier_actions(
    grid: int = 32,
    sizes: Sequence[float] = (1, 2, 4, 8, 12, 24),
    pressures: int = 10,
    color: bool = False,
    levels: int = 20,
) -> ActionSpace:
    """The action space of SPIRAL (Ganin et al. 2018, section 4.2 and appendix).

    One action moves the pen along the quadratic Bézier from where it is, through ``control``, to ``end``,
    or jumps to ``end``. ``sizes`` are brush radii in pixels of a 64-pixel canvas; ``pressures`` values go
    from ``1 / pressures`` to 1; with ``color`` three parts of ``levels`` values from 0 to 1 follow.
    """
    return paint_actions("bezier", grid, sizes, pressures, color, levels)


def paint_actions(
    space: Space, grid: int, sizes: Sequence[float], pressures: int, color: bool, levels: int
) -> ActionSpace:
    """An action space of the paint renderer; all but the places are as in ``bezier_actions``.

    - ``bezier``: ``flag, end, control``, as described there.
    - ``line``: ``flag, end``. A straight line from the pen to ``end``, or a jump there.
    - ``stroke``: ``start, control, end``. Every action is a quadratic Bézier of its own, set down at ``start``: what it
      paints does not depend on where the pen was left. There is no flag, and all parts count.
    - ``relative``: ``flag, end, control`` as in ``bezier``, but ``end`` and ``control`` are offsets from the cell that
      the pen is in, up to r = ``grid // 2`` cells each way: parts of (2r + 1)² values. What lies beyond the edge of the
      canvas is moved to the cell at the edge. The pen starts in the upper left cell.
    - ``spline``: ``flag, point``. A jump starts a stroke at ``point``, VIA adds a control point to it, PAINT paints it
      all as far as its own ``point``, where the next stroke starts unless a jump comes first: the compound strokes of
      Mellor et al. 2019. The curve is a quadratic B-spline (``renderers.curves.spline``) where theirs is cubic: the
      engine paints it exactly, it never leaves the canvas, and it is a line without a control point, the curve of
      ``bezier`` with one. Control points that no PAINT follows, because a jump or the end of the program comes first,
      leave no trace.

    ``ValueError`` when there is nothing to choose from.
    """
    if grid < 2 or pressures < 1 or levels < 2 or len(sizes) < 1 or not all(0 < s < 1000 for s in sizes):
        raise ValueError(
            f"impossible action space: grid={grid} (at least 2), sizes={tuple(sizes)} (one or more, in pixels), "
            f"pressures={pressures} (at least 1), levels={levels} (at least 2)"
        )
    flagged = space != "stroke"

    def place(name: str, dependent: bool = False) -> Part:
        return Part(name, grid * grid, grid=(grid, grid), dependent=dependent)

    def offset(name: str, dependent: bool = False) -> Part:
        reach = grid // 2
        side = 2 * reach + 1
        return Part(name, side * side, (side, side), None, dependent, origin=(reach, reach))

    def scale(name: str, values: Sequence[float]) -> Part:
        return Part(name, len(values), values=tuple(values), dependent=flagged)

    places = {
        "bezier": [Part("flag", 2), place("end"), place("control", dependent=True)],
        "line": [Part("flag", 2), place("end")],
        "stroke": [place("start"), place("control"), place("end")],
        "spline": [Part("flag", 3), place("point")],
        "relative": [Part("flag", 2), offset("end"), offset("control", dependent=True)],
    }
    parts = places[space]
    parts.append(scale("size", [float(size) for size in sizes]))
    parts.append(scale("pressure", [(i + 1) / pressures for i in range(pressures)]))
    if color:
        parts += [scale(name, [i / (levels - 1) for i in range(levels)]) for name in COLOURS]
    return ActionSpace(tuple(parts))
