"""Evaluation during training: figures of the averaged policy, and the reference rows beside which they stand."""

import time
from abc import ABC, abstractmethod
from dataclasses import asdict

import numpy as np
import torch

from limner.agents.rollout import EpisodeBatch, collect
from limner.data import Dataset
from limner.metrics import sample_size
from limner.metrics.features import fingerprint
from limner.metrics.generation import evaluate_pictures, make_reference
from limner.training.config import TrainingConfig
from limner.training.log import Record
from limner.training.trainer import Trainer
from limner.worlds.simulator import squared_distance


class Evaluation(ABC):
    """Measures what the averaged policy of a trainer draws, always with the same seed."""

    reference_rows: dict[str, Record]
    """Rows of figures, by name, beside which those of the policy stand."""
    sampling_error: str = ""
    """What to know of the figures where there are too few pictures for the usual ones."""

    def __init__(self, config: TrainingConfig, count: int) -> None:
        self.renderer = config.agent.make_renderer(count, config.run.threads)
        self.episodes = EpisodeBatch.empty(config.agent, self.renderer, getattr(config, "device", "cpu"))

    @abstractmethod
    def figures(self) -> Record:
        """The figures of what was drawn."""

    def measure(self, trainer: Trainer) -> Record:
        """``figures``, and those of the trainer, as ``eval/NAME``; and ``eval/seconds``: how long all of it took."""
        started, agent, run = time.perf_counter(), trainer.config.agent, trainer.config.run
        seed = run.seed if run.evaluation_seed is None else run.evaluation_seed
        generator = torch.Generator(trainer.device).manual_seed(seed)
        temperatures = agent.temperature, agent.first_action_temperature
        collect(self.renderer, trainer.policy_learner.average, self.episodes, generator, *temperatures)
        measured: Record = self.figures() | trainer.measure(self.episodes)
        figures: Record = {f"eval/{name}": value for name, value in measured.items()}
        return figures | {"eval/seconds": time.perf_counter() - started}


class ReconstructionEvaluation(Evaluation):
    """How far from pictures of the test set the paintings of them are, and an empty canvas."""

    def __init__(self, config: TrainingConfig, test_data: Dataset, count: int = 1000) -> None:
        test_data = test_data.spread(min(count, len(test_data)))
        super().__init__(config, len(test_data))
        self.episodes.aim(torch.from_numpy(test_data.pictures(config.agent.renderer.canvas)))
        empty = squared_distance(torch.from_numpy(self.renderer.canvas()), self.episodes.goal.cpu())
        self.reference_rows = {"empty": {"mse": empty.mean().item()}}

    def figures(self) -> Record:
        """``mse``, the mean squared error of pixel values in [0, 1]."""
        return {"mse": self.episodes.distance[-1].mean().item()}


class GenerationEvaluation(Evaluation):
    """Measures what an agent without targets draws against real digits and random strokes."""

    def __init__(
        self, config: TrainingConfig, train_data: Dataset, test_data: Dataset, count: int = sample_size.USUAL
    ) -> None:
        """``count`` pictures are drawn, or as many as there are real ones; ``ValueError`` when these are too few."""
        count = sample_size.compared_pictures(len(train_data), len(test_data), test_data.name, count)
        super().__init__(config, count)
        rng, steps = np.random.default_rng(0), config.agent.horizon
        self.reference = make_reference(test_data, train_data, self.renderer, steps, rng, count)
        self.sampling_error = sample_size.sampling_error(count, self.reference.borrowed)
        real: Record = asdict(self.reference.real) | {"pictures": count, "borrowed": self.reference.borrowed}
        self.reference_rows = {"real": real, "random": asdict(self.reference.random)}

    def figures(self) -> Record:
        """All of ``GenerationMetrics``, and the fingerprint of the ``features`` that they are computed from."""
        return asdict(evaluate_pictures(self.episodes.canvas.numpy(), self.reference)) | {"features": fingerprint()}


def make_evaluation(config: TrainingConfig, train_data: Dataset, test_data: Dataset) -> Evaluation:
    """How the agent of this run is measured: by the distance to its targets, or by what it draws without any."""
    if config.agent.conditional:
        return ReconstructionEvaluation(config, test_data)
    return GenerationEvaluation(config, train_data, test_data)
