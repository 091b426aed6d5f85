"""``limner train``: train an agent, let it draw, write a report."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tyro

from limner.cli.files import SHEET, check_folder, write_history, write_pairs, write_report, write_samples
from limner.cli.flags import (
    Flag,
    check_words,
    checked,
    given,
    list_flags,
    parse_command,
    parse_flags,
    replace_unchecked,
    unchecked,
    unknown_flag,
)
from limner.cli.preset import preset_config
from limner.cli.terminal import Runnable, choose
from limner.extras import require_extra
from limner.files import is_disk_full
from limner.worlds.validation import require

if TYPE_CHECKING:
    from limner.training.config import TrainingConfig


ALONE = "a member of a population on Ray trains in one process, on one thread"


@dataclass(frozen=True)
class Train:
    """Train an agent, then let it draw and write a report; with --population N, tune the settings of N runs."""

    config: Any
    algorithm: str
    """What the agent learns from: the score of a critic (spiral), the distance to its target, or an expert whose
    actions it imitates. This and the next choose which other flags there are."""
    expert: str | None
    """Whose actions are imitated: those that search finds, those of random programs, of a file, or of an agent."""
    world: str
    """Renderer and action space of the agent's programs."""
    runtime: str
    """Where actors and critic live: in this process (local), or as processes of a Ray cluster (ray)."""
    out: Path
    """Folder of the run."""
    population: Any = None
    """Several runs in place of one, a ``PopulationConfig``."""

    def run(self) -> None:
        """Train, then draw and report."""
        if self.population is None:
            _run(self.config, self.out, resume=False)
        else:
            from limner.training.population.run import train_population

            _run_population(partial(train_population, self.config, self.population), self.config, self.out)


def read(words: Sequence[str]) -> Runnable:
    """The command ``limner train``: a preset, every field of which is a flag, or a run or a population to resume."""
    from limner.training.presets import PRESETS
    from limner.worlds import world_names

    if words and words[0].partition("=")[0] == "--resume":
        first = words[0].split("=", 1)[1:]
        return parse_command(Resume, [*first, *words[1:]], "limner train --resume")
    choices = {name: preset.teaches for name, preset in PRESETS.items()}
    choices |= {world: f"the defaults in the world {world!r}" for world in world_names() if world not in PRESETS}
    name = choose("limner train", "PRESET", choices | {"--resume FOLDER": "continue the run in a folder"}, words)
    rest, program = words[1:], f"limner train {name}"
    if any(word.partition("=")[0] == "--resume" for word in rest):
        folder = given(rest, "--out") or "FOLDER"
        raise ValueError(
            f"--resume continues a run from its folder alone: limner train --resume {folder}, with --frames, "
            "--minutes or --threads to change a limit"
        )
    every = every_flag(name)
    check_words(rest, every, program)
    asked = {flag: given(rest, f"--{flag}", names) for flag, names in _choices().items() if names}
    population, rest = _population(rest)
    command = _start(name, population=population, **asked)
    here = [flag for each in list_flags(Train, command, _choices()) for flag in each.names]
    if (flag := unknown_flag(rest, here)) is not None:
        raise ValueError(f"{flag} does nothing in this training: it is for {every[flag.replace('_', '-')]}")
    command = parse_flags(command, rest, program, _choices())
    if population is not None and command.runtime == "ray":
        _refuse(rest, ("--max-lag", "--lockstep", "--threads"), ALONE)
    if population is not None and command.population.shared_critic:
        _refuse(rest, ["--critic.replay"], "a shared critic learns from the newest pictures alone")
    return replace(command, config=checked(command.config), population=checked(command.population))


def every_flag(preset: str) -> dict[str, str]:
    """The flags that a preset or world can have, each with what brings it about: "--algorithm spiral"; or "" always."""
    always, sometimes = {"--population"}, dict[str, str]()
    for variants in list_variants(preset):
        listed = {words: {name for flag in flags for name in flag.names} for words, flags in variants.items()}
        common = set.intersection(*listed.values())
        always |= common
        for words, names in listed.items():
            sometimes = dict.fromkeys(sorted(names - common), words) | sometimes
    return dict.fromkeys(sorted(always), "") | sometimes


def _start(name: str, runtime: str | None = None, population: Any = None, **asked: str | None) -> Train:
    """The command that the flags start from; nothing in it is checked."""
    from limner.training.config import RUNTIMES

    runtime = runtime or "local"
    default = preset_config(name, **asked)
    default = replace_unchecked(default, run=replace_unchecked(default.run, runtime=RUNTIMES[runtime]()))
    expert = default.expert.name if default.algorithm == "imitation" else None
    out = Path("runs") / (name if population is None else f"{name}-population")
    return Train(default, default.algorithm, expert, default.agent.renderer.name, runtime, out, population)


def _choices() -> Mapping[str, Sequence[str]]:
    """The values of the flags that choose which others there are."""
    from limner.training import algorithm_names
    from limner.training.config import RUNTIMES
    from limner.training.imitation.config import EXPERTS
    from limner.worlds import world_names

    known = {"algorithm": algorithm_names(), "expert": [*EXPERTS], "world": world_names(), "runtime": [*RUNTIMES]}
    return known | {"population": []}


