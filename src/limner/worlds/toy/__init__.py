"""The world ``toy``: round strokes in pure NumPy, for tests and as the smallest example of a world."""

from typing import Any, ClassVar

import numpy as np

from limner.actions import IntArray
from limner.worlds import register
from limner.worlds.stroke import Points, Stroke
from limner.worlds.toy.renderer import PAINT, Toy, ToySettings, toy_actions
from limner.worlds.world import World


class ToyWorld(World):
    """The defaults of ``World``, and strokes."""

    name: ClassVar[str] = "toy"
    settings_type: ClassVar[type[Any]] = ToySettings
    renderer_type: ClassVar[type[Any]] = Toy
    actions = staticmethod(toy_actions)

    def strokes(self, settings: ToySettings, actions: IntArray) -> list[Stroke] | None:
        """As ``World.strokes``; a curve continues the stroke before it unless a jump comes between them."""
        space = toy_actions(settings)
        pen, down, pressure = np.zeros(2), False, 0.0
        strokes: list[list[Points]] = []
        for action in actions:
            end, control = ((space.cells(action, name)[::-1] + 0.5) / settings.grid for name in ("end", "control"))
            if action[space.index("flag")] == PAINT:
                t, opacity = np.linspace(0, 1, 32)[:, None], float(space.values(action, "pressure"))
                places = (1 - t) ** 2 * pen + 2 * t * (1 - t) * control + t**2 * end
                strokes = strokes if down else [*strokes, []]
                strokes[-1].append(np.column_stack([places, np.linspace(pressure, opacity, len(t))]))
                down, pressure = True, opacity
            else:
                down, pressure = False, 0.0
            pen = end
        return [Stroke(np.concatenate(stroke), (0.0, 0.0, 0.0)) for stroke in strokes]


register(ToyWorld())
