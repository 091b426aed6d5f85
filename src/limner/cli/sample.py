"""``limner sample``: let an agent draw what it likes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from limner.cli.files import check_folder, write_samples
from limner.worlds.validation import require_range


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
        require_range("--count", self.count, 1, 1_000_000)
        from limner.agents.agent import load_agent
        from limner.inference.sample import check_sampling, sample

        asked = load_agent(self.agent), self.count, self.seed, self.temperature, self.first_action_temperature
        check_sampling(*asked)
        check_folder(self.out)
        write_samples(self.out, *sample(*asked))
