"""``Renderer``, the base of a world's renderer, and ``World``: a renderer by name and functions of its programs.

A renderer is a batch: one call steps N canvases. All hidden state of a canvas can be saved and restored, bit for bit.
Torch is imported only inside methods, so that a command line can be parsed without it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from limner.actions import ActionSpace, FloatArray, IntArray
from limner.worlds.stroke import Cover, Stroke
from limner.worlds.validation import plain, require

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from limner.worlds.examples import Examples
    from limner.worlds.large_canvas import LargeCanvas
    from limner.worlds.proposals import Proposer
    from limner.worlds.refinement import Refinement

BAND = 64
"""A band of a canvas begins at a row that is a multiple of this."""
Canvas = NDArray[np.uint8]


class Settings:
    """Everything that decides the pixels: the base of a world's settings, a frozen dataclass of JSON values."""

    name: ClassVar[str]
    """Of the world."""
    canvas: int
    """Height and width in pixels: a program is executed at another size by changing it."""


@dataclass(frozen=True)
class State:
    """Saved canvases with everything that decides what later actions paint on them."""

    settings: Settings
    """Of the renderer that saved them."""
    parts: tuple[Any, ...]
    """What the renderer saves: values that are indexed by canvas, as arrays are."""

    def __len__(self) -> int:
        return len(self.parts[0])

    def take(self, rows: IntArray) -> State:
        """The saved canvases ``rows`` (int64[M], repeats allowed), in that order."""
        return State(self.settings, tuple(part[rows] for part in self.parts))


class Renderer(ABC):
    """Executes actions on a batch of canvases.

    A subclass paints on ``_canvas``, ``uint8[N, H, W, C]``. What it implements is given checked arguments.
    """

    actions: ActionSpace
    """What an action consists of."""
    shape: tuple[int, int, int]
    """Height, width and channels of a canvas, uint8."""
    batch: int
    """Number of canvases N."""

    def __init__(
        self,
        settings: Settings,
        actions: ActionSpace,
        channels: int,
        batch: int,
        threads: int = 1,
        height: int | None = None,
    ) -> None:
        """Canvases are blank after the first ``reset``, and square without ``height``.

        ``ValueError`` unless batch and threads are possible.
        """
        possible = 1 <= batch <= 2**20 and 1 <= threads <= 1024
        require(possible, f"batch is {batch} and threads is {threads}: must be in 1 … 2^20 and in 1 … 1024")
        self._settings, self.actions, self.batch = settings, actions, batch
        self.shape = (height or settings.canvas, settings.canvas, channels)
        self._canvas = np.empty((batch, *self.shape), np.uint8)

    def settings(self) -> dict[str, Any]:
        """Settings as JSON values, ``"name"`` among them, from which ``make_renderer`` rebuilds this renderer."""
        return plain(self._settings)

    def reset(self, indices: IntArray | None = None) -> None:
        """Blank canvases and a pen at its start: all of them, or ``indices`` only."""
        self._reset(self._rows(indices, self.batch))

    def step(self, actions: IntArray) -> None:
        """Execute one action, ``int64[N, P]``, on every canvas. ``ValueError`` on a bad one, nothing painted."""
        checked, shape = self.actions.validate(actions), (self.batch, len(self.actions))
        require(checked.shape == shape, f"actions must be int64{list(shape)}, got {list(checked.shape)}")
        self._step(checked)

    def canvas(self, out: Canvas | None = None) -> Canvas:
        """The pictures, ``uint8[N, H, W, C]``: fresh, or written into ``out``, ``ValueError`` if that differs."""
        if out is None:
            return self._canvas.copy()
        if out.dtype != np.uint8 or out.shape != self._canvas.shape:
            raise ValueError(f"out must be uint8{list(self._canvas.shape)}, got {out.dtype}{list(out.shape)}")
        np.copyto(out, self._canvas)
        return out

    @abstractmethod
    def pen(self) -> FloatArray:
        """Where the next curve starts: ``float32[N, 2]``, (x, y) in [0, 1] of the canvas."""

    def save(self, indices: IntArray | None = None) -> State:
        """The state of all canvases, or of ``indices``."""
        return State(self._settings, self._save(self._rows(indices, self.batch)))

    def restore(self, state: State, indices: IntArray | None = None) -> None:
        """Put canvas ``i`` of a ``state`` into canvas ``indices[i]`` (default: ``i``), bit for bit.

        ``ValueError`` when it was saved by a renderer with other settings, or does not fit.
        """
        if not isinstance(state, State) or state.settings != self._settings:
            raise ValueError("cannot restore what a renderer with other settings has saved")
        rows = self._rows(indices, len(state))
        require(len(rows) == len(state), f"cannot restore {len(state)} canvases into {len(rows)}")
        self._restore(rows, state.parts)

    def _rows(self, indices: IntArray | None, count: int) -> IntArray:
        """The canvases ``indices``, int64, the first ``count`` by default; ``ValueError`` if one does not exist."""
        rows = np.arange(count) if indices is None else np.asarray(indices)
        if rows.ndim != 1 or (rows.size and rows.dtype.kind not in "iu") or ((rows < 0) | (rows >= self.batch)).any():
            raise ValueError(f"indices must be canvas numbers in 0 … {self.batch - 1}, got {rows!r}")
        return rows.astype(np.int64)

    @abstractmethod
    def _reset(self, rows: IntArray) -> None:
        """As ``reset``."""

    @abstractmethod
    def _step(self, actions: IntArray) -> None:
        """As ``step``."""

    @abstractmethod
    def _save(self, rows: IntArray) -> tuple[Any, ...]:
        """The ``State.parts`` of canvases ``rows``."""

    @abstractmethod
    def _restore(self, rows: IntArray, parts: Any) -> None:
        """Put ``State.parts`` into canvases ``rows``."""


