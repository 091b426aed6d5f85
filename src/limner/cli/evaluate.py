"""``limner evaluate``: how close an agent's drawings come to the pictures of a data set."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from limner.cli.output import DrawingFlags, prepare_folder, progress_bar, write
from limner.cli.results import write_pairs

if TYPE_CHECKING:
    from limner.data import Dataset


@dataclass(frozen=True)
class Evaluate(DrawingFlags):
    """Let an agent draw the test pictures of a data set: metrics.json, pairs.png, programs.jsonl and drawing.gif."""

    agent: str
    """Name of an agent that comes with Limner, or folder of a run or checkpoint."""
    data: str = "mnist-5k"
    """Data set, as for train, whose test split is drawn; or FILE.npz with an array images, uint8."""
    out: Path = Path("evaluation")
    """Folder for the results."""

    def run(self) -> None:
        """Draw, measure, write."""
        self.check()
        prepare_folder(self.out)
        from limner.agents.agent import load_agent
        from limner.inference.draw import check_drawing
        from limner.inference.evaluate import reconstruct

        agent = load_agent(self.agent)
        check_drawing(agent)
        data, options = self._load(), self.options(agent)
        with progress_bar("drawing") as report:
            result = reconstruct(agent, data, self.limit, options, report)
        figures = {
            "agent": agent.name,
            "data": self.data,
            "search": self.search,
            "sweeps": self.sweeps,
            "plan": self.plan,
            **({} if self.critic is None else {"critic": self.critic, "critic_weight": self.critic_weight}),
            "seed": self.seed,
            **asdict(result.metrics),
            **result.program_metrics,
        }
        write(self.out / "metrics.json", json.dumps(figures, indent=2) + "\n")
        write_pairs(self.out, result)
        for name, value in figures.items():
            print(f"{name}: {value:.4g}" if isinstance(value, float) else f"{name}: {value}")

    def _load(self) -> "Dataset":
        from limner.data import load_dataset
        from limner.data.array_file import load_arrays

        return load_arrays(Path(self.data)) if self.data.endswith(".npz") else load_dataset(self.data, "test")
