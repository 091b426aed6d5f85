"""The critic of several trainers (SPIRAL++, Mellor et al. 2019): it learns from the newest pictures of all of them.

It has no memory of older ones. In an update all trainers score with the same critic. Beside that it learns once, and
they score with what it has become in the next.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from limner.training.runtime.local import LocalObject
from limner.training.spiral.critic_learner import CriticSide, LearntCritic
from limner.training.spiral.trainer import SpiralTrainer


class SharedCritic(CriticSide):
    """What the critics of trainers in this process are replaced by. ``critic.replay`` is at least their number."""

    def __init__(self, trainers: Sequence[SpiralTrainer]) -> None:
        """All are at the same update. It goes on from the critic of the first; at the start the others have made theirs
        from other seeds."""
        first = trainers[0]
        assert all(trainer.updates == first.updates for trainer in trainers), "they are at the same update"
        super().__init__(first.config, first.source)
        self.restore(first.critic.call("state").result(), first.critic.call("counters").result())
        self.learner.guard.folder = first.policy_learner.guard.folder
        for trainer in trainers:
            assert isinstance(trainer.critic, LocalObject), "it lives in this process"
            trainer.critic.part, trainer.critic.runtime = self, first.runtime
            trainer.frozen_critic.load_state_dict(first.frozen_critic.state_dict())
        self.newest = torch.empty(0)
        self.learnt: LearntCritic | None = None

    def show(self, trainers: Sequence[SpiralTrainer]) -> None:
        """Learn from the newest pictures of these ``trainers`` in their next update; all of them make one."""
        self.newest, self.learnt = torch.cat([trainer.painted() for trainer in trainers]), None

    def learn(self, painted: Tensor, update: int) -> LearntCritic:
        """As ``CriticSide.learn``, but from what was shown, of which ``painted`` is a part; once."""
        if self.learnt is None:
            self.replay.clear()
            self.learnt = super().learn(self.newest, update)
        return self.learnt
