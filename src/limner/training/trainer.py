"""What the trainers of all algorithms have in common: a policy that learns from what actors make.

Notable choices:
- Where actors live, and what learns beside the policy, is up to the runtime. Nothing is shared with them during an
  update: weights go out when it ends, batches come in when it begins.
- Randomness comes from a generator for each purpose (acting, policy, critic), used by one part only.
- Every kernel runs on one thread: for networks of this size that is faster than splitting each.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor, nn

from limner.agents.agent import make_policy
from limner.agents.rollout import EpisodeBatch
from limner.data.picture_source import PictureSource
from limner.models.policy import Policy
from limner.training.actor import Actor
from limner.training.config import TrainingConfig
from limner.training.device import prepare
from limner.training.finite import Skips, stop_if_hopeless
from limner.training.part import Part, Snapshot, make_generator
from limner.training.policy_learner import PolicyLearner, Scalars
from limner.training.runtime import make_runtime


class Trainer(Part, ABC):
    """Everything that a run consists of, and ``update``, which moves it on by one batch."""

    actor_type: ClassVar[type[Actor]]
    acts_beside: ClassVar[bool] = True
    """Whether a batch is made while the policy learns from the one before; otherwise with the newest weights."""

    def __init__(self, config: TrainingConfig, source: PictureSource, device: str = "cpu") -> None:
        """``source``: the pictures of the data. ``ValueError`` when these do not fit the canvas, or without a GPU."""
        self.config, self.source, self.device = config, source, device
        prepare(device)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.run.seed)
            policy = make_policy(config.agent).to(device)
            self._make_networks()
        self.policy_learner = self._make_learner(policy, make_generator("policy", config.run.seed, device))
        self.updates = 0
        self.seconds: dict[str, float] = {}  # of the last update, by what they were spent on
        self.runtime = make_runtime(self.actor_type, config, source, self.acts_beside)
        self.runtime.publish(policy.state_dict())

    def update(self, progress: float) -> Scalars:
        """Move on by one batch; ``progress`` in [0, 1] is how far the run is.

        ``NonFiniteError`` when too many gradient steps in a row are not finite.
        """
        started, self.seconds = time.perf_counter(), {}
        self.policy_learner.guard.update = self.updates + 1
        metrics = self._update(progress)
        self.updates += 1
        stop_if_hopeless(self.skips(), self.updates, self.policy_learner.guard.folder)
        total = time.perf_counter() - started
        self.seconds |= {name.removeprefix("seconds/"): metrics.pop(name) for name in [*metrics] if "seconds/" in name}
        return metrics | {f"time/{name}": seconds / total for name, seconds in self.seconds.items()}

    @property
    def frames(self) -> int:
        """Environment steps taken so far."""
        return self.updates * self.config.agent.horizon * self.config.run.episodes

    def start_from(self, policy: Policy) -> None:
        """Go on from the weights of ``policy``; ``ValueError`` when it is of another kind."""
        try:
            self.policy_learner.start_from(policy)
        except ValueError as error:
            raise ValueError(f"cannot start from an agent with another network or action space: {error}") from None
        self.runtime.publish(policy.state_dict())

    def measure(self, episodes: EpisodeBatch) -> Scalars:
        """What this trainer tells of ``episodes`` that its averaged policy has drawn, by name."""
        return {}

    def close(self) -> None:
        """End what the runtime has started."""
        self.runtime.close()

    def keep_skipped(self, folder: Path) -> None:
        """Keep the batches of gradient steps that are skipped in ``folder``."""
        self.policy_learner.guard.folder = folder

    def skips(self) -> list[Skips]:
        """The gradient steps that each learner has skipped."""
        return [self.policy_learner.guard.skips]

    def modules(self) -> dict[str, nn.Module]:
        """Networks of this process by name, but for the averaged policy."""
        return {"policy": self.policy_learner.policy}

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """Optimizers by name."""
        return {"policy_adam": self.policy_learner.optimizer}

    def generators(self) -> dict[str, torch.Generator]:
        """Those of learning and of acting."""
        return {"policy": self.policy_learner.generator, **self.runtime.generators()}

    def tensors(self) -> dict[str, Tensor]:
        """The batch that is learnt from next, and what an actor in this process keeps."""
        return self.runtime.tensors()

    def counters(self) -> dict[str, float]:
        """Numbers that change from update to update."""
        return {"updates": self.updates, **self.policy_learner.counters(), **self.runtime.counters()}

    def load(self, tensors: Mapping[str, Tensor], counters: Mapping[str, float]) -> None:
        """As ``Part.load``."""
        self.updates = int(counters["updates"])
        self.policy_learner.load(counters)
        self.runtime.restore(self.policy_learner.policy.state_dict(), tensors, counters)

    def begin_snapshot(self) -> Callable[[], Snapshot]:
        """Copy the state of this process, and ask for that of what lives elsewhere.

        The call of what is returned, in any thread, waits for it and gives all that a checkpoint needs. The trainer may
        be updated meanwhile.
        """
        own, others = self.snapshot(), self.runtime.begin_snapshots()

        def finish() -> Snapshot:
            for tensors, counters in (other() for other in others):
                own.tensors.update(tensors)
                own.counters.update(counters)
            return own

        return finish

    @abstractmethod
    def _update(self, progress: float) -> Scalars:
        """As ``update``; figures called ``seconds/…`` are times."""

    @abstractmethod
    def _make_learner(self, policy: Policy, generator: torch.Generator) -> PolicyLearner:
        """What teaches ``policy``."""

    def _make_networks(self) -> None:
        """Make networks beside the policy; the global random state is the run's."""
        return

    @contextmanager
    def _timed(self, name: str) -> Iterator[None]:
        """Count the time inside as that of ``name``."""
        started = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - started
