"""A stack of layers, against the engine and against painting everything anew."""

import numpy as np
import pytest

from limner.worlds.paint.layers import SIDE, Layer, Stack, pool
from limner.worlds.paint.renderer import Paint
from limner.worlds.paint.settings import PaintSettings

SIZE = 2 * SIDE
SETTINGS = PaintSettings(
    canvas=SIZE, space="stroke", color=True, grid=128, sizes=(2.0, 4.0, 8.0), pressures=4, events=8, levels=256
)


def strokes(count, brush="experimental/basic", seed=0):
    """Layers of random strokes, and the actions that paint them."""
    rng = np.random.default_rng(seed)
    actions = Paint(PaintSettings(**{**vars(SETTINGS), "brush": brush})).actions.sample(rng, count)
    own = PaintSettings(**{**vars(SETTINGS), "brush": brush, "color": False, "ground": "transparent"})
    layers = []
    painter = Paint(own, count)
    painter.step(actions[:, :5])
    for action, canvas in zip(actions, painter.canvas(), strict=True):
        rows, columns = (np.flatnonzero(canvas[..., -1].any(axis)) for axis in (1, 0))
        box = (rows[0] // 2 * 2, columns[0] // 2 * 2, -(-(rows[-1] + 1) // 2) * 2, -(-(columns[-1] + 1) // 2) * 2)
        cover = canvas[box[0] : box[2], box[1] : box[3], -1] / np.float32(255)
        covers = {2: cover, 1: pool(cover[..., None], 2)[..., 0]}
        layers.append(Layer(action[:5], action[5:].astype(np.float32), box, covers, 1))
    return layers, actions


def stack_of(layers, seed=1):
    rng = np.random.default_rng(seed)
    goal, weights = rng.integers(0, 256, (SIZE, SIZE, 3), np.uint8), rng.random((SIZE, SIZE))
    stack = Stack(goal, weights, np.full_like(goal, 255))
    for layer in layers:
        stack.push(layer)
    return stack


def whole_error(stack):
    difference = stack.goals[2] - stack.canvases[2]
    return float((np.square(difference, dtype=np.float64) * stack.weights[2]).sum())


@pytest.mark.parametrize("brush", ["experimental/basic", "classic/pen", "deevad/airbrush"])
def test_layers_paint_what_the_engine_paints(brush):
    layers, actions = strokes(8, brush)
    engine = Paint(PaintSettings(**{**vars(SETTINGS), "brush": brush}))
    for action in actions:
        engine.step(action[None])
    apart = np.abs(stack_of(layers).canvases[2] - engine.canvas()[0])
    assert apart.max() <= 4
    assert apart.mean() < 0.5


def test_all_scales_show_the_same_picture_whatever_is_changed():
    layers, _ = strokes(12)
    others, _ = strokes(12, seed=5)
    stack = stack_of(layers)
    stack.replace(3, others[0])
    stack.replace(11, others[1])
    stack.keep(np.array([0, 2, 3, 5, 7, 11]))
    stack.replace(0, others[2])
    expected = stack_of([others[2], layers[2], others[0], layers[5], layers[7], others[1]])
    for scale in (1, 2):
        assert stack.canvases[scale] == pytest.approx(expected.canvases[scale], abs=1e-2)
    assert pool(stack.canvases[2], 2) == pytest.approx(stack.canvases[1], abs=1e-3)


def test_what_is_around_a_stroke():
    layers, _ = strokes(10)
    stack, box = stack_of(layers), (16, 32, 96, 112)
    below, keep, add = stack.around(4, 2, box)
    inside = np.s_[box[0] : box[2], box[1] : box[3]]
    assert below == pytest.approx(stack_of(layers[:4]).canvases[2][inside], abs=1e-2)
    without = stack_of(layers[:4] + layers[5:]).canvases[2][inside]
    assert below * keep[..., None] + add == pytest.approx(without, abs=1e-2)


def test_a_loss_is_the_error_that_a_stroke_spares():
    layers, _ = strokes(9)
    stack = stack_of(layers)
    errors = [whole_error(stack_of(layers[:i] + layers[i + 1 :])) for i in range(9)]
    assert stack.losses() == pytest.approx(np.array(errors) - whole_error(stack), rel=1e-3, abs=50)


def test_colours_that_are_solved_are_the_best():
    layers, _ = strokes(6)
    stack = stack_of(layers)
    before = whole_error(stack)
    stack.solve_colours(lambda colours: colours, sweeps=200)
    after = whole_error(stack)
    assert after < before
    solved = [layer.colour for layer in stack.layers]
    assert all((colour >= 0).all() and (colour <= 255).all() for colour in solved)
    for i in range(6):
        for shift in (-8, 8):
            colours = np.array(solved)
            colours[i] = np.clip(colours[i] + shift, 0, 255)
            stack.recolour(colours.astype(np.float32))
            assert whole_error(stack) >= after - 1e-3 * after
    stack.recolour(np.array(solved))
    stack.solve_colours(lambda colours: np.round(colours / 255) * 255)
    assert {value for layer in stack.layers for value in layer.colour.tolist()} <= {0, 255}
