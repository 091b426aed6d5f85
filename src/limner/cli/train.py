"""``limner train``: train an agent, let it draw, write a report."""

# No ``from __future__ import annotations`` here: tyro has to see the types of a class made in a function.
# ruff: noqa: T201 (printing is what a command line does)

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from limner.cli.choose import Runnable, choose
from limner.cli.output import prepare_folder
from limner.cli.results import SHEET, write_pairs, write_report, write_samples


def parse_train(words: Sequence[str]) -> Runnable:
    """The command ``limner train``: a preset, every field of which is a flag."""
    from limner.training.config import Config
    from limner.training.presets import PRESETS

    @dataclass(frozen=True)
    class Train:
        """Train an agent from nothing, then let it draw and write a report."""

        config: Annotated[Config, tyro.conf.arg(name="")]
        out: Path
        """Folder of the run."""
        resume: bool = False
        """Continue the run in the folder from its newest checkpoint."""

        def run(self) -> None:
            """Train, then draw and report."""
            prepare_folder(self.out)
            from limner.agents.agent import load_agent, sample
            from limner.data import load_dataset
            from limner.inference.evaluate import reconstruct
            from limner.training.progress import watch
            from limner.training.run import train

            with watch(self.config) as report:
                complete = train(self.config, self.out, self.resume, report)
            if not complete:
                print(f"limner: stopped and saved; --resume --out {self.out} continues", file=sys.stderr)
                raise KeyboardInterrupt
            agent = load_agent(str(self.out))
            if self.config.conditional:
                write_pairs(self.out, reconstruct(agent, load_dataset(self.config.data, "test"), limit=SHEET))
            else:
                write_samples(self.out, *sample(agent, SHEET, self.config.seed))
            write_report(self.out)

    choices = {name: f"{config.steps} actions a picture, data {config.data}" for name, config in PRESETS.items()}
    preset = choose("limner train", "PRESET", choices, words)
    default = Train(PRESETS[preset], Path("runs") / preset)
    flags = (tyro.conf.AvoidSubcommands,)  # those of the preset's renderer
    return tyro.cli(Train, args=words[1:], prog=f"limner train {preset}", default=default, config=flags)
