"""The history of a population as a picture: fitness, lineage and settings over frames.

A line is a member. Where one was given the state of another, a dotted line with an arrow leads from its last fitness to
its parent's, and its line goes on from there.
"""

from itertools import pairwise
from typing import Any

from matplotlib import colormaps, style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import EngFormatter, FuncFormatter, NullLocator

from limner.export.curves import DOTS, PANEL, STYLE
from limner.training.population.history import Event, History

FITNESS = {
    "critic": "Score from the member's own critic",
    "frechet": "Minus the normalised Fréchet distance",
    "mse": "Minus the mean squared error",
}
SETTINGS = {"learning_rate": "Learning rate", "entropy_cost": "Entropy cost"}
COPIES = ("copied", "revived")


def population_history(history: History) -> Figure:
    """Three panels over the frames of a member: fitness with lineage, and both settings as multiples."""
    members = range(history.population.members)
    colours = {member: colormaps["turbo"](0.05 + 0.9 * member / max(members[-1], 1)) for member in members}
    with style.context(["default", STYLE]):
        size = (PANEL[0] * 3, PANEL[1] * 1.25)
        figure = Figure(size, DOTS, layout=ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.1))
        titles = [FITNESS[str(history.population.fitness)], *SETTINGS.values()]
        panels = [figure.add_subplot(1, 3, i, title=title, xlabel="frames") for i, title in enumerate(titles, 1)]
        for member in members:
            events = [event for event in history.events if event.member == member]
            _draw_fitness(panels[0], events, colours[member])
            for panel, name in zip(panels[1:], SETTINGS, strict=True):
                _draw_setting(panel, events, name, colours[member])
        for panel, name in zip(panels[1:], SETTINGS, strict=True):
            panel.set_yscale("log")
            low, high = getattr(history.population, name)
            panel.set_yticks(sorted({low, high, min(max(low, 1), high)}))
            panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"×{value:.3g}"))
            panel.yaxis.set_minor_locator(NullLocator())
            panel.set_ylim(low, high)
        for panel in panels:
            panel.xaxis.set_major_formatter(EngFormatter(sep=""))
            panel.set_xlim(left=0)
        figure.legend(loc="outside lower center", ncols=min(len(members), 8), frameon=False)
        figure.draw_without_rendering()
        figure.set_layout_engine("none")  # laid out once for all files
    return figure


def _draw_fitness(panel: Axes, events: list[Event], colour: Any) -> None:
    """A member's fitness, in pieces between copies, the copies, and crosses where it has collapsed."""
    pieces: list[list[tuple[float, float]]] = [[]]
    for event in events:
        if event.event in COPIES and event.fitness is not None:
            if pieces[-1]:
                _draw_copy(panel, pieces[-1][-1], (event.frames, event.fitness), colour)
            pieces.append([(event.frames, event.fitness)])
        elif event.fitness is not None:
            pieces[-1].append((event.frames, event.fitness))
            if event.event == "collapsed":
                panel.plot(*pieces[-1][-1], "x", color=colour, label=None)
    for i, piece in enumerate(pieces):
        x, y = zip(*piece, strict=True) if piece else ((), ())
        name = f"member-{events[0].member:02d}" if i == 0 else None
        panel.plot(x, y, color=colour, linewidth=1.3, marker=".", markersize=4, label=name, clip_on=False)


def _draw_copy(panel: Axes, old: tuple[float, float], new: tuple[float, float], colour: Any) -> None:
    arrow = {"arrowstyle": "->", "linestyle": ":", "color": colour, "linewidth": 1, "shrinkA": 0, "shrinkB": 0}
    panel.annotate("", new, old, arrowprops=arrow, zorder=4)


def _draw_setting(panel: Axes, events: list[Event], name: str, colour: Any) -> None:
    """A member's setting as steps."""
    points = [(event.frames, getattr(event, name)) for event in events if event.event not in COPIES]
    kept = [a for a, b in pairwise(points) if a != b] + points[-1:]
    x, y = zip(*kept, strict=True)
    panel.plot(x, y, color=colour, linewidth=1.3, drawstyle="steps-post", clip_on=False)
