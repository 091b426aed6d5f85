"""What several tests need: a few real digits, everything that decides how a training goes on, agents with targets."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor

from limner.agents.agent import Agent, load_agent
from limner.agents.checkpoint import save_checkpoint
from limner.data import Dataset, load_dataset
from limner.data.picture_source import PictureSource
from limner.training.config import Config, ImitationConfig
from limner.training.imitation.trainer import Imitation
from limner.training.presets import PRESETS
from limner.training.spiral.trainer import Adversarial
from limner.worlds.scenes.renderer import Scenes


@pytest.fixture(scope="session")
def source() -> PictureSource:
    """200 digits at the size of the canvas of the preset ``tiny``."""
    return PictureSource(load_dataset().spread(200), PRESETS["tiny"].renderer.canvas)


@pytest.fixture(scope="session")
def everything() -> Callable[[Adversarial], dict[str, Tensor]]:
    """All state of a training as named copies of tensors: weights, moments, pictures, random states, counters."""

    def collect(training: Adversarial) -> dict[str, Tensor]:
        policy, critic = training.policy_learner, training.critic_learner
        modules = {"policy": policy.policy, "average": policy.average, "critic": critic.critic, "judge": training.judge}
        state = {
            f"{name} {key}": value for name, module in modules.items() for key, value in module.state_dict().items()
        }
        for name, optimizer in {"policy": policy.optimizer, "critic": critic.optimizer}.items():
            for index, slots in optimizer.state_dict()["state"].items():
                state |= {f"{name} adam {index} {slot}": value for slot, value in slots.items()}
        state |= {f"random {name}": generator.get_state() for name, generator in training.generators.items()}
        state |= {f"episodes {name}": value for name, value in vars(training.episodes).items()}
        state["replay"] = training.replay.pictures
        counters = [training.updates, training.replay.added, policy.taken, policy.entropy_scale, critic.taken]
        state["counters"] = torch.from_numpy(np.array(counters, np.float64))
        return {name: value.clone() for name, value in state.items()}

    return collect


@pytest.fixture(scope="session")
def conditional_config() -> Config:
    """The preset ``tiny`` with targets, and a teacher that searches."""
    tiny = PRESETS["tiny"]
    return replace(
        tiny,
        conditional=True,
        steps=3,
        renderer=replace(tiny.renderer, space="stroke"),
        imitation=ImitationConfig(teacher="search", tries=4, memory=32, batch=4, steps=2),
    )


@pytest.fixture(scope="session")
def copyist_folder(conditional_config: Config, source: PictureSource, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of an agent with targets that has learnt for two updates."""
    folder = tmp_path_factory.mktemp("runs") / "copyist"
    training = Imitation(conditional_config, source)
    for updates in range(2):
        training.update(updates / 2)
    save_checkpoint(folder / "checkpoints", training, {})
    return folder


@pytest.fixture(scope="session")
def copyist(copyist_folder: Path) -> Agent:
    """That agent."""
    return load_agent(str(copyist_folder))


@pytest.fixture(scope="session")
def free_folder(source: PictureSource, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of an agent without targets that has learnt nothing."""
    folder = tmp_path_factory.mktemp("runs") / "free"
    save_checkpoint(folder / "checkpoints", Adversarial(PRESETS["tiny"], source), {})
    return folder


@pytest.fixture(scope="session")
def digits() -> Dataset:
    """The test digits."""
    return load_dataset("mnist-5k", "test")


@pytest.fixture
def event_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Event files of TensorBoard, which are read in the order of the seconds in their names, get distinct ones."""
    seconds = itertools.count(1_700_000_000)
    clock = SimpleNamespace(time=lambda: next(seconds))
    monkeypatch.setattr("tensorboard.summary.writer.event_file_writer.time", clock)


@pytest.fixture(scope="session")
def gl() -> None:
    """Scenes can be rendered here; otherwise the test is skipped, saying what is missing."""
    try:
        Scenes().canvas()
    except ImportError as error:
        pytest.skip(str(error))
