"""``limner sample``: let an agent draw what it likes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from limner.cli.output import prepare_folder
from limner.cli.results import write_samples


@dataclass(frozen=True)
class Sample:
    """Let an agent draw: samples.npz, programs.jsonl, sheet.png and drawing.gif in a folder."""

    agent: str = "mnist"
    """Name of an agent that comes with Limner, or folder of a run or checkpoint."""
    count: Annotated[int, tyro.conf.arg(aliases=["-n"])] = 64
    """Number of drawings."""
    seed: int = 0
    """Seed of noise and actions: the same seed draws the same."""
    temperature: float | None = None
    """Temperature of actions: below 1 less varied, 0 the likeliest. None: that of the agent."""
    first_action_temperature: float | None = None
    """Temperature of the first action. None: --temperature where that is given, else that of the agent."""
    out: Path = Path("samples")
    """Folder for the results."""

    def run(self) -> None:
        """Draw and write."""
        if not 1 <= self.count <= 1_000_000:
            raise ValueError(f"--count is {self.count}: must be in 1 … 1000000")
        for name in ("temperature", "first_action_temperature"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 10:
                raise ValueError(f"--{name.replace('_', '-')} is {value}: must be in 0 … 10")
        if not 0 <= self.seed < 2**63:
            raise ValueError(f"--seed is {self.seed}: must be in 0 … 2^63 − 1")
        prepare_folder(self.out)
        from limner.agents.agent import load_agent
        from limner.inference.sample import sample

        temperatures = self.temperature, self.first_action_temperature
        canvases, programs = sample(load_agent(self.agent), self.count, self.seed, *temperatures)
        write_samples(self.out, canvases, programs)
