"""The registry of worlds: a world is a renderer, its action space, and functions of its programs.

A world is a folder here that calls ``register`` when it is imported; it is imported when its name is first asked for. A
world defined elsewhere calls ``register`` itself. Code outside a world's folder reaches it by ``find_world``.
"""

import pkgutil
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from limner.worlds.validation import read_section
from limner.worlds.world import Renderer, Settings, World

__all__ = ["Renderer", "Settings", "World", "find_world", "make_renderer", "read_settings", "register", "world_names"]

_FOLDERS = {module.name for module in pkgutil.iter_modules(__path__) if module.ispkg}
_worlds: dict[str, World] = {}


def register(world: World) -> None:
    """Register ``world`` under its name, in place of another of that name."""
    _worlds[world.name] = world


def find_world(name: object) -> World:
    """The world called ``name``; ``ValueError`` naming all worlds if there is none."""
    if isinstance(name, str) and name not in _worlds and name in _FOLDERS:
        import_module(f"limner.worlds.{name}")
    if not isinstance(name, str) or name not in _worlds:
        raise ValueError(f"unknown renderer {name!r}: must be one of {', '.join(map(repr, world_names()))}")
    return _worlds[name]


def world_names() -> list[str]:
    """Names of all worlds, sorted."""
    return sorted({*_FOLDERS, *_worlds})


def read_settings(values: Mapping[str, Any]) -> Settings:
    """A world's settings from JSON values, its ``"name"`` among them; ``ValueError`` naming a bad one."""
    rest = dict(values)
    kind = find_world(rest.pop("name", None)).settings_type
    settings: Settings = read_section(kind, rest, "renderer.")
    return settings


def make_renderer(settings: Mapping[str, Any] | Settings, batch: int = 1, threads: int = 1) -> Renderer:
    """A renderer of ``batch`` canvases from settings, given as such or as JSON values (``Renderer.settings``).

    ``threads`` share its canvases where the world can use them. ``ValueError`` naming a bad setting.
    """
    typed = read_settings(settings) if isinstance(settings, Mapping) else settings
    renderer: Renderer = find_world(typed.name).renderer_type(typed, batch, threads)
    return renderer
