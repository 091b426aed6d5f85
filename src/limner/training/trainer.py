"""What every kind of training has in common: a policy that learns, and an actor that paints what it learns from.

Notable choices:
- An update has two sides. The policy learns from what was painted before. Meanwhile the critic learns or, without one,
  the actor, the policy as it stood at the start of the update, paints what the next update learns from.
- The two sides share nothing until they meet at the end, so they can run on two threads or in turn with the same
  result, bit for bit. Every kernel runs on one thread: for networks of this size that is faster than splitting each.
- Randomness comes from three generators (acting, critic, policy), each used by one side only.
- ``modules``, ``optimizers``, ``tensors`` and ``counters`` are all that a checkpoint has to hold.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

import torch
from torch import Tensor, nn

from limner.agents.rollout import EpisodeBatch
from limner.data.picture_source import PictureSource
from limner.malloc import keep_freed_memory
from limner.models.policy import Policy, make_policy
from limner.training.config import Config
from limner.training.policy_learner import Metrics, PolicyLearner


class Training(ABC):
    """Everything that a run consists of, and ``update``, which moves it on by one batch of episodes."""

    def __init__(self, config: Config, source: PictureSource) -> None:
        """``source``: what the critic is shown as real, and where targets come from."""
        self.config, self.source = config, source
        if config.device == "cuda" and not torch.cuda.is_available():
            raise ValueError("device is 'cuda', but PyTorch finds no GPU here: use --device cpu")
        torch.set_num_threads(1)
        keep_freed_memory()
        self.renderer = config.make_renderer(config.batch, config.threads)
        if not len(source) or source.shape != self.renderer.shape:
            raise ValueError(
                f"pictures of {config.data!r} are {len(source)} of {list(source.shape)}, canvases "
                f"{list(self.renderer.shape)}: choose renderer.color and renderer.ground to fit the data"
            )
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            policy = make_policy(config, self.renderer).to(config.device)
            self._make_critic()
        self.generators = {
            name: torch.Generator(config.device).manual_seed(config.seed * 3 + i)
            for i, name in enumerate(("acting", "critic", "policy"))
        }
        self.policy_learner = PolicyLearner(policy, config.learning, self.generators["policy"])
        self.actor = copy.deepcopy(policy).requires_grad_(False)
        self.updates = 0
        self.thread = ThreadPoolExecutor(1, "other side") if config.threads > 1 else None

    @abstractmethod
    def update(self, progress: float) -> Metrics:
        """Move on by one batch of episodes; ``progress`` in [0, 1] is how far the run is."""

    @property
    def frames(self) -> int:
        """Environment steps taken so far."""
        return self.updates * self.config.steps * self.config.batch

    def start_from(self, policy: Policy) -> None:
        """Go on from the weights of ``policy``; ``ValueError`` when it is of another kind."""
        try:
            learner = self.policy_learner
            for mine in (learner.policy, learner.average, self.actor, *([learner.prior] if learner.prior else [])):
                mine.load_state_dict(policy.state_dict())
        except RuntimeError as error:
            raise ValueError(f"cannot start from an agent with another network or action space: {error}") from None
        self.policy_learner.taken = 1000  # the average is no longer young

    def modules(self) -> dict[str, nn.Module]:
        """Networks by name, but for the averaged policy."""
        learner = self.policy_learner
        modules: dict[str, nn.Module] = {"policy": learner.policy}
        return modules if learner.prior is None else modules | {"prior": learner.prior}

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """Optimizers by name."""
        return {"policy_adam": self.policy_learner.optimizer}

    @abstractmethod
    def tensors(self) -> dict[str, Tensor]:
        """What was painted and will yet be learnt from, by name."""

    def counters(self) -> dict[str, float]:
        """Numbers that change from update to update."""
        learner = self.policy_learner
        return {
            "updates": self.updates,
            "policy_steps": learner.taken,
            "entropy_scale": learner.entropy_scale,
            "learning_rate_divisor": learner.learning_rate_divisor,
        }

    def load(self, tensors: Mapping[str, Tensor], counters: Mapping[str, float]) -> None:
        """Put back what ``tensors`` and ``counters`` gave; the networks have their weights already."""
        self.actor.load_state_dict(self.policy_learner.policy.state_dict())
        self.updates = int(counters["updates"])
        self.policy_learner.taken = int(counters["policy_steps"])
        self.policy_learner.entropy_scale = float(counters["entropy_scale"])
        self.policy_learner.learning_rate_divisor = float(counters.get("learning_rate_divisor", 1.0))

    def _make_critic(self) -> None:
        """Make the critic, where there is one; the global random state is the run's."""
        return

    def _aim(self, episodes: EpisodeBatch) -> None:
        """Give conditional episodes their goals."""
        if self.config.conditional:
            episodes.aim(self.source.draw(len(episodes.goal), self.generators["acting"]))

    def _beside(self, work: Callable[[], Metrics]) -> Future[Metrics]:
        """Do ``work`` on a thread of its own, if there is one, or at once."""

        def alone() -> Metrics:
            torch.set_num_threads(1)
            return work()

        if self.thread is not None:
            return self.thread.submit(alone)
        done: Future[Metrics] = Future()
        done.set_result(alone())
        return done
