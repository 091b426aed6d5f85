"""Put the agent of a run into the package, with a model card that is made from the run and measures the agent.

    python recipes/ship_agent.py runs/prior7 mnist --temperature 0.45 --first-action-temperature 0.8
    python recipes/ship_agent.py runs/faces5 faces --tests "faces 0 103" "faces 1 103"

Notable choices:
- The commands on the card are read from the run folders: that of the run, and before it those of the run that it
  started from and of the agent or the file of programs that it imitated. Each command, parsed, gives the configuration
  of its run.
- Weights are rounded to half precision, so that all agents together fit into a small wheel, and so they are measured.
- An unconditional agent draws a thousand pictures for its card, or as many as its data set has to compare with; a
  conditional one draws pictures of test sets. So does the agent of each run that it went through, one started from the
  other: the card says what each of them brought.
"""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

import torch
import tyro
from safetensors.torch import load, save

from limner.agents.agent import Agent, load_agent
from limner.agents.checkpoint import newest_checkpoint, read_manifest
from limner.cli.preset import preset_config
from limner.cli.train import read
from limner.data import load_dataset
from limner.export.stages import stages
from limner.inference.draw import DrawOptions
from limner.inference.evaluate import generation_reference, reconstruct
from limner.inference.sample import sample
from limner.metrics import features
from limner.metrics.generation import evaluate_pictures
from limner.metrics.sample_size import neighbours, sampling_error
from limner.programs.program import load_programs
from limner.training.config import TrainingConfig
from limner.training.imitation.config import AgentExpert, FileExpert, ImitationConfig
from limner.training.presets import PRESETS
from limner.training.run import read_run
from limner.training.saving import write_checkpoint

CARD = """# Model card: {name}

{introduction}

| | |
|---|---|
| weights | `agent.safetensors`, {size:,} bytes, in half precision, SHA-256 `{sha}` |
| trained by | {commands} |
| recipe | `recipes/{name}.sh` |
| trained on | `{data}` |
| draws at temperature | {temperature} |
| environment steps | {frames:,} ({pictures:,} pictures) in the last run |
| minutes of training | {minutes:.0f} in the last run, on {threads} thread(s) |
| made with | Limner {limner}, PyTorch {torch} |

{figures}

**Use**: to look at, to sample programs from, and as a start for experiments. **Limits**: {limits}
"""

UNCONDITIONAL = """An unconditional agent: it draws pictures of its own, {horizon} actions each, with the brush \
`{brush}`.

    limner sample --agent {name} -n 100 --seed 0 --out drawings"""

CONDITIONAL = """A conditional agent: it draws the pictures that it is shown, {horizon} actions each, with the brush \
`{brush}`.

    limner evaluate --agent {name} --data mnist-5k --limit 100 --out drawings
    limner paint PICTURE --agent {name} --out painting"""

SCENES = """A conditional agent: it builds the scenes that it is shown, with {horizon} actions each.

    limner data make scenes
    limner evaluate --agent {name} --data scenes --limit 100 --search 1 --out scenes"""

SAMPLED = """| pictures | class entropy | Fréchet | normalised | precision | coverage | plain: Fréchet | normalised \
| precision | coverage |
|---|---|---|---|---|---|---|---|---|---|
{rows}

{count:,} pictures against {count:,} test pictures, k = {k}, on the features of `metrics.features` (fingerprint \
{features}),
those of a classifier of digits. `normalised` is where the Fréchet distance lies between real pictures (0) and random
strokes (1). The columns from "plain" on are on the classifier's plain activations, as publications do; the others on
standardised ones, which are stricter. The entropy is that of the digits that they are taken for, at most 2.303 nats.\
{sampling_error}"""

DRAWN = """| test pictures of | count | search, s a picture | mean squared error | structural similarity | empty |
|---|---|---|---|---|---|
{rows}

Errors are per pixel, values from 0 to 1, at 64×64; search was given {threads} threads."""

PARSED = """

| search, s a picture | right number of objects | off by | type | size | colour | location | cells apart |
|---|---|---|---|---|---|---|---|
{rows}

Of the same pictures. All from "type" on are of the pairs that the Hungarian method finds (`worlds.scenes.metrics`), the
last the distance in cells of the platform."""

STAGES = """

The runs that it went through, {how}:

| run | algorithm | minutes | {titles} |
|---|---|---|{line}
{rows}"""

MATCHED = (
    "count_right", "count_error", "type_right", "size_right", "colour_right", "location_right", "cells_apart"
)  # fmt: skip


@dataclass(frozen=True)
class Ship:
    """Which run, under what name, and what to say of it."""

    run: tyro.conf.Positional[Path]
    name: tyro.conf.Positional[str]
    temperature: float | None = None
    """It shall draw at. None: as in its configuration."""
    first_action_temperature: float | None = None
    """The same, of the first action."""
    tests: tuple[str, ...] = ()
    """What a conditional agent draws for its card: ``DATA SECONDS LIMIT`` of search a picture and of pictures."""
    threads: int = 2
    """For search."""
    limits: str = "it knows ten digits and one brush, and not every picture is a digit that a person would read."
    """What it cannot do."""
    out: Path = Path(str(resources.files("limner.agents.zoo")))
    """Folder of the agent's folder."""


