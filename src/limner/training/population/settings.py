"""What decides a population, as a value; which settings its members start with, and how these change.

Sources: Jaderberg et al. 2017, "Population Based Training of Neural Networks", with truncation selection as *exploit*
and perturbation as *explore*; Mellor et al. 2019 (SPIRAL++) for the shared critic. No torch import here: ``limner train
--help`` must be quick.
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import numpy as np

from limner.training.config import LocalConfig, TrainingConfig
from limner.worlds.validation import check_fields, require

PREFIX = "population."
ROUNDS = 10
"""Rounds of a run where nothing else is said."""


class Settings(NamedTuple):
    """What differs between members, as multiples of the values in the configuration."""

    learning_rate: float
    entropy_cost: float


@dataclass(frozen=True)
class PopulationConfig:
    """Several runs with settings that are tuned while they train."""

    members: int = 4
    """Runs in the population."""
    round_frames: int | None = None
    """Environment steps of each member between evaluations of the population, rounded up to whole updates. None: a
    tenth of the run."""
    learning_rate: tuple[float, float] = (0.3, 3.0)
    """Lowest and highest learning rate of a member, as multiples of learning.learning_rate."""
    entropy_cost: tuple[float, float] = (0.3, 3.0)
    """Lowest and highest entropy cost of a member, as multiples of learning.entropy_cost."""
    perturbation: tuple[float, float] = (0.8, 1.25)
    """After a copy each setting is multiplied by one of these two, and kept in its range."""
    share: float = 0.25
    """Share of the members that copy one of as many of the best, rounded down, but one at least; up to 0.5."""
    shared_critic: bool = False
    """One critic for all members, which learns from the newest pictures of all of them and has no replay buffer. They
    move on together, update by update. For spiral."""
    fitness: Literal["critic", "frechet", "mse"] | None = None
    """What members are compared by: the mean score that a member's critic gives to what it draws, as published; minus
    the normalised Fréchet distance; or minus the mean squared error. None: critic with a shared one; otherwise mse with
    targets, frechet without."""
    seed: int = 0
    """Seed of the first settings, of who copies whom, and of perturbations. Members have the seeds run.seed,
    run.seed + 1 and so on."""

    def __post_init__(self) -> None:
        alone = f"population is {self.members}: must be 2 or more; leave --population out to train one agent"
        require(not isinstance(self.members, int) or self.members >= 2, alone)
        positive = "round_frames learning_rate entropy_cost perturbation"
        within = {"members": (2, 1000), "share": (1e-9, 0.5), "seed": (0, 2**61 - 1)}
        check_fields(self, PREFIX, positive=positive, within=within)
        for name in ("learning_rate", "entropy_cost", "perturbation"):
            pair = getattr(self, name)
            upright = len(pair) == 2 and pair[0] < pair[1]
            require(upright, f"{PREFIX}{name} is {pair}: must be two numbers, the lower one first")
        low, high = self.perturbation
        require(low <= 1 <= high, f"{PREFIX}perturbation is {self.perturbation}: must lie on both sides of 1")

    def fitted(self, config: TrainingConfig) -> "PopulationConfig":
        """With a value in place of every None; ``ValueError`` when this does not fit a training as ``config`` says."""
        run, conditional = config.run, config.agent.conditional
        limited = f"minutes is {run.minutes}: a population takes turns by frames; leave --minutes out and set --frames"
        require(run.minutes is None, limited)
        if self.shared_critic:
            self._check_shared(config)
        fitness = self.fitness or ("critic" if self.shared_critic else "mse" if conditional else "frechet")
        possible = {"critic": hasattr(config, "critic"), "mse": conditional, "frechet": not conditional}
        others = ", ".join(name for name, works in possible.items() if works)
        require(possible[fitness], f"{PREFIX}fitness is {fitness!r}: must be one of {others} for this agent")
        frames = math.ceil(config.updates / ROUNDS) * frames_of_update(config)
        fitted = replace(self, fitness=fitness, round_frames=self.round_frames or frames)
        few = f"{PREFIX}round_frames is {fitted.round_frames}, and --frames {run.frames}: choose fewer for two rounds"
        require(fitted.rounds(config) >= 2, few)
        return fitted

    def _check_shared(self, config: TrainingConfig) -> None:
        """``ValueError`` when members that train as ``config`` says cannot share a critic."""
        name, run = f"{PREFIX}shared_critic", config.run
        none = f"{name}: the algorithm is {config.algorithm!r}; choose spiral, or leave it out"
        require(config.algorithm == "spiral", none)
        here = f"{name}: members that share a critic train in one process; leave --runtime {run.runtime.name} out"
        require(run.runtime.name == LocalConfig.name, here)
        few = f"keep is {run.keep}: must be 2 or more with {name}, so that members have a checkpoint in common"
        require(run.keep >= 2, few)
        encoder = config.critic.encoder  # type: ignore[attr-defined]
        require(encoder == "none", f"{name}: each member's critic has a {encoder} encoder; set critic.encoder none")

    def common(self, config: TrainingConfig) -> TrainingConfig:
        """What members have in common: ``config``, but a shared critic keeps one batch of each member, the newest."""
        if not self.shared_critic:
            return config
        changes: Any = {"critic": replace(config.critic, replay=self.members)}  # type: ignore[attr-defined]
        return replace(config, **changes)

    def round_end(self, config: TrainingConfig, number: int) -> int:
        """Updates of a member at the end of round ``number``, which counts from 1."""
        assert self.round_frames is not None, "as fitted"
        return min(number * math.ceil(self.round_frames / frames_of_update(config)), config.updates)

    def rounds(self, config: TrainingConfig) -> int:
        """Rounds in the whole training."""
        return math.ceil(config.updates / self.round_end(config, 1))

    def sample(self, rng: np.random.Generator) -> Settings:
        """Settings to start with: log-uniform within their ranges."""
        ranges = [np.log(getattr(self, name)) for name in Settings._fields]
        return self._within(Settings(*(math.exp(rng.uniform(*logarithms)) for logarithms in ranges)))

    def perturb(self, settings: Settings, rng: np.random.Generator) -> Settings:
        """Each setting times one of the factors, kept in its range."""
        return self._within(Settings(*(value * float(rng.choice(self.perturbation)) for value in settings)))

    def _within(self, settings: Settings) -> Settings:
        ranges = [getattr(self, name) for name in Settings._fields]
        return Settings(*(min(max(x, low), high) for x, (low, high) in zip(settings, ranges, strict=True)))


def frames_of_update(config: TrainingConfig) -> int:
    """Environment steps of an update."""
    return config.agent.horizon * config.run.episodes


def member_config(config: TrainingConfig, member: int, settings: Settings) -> TrainingConfig:
    """The configuration of a member, which trains in one process: its seed, learning rate and entropy cost."""
    learning: Any = config.learning  # type: ignore[attr-defined]  # every algorithm has the section
    values = {name: getattr(learning, name) * factor for name, factor in settings._asdict().items()}
    on_ray = config.run.runtime.name == "ray"
    threads = 1 if on_ray else config.run.threads
    evaluation_seed = config.run.seed if config.run.evaluation_seed is None else config.run.evaluation_seed
    run = replace(config.run, seed=config.run.seed + member, runtime=LocalConfig(), threads=threads)
    run = replace(run, evaluation_seed=evaluation_seed)  # or members would differ by luck
    changes: Any = {"learning": replace(learning, **values)}
    return replace(config, run=run, **changes)


def choose_parents(
    fitness: Sequence[float | None], intact: Collection[int], share: float, rng: np.random.Generator
) -> dict[int, int]:
    """Which member copies which: truncation selection.

    ``fitness`` of each member, more is better; None or not finite where it has collapsed. ``intact`` are the members
    with a whole checkpoint of their newest state; nobody else is copied. Each of the ``share`` with the lowest fitness
    copies one of the share with the highest, drawn uniformly from those that are intact and better than it; if there is
    none it stays. Each that has collapsed copies the best one that is intact, if there is one.
    """
    healthy = [i for i, value in enumerate(fitness) if value is not None and math.isfinite(value)]
    ranking = sorted(healthy, key=lambda i: (-or_lowest(fitness[i]), i))
    collapsed = [i for i in range(len(fitness)) if i not in healthy]
    count = max(1, int(len(fitness) * share + 1e-9))
    best = [i for i in ranking if i in intact]
    parents = {i: best[0] for i in collapsed if best}
    for i in [*ranking, *collapsed][-count:]:
        better = [
            j for j in ranking[:count] if j in intact and i in healthy and or_lowest(fitness[j]) > or_lowest(fitness[i])
        ]
        if better:
            parents[i] = int(rng.choice(better))
    return parents


def or_lowest(value: float | None) -> float:
    """A fitness, below every number where there is none."""
    return -math.inf if value is None else value
