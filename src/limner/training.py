"""The training loop, top to bottom: program → renderer → canvas → critic → reward → policy.

Notable choices:
- An update has two sides. The policy learns from the newest episodes, judged by the critic as it stood at the start of
  the update. Meanwhile the critic learns, and the actor, the policy as it stood at the start, paints the next episodes:
  they are one update old when they are learnt from, which is what V-trace corrects.
- The two sides share nothing until they meet at the end, so they can run on two threads or in turn with the same
  result, bit for bit. Every kernel runs on one thread: for networks of this size that is faster than splitting each.
- Randomness comes from three generators (acting, critic, policy), each used by one side only.
"""

from __future__ import annotations

import copy
from concurrent.futures import Future, ThreadPoolExecutor

import torch
from torch import Tensor

from limner.config import Config
from limner.gallery import Gallery
from limner.learners import CriticLearner, Metrics, PolicyLearner, reward, score
from limner.networks.critic import Critic
from limner.networks.observation import see
from limner.networks.policy import make_policy
from limner.replay import Replay
from limner.rollout import EpisodeBatch, collect


class Training:
    """Everything that a run consists of, and ``update``, which moves it on by one batch of episodes."""

    def __init__(self, config: Config, gallery: Gallery) -> None:
        """``gallery``: what the critic is shown as real, and where targets come from."""
        self.config = config
        if config.device == "cuda" and not torch.cuda.is_available():
            raise ValueError("device is 'cuda', but PyTorch finds no GPU here: use --device cpu")
        torch.set_num_threads(1)
        self.renderer = config.make_renderer(config.batch, config.threads)
        channels = self.renderer.shape[2]
        if not len(gallery) or gallery.shape != self.renderer.shape:
            raise ValueError(
                f"pictures of {config.data!r} are {len(gallery)} of {list(gallery.shape)}, canvases "
                f"{list(self.renderer.shape)}: choose renderer.color and renderer.ground to fit the data"
            )
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            policy = make_policy(config, self.renderer).to(config.device)
            critic = Critic(config.critic, channels, config.resolution, config.conditional).to(config.device)
        self.generators = {
            name: torch.Generator(config.device).manual_seed(config.seed * 3 + i)
            for i, name in enumerate(("acting", "critic", "policy"))
        }
        self.judge = copy.deepcopy(critic).requires_grad_(False).eval()
        self.gallery = gallery
        self.critic_learner = CriticLearner(critic, self._real, config.critic, self.generators["critic"])
        self.policy_learner = PolicyLearner(policy, config.learning, self.generators["policy"])
        self.actor = copy.deepcopy(policy).requires_grad_(False)
        self.episodes, self.spare = (EpisodeBatch.empty(config, self.renderer) for _ in range(2))
        self.replay = Replay(config.critic.replay * config.batch, self.episodes.final.shape[1:], config.device)
        self._act(self.episodes)
        self.updates = 0
        self.thread = ThreadPoolExecutor(1, "critic and actor") if config.threads > 1 else None

    @property
    def frames(self) -> int:
        """Environment steps taken so far."""
        return self.updates * self.config.steps * self.config.batch

    def update(self, progress: float) -> Metrics:
        """Learn from one batch of episodes; ``progress`` in [0, 1] is how far the run is."""
        episodes = self.episodes
        self.replay.add(episodes.final)
        other_side = self._start_other_side()
        scores = score(self.judge, episodes)
        rewards = reward(scores, episodes, self.renderer.actions, self.config.reward)
        metrics = self.policy_learner.step(episodes, rewards, progress)
        metrics["reward/return"] = rewards.sum(0).mean().item()
        metrics["reward/deviation"] = rewards.sum(0).std().item()
        metrics |= other_side.result()
        self.judge.load_state_dict(self.critic_learner.critic.state_dict())
        self.actor.load_state_dict(self.policy_learner.policy.state_dict())
        self.episodes, self.spare = self.spare, self.episodes
        self.updates += 1
        return metrics

    def _real(self, count: int, generator: torch.Generator) -> Tensor:
        """Pictures of the gallery as the critic sees them; the real example for a target is the target itself."""
        pictures = see(self.gallery.draw(count, generator), self.config.resolution).to(self.config.device)
        return torch.cat([pictures, pictures], dim=1) if self.config.conditional else pictures

    def _act(self, episodes: EpisodeBatch) -> None:
        """Let the actor paint."""
        generator = self.generators["acting"]
        if self.config.conditional:
            episodes.aim(self.gallery.draw(len(episodes.goal), generator))
        collect(self.renderer, self.actor, episodes, generator)

    def _start_other_side(self) -> Future[Metrics]:
        """Let the critic learn and the actor paint the next episodes, on a thread of their own if there is one."""

        def work() -> Metrics:
            torch.set_num_threads(1)
            metrics = self.critic_learner.step(self.replay) if self.config.reward.critic else {}
            self._act(self.spare)
            return metrics

        if self.thread is not None:
            return self.thread.submit(work)
        done: Future[Metrics] = Future()
        done.set_result(work())
        return done
