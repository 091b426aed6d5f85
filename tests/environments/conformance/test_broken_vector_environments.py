"""The conformance suite catches deliberately broken vector environments."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from broken import TINY, assert_caught, ink, name_of
from gymnasium.vector import AutoresetMode

from limner.environments.conformance import ENVIRONMENT, VECTOR_ENVIRONMENT
from limner.environments.gymnasium import PaintEnv, PaintVectorEnv


class SaysNextStep(PaintVectorEnv):
    metadata = {**PaintVectorEnv.metadata, "autoreset_mode": AutoresetMode.NEXT_STEP}  # noqa: RUF012


class ResetsOnNextStep(PaintVectorEnv):
    def step(self, actions):
        if self._ended:
            observation, info = self.reset()
            zeros = np.zeros(self.num_envs)
            return observation, zeros, zeros > 0, zeros > 0, info
        return super().step(actions)


class RewardsBackwards(PaintVectorEnv):
    def step(self, actions):
        observation, rewards, *rest = super().step(actions)
        return observation, rewards[::-1].copy(), *rest


class NormalisesRewards(PaintVectorEnv):
    def step(self, actions):
        observation, rewards, *rest = super().step(actions)
        return observation, rewards - rewards.mean(), *rest


class LastRowLate(PaintVectorEnv):
    def step(self, actions):
        observation, rewards, terminated, *rest = super().step(actions)
        terminated[-1] = False
        return observation, rewards, terminated, *rest


class FloatTerminations(PaintVectorEnv):
    def step(self, actions):
        observation, rewards, terminated, *rest = super().step(actions)
        return observation, rewards, terminated.astype(np.float32), *rest


class PaintsGoodRows(PaintVectorEnv):
    """Refuses a batch with a bad row only after painting the good ones."""

    def step(self, actions):
        try:
            return super().step(actions)
        except ValueError:
            self._renderer._pressure[0] = 1
            raise


class UnbatchedSpace(PaintVectorEnv):
    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.action_space = self.single_action_space


class StackedFrames(PaintVectorEnv):
    def render(self):
        return np.stack(super().render())


BROKEN_VECTOR_ENVIRONMENTS = {
    SaysNextStep: "disables_autoreset",
    ResetsOnNextStep: "needs_reset",
    RewardsBackwards: "equals_singles",
    NormalisesRewards: "equals_singles",
    LastRowLate: "has_one_horizon",
    FloatTerminations: "returns_what_it_declares",
    PaintsGoodRows: "refuses_bad_actions",
    UnbatchedSpace: "declares_spaces",
    StackedFrames: "renders",
}


@pytest.mark.parametrize(("env", "promise"), BROKEN_VECTOR_ENVIRONMENTS.items(), ids=name_of)
def test_broken_vector_environment_is_caught(env, promise):
    options = {"renderer": "toy", "steps": 4, "reward": ink, "render_mode": "rgb_array", **TINY}
    assert_caught(VECTOR_ENVIRONMENT, promise, partial(env, **options), partial(PaintEnv, **options))


def test_vector_environments_keep_the_promises_of_single_ones():
    names = {promise.__name__ for promise in VECTOR_ENVIRONMENT}
    assert names == {promise.__name__ for promise in ENVIRONMENT} | {"disables_autoreset", "equals_singles"}
