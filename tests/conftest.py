"""What several tests of training need: a few real digits, and everything that decides how a training goes on."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from limner.adversarial import Adversarial
from limner.datasets import load_dataset
from limner.gallery import Gallery
from limner.presets import PRESETS


@pytest.fixture(scope="session")
def gallery() -> Gallery:
    """200 digits at the size of the canvas of the preset ``tiny``."""
    return Gallery(load_dataset().spread(200), PRESETS["tiny"].renderer.canvas)


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
        counters = [training.updates, training.replay.added, policy.taken, policy.boost, critic.taken]
        state["counters"] = torch.from_numpy(np.array(counters, np.float64))
        return {name: value.clone() for name, value in state.items()}

    return collect
