"""Train in several ways from several seeds, at equal frames or equal time, and tabulate where each ends.

    python experiments/compare.py rewards --data mnist --frames 61440 --threads 1
    python experiments/compare.py spaces --data omniglot --minutes 5 --seeds 0 --threads 1
    python experiments/compare.py starts --data mnist --minutes 4 --threads 1
    python experiments/compare.py generators --data mnist --minutes 5 --threads 1
    python experiments/compare.py generators --data mnist --minutes 30 --ways taught

- ``rewards``: agents with targets that a critic rewards, minus the squared distance, or a critic while they never see
  the canvas (Ganin et al. 2018, figure 8); after expert iteration, or from nothing.
- ``spaces``: action spaces, learnt by expert iteration.
- ``starts``: minus the squared distance as reward, from nothing or after a warm start of half the time, on random
  programs or on what search finds.
- ``generators``: agents without targets. Adversarial training from nothing; maximum likelihood on programs that a
  search finds; half of the time this, then adversarial training that is held near its start; and half of the time
  expert iteration of an agent with targets, then maximum likelihood on what it would do where its hand slipped.

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
from typing import Literal, get_args

import numpy as np
import tyro
from seeds import FIGURES, finish

from limner.training.config import Config, ImitationConfig, LearningConfig, PolicyConfig, RewardConfig
from limner.training.presets import PRESETS
from limner.worlds.paint.actions import Space

Ways = dict[str, tuple[Config, ...]]
"""The stages of each way to train; their budgets are given as shares, ``minutes`` in (0, 1]."""
LIKENESS = RewardConfig(critic=0.0, distance=100.0)
PAID = LearningConfig(learning_rate=2e-4, target_kl=0.02, entropy_cost=0.0, discount=0.95, average=0.98)


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

    def stage(self, config: Config, seed: int, start: str) -> Config:
        """One stage of one run, with its share of the budget."""
        share = config.minutes or 1.0
        if config.imitation.teacher == "agent":
            config = replace(config, imitation=replace(config.imitation, agent=start))
            start = ""
        return replace(
            config,
            data=self.data,
            seed=seed,
            start=start,
            threads=self.threads,
            frames=10**9 if self.frames is None else round(self.frames * share),
            minutes=None if self.minutes is None else self.minutes * share,
            evaluate_every=10**6,
            checkpoint_every=10**6,
            keep=1,
        )


def with_targets(data: str) -> Config:
    """The preset of agents that draw pictures of ``data``, with the brush for them."""
    return PRESETS["omniglot" if "omniglot" in data else "mnist-reconstruct"]


def rewards(data: str) -> Ways:
    """A tenth of the budget expert iteration, so that there is something to judge, then the reward in question.

    Or that reward alone, from nothing: on digits as published, curves from where the pen is and a network that puts all
    it has seen into one vector; on characters, whose thin lines are far harder to meet, strokes that do not depend on
    the pen and a network that points. What learns there need not be held to its past: the targets keep it from
    wandering.
    """
    taught, bare = with_targets(data), PRESETS["mnist"]
    paid = replace(taught, batch=64, imitation=ImitationConfig(), learning=PAID)
    if "omniglot" in data:
        pen = replace(bare.renderer, space="stroke", brush=taught.renderer.brush, sizes=taught.renderer.sizes)
        bare = replace(bare, renderer=pen, policy=replace(bare.policy, network="pointer"))
    alone = replace(
        bare,
        conditional=True,
        temperature=0.0,
        batch=64,
        critic=replace(bare.critic, steps=4),
        learning=replace(bare.learning, anchor_cost=0.0, passes=2, entropy_floor=1.5),
    )
    ways: Ways = {}
    for name, reward in {"critic": RewardConfig(), "likeness": LIKENESS, "critic, blind": RewardConfig()}.items():
        policy, unaided = (replace(some, blind="blind" in name) for some in (taught.policy, bare.policy))
        after = replace(paid, policy=policy, reward=reward, minutes=0.9)
        ways[name] = replace(taught, policy=policy, minutes=0.1), after
        ways[f"{name}, from nothing"] = (replace(alone, policy=unaided, reward=reward),)
    return ways


def spaces(data: str) -> Ways:
    """Expert iteration as in the preset ``omniglot``; offsets cannot be pointed at, so one other goes without."""
    base = PRESETS["omniglot"]
    unaided = PolicyConfig(precision="native")

    def way(space: Space, policy: PolicyConfig) -> tuple[Config, ...]:
        return (replace(base, renderer=replace(base.renderer, space=space), policy=policy),)

    pointing = {space: way(space, base.policy) for space in get_args(Space) if space != "relative"}
    return pointing | {f"{space}, no pointer": way(space, unaided) for space in ("stroke", "relative")}


def starts(data: str) -> Ways:
    """The preset ``mnist-reconstruct`` without its teacher, or after a while with one."""
    taught = PRESETS["mnist-reconstruct"]
    alone = replace(taught, batch=64, imitation=ImitationConfig(), reward=LIKENESS, learning=PAID)
    guessing = replace(taught, imitation=replace(taught.imitation, teacher="random"))
    return {
        "nothing": (alone,),
        "random programs": (replace(guessing, minutes=0.5), replace(alone, minutes=0.5)),
        "search": (replace(taught, minutes=0.5), replace(alone, minutes=0.5)),
    }


def generators(data: str) -> Ways:
    """The presets ``mnist`` and ``mnist-prior``, the one after the other, and the second after one with targets."""
    adversarial, prior = PRESETS["mnist"], PRESETS["mnist-prior"]
    taught = replace(with_targets(data), steps=prior.steps)
    prior = replace(prior, renderer=taught.renderer)
    if "omniglot" in data:
        pen = taught.renderer
        adversarial = replace(adversarial, renderer=replace(adversarial.renderer, brush=pen.brush, sizes=pen.sizes))
    asking = replace(prior.imitation, teacher="agent", agent="the one before", steps=48)
    return {
        "adversarial": (adversarial,),
        "likelihood": (prior,),
        "likelihood, then adversarial": (replace(prior, minutes=0.5), replace(polish(adversarial, prior), minutes=0.5)),
        "taught": (replace(taught, minutes=0.5), replace(prior, batch=256, imitation=asking, minutes=0.5)),
    }


def polish(adversarial: Config, prior: Config) -> Config:
    """Adversarial training of an agent that draws well already, held near where it starts."""
    return replace(
        adversarial,
        start="the prior",
        temperature=prior.temperature,
        opening=prior.opening,
        steps=prior.steps,
        resolution=prior.resolution,
        renderer=prior.renderer,
        policy=prior.policy,
        critic=replace(adversarial.critic, steps=6),
        learning=replace(
            adversarial.learning,
            learning_rate=3e-4,
            target_kl=0.03,
            prior_cost=0.02,
            entropy_floor=0.0,
            entropy_cost=0.0,
        ),
    )


def main(comparison: Comparison) -> None:
    """Run what is missing, then print the table."""
    if (comparison.frames is None) == (comparison.minutes is None):
        raise SystemExit("give either --frames or --minutes: what is equal for all")
    out = comparison.out / comparison.what / comparison.data.partition(":")[0]
    ways = comparison.chosen()
    figures = FIGURES if comparison.what == "generators" else ("mse",)
    rows = []
    folders: dict[Config, Path] = {}
    for seed in comparison.seeds:
        for name, stages in ways.items():
            folder, start, minutes = Path(), "", 0.0
            for i, config in enumerate(stages):
                stage = comparison.stage(config, seed, start)
                folder = folders.setdefault(stage, out / f"{name.replace(', ', '-').replace(' ', '-')}-{seed}-{i}")
                record = finish(stage, folder)
                start, minutes = str(folder), minutes + record["minutes"]
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
    main(tyro.cli(Comparison))
