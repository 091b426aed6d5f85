"""Worlds by name: those of the package, others that are registered, and settings of each."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pytest

from limner import worlds
from limner.actions import ActionSpace
from limner.programs.execution import execute
from limner.programs.program import Program
from limner.worlds import Settings, World, find_world, make_renderer, read_settings, register, world_names
from limner.worlds.paint.settings import PaintSettings
from limner.worlds.scenes.settings import ScenesSettings
from limner.worlds.toy.renderer import Toy, ToySettings, toy_actions
from limner.worlds.validation import check_fields

SETTINGS = {"paint": PaintSettings, "scenes": ScenesSettings, "toy": ToySettings}


@dataclass(frozen=True)
class ChalkSettings(Settings):
    name: ClassVar[str] = "chalk"
    canvas: int = 16
    dark: bool = True

    def __post_init__(self) -> None:
        check_fields(self, "renderer.", within={"canvas": (8, 64)})


class Chalk(Toy):
    """A toy with settings of its own."""

    def __init__(self, own: ChalkSettings, batch: int, threads: int) -> None:
        super().__init__(ToySettings(canvas=own.canvas, pressures=1 if own.dark else 4), batch)
        self.own = own

    def settings(self) -> dict[str, Any]:
        return {"name": "chalk", "canvas": self.own.canvas, "dark": self.own.dark}


class ChalkWorld(World):
    name: ClassVar[str] = "chalk"
    settings_type: ClassVar[type[Any]] = ChalkSettings
    renderer_type: ClassVar[type[Any]] = Chalk

    def actions(self, settings: ChalkSettings) -> ActionSpace:
        return toy_actions(ToySettings(canvas=settings.canvas, pressures=1 if settings.dark else 4))


@pytest.fixture(autouse=True)
def registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worlds of the package, whatever other tests have registered."""
    monkeypatch.setattr(worlds, "_worlds", {name: find_world(name) for name in SETTINGS})


@pytest.fixture
def chalk() -> ChalkWorld:
    world = ChalkWorld()
    register(world)
    return world


@pytest.mark.parametrize("name", SETTINGS)
def test_the_worlds_of_the_package_are_found_by_name(name: str) -> None:
    world = find_world(name)
    assert (world.name, world.settings_type) == (name, SETTINGS[name])
    assert find_world(name) is world
    assert read_settings({"name": name}) == SETTINGS[name]()
    settings = SETTINGS[name](canvas=64)
    for renderer in (make_renderer(settings, batch=2), make_renderer({"name": name, "canvas": 64}, batch=2)):
        assert renderer.batch == 2
        assert renderer.shape[:2] == (64, 64)
        assert renderer.actions == world.actions(settings)
        assert read_settings(renderer.settings()) == settings


def test_a_world_is_imported_when_it_is_asked_for() -> None:
    code = """
import sys
from limner.worlds import find_world, world_names
assert world_names() == ["paint", "scenes", "toy"]
assert not any(f"limner.worlds.{name}" in sys.modules for name in world_names())
find_world("toy")
assert "limner.worlds.toy" in sys.modules
assert "limner.worlds.paint" not in sys.modules
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", ["oil", "", None, 3, "validation", "toy.renderer"])
def test_an_unknown_world_is_refused_with_those_there_are(name: object) -> None:
    message = re.escape(f"unknown renderer {name!r}: must be one of 'paint', 'scenes', 'toy'")
    with pytest.raises(ValueError, match=f"^{message}$"):
        find_world(name)
    with pytest.raises(ValueError, match=f"^{message}$"):
        make_renderer({"name": name})


def test_settings_need_a_name() -> None:
    with pytest.raises(ValueError, match=r"^unknown renderer None: must be one of 'paint', 'scenes', 'toy'$"):
        read_settings({"canvas": 64})


def test_a_world_from_elsewhere_is_registered(chalk: ChalkWorld) -> None:
    assert find_world("chalk") is chalk
    assert world_names() == ["chalk", "paint", "scenes", "toy"]
    with pytest.raises(ValueError, match=r"must be one of 'chalk', 'paint', 'scenes', 'toy'$"):
        find_world("oil")
    assert read_settings({"name": "chalk", "dark": False}) == ChalkSettings(dark=False)
    with pytest.raises(ValueError, match=r"^renderer\.canvas is 65: must be in 8 … 64$"):
        make_renderer({"name": "chalk", "canvas": 65})
    with pytest.raises(ValueError, match=r"^configuration: unknown field renderer\.grid, must be one of canvas, dark$"):
        make_renderer({"name": "chalk", "grid": 8})
    program = Program({"name": "chalk"}, chalk.actions(ChalkSettings()).sample(np.random.default_rng(0), 5))
    assert program.renderer == {"name": "chalk", "canvas": 16, "dark": True}
    assert execute(program, size=32).shape == (32, 32, 1)
    assert execute(program).min() < 255


def test_a_world_replaces_another_of_its_name(chalk: ChalkWorld) -> None:
    other = ChalkWorld()
    register(other)
    assert find_world("chalk") is other
    assert world_names().count("chalk") == 1


def test_settings_are_values() -> None:
    settings = read_settings({"name": "toy", "sizes": [2, 3]})
    assert replace(settings, canvas=40) == ToySettings(canvas=40, sizes=(2.0, 3.0))
    assert hash(settings) == hash(ToySettings(sizes=(2.0, 3.0)))
