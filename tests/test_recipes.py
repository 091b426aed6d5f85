"""Every recipe, printed and not run: each of its commands is one that the command line or a script understands."""

import argparse
import os
import runpy
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
import tyro

import limner.training
from limner.agents.zoo import shipped_agents
from limner.cli.main import _read

ROOT = Path(__file__).parents[1]
RECIPES = sorted(path.stem for path in (ROOT / "recipes").glob("*.sh") if path.stem != "common")


@cache
def printed(name: str, smoke: bool = False) -> str:
    """What a recipe prints when it runs nothing."""
    environment = {key: value for key, value in os.environ.items() if key not in ("RUNS", "SMOKE", "FIRST")}
    environment |= {"DRY": "1"} | ({"SMOKE": "1"} if smoke else {})
    script = ROOT / "recipes" / f"{name}.sh"
    return subprocess.run([script], env=environment, check=True, capture_output=True, text=True).stdout


def commands(name: str, smoke: bool = False) -> list[list[str]]:
    """The words of its commands."""
    return [shlex.split(line)[1:] for line in printed(name, smoke).splitlines() if line.startswith("+ ")]


class Parsed(Exception):
    """A script has read its arguments."""


def parse_script(script: str, words: list[str]) -> None:
    """Run a script until it has read its arguments."""
    cli, parse_args = tyro.cli, argparse.ArgumentParser.parse_args

    def tyro_stopped(*arguments, **options):
        cli(*arguments, **options)
        raise Parsed

    def argparse_stopped(self, *arguments, **options):
        parse_args(self, *arguments, **options)
        raise Parsed

    assert (ROOT / script).is_file()
    if not words:
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [script, *words])
        patch.setattr(tyro, "cli", tyro_stopped)
        patch.setattr(argparse.ArgumentParser, "parse_args", argparse_stopped)
        patch.setattr(limner.training, "_algorithms", dict(limner.training._algorithms))
        with pytest.raises(Parsed):
            runpy.run_path(str(ROOT / script), run_name="__main__")


@pytest.mark.parametrize("smoke", [False, True], ids=["real", "smoke"])
@pytest.mark.parametrize("recipe", RECIPES)
def test_every_command_of_a_recipe_can_be_parsed(recipe, smoke):
    found = commands(recipe, smoke)
    assert found
    for program, *words in found:
        if program == "limner":
            _read(words[0], words[1:])
        else:
            assert program == "python"
            if words[0] == "experiments/face_detection.py":
                pytest.importorskip("cv2")
            parse_script(words[0], words[1:])


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_says_what_it_makes_and_its_cost_before_it_starts(recipe):
    makes, takes, needs, empty, first, *_ = printed(recipe).splitlines()
    assert makes.startswith("makes: ")
    assert any(unit in takes for unit in (" min ", " h "))
    assert "core" in takes
    assert needs.startswith("needs: ")
    assert empty == ""
    assert first.startswith(("+ ", "makes: ")), "its first command, or what a recipe makes that it goes on from"


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_is_a_program_that_stops_at_the_first_error(recipe):
    path = ROOT / "recipes" / f"{recipe}.sh"
    assert os.access(path, os.X_OK)
    lines = path.read_text().splitlines()
    assert lines[0] == "#!/usr/bin/env bash"
    assert lines.index("set -euo pipefail") < lines.index('source "$(dirname "$0")/common.sh"')


@pytest.mark.parametrize("agent", shipped_agents())
def test_the_recipe_of_a_shipped_agent_ends_with_putting_it_into_the_package(agent):
    program, script, _, name, *words = commands(agent)[-1]
    assert (program, script, name) == ("python", "recipes/ship_agent.py", agent)
    assert "--out" not in words
    assert "--out" in commands(agent, smoke=True)[-1], "a smoke test leaves the package alone"


def test_a_complete_stage_is_not_run_again_and_an_interrupted_one_is_resumed(tmp_path):
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("limner", "python"):
        (programs / name).write_text("#!/bin/sh\n")
        (programs / name).chmod(0o755)
    for run in ("scenes", "scenes2"):
        (tmp_path / run).mkdir()
        (tmp_path / run / "config.json").touch()
    (tmp_path / "scenes" / "report.html").touch()
    common = (ROOT / "recipes" / "common.sh").read_text()
    (tmp_path / "common.sh").write_text(common.replace("$PWD/.venv/bin", str(programs)).replace('/.."', '"'))
    (tmp_path / "scenes.sh").write_text((ROOT / "recipes" / "scenes.sh").read_text())
    environment = os.environ | {"RUNS": str(tmp_path)}
    ran = subprocess.run(["bash", tmp_path / "scenes.sh"], env=environment, check=True, capture_output=True, text=True)
    lines = ran.stdout.splitlines()
    assert f"complete: {tmp_path}/scenes" in lines
    assert f"+ limner train --resume {tmp_path}/scenes2" in lines
    assert not any(line.startswith("+ limner train scenes") for line in lines)


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_list_of_recipes_says_what_each_says_itself(recipe):
    makes, takes, needs = (line.partition(": ")[2] for line in printed(recipe).splitlines()[:3])
    row = f"| [`{recipe}.sh`]({recipe}.sh) | {makes} | {takes} | {needs} |"
    assert row in (ROOT / "recipes" / "README.md").read_text().splitlines()


@pytest.mark.parametrize("agent", shipped_agents())
def test_the_card_of_a_shipped_agent_names_its_recipe(agent):
    assert f"`recipes/{agent}.sh`" in (shipped_agents()[agent] / "card.md").read_text()