def list_variants(preset: str) -> list[dict[str, list[Flag]]]:
    """The flags of a preset or world, by the words of a command line that has them; each training is one of each list.

    All together have all flags that there are.
    """
    from limner.training.population.settings import PopulationConfig

    known, imitation = _choices(), "--algorithm imitation"
    algorithms = {f"--algorithm {name}": {"algorithm": name} for name in known["algorithm"]}
    del algorithms[imitation]
    experts = {f"{imitation} --expert {name}": {"algorithm": "imitation", "expert": name} for name in known["expert"]}
    others = [{f"--{what} {name}": {what: name} for name in known[what]} for what in ("world", "runtime")]
    population = {"--population N": {"population": unchecked(PopulationConfig)}, "": {}}
    variants = [{**algorithms, **experts}, *others, population]
    return [
        {words: list_flags(Train, _start(preset, **asked), _choices()) for words, asked in each.items()}
        for each in variants
    ]


@dataclass(frozen=True)
class Resume:
    """Continue a run, or a population, from its newest checkpoints, with all its settings."""

    folder: tyro.conf.Positional[Path]
    """Folder of the run or of the population."""
    frames: int | None = None
    """Environment steps in the whole run, in place of the limit it had."""
    minutes: float | None = None
    """Minutes of training in the whole run, in place of the limit it had."""
    threads: int | None = None
    """Threads that render. The results do not depend on it."""

    def run(self) -> None:
        """Read, train, then draw and report."""
        from limner.training.population.history import is_population, read_history
        from limner.training.population.run import resume_population
        from limner.training.run import read_run

        limits = {name: value for name, value in vars(self).items() if name != "folder" and value is not None}
        if is_population(self.folder):
            config = read_history(self.folder).training
            ignored = self.threads is not None and config.run.runtime.name == "ray"
            require(not ignored, f"--threads has no effect: {ALONE}; leave it out")
            _run_population(partial(resume_population, limits=limits), config, self.folder)
            return
        config = read_run(self.folder)
        config = replace(config, run=replace(config.run, **limits))
        _run(config, self.folder, resume=True)


def _run(config: "TrainingConfig", folder: Path, resume: bool) -> None:
    """Train in ``folder``, then draw and report."""
    check_folder(folder)
    from limner.training.progress import watch
    from limner.training.run import train

    with _naming_remedy(folder):
        with watch(config) as report:
            complete = train(config, folder, resume, report)
        _stop_unless(complete, folder)
        _draw(config, folder)


def _run_population(train: Callable[..., bool], config: "TrainingConfig", folder: Path) -> None:
    """Have ``train`` train a population in ``folder``, with a picture after each round; then let its members draw."""
    require_extra("train", "training")
    check_folder(folder)
    from limner.training.population.history import read_history
    from limner.training.population.members import folder_of
    from limner.training.progress import watch
    from limner.training.run import read_run

    with _naming_remedy(folder):
        with watch(config) as report:
            complete = train(folder=folder, report=report, after_round=write_history)
        _stop_unless(complete, folder)
        history = read_history(folder)
        for member in range(history.population.members):
            _draw(read_run(folder_of(folder, member)), folder_of(folder, member))
    best = history.best()
    fitness = history.fitness(best)
    print(f"best: {folder_of(folder, best)}" + ("" if fitness is None else f", fitness {fitness:.4g}"))


def _stop_unless(complete: bool, folder: Path) -> None:
    """Say how a run goes on that was interrupted, and end the program."""
    if not complete:
        print(f"limner: stopped and saved; limner train --resume {folder} continues", file=sys.stderr)
        raise KeyboardInterrupt


@contextmanager
def _naming_remedy(folder: Path) -> Iterator[None]:
    """Say in the error of a full disk how to go on with the run or population in ``folder``."""
    try:
        yield
    except OSError as error:
        if not is_disk_full(error):
            raise
        begun = any((folder / name).exists() for name in ("config.json", "population.json"))
        remedy = f"continue with limner train --resume {folder}" if begun else "start again"
        raise OSError(error.errno, f"{error.strerror}; make room and {remedy}", error.filename) from error


def _draw(config: "TrainingConfig", folder: Path) -> None:
    """Let the agent of a run draw, and write its report."""
    from limner.agents.agent import load_agent
    from limner.data import load_dataset
    from limner.inference.evaluate import reconstruct
    from limner.inference.sample import sample

    agent = load_agent(str(folder))
    if config.agent.conditional:
        write_pairs(folder, reconstruct(agent, load_dataset(config.run.data, "test"), limit=SHEET))
    else:
        write_samples(folder, *sample(agent, SHEET, config.run.seed))
    write_report(folder)


def _population(words: Sequence[str]) -> tuple[Any, list[str]]:
    """The population that ``--population N`` asks for, not checked, None without it; and the other words."""
    from limner.training.population.settings import PopulationConfig

    members = given(words, "--population")
    if members is None:
        return None, list(words)
    if not members.isdecimal():
        raise ValueError(f"--population is {members!r}: must be the number of members, 2 or more")
    rest, skip = [], False
    for word in words:
        if not skip and word.partition("=")[0] != "--population":
            rest.append(word)
        skip = word == "--population" and not skip
    return unchecked(PopulationConfig, members=int(members)), rest


def _refuse(words: Sequence[str], flags: Sequence[str], why: str) -> None:
    """``ValueError`` when one of ``flags``, which would have no effect, is in ``words``."""
    for flag in flags:
        require(given(words, flag) is None, f"{flag} has no effect: {why}; leave it out")
