"""``limner parse``: the program of every picture of a data set."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tyro

from limner.cli.drawing import DrawingFlags
from limner.cli.files import check_file
from limner.cli.terminal import progress_bar


@dataclass(frozen=True)
class Parse(DrawingFlags):
    """Let an agent write the program of every picture of a data set, one a line; goes on where it was interrupted."""

    data: tyro.conf.Positional[str]
    """Data set, as for train."""
    agent: str
    """Name of an agent that comes with Limner, or folder of a run or checkpoint."""
    split: Literal["train", "test"] = "train"
    """Part of the data set."""
    out: Path = Path("programs.jsonl")
    """File of programs, JSON lines, in the order of the pictures."""

    def run(self) -> None:
        """Draw and append."""
        from limner.data import load_dataset
        from limner.inference.parse import parse

        agent, options = self.prepare(self.agent)
        check_file(self.out)
        data = load_dataset(self.data, self.split)
        name = f"{self.data} {self.split}"
        if self.limit is not None and self.limit < len(data):
            name += f" {self.limit}/{len(data)}"
            data = data.spread(self.limit)
        with progress_bar("parsing") as report:
            error = parse(agent, data, self.out, options, name, report)
        now = "all were there" if math.isnan(error) else f"mean squared error {error:.4f} of those written now"
        print(f"{self.out}: {len(data)} programs, {now}")