class World(ABC):
    """A renderer by name, and the functions of its programs that training, search and evaluation use.

    All but settings, renderer and action space have defaults that serve any renderer.
    """

    name: ClassVar[str]
    settings_type: ClassVar[type[Any]]
    """Of its settings: see ``Settings``."""
    renderer_type: ClassVar[type[Any]]
    """Of its renderer: called with settings, batch and threads; ``ValueError`` where they cannot be had here."""
    white_ground: ClassVar[bool] = True
    """Whether an empty canvas is white."""
    style_type: ClassVar[type[Any] | None] = None
    """Of what may be asked of a large canvas, where there is anything."""
    examples: ClassVar[Examples | None] = None
    """Pictures with known programs, where this world can generate them."""

    @abstractmethod
    def actions(self, settings: Any) -> ActionSpace:
        """The action space, without making a renderer."""

    def random_programs(self, space: ActionSpace, steps: int, batch: int, generator: Generator) -> Tensor:
        """Random canonical programs ``int64[steps, batch, P]``: by default all parts are uniform."""
        from limner.worlds.proposals import canonical, random_actions

        return canonical(space, random_actions(space, (steps, batch), generator))

    def correct(self, space: ActionSpace, programs: Tensor, noise: Callable[[Tensor], Tensor]) -> tuple[Tensor, Tensor]:
        """An expert's actions along canonical ``programs`` int64[T, B, P] under action noise, and those executed.

        ``noise`` perturbs right actions ``int64[…, P]`` (action noise: Laskey et al. 2017, "DART"). Both results are
        ``int64[T, B, P]``. By default the expert goes on with the program.
        """
        return programs, noise(programs)

    def order(self, space: ActionSpace, programs: Tensor) -> Tensor | None:
        """Canonical ``programs`` int64[T, B, P] in a standard order of their actions, or None where order matters."""
        return None

    def proposals(self, space: ActionSpace) -> Proposer:
        """Proposals without learning: by default aimed at where canvas and target differ."""
        from limner.worlds.proposals import ResidualProposals

        return ResidualProposals(space)

    def refinement(self, renderer: Renderer) -> type[Refinement]:
        """What refines programs of ``renderer``."""
        from limner.worlds.refinement import Refinement

        return Refinement

    def check_joint(self, settings: Any) -> None:
        """``ValueError`` unless ``joint_programs`` finds programs of these settings."""
        raise ValueError(f"the renderer {self.name!r} has no joint search: an agent of 'paint' is needed")

    def joint_programs(self, settings: Any, pictures: Canvas, steps: int, sweeps: int, seed: int) -> IntArray:
        """Programs ``int64[steps, N, P]`` for ``pictures`` uint8[N, H, W, C] that a joint search finds.

        All actions are searched for together; ``sweeps`` are over those of each program. The same seed finds the same
        programs. ``ValueError`` as ``check_joint``.
        """
        raise NotImplementedError

    def warm_up(self, renderer: Renderer) -> None:
        """Do now what the first refinement in a process would do once, so that it takes none of its time."""
        return

    def repeats_release(self, settings: Any) -> bool:
        """Whether episodes are those of the environment released with Ganin et al. 2018, deviations included."""
        return False

    def count(self, space: ActionSpace, actions: IntArray) -> int:
        """The size of a program ``int64[T, P]``: by default the number of its full actions."""
        return len(actions) if space.verb is None else int(np.isin(actions[:, space.verb], space.full_verbs).sum())

    def metrics(self, space: ActionSpace, found: Sequence[IntArray], truth: Sequence[IntArray]) -> dict[str, float]:
        """How well programs ``int64[T, P]`` match the true ones: figures by name; none by default."""
        return {}

    def strokes(self, settings: Any, actions: IntArray) -> list[Stroke] | None:
        """The strokes that a program ``int64[T, P]`` paints, in order; None in a world without strokes."""
        return None

    def band(self, settings: Any, rows: range) -> Renderer | None:
        """A renderer of one canvas that keeps ``rows`` of it alone, the first a multiple of ``BAND``, to save memory.

        None where only the whole canvas can be painted.
        """
        return None

    def layers(self, settings: Any, actions: IntArray, ends: Sequence[int]) -> Iterator[Canvas] | None:
        """What each part of a program ``int64[T, P]`` paints, on nothing: ``uint8[S, S, 2 or 4]`` with straight alpha.

        Part i ends before the action ``ends[i]``. Laid over each other on the ground they show the picture, but for
        rounding. None where that cannot be, as with a brush that smudges or erases.
        """
        return None

    def covers(self, settings: Any) -> Callable[[IntArray], Cover | None] | None:
        """A function from an action ``int64[P]`` to what it lays on any picture, None if that is nothing.

        None where what actions paint depends on other actions, as it does by default.
        """
        return None

    def units(self, settings: Any) -> dict[str, tuple[float, str]]:
        """By the name of a part that has values: a factor, and the unit of values times it."""
        return {}

    def choices(self) -> dict[str, list[str]]:
        """By the name of a setting that is one of many names, such as a brush: those that are installed."""
        return {}

    def large_canvas(
        self, settings: Any, detail: int, style: Any, start: tuple[Any, IntArray] | None, joint: bool
    ) -> LargeCanvas:
        """A canvas ``detail`` times as large as ``settings`` say; ``ValueError`` where there is none.

        ``style`` is the world's own, ``start`` are settings and actions ``int64[T, P]`` of a program to go on from, and
        ``joint`` asks for a search for all of the painting together, if there is one.
        """
        raise ValueError(f"the renderer {self.name!r} cannot paint large pictures: an agent of 'paint' is needed")

    def facts(self) -> dict[str, Any]:
        """Versions and folders that the world depends on, to be shown to users."""
        return {}


def on_white(canvases: Canvas) -> Canvas:
    """Canvases ``uint8[..., C]`` over white, without their alpha channel; opaque ones as they are."""
    if canvases.shape[-1] in (1, 3):
        return canvases
    alpha = canvases[..., -1:].astype(np.uint32)
    return ((canvases[..., :-1] * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)
