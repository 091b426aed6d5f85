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

_HOMES = {
    "agents.agent": ("Agent", "load_agent"),
    "data": ("load_dataset",),
    "environments.gymnasium": ("PaintEnv", "PaintVectorEnv"),
    "export.kinds": ("ExportOptions", "export_program"),
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

if TYPE_CHECKING:  # an alias exports a name
    from limner.agents.agent import Agent as Agent
    from limner.agents.agent import load_agent as load_agent
    from limner.data import load_dataset as load_dataset
    from limner.environments.gymnasium import PaintEnv as PaintEnv
    from limner.environments.gymnasium import PaintVectorEnv as PaintVectorEnv
    from limner.export.kinds import ExportOptions as ExportOptions
    from limner.export.kinds import export_program as export_program
    from limner.inference.draw import DrawOptions as DrawOptions
    from limner.inference.draw import draw as draw
    from limner.inference.evaluate import reconstruct as reconstruct
    from limner.inference.paint import paint as paint
    from limner.inference.parse import parse as parse
    from limner.inference.sample import sample as sample
    from limner.programs.execution import execute as execute
    from limner.programs.execution import execute_all as execute_all
    from limner.programs.program import Program as Program
    from limner.programs.program import load_programs as load_programs
    from limner.programs.program import save_programs as save_programs
    from limner.training.run import train as train
    from limner.worlds import make_renderer as make_renderer
else:
    __all__ = sorted(_MODULES)

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
    return sorted({*globals(), *_MODULES})
