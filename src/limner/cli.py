"""The command line: train, sample, replay, data, bench, info.

Notable choices:
- The first word picks the command, and only its parser is built; what a command needs is imported when it runs. So help
  appears at once, without torch.
- What can be wrong with a command line is found before any work is done. ``ValueError`` and ``OSError`` end in one line
  on the standard error and exit status 2; with LIMNER_DEBUG=1 in the traceback. Ctrl-C ends quietly in 130.
- Every file is written whole or not at all.
"""

# No ``from __future__ import annotations`` here: tyro has to see the types of a class made in a function.
# ruff: noqa: T201 (printing is what a command line does)

import io
import json
import logging
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import tyro

from limner.files import write_atomic

if TYPE_CHECKING:
    from limner.export.picture import Pixels
    from limner.program import Program

SHEET = 100
"""Most canvases on a sheet."""
DRAWINGS = 16
"""Most programs in one animation."""
DRAWING_SIZE = 128
"""Pixels a side of each of them."""


@dataclass(frozen=True)
class Sample:
    """Let an agent draw: samples.npz, programs.jsonl, sheet.png and drawing.gif in a folder."""

    agent: str = "mnist"
    """Name of an agent that comes with Limner, or folder of a run or checkpoint."""
    count: Annotated[int, tyro.conf.arg(aliases=["-n"])] = 64
    """Number of drawings."""
    seed: int = 0
    """The same seed draws the same."""
    temperature: float | None = None
    """Below 1 bolder and less varied; 0 takes the likeliest action every time. None: that of the agent."""
    out: Path = Path("samples")
    """Folder for the results."""

    def run(self) -> None:
        """Draw and write."""
        if not 1 <= self.count <= 1_000_000:
            raise ValueError(f"--count is {self.count}: must be in 1 … 1000000")
        if self.temperature is not None and not 0 <= self.temperature <= 10:
            raise ValueError(f"--temperature is {self.temperature}: must be in 0 … 10")
        if not 0 <= self.seed < 2**63:
            raise ValueError(f"--seed is {self.seed}: must be in 0 … 2^63 − 1")
        _prepare_folder(self.out)
        from limner.sampling import load_agent, sample

        canvases, programs = sample(load_agent(self.agent), self.count, self.seed, self.temperature)
        _write_samples(self.out, canvases, programs)


@dataclass(frozen=True)
class Replay:
    """Execute a program: write the picture it paints, or a GIF of how it is painted."""

    program: tyro.conf.Positional[Path]
    """A program as JSON, or many as JSON lines."""
    out: Path = Path("picture.png")
    """What to write: .png, .gif, or .json (the program alone, laid out for editing)."""
    size: int | None = None
    """Pixels a side; the program is executed anew at this size. Its own by default."""
    index: int | None = None
    """Which line of a .jsonl file, from 0."""
    step: float = 0.12
    """Seconds for each action of a GIF."""
    hold: float = 1.5
    """Seconds for the finished picture of a GIF."""

    def run(self) -> None:
        """Read, execute, write."""
        kind = self.out.suffix.lower()
        if kind not in (".png", ".gif", ".json"):
            raise ValueError(f"cannot write {self.out}: the name must end in .png, .gif or .json")
        _prepare_file(self.out)
        from limner.program import execute, frames

        program = self._load()
        if kind == ".json":
            _write(self.out, program.to_json())
        elif kind == ".png":
            from limner.export.picture import png

            _write(self.out, png(execute(program, self.size)))
        else:
            from limner.export.animation import gif

            _write(self.out, gif(frames(program, self.size), self.step, self.hold))

    def _load(self) -> "Program":
        from limner.program import Program, load_programs

        if self.program.suffix != ".jsonl":
            if self.index is not None:
                raise ValueError(f"--index picks a line of a .jsonl file, {self.program} is none")
            return Program.load(self.program)
        programs = load_programs(self.program)
        index = self.index or 0
        if not 0 <= index < len(programs):
            raise ValueError(f"--index is {index}: {self.program} holds {len(programs)} programs, counted from 0")
        return programs[index]


@dataclass(frozen=True)
class Bench:
    """Measure the speed of painting and of training on this machine."""

    json: bool = False
    """Print one JSON object."""

    def run(self) -> None:
        """Measure and print."""
        from limner.bench import bench

        _show(bench(), self.json)


@dataclass(frozen=True)
class Info:
    """Show versions, the renderer, data sets, presets and agents that are found."""

    json: bool = False
    """Print one JSON object."""

    def run(self) -> None:
        """Look and print."""
        from limner.info import info

        _show(info(), self.json)


def _parse_train(words: Sequence[str]) -> "Runnable":
    """The command ``limner train``: a preset, every field of which is a flag."""
    from limner.config import Config
    from limner.presets import PRESETS

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
            _prepare_folder(self.out)
            from limner.progress import watch
            from limner.run import train
            from limner.sampling import load_agent, sample

            with watch(self.config) as report:
                complete = train(self.config, self.out, self.resume, report)
            if not complete:
                print(f"limner: stopped and saved; --resume --out {self.out} continues", file=sys.stderr)
                raise KeyboardInterrupt
            canvases, programs = sample(load_agent(str(self.out)), SHEET, self.config.seed)
            _write_samples(self.out, canvases, programs)
            _write_report(self.out)

    choices = {name: f"{config.steps} actions a picture, data {config.data}" for name, config in PRESETS.items()}
    preset = _choose("limner train", "PRESET", choices, words)
    default = Train(PRESETS[preset], Path("runs") / preset)
    return tyro.cli(Train, args=words[1:], prog=f"limner train {preset}", default=default)


