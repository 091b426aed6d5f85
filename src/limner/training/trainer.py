"""What the trainers of all algorithms have in common: a policy that learns, and an actor that paints for it.

Notable choices:
- An update has two sides. The policy learns from what was painted before. Meanwhile the critic learns or, without one,
  the actor, the policy as it stood at the start of the update, paints what the next update learns from.
- The two sides share nothing until they meet at the end, so they can run on two threads or in turn with the same
  result, bit for bit. Every kernel runs on one thread: for networks of this size that is faster than splitting each.
- Randomness comes from a generator for each purpose (acting, policy, critic), used by one side only.
- ``modules``, ``optimizers``, ``tensors`` and ``counters`` are all that a checkpoint has to hold.
"""

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import torch
from torch import Tensor, nn

from limner.agents.agent import make_policy
from limner.agents.rollout import EpisodeBatch
from limner.data.picture_source import PictureSource
from limner.malloc import keep_freed_memory
from limner.models.policy import Policy
from limner.training.config import TrainingConfig
from limner.training.finite import FiniteGuard, stop_if_hopeless
from limner.training.policy_learner import PolicyLearner, Scalars

GENERATORS = ("acting", "critic", "policy")
"""Purposes of random generators: each is seeded by its place here."""


class Trainer(ABC):
    """Everything that a run consists of, and ``update``, which moves it on by one batch of episodes."""

    def __init__(self, config: TrainingConfig, source: PictureSource, device: str = "cpu") -> None:
        """``source``: the pictures of the data. ``ValueError`` when these do not fit the canvas, or without a GPU."""
        self.config, self.source, self.device, run = config, source, device, config.run
        if device == "cuda" and not torch.cuda.is_available():
            raise ValueError("device is 'cuda', but PyTorch finds no GPU here: use --device cpu")
        torch.set_num_threads(1)
        keep_freed_memory()
        self.renderer = config.agent.make_renderer(run.episodes, run.threads)
        if not len(source) or source.shape != self.renderer.shape:
            raise ValueError(
                f"pictures of {source.data.name!r} are {len(source)} of {list(source.shape)}, canvases "
                f"{list(self.renderer.shape)}: choose renderer settings that fit the data"
            )
        self.generators = {"acting": self._generator("acting"), "policy": self._generator("policy")}
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(run.seed)
            policy = make_policy(config.agent).to(device)
            self._make_networks()
        self.actor = copy.deepcopy(policy).requires_grad_(False)
        self.policy_learner = self._make_learner(policy)
        self.updates = 0
        self.thread = ThreadPoolExecutor(1, "other side", torch.set_num_threads, (1,)) if run.threads > 1 else None

    def update(self, progress: float) -> Scalars:
        """Move on by one batch of episodes; ``progress`` in [0, 1] is how far the run is.

        ``NonFiniteError`` when too many gradient steps in a row are not finite.
        """
        for guard in self.guards():
            guard.update = self.updates + 1
        metrics = self._update(progress)
        self.actor.load_state_dict(self.policy_learner.policy.state_dict())
        self.updates += 1
        stop_if_hopeless(self.guards())
        return metrics

    @abstractmethod
    def tensors(self) -> dict[str, Tensor]:
        """What was painted and will yet be learnt from, by name."""

    @property
    def frames(self) -> int:
        """Environment steps taken so far."""
        return self.updates * self.config.agent.horizon * self.config.run.episodes

    def start_from(self, policy: Policy) -> None:
        """Go on from the weights of ``policy``; ``ValueError`` when it is of another kind."""
        try:
            self.policy_learner.start_from(policy)
            self.actor.load_state_dict(policy.state_dict())
        except RuntimeError as error:
            raise ValueError(f"cannot start from an agent with another network or action space: {error}") from None

    def modules(self) -> dict[str, nn.Module]:
        """Networks by name, but for the averaged policy."""
        return {"policy": self.policy_learner.policy}

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """Optimizers by name."""
        return {"policy_adam": self.policy_learner.optimizer}

    def guards(self) -> list[FiniteGuard]:
        """What watches the gradient steps of each learner."""
        return [self.policy_learner.guard]

    def counters(self) -> dict[str, float]:
        """Numbers that change from update to update."""
        return {"updates": self.updates, **self.policy_learner.counters()}

    def load(self, tensors: Mapping[str, Tensor], counters: Mapping[str, float]) -> None:
        """Put back what ``tensors`` and ``counters`` gave; the networks have their weights already."""
        self.actor.load_state_dict(self.policy_learner.policy.state_dict())
        self.updates = int(counters["updates"])
        self.policy_learner.load(counters)

    @abstractmethod
    def _update(self, progress: float) -> Scalars:
        """As ``update``, which then gives the actor the weights of the policy."""

    @abstractmethod
    def _make_learner(self, policy: Policy) -> PolicyLearner:
        """What teaches ``policy``."""

    def _make_networks(self) -> None:
        """Make networks beside the policy; the global random state is the run's."""
        return

    def _generator(self, purpose: str) -> torch.Generator:
        """A new random generator for a purpose."""
        return torch.Generator(self.device).manual_seed(self.config.run.seed * 3 + GENERATORS.index(purpose))

    def _empty_episodes(self) -> EpisodeBatch:
        return EpisodeBatch.empty(self.config.agent, self.renderer, self.device)

    def _beside(self, work: Callable[[], Any]) -> Future[Any]:
        """Do ``work`` on a thread of its own, if there is one, or at once."""
        if self.thread is not None:
            return self.thread.submit(work)
        done: Future[Any] = Future()
        done.set_result(work())
        return done
