"""Limner teaches agents to draw by writing programs for a renderer.

    import limner

    canvases, programs = limner.sample(limner.load_agent("mnist"), 16)
    picture = limner.execute(programs[0], size=512)

Notable choices:
- Importing the package tells Gymnasium the names of the environments, and nothing else: what is named below is imported
  when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import gymnasium

from limner.worlds import world_names

if TYPE_CHECKING:
    from limner.agents.agent import Agent, load_agent
    from limner.data import load_dataset
    from limner.environments.gymnasium import PaintEnv, PaintVectorEnv
    from limner.inference.draw import DrawOptions, draw
    from limner.inference.evaluate import reconstruct
    from limner.inference.paint import paint
    from limner.inference.parse import parse
    from limner.inference.sample import sample
    from limner.programs.execution import execute, execute_all
    from limner.programs.program import Program, load_programs, save_programs
    from limner.training.run import train
    from limner.worlds import make_renderer

_HOMES = {
    "agents.agent": ("Agent", "load_agent"),
    "data": ("load_dataset",),
    "environments.gymnasium": ("PaintEnv", "PaintVectorEnv"),
    "inference.draw": ("DrawOptions", "draw"),
    "inference.evaluate": ("reconstruct",),
    "inference.paint": ("paint",),
    "inference.parse": ("parse",),
    "inference.sample": ("sample",),
    "programs.execution": ("execute", "execute_all"),
    "programs.program": ("Program", "load_programs", "save_programs"),
    "training.run": ("train",),
    "worlds": ("make_renderer",),
}
_MODULES = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "Agent",
    "DrawOptions",
    "PaintEnv",
    "PaintVectorEnv",
    "Program",
    "draw",
    "execute",
    "execute_all",
    "load_agent",
    "load_dataset",
    "load_programs",
    "make_renderer",
    "paint",
    "parse",
    "reconstruct",
    "sample",
    "save_programs",
    "train",
]

for _name in world_names():
    gymnasium.register(
        id=f"limner/{_name.title()}-v0",
        entry_point="limner.environments.gymnasium:PaintEnv",
        vector_entry_point="limner.environments.gymnasium:PaintVectorEnv",
        kwargs={"renderer": _name},
    )


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'limner' has no attribute {name!r}")
    return getattr(import_module(f"limner.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
