"""The public names of the package."""

import ast
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import gymnasium
import pytest

import limner
from limner.worlds import world_names


def test_every_public_name_is_there() -> None:
    for name in limner.__all__:
        assert getattr(limner, name).__name__ == name
    assert set(limner.__all__) <= set(dir(limner))
    assert limner.__all__ == sorted(limner.__all__)


def test_names_are_those_of_the_modules_that_define_them() -> None:
    for name in limner.__all__:
        home = importlib.import_module(getattr(limner, name).__module__)
        assert getattr(home, name) is getattr(limner, name)


def test_type_checkers_are_told_the_same() -> None:
    tree = ast.parse(Path(limner.__file__).read_text())
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    told = {(node.module, alias.name, alias.asname) for node in block.body for alias in node.names}  # type: ignore[attr-defined]
    assert told == {(f"limner.{module}", name, name) for name, module in limner._MODULES.items()}


def test_no_folder_has_the_name_of_something_public() -> None:
    """Importing ``limner.name`` would put it in the place of the function."""
    assert not {module.name for module in pkgutil.iter_modules(limner.__path__)} & set(limner.__all__)


def test_a_star_imports_all() -> None:
    names: dict[str, object] = {}
    exec("from limner import *", names)
    assert set(limner.__all__) <= set(names)


def test_a_name_that_there_is_not() -> None:
    with pytest.raises(AttributeError, match="module 'limner' has no attribute 'scribble'"):
        _ = limner.scribble


def test_importing_is_light() -> None:
    """And the first use of a name imports what it needs."""
    code = (
        "import sys, limner\n"
        "heavy = {'torch', 'PIL', 'matplotlib', 'scipy', 'mujoco', 'tyro', 'rich', 'limner.agents', 'limner.cli'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
        "assert 'load_agent' in dir(limner)\n"
        "assert 'torch' not in sys.modules\n"
        "limner.load_agent\n"
        "assert 'torch' in sys.modules\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


def test_environments_are_registered() -> None:
    for name in world_names():
        assert f"limner/{name.title()}-v0" in gymnasium.registry
