"""``limner bench`` and ``limner info``: what this machine can do, and what is here."""

# No ``from __future__ import annotations`` here: tyro has to see the types.
# ruff: noqa: T201 (printing is what a command line does)

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Bench:
    """Measure the speed of painting and of training on this machine."""

    json: bool = False
    """Print one JSON object."""

    def run(self) -> None:
        """Measure and print."""
        from limner.cli.bench_measure import bench

        show(bench(), self.json)


@dataclass(frozen=True)
class Info:
    """Show versions, the renderer, data sets, presets and agents that are found."""

    json: bool = False
    """Print one JSON object."""

    def run(self) -> None:
        """Look and print."""
        from limner.cli.info import info

        show(info(), self.json)


def show(facts: dict[str, Any], as_json: bool) -> None:
    """Print nested facts, as JSON or for a person."""
    if as_json:
        print(json.dumps(facts))
        return
    for name, value in facts.items():
        if isinstance(value, dict):
            print(name)
            width = max((len(key) for key in value), default=0)
            for key, inner in value.items():
                print(f"  {key:{width}}  {inner:.4g}" if isinstance(inner, float) else f"  {key:{width}}  {inner}")
        else:
            print(f"{name}: {value}")
