"""Train in several ways from several seeds, at equal frames or equal time, and tabulate where each ends.

    python experiments/compare.py rewards --data mnist --frames 61440 --threads 1
    python experiments/compare.py spaces --data omniglot --minutes 5 --seeds 0 --threads 1
    python experiments/compare.py starts --data mnist --minutes 4 --threads 1
    python experiments/compare.py generators --data mnist --minutes 5 --threads 1
    python experiments/compare.py generators --data mnist --minutes 30 --ways taught

- ``rewards``: conditional agents that are rewarded by a critic, by minus the squared distance, or by a critic while
  they never see the canvas (Ganin et al. 2018, figure 8); after expert iteration, or from nothing.
- ``spaces``: action spaces, learnt by expert iteration.
- ``starts``: minus the squared distance as reward, from nothing or after half of the time of imitation, of random
  programs or of what search finds.
- ``generators``: unconditional agents. SPIRAL from nothing; maximum likelihood on programs that a search finds; half of
  the time this, then the preset ``mnist-finetune``; and half of the time expert iteration of a conditional agent,
  then maximum likelihood on its actions under action noise.

Notable choices:
- All starts from nothing. The ways of one comparison share everything but what they are named after (and, for the
  generators, brush and network of their presets).
- A way is one or two stages, each an ordinary run folder that starts from the one before. A stage that is complete, or
  that two ways have in common, is not run again, so the table can be printed at any time and an interrupted series
  continues.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import tyro

from limner.models.config import PolicyConfig
from limner.training.config import PolicyGradientConfig, TrainingConfig
from limner.training.distance.config import DistanceConfig
from limner.training.imitation.config import AgentExpert, ImitationConfig, RandomExpert
from limner.training.presets import PRESETS
from limner.training.progress import watch
from limner.training.run import train_once
from limner.training.spiral.config import SpiralConfig
from limner.worlds.paint.settings import Space

GENERATION = (
    "frechet", "normalised_frechet", "precision", "coverage",
    "plain_normalised_frechet", "plain_precision", "plain_coverage", "entropy", "empty",
)  # fmt: skip
"""Figures of unconditional agents."""
REWARDED = PolicyGradientConfig(learning_rate=2e-4, target_kl=0.02, entropy_cost=0.0, discount=0.95, ema_decay=0.98)
BEFORE = "the stage before"


class Stage(NamedTuple):
    """A run, and its share of the budget."""

    config: TrainingConfig
    share: float = 1.0


Ways = dict[str, tuple[Stage, ...]]
"""The stages of each way to train."""


@dataclass(frozen=True)
class Comparison:
    """Which ways, and how long."""

    what: tyro.conf.Positional[Literal["rewards", "spaces", "starts", "generators"]]
    data: str = "mnist"
    seeds: tuple[int, ...] = (0, 1, 2)
    frames: int | None = None
    """Environment steps of each run, or minutes."""
    minutes: float | None = None
    ways: tuple[str, ...] = ()
    """Only these, by the names in the table; all when none is named."""
    threads: int = 2
    out: Path = Path("runs/compare")

    def chosen(self) -> Ways:
        """The ways to compare, or ``SystemExit`` when one that is asked for is unknown."""
        known = {"rewards": rewards, "spaces": spaces, "starts": starts, "generators": generators}[self.what](self.data)
        if unknown := set(self.ways) - set(known):
            raise SystemExit(f"there is no way {min(unknown)!r}, only {', '.join(known)}")
        return {name: stages for name, stages in known.items() if not self.ways or name in self.ways}

    def config(self, stage: Stage, seed: int, before: str) -> TrainingConfig:
        """The configuration of a stage, which goes on from the run in the folder ``before``, or learns from it."""
        config: Any = stage.config
        if isinstance(config, ImitationConfig) and isinstance(config.expert, AgentExpert):
            config, before = replace(config, expert=replace(config.expert, agent=before)), ""
        run = replace(
            config.run,
            data=self.data,
            seed=seed,
            start=before,
            threads=self.threads,
            frames=10**9 if self.frames is None else round(self.frames * stage.share),
            minutes=None if self.minutes is None else self.minutes * stage.share,
            evaluate_every=10**6,
            checkpoint_every=10**6,
            keep=1,
        )
        return replace(config, run=run)


def conditional(data: str) -> ImitationConfig:
    """The preset of agents that draw pictures of ``data``, with the brush for them."""
    return preset("omniglot" if "omniglot" in data else "mnist-reconstruct", ImitationConfig)


def preset(name: str, kind: type[Any]) -> Any:
    """The configuration of a preset, which is of that kind."""
    config = PRESETS[name].config
    assert isinstance(config, kind)
    return config


def rewards(data: str) -> Ways:
    """A tenth of the budget expert iteration, so that a critic has something to score, then the reward in question.

    Or that reward alone, from nothing: on digits as published, curves from where the pen is and a network that puts all
    it has seen into one vector; on characters, whose thin lines are far harder to meet, strokes that do not depend on
    the pen and a network that points. What learns there need not be held to its average: its targets hold it.
    """
    taught, bare = conditional(data), preset("mnist", SpiralConfig)
    if "omniglot" in data:
        pen = replace(
            bare.agent.renderer,
            space="stroke",
            brush=taught.agent.renderer.brush,
            sizes=taught.agent.renderer.sizes,
        )
        policy = replace(bare.agent.policy, network="pointer")
        bare = replace(bare, agent=replace(bare.agent, renderer=pen, policy=policy))
    alone = replace(
        bare,
        agent=replace(bare.agent, conditional=True, temperature=0.0),
        run=replace(bare.run, episodes=64),
        critic=replace(bare.critic, steps_per_update=4),
        learning=replace(bare.learning, kl_average_cost=0.0, epochs=2, entropy_floor=1.5),
    )
    after = SpiralConfig(taught.agent, replace(taught.run, episodes=64), learning=REWARDED)
    ways: Ways = {}
    for name in ("critic", "distance", "critic, blind"):
        stages = [taught, after, alone]
        if name == "distance":
            stages[1:] = [DistanceConfig(one.agent, one.run, learning=one.learning) for one in (after, alone)]
        for i, config in enumerate(stages):
            policy = replace(config.agent.policy, blind="blind" in name)
            stages[i] = replace(config, agent=replace(config.agent, policy=policy))
        ways[name] = Stage(stages[0], 0.1), Stage(stages[1], 0.9)
        ways[f"{name}, from nothing"] = (Stage(stages[2]),)
    return ways


def spaces(data: str) -> Ways:
    """Expert iteration as in the preset ``omniglot``; offsets cannot be pointed at, so one other goes without."""
    base = preset("omniglot", ImitationConfig)
    unaided = PolicyConfig(precision="native")

    def way(space: Space, policy: PolicyConfig) -> tuple[Stage, ...]:
        agent = replace(base.agent, renderer=replace(base.agent.renderer, space=space), policy=policy)
        return (Stage(replace(base, agent=agent)),)

    pointing = {space: way(space, base.agent.policy) for space in get_args(Space) if space != "relative"}
    return pointing | {f"{space}, no pointer": way(space, unaided) for space in ("stroke", "relative")}


def starts(data: str) -> Ways:
    """The agent of the preset ``mnist-reconstruct``, rewarded from the start or after imitation of an expert."""
    taught = preset("mnist-reconstruct", ImitationConfig)
    alone = DistanceConfig(taught.agent, replace(taught.run, episodes=64), learning=REWARDED)
    guessing = replace(taught, expert=RandomExpert())
    return {
        "nothing": (Stage(alone),),
        "random programs": (Stage(guessing, 0.5), Stage(alone, 0.5)),
        "search": (Stage(taught, 0.5), Stage(alone, 0.5)),
    }


def generators(data: str) -> Ways:
    """The presets ``mnist`` and ``mnist-prior``, the one after the other, and the second after a conditional agent."""
    adversarial, prior = preset("mnist", SpiralConfig), preset("mnist-prior", ImitationConfig)
    taught = conditional(data)
    taught = replace(taught, agent=replace(taught.agent, horizon=prior.agent.horizon))
    prior = replace(prior, agent=replace(prior.agent, renderer=taught.agent.renderer))
    if "omniglot" in data:
        pen = taught.agent.renderer
        renderer = replace(adversarial.agent.renderer, brush=pen.brush, sizes=pen.sizes)
        adversarial = replace(adversarial, agent=replace(adversarial.agent, renderer=renderer))
    finetuned = preset("mnist-finetune", SpiralConfig)
    finetuned = replace(finetuned, agent=prior.agent, run=replace(finetuned.run, start=BEFORE))
    asking = replace(
        prior,
        run=replace(prior.run, episodes=256),
        expert=AgentExpert(BEFORE, action_noise=prior.expert.action_noise),
        steps_per_update=48,
    )
    return {
        "adversarial": (Stage(adversarial),),
        "likelihood": (Stage(prior),),
        "likelihood, then adversarial": (Stage(prior, 0.5), Stage(finetuned, 0.5)),
        "taught": (Stage(taught, 0.5), Stage(asking, 0.5)),
    }


def main(comparison: Comparison) -> None:
    """Run what is missing, then print the table."""
    if (comparison.frames is None) == (comparison.minutes is None):
        raise SystemExit("give either --frames or --minutes: what is equal for all")
    out = comparison.out / comparison.what / comparison.data.partition(":")[0]
    ways = comparison.chosen()
    figures = GENERATION if comparison.what == "generators" else ("mse",)
    rows = []
    folders: dict[TrainingConfig, Path] = {}
    for seed in comparison.seeds:
        for name, stages in ways.items():
            folder, before, minutes = Path(), "", 0.0
            for i, stage in enumerate(stages):
                config = comparison.config(stage, seed, before)
                folder = folders.setdefault(config, out / f"{name.replace(', ', '-').replace(' ', '-')}-{seed}-{i}")
                with watch(config) as report:
                    record = train_once(config, folder, report)
                before, minutes = str(folder), minutes + record["minutes"]
            rows.append((name, str(seed), record["frames"], minutes, [record[f"eval/{key}"] for key in figures]))
    print(f"\n| way | seed | frames | minutes | {' | '.join(figures)} |")
    print("|---" * (len(figures) + 4) + "|")
    for key, reference in json.loads((folder / "reference.json").read_text()).items():
        print(f"| {key} | | | | {' | '.join(f'{reference[figure]:.4f}' for figure in figures)} |")
    for name, number, frames, minutes, values in sorted(rows, key=lambda row: row[0]):
        print(f"| {name} | {number} | {frames:,} | {minutes:.1f} | {' | '.join(f'{value:.4f}' for value in values)} |")
    for name in ways:
        means = np.mean([values for way, *_, values in rows if way == name], axis=0)
        print(f"| {name}, mean | | | | {' | '.join(f'{value:.4f}' for value in means)} |")


if __name__ == "__main__":
    main(tyro.cli(Comparison, description=__doc__))