def main(ship: Ship) -> None:
    """Write the agent's folder: weights, manifest, card."""
    torch.set_num_threads(1)
    checkpoint = newest_checkpoint(ship.run / "checkpoints")
    manifest, config, agent = read_manifest(checkpoint), read_run(ship.run), load_agent(str(ship.run))
    weights = (checkpoint / "agent.safetensors").read_bytes()
    tensors = {name: tensor.half() for name, tensor in load(weights).items()}
    weights = save(tensors)
    agent.policy.load_state_dict({name.removeprefix("policy."): tensor for name, tensor in tensors.items()})
    given = {name: getattr(ship, name) for name in ("temperature", "first_action_temperature")}
    drawing = replace(agent.config, **{name: value for name, value in given.items() if value is not None})
    agent = replace(agent, name=ship.name, config=drawing)
    manifest |= {
        "agent": drawing.to_dict(),
        "training": manifest["training"] | {"agent": drawing.to_dict()},
        "sha256": {"agent.safetensors": hashlib.sha256(weights).hexdigest()},
    }
    text = card(ship, agent, config, manifest, len(weights))
    write_checkpoint(ship.out / ship.name, manifest, {"agent.safetensors": weights}, {"card.md": text.encode()})


def card(ship: Ship, agent: Agent, config: TrainingConfig, manifest: dict[str, Any], size: int) -> str:
    """The model card of an agent whose weights have ``size`` bytes."""
    drawing, counters = agent.config, manifest["counters"]
    brush = getattr(drawing.renderer, "brush", None)
    introduction = (CONDITIONAL if brush else SCENES) if drawing.conditional else UNCONDITIONAL
    first = drawing.first_action_temperature
    return CARD.format(
        name=ship.name,
        introduction=introduction.format(horizon=drawing.horizon, brush=brush, name=ship.name),
        size=size,
        sha=manifest["sha256"]["agent.safetensors"],
        commands="; then ".join(dict.fromkeys(history(ship.run))),
        data=config.run.data,
        temperature=f"{drawing.temperature:g}" + (f", the first action at {first:g}" if first is not None else ""),
        frames=counters["frames"],
        pictures=counters["frames"] // drawing.horizon,
        minutes=counters["minutes"],
        threads=config.run.threads,
        limner=manifest["limner"],
        torch=manifest["torch"],
        figures=measured_drawings(ship, agent) if drawing.conditional else measured_samples(ship, agent, config),
        limits=ship.limits,
    )


# --- How it was trained ------------------------------------------------------------------------------------------


def history(run: Path) -> Iterator[str]:
    """What made the agent in the folder of a run, or of one of its checkpoints: first things first, with repeats."""
    inside = run.parent.name == "checkpoints"
    folder, checkpoint = (run.parent.parent, run) if inside else (run, newest_checkpoint(run / "checkpoints"))
    config, counters = read_run(folder), read_manifest(checkpoint)["counters"]
    expert = config.expert if isinstance(config, ImitationConfig) else None
    yield from _history_of(config.run.start)
    if isinstance(expert, AgentExpert):
        yield from _history_of(expert.agent)
    if isinstance(expert, FileExpert):
        programs = load_programs(expert.path)
        yield from _history_of(str(Path(expert.path).parent / programs[0].agent))
        data = programs[0].title.rpartition(" ")[0]
        of = f" of the pictures of `{data}`" if data else ""
        yield f"`{expert.path}`: {len(programs):,} programs by `{programs[0].agent}`{of}"
    limit = config.run.minutes
    early = counters["frames"] < config.run.frames and (limit is None or counters["minutes"] < limit - 0.05)
    yield f"`{command(config, folder)}`" + (f", stopped after {counters['minutes']:.0f} minutes" if early else "")


def _history_of(name: str) -> Iterator[str]:
    """The same of an agent, if that is in the folder of a run."""
    if name and ((Path(name) / "config.json").exists() or (Path(name) / "manifest.json").exists()):
        yield from history(Path(name))


def command(config: TrainingConfig, folder: Path) -> str:
    """The shortest command line that trains as ``config`` says, into ``folder``."""
    worlds = {name: preset.config.agent.renderer.name for name, preset in PRESETS.items()}
    world = config.agent.renderer.name
    names = [name for name in worlds if worlds[name] == world] or [world]
    words = [*min((_words(name, config) for name in names), key=len), "--out", str(folder)]
    parsed: Any = read(words)
    assert parsed.config == config, f"{shlex.join(words)} gives another configuration"
    return shlex.join(["limner", "train", *words])


