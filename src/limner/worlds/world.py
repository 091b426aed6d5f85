"""What a world is: the protocols of a renderer, and ``World`` with what is known of its programs.

Notable choices:
- A renderer is a batch: one call steps N canvases. A single canvas is a batch of one. It knows actions and pixels,
  nothing of episodes, rewards or programs.
- The hidden state of a canvas can be saved and restored, bit for bit, one saved canvas into any number of canvases.
- A world has defaults for all but settings, renderer and action space: they serve any renderer. What a world knows
  better it overrides.
- Nothing here imports torch, so that a command line can be parsed without it; the methods do when they are called.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from limner.actions import ActionSpace, FloatArray, IntArray

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from limner.worlds.observation import Targets
    from limner.worlds.proposals import Proposer
    from limner.worlds.refinement import Refinement
    from limner.worlds.simulator import Simulator

Canvas = NDArray[np.uint8]
Points = NDArray[np.float64]


class Settings:
    """Everything that decides the pixels: the base of a world's settings, a frozen dataclass of JSON values.

    ``canvas``, the height and width in pixels, is one of its fields: a program is executed at another size by changing
    it.
    """

    name: ClassVar[str]
    """Of the world."""
    canvas: int


class State(Protocol):
    """Saved canvases with everything that decides what later actions paint on them."""

    def __len__(self) -> int: ...

    def take(self, rows: IntArray) -> State:
        """The saved canvases ``rows`` (int64[M], repeats allowed), in that order."""
        ...


class Renderer(Protocol):
    """Executes actions on ``batch`` canvases of ``shape`` (height, width, channels), uint8."""

    @property
    def actions(self) -> ActionSpace:
        """What an action consists of."""
        ...

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels of a canvas."""
        ...

    @property
    def batch(self) -> int:
        """Number of canvases N."""
        ...

    def settings(self) -> dict[str, Any]:
        """Settings as JSON values, ``"name"`` among them, from which ``make_renderer`` rebuilds this renderer."""
        ...

    def reset(self, indices: IntArray | None = None) -> None:
        """Blank canvases and a pen at its start: all of them, or ``indices`` only."""
        ...

    def step(self, actions: IntArray) -> None:
        """Execute one action, ``int64[N, P]``, on every canvas. ``ValueError`` on a bad one, nothing painted."""
        ...

    def canvas(self, out: Canvas | None = None) -> Canvas:
        """The pictures, ``uint8[N, H, W, C]``: a fresh array, or written into ``out``."""
        ...

    def pen(self) -> FloatArray:
        """Where the next curve starts: ``float32[N, 2]``, (x, y) in [0, 1] of the canvas."""
        ...

    def save(self, indices: IntArray | None = None) -> State:
        """The state of all canvases, or of ``indices``."""
        ...

    def restore(self, state: Any, indices: IntArray | None = None) -> None:
        """Put canvas ``i`` of a ``State`` that such a renderer saved into canvas ``indices[i]`` (default: ``i``)."""
        ...


class LargeCanvas(Protocol):
    """A canvas many times as large as an agent's, painted patch by patch: see ``World.large_canvas``."""

    @property
    def renderer(self) -> Renderer:
        """Of the large canvas, a batch of one."""
        ...

    goal: Canvas
    """The picture to paint, ``uint8[S, S, C]``, as large as the canvas: to be set before ``add``."""

    def program(self) -> IntArray:
        """All actions so far, ``int64[T, P]``."""
        ...

    def patch_renderer(self, level: int, pictures: Canvas, threads: int) -> Renderer:
        """The agent's renderer for patches of a level, whose canvases show ``pictures`` uint8[N, H, W, C] at first."""
        ...

    def add(self, level: int, patches: IntArray, actions: IntArray) -> None:
        """Paint the ``actions`` int64[T, N, P] of ``patches`` int64[N, 2] (row, column), no two of them neighbours."""
        ...


@dataclass(frozen=True)
class Examples:
    """Pictures that a world can make itself, with the programs behind them: a data set whose programs are known."""

    settings: Settings
    """Of the renderer."""
    counts: Mapping[str, int]
    """Pictures of each split."""
    about: Mapping[str, Any]
    """What decides the pictures besides a seed, as JSON values: examples of another version are refused."""
    generate: Callable[[np.random.Generator, int, int], tuple[Canvas, IntArray]]
    """``generate(rng, count, threads)``: ``uint8[count, H, W, C]`` and canonical programs ``int64[count, T, P]``."""


