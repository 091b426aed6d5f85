"""Tables and the plot of how training scales, from what ``scale.py`` has measured."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator
from scale_model import REMEDIES, Costs, Line, Machines, Prediction, predict, stages

from limner.export.curves import STYLE, encode

ACTORS = tuple(2**i for i in range(11))
"""Actors that are predicted."""
EXAMPLE = 8
"""Actors by which costs a frame are given."""
GPU = 20.0
"""How many times as fast as a core the GPU of the examples is: an assumption."""
CLUSTERS = {
    "cluster": Machines(),
    f"with a GPU {GPU:.0f} times as fast": Machines(gpu=GPU),
    "and 64 episodes an actor": Machines(gpu=GPU, fewest=64),
}
COLOURS = ("#1a66c2", "#c2571a", "#1e8e4e", "#7b3fb5")


def tables(found: Mapping[str, Any], costs: Costs) -> str:
    """All tables in Markdown."""
    shown = [cost_table(costs), byte_table(costs), prediction_table(costs, found["cores"]), remedy_table(costs)]
    return "\n\n".join([*shown, trained_table(found, costs), replayed_table(found, costs)])


def table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def cost_table(costs: Costs) -> str:
    """CPU time of every part, with n episodes in a batch or update, and a frame."""
    frames = costs.episodes * costs.horizon
    work = stages(costs, EXAMPLE, costs.episodes / EXAMPLE, Machines(cores=1))["cores"]
    parts: dict[str, tuple[str, str, Line | float]] = {
        "acting": ("actor", "batch", costs.acting),
        "sending batches": ("actor", "batch", costs.sending),
        "fetching weights": ("actor", "batch", costs.fetching),
        "receiving batches": ("learner", "batch", costs.receiving),
        "publishing weights": ("learner", "update", costs.publishing),
        "scoring": ("learner", "update", costs.scoring),
        "policy learning": ("learner", "update", costs.policy),
        "receiving from the critic": ("learner", "update", costs.critic_receiving),
        "critic learning": ("critic", "update", costs.critic),
        "sending to the learner": ("critic", "update", costs.critic_sending),
        "passing on batches": ("Ray", "batch", costs.ray),
        "passing on the critic": ("Ray", "update", costs.critic_ray),
    }
    rows = [
        [part, process, unit, cost(line), f"{1e6 * work[part] / frames:.3g}"]
        for part, (process, unit, line) in parts.items()
    ]
    return table(["part", "process", "of", "CPU ms", f"CPU µs a frame, {EXAMPLE} actors"], rows)


def cost(line: Line | float) -> str:
    """Milliseconds of a cost in seconds."""
    if isinstance(line, Line):
        return f"{1e3 * line.fixed:.3g} + {1e3 * line.episode:.2g} n"
    return f"{1e3 * line:.2g}"


def byte_table(costs: Costs) -> str:
    """What is sent."""
    frames, each = costs.episodes * costs.horizon, costs.episodes / EXAMPLE
    line = costs.batch_bytes
    sent: list[tuple[str, str, str, float]] = [
        ("batch", f"{line.fixed:,.0f} + {line.episode:,.0f} n", "batch", EXAMPLE * line(each)),
        ("call", f"{costs.call_bytes:,}", "batch", EXAMPLE * costs.call_bytes),
        ("weights of the policy", f"{costs.weight_bytes:,}", "update and machine", costs.weight_bytes),
        ("pictures for the critic", f"{costs.picture_bytes:,} n", "update", costs.episodes * costs.picture_bytes),
        ("weights and state of the critic", f"{costs.critic_bytes:,.0f}", "update", costs.critic_bytes),
    ]
    head = ["what", "of", "bytes", f"bytes a frame, {EXAMPLE} actors"]
    return table(head, [[what, unit, size, f"{total / frames:,.0f}"] for what, size, unit, total in sent])


def prediction_table(costs: Costs, cores: int) -> str:
    """Frames per second and the first bottleneck for every number of actors."""
    machines = {f"one machine, {cores} cores": Machines(cores=cores)} | CLUSTERS
    rows = [[f"{n:,}", *(said(predict(costs, n, one)) for one in machines.values())] for n in ACTORS]
    return table(["actors", *machines], rows)


def said(prediction: Prediction) -> str:
    """A prediction in a cell."""
    return f"{prediction.frames_per_second:,.0f}: {prediction.bottleneck}, {prediction.largest}"


def remedy_table(costs: Costs) -> str:
    """What to do about each bottleneck of the clusters."""
    met = {(p.bottleneck, p.largest): None for m in CLUSTERS.values() for n in ACTORS if (p := predict(costs, n, m))}
    return table(
        ["bottleneck", "remedy"], [[f"{stage}, {part}", REMEDIES.get(part, "larger updates")] for stage, part in met]
    )


def trained_table(found: Mapping[str, Any], costs: Costs) -> str:
    """Training on this machine: prediction and measurement."""
    rows = []
    for line in found["trained"]:
        prediction = predict(costs, line["actors"], Machines(cores=found["cores"]))
        work = 1e3 * found["cores"] * sum(prediction.stages["cores"].values())
        pairs = compared(prediction.frames_per_second, line["frames_per_second"])
        pairs += compared(work, 1e3 * sum(line["cpu"].values()))
        rows.append([line["actors"], *pairs, f"{line['actor_gibibytes']:.2f}"])
    kinds = ["frames/s, predicted", "measured", "ratio", "CPU ms an update, predicted", "measured", "ratio"]
    return table(["actors", *kinds, "GiB an actor"], rows)


def replayed_table(found: Mapping[str, Any], costs: Costs) -> str:
    """The learner under replayed rollouts on this machine: prediction, measurement, and the learner alone."""
    rows = []
    for line in found["replayed"]:
        prediction = predict(replayed(costs), line["actors"], Machines(cores=found["cores"]))
        ratio = f"{statistics.median(line['ratios']):.2f} ({', '.join(f'{ratio:.2f}' for ratio in line['ratios'])})"
        pair = compared(prediction.frames_per_second, line["frames_per_second"])
        rows.append([line["actors"], *pair, f"{line['alone']:,.0f}", ratio])
    head = ["replayed actors", "frames/s, predicted", "measured", "ratio", "learner alone", "measured ÷ alone"]
    return table(head, rows)


def compared(predicted: float, measured: float) -> list[str]:
    """Cells for both and for the ratio of what was measured to what was predicted."""
    return [f"{predicted:,.0f}", f"{measured:,.0f}", f"{measured / predicted:.2f}"]


def replayed(costs: Costs) -> Costs:
    """The costs where rollouts are replayed."""
    return replace(costs, acting=Line(0.0, 0.0))


def plot(found: Mapping[str, Any], costs: Costs) -> bytes:
    """A PNG file: frames/s by number of actors, on the left predicted and measured here, on the right of clusters."""
    cores = found["cores"]
    with style.context(["default", STYLE]):
        figure = Figure((9.0, 3.8), 120, layout="constrained")
        here, there = figure.subplots(1, 2)
        checks = {"training": (costs, found["trained"]), "replayed rollouts": (replayed(costs), found["replayed"])}
        for colour, (name, (each, lines)) in zip(COLOURS, checks.items(), strict=False):
            draw(here, f"{name}, predicted", each, Machines(cores=cores), colour, ACTORS[:7])
            points = [(line["actors"], line["frames_per_second"]) for line in lines]
            here.plot(*zip(*points, strict=True), "o", color=colour, label=f"{name}, measured", zorder=4)
        for colour, (name, machines) in zip(COLOURS, CLUSTERS.items(), strict=False):
            name_regions(there, draw(there, name, costs, machines, colour, ACTORS), colour)
        for axes, title in (
            (here, f"One machine, {cores} cores"),
            (there, "Clusters, predicted; the first bottleneck"),
        ):
            axes.set(title=title, xlabel="actors", ylabel="frames/s", yscale="log")
            axes.set_xscale("log", base=2)
            for axis in (axes.xaxis, axes.yaxis):
                axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
            axes.yaxis.set_major_locator(LogLocator(10, (1, 2, 5)))
            axes.yaxis.set_minor_locator(NullLocator())
            axes.legend(frameon=False, fontsize=7)
    return encode(figure, "png")


def draw(
    axes: Axes, name: str, costs: Costs, machines: Machines, colour: str, actors: Sequence[int]
) -> list[Prediction]:
    """A curve of predictions."""
    found = [predict(costs, n, machines) for n in actors]
    axes.plot(actors, [p.frames_per_second for p in found], color=colour, linewidth=1.5, label=name)
    return found


def name_regions(axes: Axes, predictions: Sequence[Prediction], colour: str) -> None:
    """Write beside a curve, where another bottleneck begins, which it is."""
    last = None
    for prediction in predictions:
        if (now := prediction.largest) != last:
            place = (prediction.actors, prediction.frames_per_second)
            axes.plot(*place, "o", color=colour, markersize=3)
            axes.annotate(now, place, (2, 4), textcoords="offset points", color=colour, fontsize=6.5)
        last = now
