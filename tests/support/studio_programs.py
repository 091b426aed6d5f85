"""Programs for tests of the studio."""

import numpy as np

from limner.programs.program import Program
from limner.worlds.paint.settings import PaintSettings, paint_actions
from limner.worlds.validation import plain


def random_program(count=12, seed=0, **changes):
    """``count`` random strokes, by default coloured ones that are layers."""
    settings = PaintSettings(**{"brush": "classic/pen", "color": True, "space": "stroke", "events": 16} | changes)
    actions = paint_actions(settings).sample(np.random.default_rng(seed), count)
    return Program(plain(settings), actions, seed, "someone")
