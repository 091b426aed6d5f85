"""Put the agent of a run into the package, with a model card made from what the run logged.

python experiments/ship_agent.py runs/mnist mnist --command "limner train mnist --data mnist --minutes 62"
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import tyro

from limner.checkpoint import newest_checkpoint, read_manifest, write_folder
from limner.export.curves import read_log

CARD = """# Model card: {name}

An unconditional agent: it draws digits that it makes up, {steps} actions each, with the brush `{brush}`. It was trained
adversarially from nothing: a critic learned to tell its pictures from real digits, and that score was its only reward.

    limner sample --agent {name} -n 100 --seed 0 --out digits

| | |
|---|---|
| weights | `agent.safetensors`, {size:,} bytes, SHA-256 `{sha}` |
| trained by | `{command}` |
| shown as real | `{data}` |
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
    limits: str = "it knows ten digits and one brush, and not every picture is a digit that a person would read."


def main(ship: Ship) -> None:
    """Write ``src/limner/agents/NAME``."""
    checkpoint = newest_checkpoint(ship.run / "checkpoints")
    manifest = read_manifest(checkpoint)
    weights = (checkpoint / "agent.safetensors").read_bytes()
    sha = manifest["sha256"]["agent.safetensors"]
    manifest["sha256"] = {"agent.safetensors": sha}
    config, counters = manifest["config"], manifest["counters"]
    log = read_log(ship.run / "log.jsonl")
    last = next(r for r in reversed(log) if "eval/frechet" in r and r["update"] <= counters["updates"])
    reference = json.loads((ship.run / "reference.json").read_text())
    drawn = {key.removeprefix("eval/"): value for key, value in last.items() if key.startswith("eval/")}
    lines = []
    for title, row in (("real digits", reference["real"]), (ship.name, drawn), ("random strokes", reference["random"])):
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
        frames=counters["frames"],
        pictures=counters["frames"] // config["steps"],
        minutes=counters["minutes"],
        threads=config["threads"],
        limner=manifest["limner"],
        torch=manifest["torch"],
        rows="\n".join(lines),
        features=drawn["features"],
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
