"""The structure of the source: folders import one way, and one world is known by name only in its own folder."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import limner
from limner.worlds import world_names

SOURCE = Path(limner.__file__).parent
FOLDERS = [
    *("actions", "extras", "files", "malloc"),
    *("worlds", "programs", "environments", "data", "metrics", "models", "agents"),
    *("search", "inference", "training", "export", "robot", "mcp", "studio", "cli"),
]
"""Lowest first: each imports only from those before it, and from itself."""
ONE_WORLD = {"training/presets.py", "cli/robot.py", "cli/export.py"}
"""Presets and commands that are for one world; the folders ``robot`` and ``export`` are, too."""
MODULES = sorted(path.relative_to(SOURCE) for path in SOURCE.rglob("*.py"))
GENERIC = [
    module
    for module in MODULES
    if module.parts[0] not in ("robot", "export")
    and str(module) not in ONE_WORLD
    and not (module.parts[0] == "worlds" and len(module.parts) > 2)
]


def nodes(module: Path) -> Iterator[ast.AST]:
    return ast.walk(ast.parse((SOURCE / module).read_text()))


def imports(module: Path) -> set[str]:
    """What a module of the package imports from the package, at its top or later: dotted names below ``limner``."""
    found = set()
    for node in nodes(module):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("limner."):
            found |= {f"{node.module}.{alias.name}".removeprefix("limner.") for alias in node.names}
        if isinstance(node, ast.Import):
            found |= {alias.name.removeprefix("limner.") for alias in node.names if alias.name.startswith("limner.")}
    return found


@pytest.mark.parametrize("module", [m for m in MODULES if m.name not in ("__main__.py",) and len(m.parts) > 1], ids=str)
def test_folders_import_only_from_those_before_them(module: Path) -> None:
    allowed = FOLDERS[: FOLDERS.index(module.parts[0]) + 1]
    assert {name.split(".")[0] for name in imports(module)} <= {*allowed, "__init__"}


@pytest.mark.parametrize("module", [m for m in MODULES if m.parts[0] == "worlds" and len(m.parts) > 2], ids=str)
def test_worlds_do_not_know_each_other(module: Path) -> None:
    others = set(world_names()) - {module.parts[1]}
    assert not {name for name in imports(module) if name.startswith("worlds.") and name.split(".")[1] in others}


@pytest.mark.parametrize("module", GENERIC, ids=str)
def test_one_world_is_not_imported_by_name(module: Path) -> None:
    assert not {name for name in imports(module) if name.startswith("worlds.") and name.split(".")[1] in world_names()}


@pytest.mark.parametrize("module", GENERIC, ids=str)
def test_worlds_are_not_told_apart(module: Path) -> None:
    """No ``isinstance(…Settings)``, no ``"op" in space``, no comparison with the name of a world."""
    words = {*world_names(), "op", "flag"}
    for node in nodes(module):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "isinstance":
            names = {inner.id for inner in ast.walk(node.args[1]) if isinstance(inner, ast.Name)}
            assert not {name for name in names if name.endswith("Settings") and name != "Settings"}, f"{node.lineno}"
        if isinstance(node, ast.Compare):
            constants = {inner.value for inner in ast.walk(node) if isinstance(inner, ast.Constant)}
            assert not words & {value for value in constants if isinstance(value, str)}, f"line {node.lineno}"
        if isinstance(node, ast.Match):
            constants = {inner.value for inner in ast.walk(node) if isinstance(inner, ast.Constant)}
            assert not words & {value for value in constants if isinstance(value, str)}, f"line {node.lineno}"


@pytest.mark.parametrize("module", [module for module in MODULES if str(module) != "files.py"], ids=str)
def test_home_folders_are_looked_up_in_one_place(module: Path) -> None:
    """``files.expand_home`` explains it where there is none."""
    names = {node.attr for node in nodes(module) if isinstance(node, ast.Attribute)}
    assert not {"expanduser", "home"} & names


WRITERS = {"files.py", "data/fetch.py", "cli/streams.py"}


@pytest.mark.parametrize("module", [module for module in MODULES if str(module) not in WRITERS], ids=str)
def test_files_are_written_in_one_place(module: Path) -> None:
    """By ``files.write_atomic`` and ``append_atomic``, whose errors name the file and leave no half of one."""
    calls = [node for node in nodes(module) if isinstance(node, ast.Call)]
    names = {node.func.attr for node in calls if isinstance(node.func, ast.Attribute)}
    assert not {"write_text", "write_bytes", "fsync", "mkdir"} & names
    for node in calls:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        modes = [arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
        assert name != "open" or not any(re.fullmatch("[wax]b?", mode) for mode in modes), f"line {node.lineno}"


def test_few_modules_lie_flat() -> None:
    assert len([module for module in MODULES if len(module.parts) == 1]) <= 6


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_modules_functions_and_signatures_are_short(module: Path) -> None:
    assert len((SOURCE / module).read_text().splitlines()) <= 300
    for node in nodes(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno - node.lineno + 1 <= 60, node.name
            names = [a.arg for a in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
            if not node.name.startswith("_"):
                assert len([name for name in names if name not in ("self", "cls")]) <= 7, node.name
