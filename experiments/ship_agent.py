"""Put the agent of a run into the package, with a model card that measures it.

    python experiments/ship_agent.py runs/mnist mnist --command "limner train mnist --data mnist --minutes 62"
    python experiments/ship_agent.py runs/faces faces --command "…" --tests "faces 0 103" "faces 1 103"

Notable choices:
- An agent without targets draws a thousand pictures for its card; one with targets draws pictures of test sets.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import torch
import tyro
from safetensors.torch import load, save

from limner.agents.agent import Agent, load_agent, sample
from limner.agents.checkpoint import newest_checkpoint, read_manifest, write_folder
from limner.data import load_dataset
from limner.inference.evaluate import reconstruct
from limner.metrics import features
from limner.metrics.generation import evaluate_pictures, make_reference

LARGEST = 4_000_000
"""Bytes of weights. Of a larger agent the largest matrices are rounded to half precision, and so it is measured."""

CARD = """# Model card: {name}

{introduction}

| | |
|---|---|
| weights | `agent.safetensors`, {size:,} bytes, SHA-256 `{sha}` |
| trained by | {command} |
| trained on | `{data}` |
| draws at temperature | {temperature} |
| environment steps | {frames:,} ({pictures:,} pictures) in the last run |
| minutes of training | {minutes:.0f} in the last run, on {threads} thread(s) |
| made with | Limner {limner}, PyTorch {torch} |

{figures}

**Use**: to look at, to sample programs from, and as a start for experiments. **Limits**: {limits}
"""

WITHOUT_TARGETS = """An agent without targets: it draws pictures that it makes up, {steps} actions each, with \
the brush `{brush}`.

    limner sample --agent {name} -n 100 --seed 0 --out drawings"""

WITH_TARGETS = """An agent with targets: it draws pictures that it is given, {steps} actions each, with \
the brush `{brush}`.

    limner evaluate --agent {name} --data mnist-5k --limit 100 --out drawings
    limner paint PICTURE --agent {name} --out painting"""

OF_SCENES = """An agent with targets: it builds scenes that it is given as pictures, with {steps} actions each.

    limner data make scenes
    limner evaluate --agent {name} --data scenes --limit 100 --search 1 --out scenes"""

SAMPLED = """| pictures | class entropy | Fréchet | share | precision | coverage | plain: Fréchet | share | precision \
| coverage |
|---|---|---|---|---|---|---|---|---|---|
{rows}

