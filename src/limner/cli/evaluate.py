"""``limner evaluate``: how close an agent's drawings come to the pictures of a data set."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from limner.cli.drawing import DrawingFlags
from limner.cli.files import check_folder, write_pairs
from limner.cli.terminal import progress_bar
from limner.files import write_atomic


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
        from limner.data import load_dataset
        from limner.data.dataset import load_arrays
        from limner.inference.evaluate import reconstruct

        agent, options = self.prepare(self.agent)
        check_folder(self.out)
        data = load_arrays(Path(self.data)) if self.data.endswith(".npz") else load_dataset(self.data, "test")
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
        write_atomic(self.out / "metrics.json", json.dumps(figures, indent=2) + "\n")
        write_pairs(self.out, result)
        for name, value in figures.items():
            print(f"{name}: {value:.4g}" if isinstance(value, float) else f"{name}: {value}")
