from dataclasses import dataclass
from typing import ClassVar

import pytest

import limner.training
from limner.training import algorithm_names, find_algorithm, make_trainer, register
from limner.training.config import TrainingConfig
from limner.training.distance.config import DistanceConfig
from limner.training.spiral.trainer import SpiralTrainer


@dataclass(frozen=True)
class IdleConfig(TrainingConfig):
    algorithm: ClassVar[str] = "idle"
    trainer: ClassVar[str] = f"{__name__}:IdleTrainer"


def test_an_algorithm_is_found_by_its_name():
    assert find_algorithm("distance") is DistanceConfig
    assert algorithm_names() == ["distance", "imitation", "spiral"]
    with pytest.raises(ValueError, match="unknown algorithm 'alchemy': must be one of 'distance', 'imitation'"):
        find_algorithm("alchemy")


def test_the_trainer_is_the_one_that_the_configuration_names(tiny, source):
    assert type(make_trainer(tiny, source)) is SpiralTrainer


def test_an_algorithm_from_elsewhere_registers_itself(monkeypatch):
    monkeypatch.setattr(limner.training, "_algorithms", {})
    register(IdleConfig)
    assert find_algorithm("idle") is IdleConfig
    assert "idle" in algorithm_names()
