"""What pip would download, in megabytes, from a report of pip: the index says how large each file is.

pip install --dry-run --ignore-installed --quiet --report report.json torch
python release/weigh.py report.json
"""

from __future__ import annotations

import json
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import tyro


@dataclass(frozen=True)
class Weigh:
    """Which report."""

    report: tyro.conf.Positional[Path]
    """What pip wrote."""


def main(asked: Weigh) -> None:
    """Ask for the size of each file, and print."""
    sizes = {}
    for package in json.loads(asked.report.read_text())["install"]:
        request = urllib.request.Request(package["download_info"]["url"], method="HEAD")
        with urllib.request.urlopen(request) as answer:
            name = f"{package['metadata']['name']} {package['metadata']['version']}"
            sizes[name] = int(answer.headers["Content-Length"]) / 1e6
    for name, size in sorted(sizes.items(), key=lambda item: -item[1]):
        print(f"{size:8.1f}  {name}")
    print(f"{sum(sizes.values()):8.1f}  in all")


if __name__ == "__main__":
    main(tyro.cli(Weigh, description=__doc__))