def _words(name: str, config: TrainingConfig) -> list[str]:
    """The words after ``limner train`` that change the preset ``name`` to ``config``."""
    expert = config.expert.name if isinstance(config, ImitationConfig) else None
    words = [name]
    for flag, value in (("--algorithm", config.algorithm), ("--expert", expert)):
        if value is not None and _flat(preset_config(name)).get(flag) != value:
            words += [flag, value]
    default = _flat(preset_config(name, config.algorithm, expert))
    for flag, value in _flat(config).items():
        if flag in ("--algorithm", "--expert", "--renderer.name") or default.get(flag) == value:
            continue
        if isinstance(value, bool):
            words.append(flag if value else flag.replace("--", "--no-", 1))
        else:
            words += [flag, *map(str, value if isinstance(value, list) else [value])]
    return words


def _flat(config: TrainingConfig) -> dict[str, Any]:
    """The fields of a configuration by their flags."""
    flags: dict[str, Any] = {}

    def add(values: dict[str, Any], prefix: str) -> None:
        for name, value in values.items():
            if isinstance(value, dict):
                add(value, "" if name in ("agent", "run") and not prefix else f"{prefix}{name}.")
            else:
                flags[f"--{prefix}{name}".replace("_", "-").replace("--expert.name", "--expert")] = value

    add(config.to_dict(), "")
    return flags


# --- How well it draws -------------------------------------------------------------------------------------------


def measured_samples(ship: Ship, agent: Agent, config: TrainingConfig) -> str:
    """Drawings beside real pictures and random strokes, and those of each stage at temperature 1: 1,000 or fewer."""
    reference = generation_reference(agent.config, config.run.data)
    drawn = evaluate_pictures(sample(agent, reference.count)[0], reference)
    lines = []
    for title, metrics in (("real pictures", reference.real), (ship.name, drawn), ("random strokes", reference.random)):
        row = vars(metrics)
        figures = [f"{row['entropy']:.2f}"]
        for kind in ("", "plain_"):
            figures.append(f"{row[kind + 'frechet']:.2f}")
            figures += [f"{row[kind + key]:.3f}" for key in ("normalised_frechet", "precision", "coverage")]
        lines.append(f"| {title} | {' | '.join(figures)} |")
    few = sampling_error(reference.count, reference.borrowed)
    table = SAMPLED.format(
        rows="\n".join(lines),
        count=reference.count,
        k=neighbours(reference.count),
        features=features.fingerprint(),
        sampling_error=f"\n\nThere are few pictures: {few}." if few else "",
    )

    def at_one(agent: Agent) -> list[str]:
        row = vars(evaluate_pictures(sample(agent, reference.count, 0, 1.0, 1.0)[0], reference))
        return [f"{row[name]:.3f}" for name in ("normalised_frechet", "precision", "coverage", "entropy")]

    titles = "normalised | precision | coverage | class entropy"
    return table + measured_stages(ship.run, f"{reference.count:,} pictures drawn at temperature 1", titles, at_one)


def measured_stages(run: Path, how: str, titles: str, figures: Callable[[Agent], list[str]]) -> str:
    """The same ``figures`` of the agent of every run that led to this one; nothing where there is none."""
    chain = stages(run)
    if len(chain) < 2:
        return ""
    rows = []
    for stage in chain:
        minutes = read_manifest(newest_checkpoint(stage.folder / "checkpoints"))["counters"]["minutes"]
        cells = [f"`{stage.folder}`", stage.algorithm, f"{minutes:.0f}", *figures(load_agent(str(stage.folder)))]
        rows.append(f"| {' | '.join(cells)} |")
    return STAGES.format(how=how, titles=titles, line="---|" * (titles.count("|") + 1), rows="\n".join(rows))


def measured_drawings(ship: Ship, agent: Agent) -> str:
    """Drawings of test pictures, with and without search."""
    lines, parsed = [], []
    for test in ship.tests:
        data, search, limit = test.split()
        options = DrawOptions(seconds=float(search), threads=ship.threads)
        result = reconstruct(agent, load_dataset(data, "test"), int(limit), options)
        found, matched = result.metrics, result.program_metrics
        spent = f"{search} ({found.seconds_per_image:.2f} spent)" if float(search) else "none"
        figures = f"{found.mse:.5f} | {found.ssim:.3f} | {found.empty_mse:.4f}"
        lines.append(f"| `{data}` | {found.pictures} | {spent} | {figures} |")
        if matched:
            parsed.append(f"| {search} | {' | '.join(f'{matched[name]:.3f}' for name in MATCHED)} |")
    drawn = DRAWN.format(rows="\n".join(lines), threads=ship.threads)
    if parsed:
        drawn += PARSED.format(rows="\n".join(parsed))
    data, _, limit = ship.tests[0].split()

    def alone(agent: Agent) -> list[str]:
        return [f"{reconstruct(agent, load_dataset(data, 'test'), int(limit), DrawOptions()).metrics.mse:.5f}"]

    how = f"{limit} pictures of `{data}` without search"
    return drawn + measured_stages(ship.run, how, "mean squared error", alone)


if __name__ == "__main__":
    main(tyro.cli(Ship, description=__doc__))