1,000 pictures against 1,000 test pictures, k = 5, on the features of `metrics.features` (fingerprint {features}),
those of a classifier of digits. `share` is where the Fréchet distance lies between real pictures (0) and random strokes
(1). The columns from "plain" on are on the classifier's plain activations, as publications do; the others on
standardised ones, which are stricter. The entropy is that of the digits that they are taken for, at most 2.303 nats."""

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


@dataclass(frozen=True)
class Ship:
    """Which run, under what name, and what to say of it."""

    run: tyro.conf.Positional[Path]
    name: tyro.conf.Positional[str]
    command: str
    """The command or commands that trained it."""
    temperature: float | None = None
    """It shall draw at. None: as in its configuration."""
    opening: float | None = None
    """Temperature of the first action, the same."""
    tests: tuple[str, ...] = ()
    """What an agent with targets draws for its card: ``DATA SECONDS LIMIT`` of search a picture and of pictures."""
    threads: int = 2
    """For search."""
    limits: str = "it knows ten digits and one brush, and not every picture is a digit that a person would read."


def main(ship: Ship) -> None:
    """Write ``src/limner/agents/NAME``."""
    checkpoint = newest_checkpoint(ship.run / "checkpoints")
    manifest = read_manifest(checkpoint)
    agent = load_agent(str(ship.run))
    weights = (checkpoint / "agent.safetensors").read_bytes()
    if len(weights) > LARGEST:
        tensors = {name: tensor.half() if tensor.numel() > 1e5 else tensor for name, tensor in load(weights).items()}
        weights = save(tensors)
        agent.policy.load_state_dict({name.removeprefix("policy."): tensor for name, tensor in tensors.items()})
    sha = hashlib.sha256(weights).hexdigest()
    manifest["sha256"] = {"agent.safetensors": sha}
    config, counters = manifest["config"], manifest["counters"]
    if ship.temperature is not None:
        config["temperature"] = ship.temperature
    config["opening"] = config.get("opening") if ship.opening is None else ship.opening
    config["start"] = ""
    config["learning"]["prior_cost"] = 0.0
    torch.set_num_threads(1)
    drawn = measured_drawings(ship, agent) if config["conditional"] else measured_samples(ship, agent, config)
    brush = config["renderer"].get("brush")
    introduction = (WITH_TARGETS if brush else OF_SCENES) if config["conditional"] else WITHOUT_TARGETS
    card = CARD.format(
        name=ship.name,
        introduction=introduction.format(steps=config["steps"], brush=brush, name=ship.name),
        size=len(weights),
        sha=sha,
        command="; then ".join(f"`{part.strip()}`" for part in ship.command.split("; then ")),
        data=config["data"],
        temperature=f"{config['temperature']:g}"
        + (f", the first action at {config['opening']:g}" if config["opening"] is not None else ""),
        frames=counters["frames"],
        pictures=counters["frames"] // config["steps"],
        minutes=counters["minutes"],
        threads=config["threads"],
        limner=manifest["limner"],
        torch=manifest["torch"],
        figures=drawn,
        limits=ship.limits,
    )
    files = {
        "agent.safetensors": weights,
        "manifest.json": json.dumps(manifest, indent=2).encode(),
        "card.md": card.encode(),
    }
    write_folder(Path(str(resources.files("limner.agents.zoo"))) / ship.name, files)


def measured_samples(ship: Ship, agent: Agent, config: dict[str, Any]) -> str:
    """A thousand drawings, beside real digits and random strokes."""
    train, test = load_dataset(config["data"], "train"), load_dataset(config["data"], "test")
    renderer = agent.config.make_renderer(1000)
    reference = make_reference(test, train, renderer, agent.config.steps, np.random.default_rng(0))
    pictures, _ = sample(agent, reference.count, temperature=config["temperature"], opening=config["opening"])
    drawn = evaluate_pictures(pictures, reference)
    lines = []
    for title, metrics in (("real pictures", reference.real), (ship.name, drawn), ("random strokes", reference.random)):
        row = asdict(metrics)
        figures = [f"{row['entropy']:.2f}"]
        for kind in ("", "plain_"):
            figures.append(f"{row[kind + 'frechet']:.2f}")
            figures += [f"{row[kind + key]:.3f}" for key in ("share", "precision", "coverage")]
        lines.append(f"| {title} | {' | '.join(figures)} |")
    return SAMPLED.format(rows="\n".join(lines), features=features.fingerprint())


def measured_drawings(ship: Ship, agent: Agent) -> str:
    """Drawings of test pictures, with and without search."""
    lines, parsed = [], []
    for test in ship.tests:
        data, search, limit = test.split()
        result = reconstruct(agent, load_dataset(data, "test"), float(search), int(limit), threads=ship.threads)
        found, structure = result.likeness, result.structure
        spent = f"{search} ({found.seconds_per_image:.2f} spent)" if float(search) else "none"
        figures = f"{found.mse:.5f} | {found.ssim:.3f} | {found.empty_mse:.4f}"
        lines.append(f"| `{data}` | {found.pictures} | {spent} | {figures} |")
        if structure:
            _, right, *others = asdict(structure).values()
            parsed.append(f"| {search} | {right:.3f} | " + " | ".join(f"{value:.3f}" for value in others) + " |")
    drawn = DRAWN.format(rows="\n".join(lines), threads=ship.threads)
    return drawn + PARSED.format(rows="\n".join(parsed)) if parsed else drawn


if __name__ == "__main__":
    main(tyro.cli(Ship))
