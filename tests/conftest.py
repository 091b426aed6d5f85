"""What several tests need: a few real digits, everything that decides how a training goes on, small agents."""

import os
import pwd
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from limner.agents.agent import Agent, load_agent
from limner.data import Dataset, load_dataset
from limner.data.picture_source import PictureSource
from limner.data.root import DATA_VARIABLE
from limner.training import make_trainer
from limner.training.imitation.config import ImitationConfig, SearchExpert
from limner.training.presets import PRESETS
from limner.training.saving import save_checkpoint
from limner.training.spiral.config import SpiralConfig
from limner.training.spiral.trainer import SpiralTrainer
from limner.worlds.scenes.renderer import Scenes


@pytest.fixture
def real_data() -> Path:
    """The folder with the real data."""
    folder = os.environ.get(DATA_VARIABLE)
    if not folder:
        pytest.skip(f"{DATA_VARIABLE} does not name a folder with the real data")
    return Path(folder)


@pytest.fixture
def homeless(monkeypatch: pytest.MonkeyPatch) -> None:
    """HOME is not set, and the system does not know the user, as in a container that runs under any user id."""

    def unknown(user: int) -> None:
        raise KeyError(f"getpwuid(): uid not found: {user}")

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    for name in ("HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "MPLCONFIGDIR", DATA_VARIABLE):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def tiny() -> SpiralConfig:
    """The configuration of the preset ``tiny``."""
    config = PRESETS["tiny"].config
    assert isinstance(config, SpiralConfig)
    return config


@pytest.fixture(scope="session")
def source(tiny: SpiralConfig) -> PictureSource:
    """200 digits at the size of the canvas of the preset ``tiny``."""
    return PictureSource(load_dataset().spread(200), tiny.agent.renderer.canvas)


@pytest.fixture(scope="session")
def everything() -> Callable[[SpiralTrainer], dict[str, Tensor]]:
    """All state of a trainer as named copies of tensors: weights, moments, pictures, random states, counters."""

    def collect(trainer: SpiralTrainer) -> dict[str, Tensor]:
        policy = trainer.policy_learner
        critic = trainer.critic.part
        modules = trainer.modules() | critic.modules() | {"average": policy.average}
        state = {
            f"{name} {key}": value for name, module in modules.items() for key, value in module.state_dict().items()
        }
        for name, optimizer in (trainer.optimizers() | critic.optimizers()).items():
            for index, slots in optimizer.state_dict()["state"].items():
                state |= {f"{name} {index} {slot}": value for slot, value in slots.items()}
        generators = trainer.generators() | critic.generators()
        state |= {f"random {name}": generator.get_state() for name, generator in generators.items()}
        state |= {f"episodes {name}": value for name, value in vars(trainer.runtime.batch).items()}
        state["replay"] = critic.replay.rows["pictures"]
        counters = [*trainer.counters().values(), *critic.counters().values()]
        state["counters"] = torch.from_numpy(np.array(counters, np.float64))
        return {name: value.clone() for name, value in state.items()}

    return collect


@pytest.fixture(scope="session")
def conditional_config(tiny: SpiralConfig) -> ImitationConfig:
    """Imitation of a search, by a conditional agent like that of the preset ``tiny``."""
    agent = replace(tiny.agent, conditional=True, renderer=replace(tiny.agent.renderer, space="stroke"))
    expert = SearchExpert(candidates=4, capacity=32)
    return ImitationConfig(agent=agent, run=tiny.run, expert=expert, batch_size=4, steps_per_update=2)


@pytest.fixture(scope="session")
def conditional_folder(
    conditional_config: ImitationConfig, source: PictureSource, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The run of a conditional agent that has learnt for two updates."""
    folder = tmp_path_factory.mktemp("runs") / "conditional"
    trainer = make_trainer(conditional_config, source)
    for updates in range(2):
        trainer.update(updates / 2)
    save_checkpoint(folder / "checkpoints", trainer, {})
    return folder


@pytest.fixture(scope="session")
def conditional_agent(conditional_folder: Path) -> Agent:
    """That agent."""
    return load_agent(str(conditional_folder))


@pytest.fixture(scope="session")
def unconditional_folder(tiny: SpiralConfig, source: PictureSource, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of an unconditional agent that has learnt nothing."""
    folder = tmp_path_factory.mktemp("runs") / "unconditional"
    save_checkpoint(folder / "checkpoints", make_trainer(tiny, source), {})
    return folder


@pytest.fixture(scope="session")
def digits() -> Dataset:
    """The test digits."""
    return load_dataset("mnist-5k", "test")


@pytest.fixture(scope="session")
def gl() -> None:
    """Scenes can be rendered here; otherwise the test is skipped, saying what is missing."""
    try:
        Scenes().canvas()
    except ImportError as error:
        pytest.skip(str(error))
