"""SPIRAL, top to bottom: program → renderer → canvas → critic → reward → policy.

In an update the policy learns from the newest episodes, scored by the critic as it stood at the start, and the next
ones are painted. Meanwhile the critic learns. V-trace corrects for what the policy's own gradient steps, and the delay
of actors elsewhere, have changed. A critic elsewhere may finish an update late: then the next is scored without it.
"""

import logging
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import ClassVar

from torch import Generator, Tensor, nn

from limner.agents.rollout import EpisodeBatch
from limner.data.picture_source import PictureSource
from limner.models.critic import FeatureCritic
from limner.models.encoder import learn_contrast
from limner.training.actor_critic import ActorCritic
from limner.training.finite import Skips
from limner.training.policy_learner import Scalars
from limner.training.runtime import Result
from limner.training.spiral.config import SpiralConfig
from limner.training.spiral.critic_learner import CriticSide, LearntCritic, real_source, score, score_others

logger = logging.getLogger(__name__)


class SpiralTrainer(ActorCritic):
    """A critic learns to tell painted pictures from real ones, the policy learns to get high scores from it."""

    config: SpiralConfig
    acts_beside: ClassVar[bool] = False
    critic_type: ClassVar[type[CriticSide]] = CriticSide

    def __init__(self, config: SpiralConfig, source: PictureSource) -> None:
        super().__init__(config, source)
        self.critic = self.runtime.host(self.critic_type)
        self.critic.call("set_weights", self.frozen_critic.state_dict()).result()
        self.critic_skips = Skips("critic")
        self.learning: deque[Result] = deque()  # updates of the critic whose results are not taken yet

    def _update(self, progress: float) -> Scalars:
        """Learn from one batch of episodes, then paint the next; ``progress`` in [0, 1] is how far the run is."""
        if self.config.critic.encoder != "none" and not self.updates:
            self._learn_encoder()
        episodes = self.runtime.take()
        references = self.runtime.submit(partial(self.policy_learner.refer, episodes))
        self.learning.append(self.critic.call("learn", self._painted(episodes), self.updates + 1))
        with self._timed("scoring"):
            scores = self._score(episodes) - self.config.reward.distance * episodes.distance
            others = score_others(self.frozen_critic, episodes)
            others -= self.config.reward.distance * episodes.others_distance
        metrics = self._learn(episodes, scores, others, progress, references)
        while len(self.learning) > self.runtime.hosted_lag:
            learnt: LearntCritic = self.learning.popleft().result()
            self.frozen_critic.load_state_dict(learnt.weights)
            self.critic_skips = learnt.skips
            metrics |= learnt.figures
        return metrics

    def painted(self) -> Tensor:
        """The finished pictures that the next update learns from, as the critic is shown them."""
        return self._painted(self.runtime.take())

    def measure(self, episodes: EpisodeBatch) -> Scalars:
        """As ``Trainer.measure``: ``score``, the mean of the critic's scores of the finished pictures."""
        return {"score": self._score(replace(episodes, observed=episodes.observed[-1:])).mean().item()}

    def keep_skipped(self, folder: Path) -> None:
        """As ``Trainer.keep_skipped``."""
        super().keep_skipped(folder)
        self.critic.call("keep_skipped", folder.resolve()).result()

    def skips(self) -> list[Skips]:
        """Those of both learners."""
        return [*super().skips(), self.critic_skips]

    def modules(self) -> dict[str, nn.Module]:
        """Policy, and the critic as it stood at the start of the update."""
        return super().modules() | {"frozen_critic": self.frozen_critic}

    def load(self, tensors: Mapping[str, Tensor], counters: Mapping[str, float]) -> None:
        """As ``Part.load``."""
        super().load(tensors, counters)
        self.learning.clear()
        self.critic.call("restore", tensors, counters).result()
        self.critic_skips = self.critic.call("skips").result()

    def _make_networks(self) -> None:
        self.frozen_critic = self.critic_type.make_critic(self.config).requires_grad_(False).eval()

    def _learn_encoder(self) -> None:
        """Teach the encoder of the critic, before the critic itself learns; from then on it is fixed."""
        source, steps = real_source(self.config, self.source), self.config.critic.encoder_steps
        draw = partial(source.draw_preprocessed, resolution=self.config.agent.resolution)
        assert isinstance(self.frozen_critic, FeatureCritic)
        logger.info("first the encoder of the critic learns: %d gradient steps", steps)
        generator = Generator(self.config.device).manual_seed(self.config.run.seed)
        learn_contrast(self.frozen_critic.encoder, draw, steps, generator)
        self.critic.call("set_weights", self.frozen_critic.state_dict()).result()

    def _score(self, episodes: EpisodeBatch) -> Tensor:
        """The frozen critic's score of every observed canvas of the episodes, ``float32[T + 1, B]``."""
        return score(self.frozen_critic, episodes)

    def _painted(self, episodes: EpisodeBatch) -> Tensor:
        """The finished pictures of the episodes as the critic is shown them."""
        return episodes.final
