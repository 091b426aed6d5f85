"""Put the agent of a run into the package, with a model card for which it draws a thousand pictures.

python experiments/ship_agent.py runs/mnist mnist --command "limner train mnist --data mnist --minutes 62"
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path

import numpy as np
import torch
import tyro

from limner import features
from limner.checkpoint import newest_checkpoint, read_manifest, write_folder
from limner.datasets import load_dataset
from limner.evaluation import evaluate_pictures, make_reference
from limner.sampling import load_agent, sample

CARD = """# Model card: {name}

An unconditional agent: it draws digits that it makes up, {steps} actions each, with the brush `{brush}`. It was trained
adversarially from nothing: a critic learned to tell its pictures from real digits, and that score was its only reward.

    limner sample --agent {name} -n 100 --seed 0 --out digits

| | |
|---|---|
| weights | `agent.safetensors`, {size:,} bytes, SHA-256 `{sha}` |
| trained by | `{command}` |
| shown as real | `{data}` |
| draws at temperature | {temperature:g} |
| environment steps | {frames:,} ({pictures:,} pictures) |
| minutes of training | {minutes:.0f}, on {threads} thread(s) |
| made with | Limner {limner}, PyTorch {torch} |

| pictures | class entropy | Fréchet | share | precision | coverage | plain: Fréchet | share | precision | coverage |
|---|---|---|---|---|---|---|---|---|---|
{rows}

1,000 pictures against 1,000 real test digits, k = 5, on the features of `limner.features` (fingerprint {features}).
`share` is where the Fréchet distance lies between real digits (0) and random strokes (1). The columns from "plain" on
are on the classifier's plain activations, as publications do; the others on standardised ones, which are stricter. The
entropy is in nats, at most 2.303.

**Use**: to look at, to sample programs from, and as a start for experiments. **Limits**: {limits}
"""


@dataclass(frozen=True)
class Ship:
    """Which run, under what name, and what to say of it."""

    run: tyro.conf.Positional[Path]
    name: tyro.conf.Positional[str]
    command: str
    """The command that trained it."""
    temperature: float | None = None
    """It shall draw at. None: as in its configuration."""
    limits: str = "it knows ten digits and one brush, and not every picture is a digit that a person would read."


def main(ship: Ship) -> None:
    """Write ``src/limner/agents/NAME``."""
    checkpoint = newest_checkpoint(ship.run / "checkpoints")
    manifest = read_manifest(checkpoint)
    weights = (checkpoint / "agent.safetensors").read_bytes()
    sha = manifest["sha256"]["agent.safetensors"]
    manifest["sha256"] = {"agent.safetensors": sha}
    config, counters = manifest["config"], manifest["counters"]
    if ship.temperature is not None:
        config["temperature"] = ship.temperature
    agent = load_agent(str(ship.run))
    torch.set_num_threads(1)
    train, test = load_dataset(config["data"], "train"), load_dataset(config["data"], "test")
    renderer = agent.config.make_renderer(1000)
    reference = make_reference(test, train, renderer, agent.config.steps, np.random.default_rng(0))
    drawn = evaluate_pictures(sample(agent, reference.count, temperature=config["temperature"])[0], reference)
    lines = []
    for title, metrics in (("real digits", reference.real), (ship.name, drawn), ("random strokes", reference.random)):
        row = asdict(metrics)
        figures = [f"{row['entropy']:.2f}"]
        for kind in ("", "plain_"):
            figures.append(f"{row[kind + 'frechet']:.2f}")
            figures += [f"{row[kind + key]:.3f}" for key in ("share", "precision", "coverage")]
        lines.append(f"| {title} | {' | '.join(figures)} |")
    card = CARD.format(
        name=ship.name,
        steps=config["steps"],
        brush=config["renderer"]["brush"],
        size=len(weights),
        sha=sha,
        command=ship.command,
        data=config["data"],
        temperature=config["temperature"],
        frames=counters["frames"],
        pictures=counters["frames"] // config["steps"],
        minutes=counters["minutes"],
        threads=config["threads"],
        limner=manifest["limner"],
        torch=manifest["torch"],
        rows="\n".join(lines),
        features=features.fingerprint(),
        limits=ship.limits,
    )
    files = {
        "agent.safetensors": weights,
        "manifest.json": json.dumps(manifest, indent=2).encode(),
        "card.md": card.encode(),
    }
    write_folder(Path(str(resources.files("limner.agents"))) / ship.name, files)


if __name__ == "__main__":
    main(tyro.cli(Ship))