def _parse_data(words: Sequence[str]) -> "Runnable":
    """The command ``limner data``, which has commands of its own."""
    from limner.commands.data import COMMANDS

    name = _choose("limner data", "COMMAND", _summaries(COMMANDS), words)
    return tyro.cli(COMMANDS[name], args=words[1:], prog=f"limner data {name}")


def _summaries(commands: Mapping[str, type["Runnable"]]) -> dict[str, str]:
    return {name: (command.__doc__ or "").partition("\n")[0] for name, command in commands.items()}


class Runnable(Protocol):
    """A parsed command line."""

    def run(self) -> None:
        """Do it."""
        ...


COMMANDS: dict[str, type[Runnable]] = {"sample": Sample, "replay": Replay, "bench": Bench, "info": Info}
PARSERS = {"train": _parse_train, "data": _parse_data}
CHOICES = {
    "train": "Train an agent from nothing.",
    **_summaries(COMMANDS),
    "data": "Fetch a data set, or check the pictures of one.",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line (the program's own by default); returns the exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    logging.basicConfig(level=logging.INFO, format="limner: %(message)s")
    try:
        if words[:1] == ["--version"]:
            print(f"limner {version('limner')}")
            return 0
        name = _choose("limner", "COMMAND", CHOICES, words)
        if name in PARSERS:
            command = PARSERS[name](words[1:])
        else:
            command = tyro.cli(COMMANDS[name], args=words[1:], prog=f"limner {name}")
        command.run()
    except KeyboardInterrupt:
        return 130
    except (ValueError, OSError, ImportError, MemoryError) as error:
        if os.environ.get("LIMNER_DEBUG"):
            raise
        print(f"limner: {_explain(error)}", file=sys.stderr)
        return 2
    return 0


def _choose(program: str, what: str, choices: Mapping[str, str], words: Sequence[str]) -> str:
    """The first word, one of ``choices``; otherwise says what there is to choose from and exits."""
    if words and words[0] in choices:
        return words[0]
    width = max(map(len, choices))
    lines = [f"usage: {program} {what} …", ""] + [f"  {name:{width}}  {text}" for name, text in choices.items()]
    lines += ["", f"{program} {what} --help tells more."]
    if words and words[0] in ("-h", "--help"):
        print("\n".join(lines))
        raise SystemExit(0)
    wrong = f"there is no {what} {words[0]!r}" if words else f"a {what} is missing"
    print("\n".join([f"limner: {wrong}", *lines]), file=sys.stderr)
    raise SystemExit(2)


def _write_samples(folder: Path, canvases: "Pixels", programs: "Sequence[Program]") -> None:
    """``samples.npz`` with ``canvas`` uint8[N, H, W, C], ``programs.jsonl``, ``sheet.png``, ``drawing.gif``."""
    import numpy as np

    from limner.export.animation import gif, together
    from limner.export.picture import png, sheet
    from limner.program import frames, save_programs

    archive = io.BytesIO()
    np.savez_compressed(archive, canvas=canvases)
    _write(folder / "samples.npz", archive.getvalue())
    save_programs(folder / "programs.jsonl", programs)
    _write(folder / "sheet.png", png(sheet(canvases[:SHEET])))
    drawings = [frames(program, DRAWING_SIZE) for program in programs[:DRAWINGS]]
    _write(folder / "drawing.gif", gif(together(drawings), step=0.3))


def _write_report(folder: Path) -> None:
    """``curves.svg``, ``curves.png`` and ``report.html`` from what a run left in its folder."""
    from limner.export import curves
    from limner.export.report import load_reference, report

    figure = curves.learning_curves(curves.read_log(folder / "log.jsonl"), reference=load_reference(folder))
    _write(folder / "curves.svg", curves.svg(figure))
    _write(folder / "curves.png", curves.png(figure))
    _write(folder / "report.html", report(folder))


def _prepare_folder(folder: Path) -> None:
    """Make the folder; ``ValueError`` when results could not be written there."""
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"--out {folder} is a file: name a folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ValueError(f"cannot write into the folder {folder}: {error.strerror}") from error


def _prepare_file(path: Path) -> None:
    if path.is_dir():
        raise ValueError(f"--out {path} is a folder: name a file")
    _prepare_folder(path.parent)


def _write(path: Path, data: bytes | str) -> None:
    try:
        write_atomic(path, data)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


def _explain(error: BaseException) -> str:
    """One line for a person."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    if isinstance(error, MemoryError):
        return "not enough memory"
    return " ".join(str(error).split())


def _show(facts: dict[str, Any], as_json: bool) -> None:
    """Print nested facts, as JSON or for a person."""
    if as_json:
        print(json.dumps(facts))
        return
    for name, value in facts.items():
        if isinstance(value, dict):
            print(name)
            width = max((len(key) for key in value), default=0)
            for key, inner in value.items():
                print(f"  {key:{width}}  {inner:.4g}" if isinstance(inner, float) else f"  {key:{width}}  {inner}")
        else:
            print(f"{name}: {value}")


if __name__ == "__main__":
    sys.exit(main())