class World(ABC):
    """A renderer by name, and what training, search and evaluation have to know about its programs."""

    name: ClassVar[str]
    settings_type: ClassVar[type[Any]]
    """Of its settings: see ``Settings``."""
    white_ground: ClassVar[bool] = True
    """Whether an empty canvas is white."""

    @abstractmethod
    def make(self, settings: Any, batch: int, threads: int) -> Renderer:
        """A renderer of ``batch`` canvases; ``ValueError`` where the settings cannot be had here."""

    @abstractmethod
    def actions(self, settings: Any) -> ActionSpace:
        """What an action consists of, known without a renderer."""

    def random_programs(self, space: ActionSpace, steps: int, batch: int, generator: torch.Generator) -> Tensor:
        """Random canonical programs ``int64[steps, batch, P]``: by default all parts are uniform."""
        import torch

        actions = torch.stack([torch.randint(n, (steps, batch), generator=generator) for n in space.sizes], dim=-1)
        return torch.from_numpy(space.canonical(actions.numpy()))

    def correct(
        self, space: ActionSpace, programs: Tensor, perturb: Callable[[Tensor], Tensor]
    ) -> tuple[Tensor, Tensor]:
        """The expert's actions along canonical ``programs`` int64[T, B, P] when some are perturbed, and what is done.

        ``perturb`` is given right actions ``int64[…, P]`` (action noise, Laskey et al. 2017, "DART"). Both results are
        ``int64[T, B, P]``. By default the expert goes on with the program.
        """
        return programs, perturb(programs)

    def order(self, space: ActionSpace, programs: Tensor) -> Tensor | None:
        """Canonical ``programs`` int64[T, B, P] in a standard order of their actions, or None where order matters."""
        return None

    def proposals(self, space: ActionSpace) -> Proposer:
        """Proposals without learning: by default aimed at where canvas and target differ."""
        from limner.worlds.proposals import ResidualProposals

        return ResidualProposals(space)

    def refine(
        self, renderer: Renderer, simulator: Simulator, targets: Targets, actions: Tensor, proposer: Proposer
    ) -> Refinement:
        """A refinement of canonical ``actions`` int64[T, B, P] on the canvases of ``renderer``, towards ``targets``."""
        from limner.worlds.refinement import Refinement

        return Refinement(renderer, simulator, targets.goal, actions)

    def warm_up(self, renderer: Renderer) -> None:
        """Compute what the first refinement in a process would compute, so that it is not counted as its time."""
        return

    def repeats_release(self, settings: Any) -> bool:
        """Whether episodes are those of the environment released with Ganin et al. 2018, deviations included."""
        return False

    def count(self, space: ActionSpace, actions: IntArray) -> int:
        """What a program ``int64[T, P]`` is counted by: its full actions."""
        return len(actions) if space.verb is None else int(np.isin(actions[:, space.verb], space.full_verbs).sum())

    def metrics(self, space: ActionSpace, found: Sequence[IntArray], truth: Sequence[IntArray]) -> dict[str, float]:
        """How well programs ``int64[T, P]`` match the true ones: figures by name; none by default."""
        return {}

    def strokes(self, settings: Any, actions: IntArray) -> list[Points] | None:
        """The strokes of a program ``int64[T, P]`` as polylines ``float64[n, 3]``; None in a world without strokes.

        Rows are (x, y, pressure), each in [0, 1], places as shares of the canvas.
        """
        return None

    def large_canvas(self, settings: Any, detail: int) -> LargeCanvas:
        """A canvas ``detail`` times as large as ``settings`` say; ``ValueError`` where there is none."""
        raise ValueError(f"the renderer {self.name!r} cannot paint large pictures: an agent of 'paint' is needed")

    @property
    def examples(self) -> Examples | None:
        """Pictures with known programs, where this world can make them."""
        return None

    def facts(self) -> dict[str, Any]:
        """Versions and places of what it needs, for people."""
        return {}
