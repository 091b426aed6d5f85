"""Evaluation during training: figures of the averaged policy, and the reference rows beside which they stand."""

import time
from dataclasses import asdict

import numpy as np
import torch

from limner.agents.rollout import EpisodeBatch, collect
from limner.data import Dataset
from limner.metrics.features import fingerprint
from limner.metrics.generation import GenerationMetrics, Reference, evaluate_pictures, make_reference
from limner.training.config import TrainingConfig
from limner.training.log import Record
from limner.training.trainer import Trainer
from limner.worlds.simulator import squared_distance
from limner.worlds.world import Renderer


class ReconstructionEvaluation:
    """How far from pictures of the test set the paintings of them are."""

    def __init__(self, config: TrainingConfig, test_data: Dataset, count: int = 1000) -> None:
        test_data = test_data.spread(min(count, len(test_data)))
        self.renderer = config.agent.make_renderer(len(test_data), config.run.threads)
        self.episodes = EpisodeBatch.empty(config.agent, self.renderer, getattr(config, "device", "cpu"))
        self.episodes.aim(torch.from_numpy(test_data.pictures(config.agent.renderer.canvas)))

    def reference_rows(self) -> Record:
        """The distance of an empty canvas."""
        self.renderer.reset()
        empty = squared_distance(torch.from_numpy(self.renderer.canvas()), self.episodes.goal)
        return {"empty": {"mse": empty.mean().item()}}

    def measure(self, trainer: Trainer) -> Record:
        """``eval/mse``, the mean squared error of pixel values in [0, 1]."""
        started = time.perf_counter()
        _draw(self.renderer, trainer, self.episodes)
        return {"eval/mse": self.episodes.distance[-1].mean().item(), "eval/seconds": time.perf_counter() - started}


class GenerationEvaluation:
    """Measures what an agent without targets draws against real digits and random strokes."""

    def __init__(self, config: TrainingConfig, train_data: Dataset, test_data: Dataset, count: int = 1000) -> None:
        self.renderer = config.agent.make_renderer(count, config.run.threads)
        self.episodes = EpisodeBatch.empty(config.agent, self.renderer, getattr(config, "device", "cpu"))
        rng = np.random.default_rng(0)
        self.reference: Reference = make_reference(
            test_data, train_data, self.renderer, config.agent.horizon, rng, count
        )

    def reference_rows(self) -> Record:
        """Real digits and random strokes."""
        rows: dict[str, GenerationMetrics] = {"real": self.reference.real, "random": self.reference.random}
        return {name: asdict(row) for name, row in rows.items()}

    def measure(self, trainer: Trainer) -> Record:
        """All of ``GenerationMetrics``."""
        started = time.perf_counter()
        _draw(self.renderer, trainer, self.episodes)
        metrics = evaluate_pictures(self.episodes.canvas.numpy(), self.reference)
        record: Record = {f"eval/{name}": value for name, value in asdict(metrics).items()}
        return record | {"eval/features": fingerprint(), "eval/seconds": time.perf_counter() - started}


Evaluation = ReconstructionEvaluation | GenerationEvaluation
"""What measures the averaged policy of a trainer."""


def make_evaluation(config: TrainingConfig, train_data: Dataset, test_data: Dataset) -> Evaluation:
    """How the agent of this run is judged: by negative_mse to its targets, or by what it draws without any."""
    if config.agent.conditional:
        return ReconstructionEvaluation(config, test_data)
    return GenerationEvaluation(config, train_data, test_data)


def _draw(renderer: Renderer, trainer: Trainer, episodes: EpisodeBatch) -> None:
    """Let the averaged policy draw, with the seed of the run."""
    agent = trainer.config.agent
    generator = torch.Generator(trainer.device).manual_seed(trainer.config.run.seed)
    temperatures = agent.temperature, agent.first_action_temperature
    collect(renderer, trainer.policy_learner.average, episodes, generator, *temperatures)
