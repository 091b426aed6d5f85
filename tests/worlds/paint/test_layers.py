import numpy as np
import pytest
import torch

from limner.worlds.paint.refinement import LayerPainter, best_colours, paints_layers
from limner.worlds.paint.renderer import Paint
from limner.worlds.paint.settings import PaintSettings
from limner.worlds.proposals import recolour
from limner.worlds.toy.renderer import Toy, ToySettings

BATCH = 6


def new_renderer(color=False, brush="classic/pen", space="stroke", ground="white", batch=BATCH):
    sizes = (1.0, 3.0, 6.0)
    return Paint(PaintSettings(brush=brush, space=space, color=color, ground=ground, sizes=sizes, events=12), batch)


def painted(renderer, actions):
    """Canvases after ``actions`` int64[T, N, P]."""
    renderer.reset()
    for action in actions:
        renderer.step(action.numpy())
    return torch.from_numpy(renderer.canvas())


def some_actions(renderer, steps, seed=0):
    return torch.from_numpy(renderer.actions.sample(np.random.default_rng(seed), (steps, renderer.batch)))


def furthest(a, b):
    return (a.int() - b.int()).abs().max().item()


@pytest.mark.parametrize("color", [False, True])
@pytest.mark.parametrize("brush", ["classic/pen", "classic/calligraphy"])
def test_a_layer_over_a_picture_is_the_stroke_painted_on_it(brush, color):
    renderer = new_renderer(color, brush)
    actions = some_actions(renderer, 4)
    below, expected = painted(renderer, actions[:3]), painted(renderer, actions)
    layer = LayerPainter(renderer, threads=1).paint(actions[3])
    assert layer.keep.shape == (BATCH, 64, 64, 1)
    assert layer.add.shape == (BATCH, 64, 64, 3 if color else 1)
    laid = layer.over(below[:, None])[:, 0]
    assert laid.dtype == torch.uint8
    assert furthest(laid, expected) <= 2
    assert (expected != below).float().mean() > 0.02


@pytest.mark.parametrize("color", [False, True])
def test_layers_above_each_other_are_one_layer(color):
    renderer = new_renderer(color)
    actions = some_actions(renderer, 5, seed=1)
    painter = LayerPainter(renderer, threads=1)
    layers = [painter.paint(action) for action in actions]
    whole = painter.nothing()
    for layer in reversed(layers[1:]):
        whole = layer.then(whole)
    ground = painted(renderer, actions[:1])
    assert furthest(whole.over(ground[:, None])[:, 0], painted(renderer, actions)) <= 3


def test_a_layer_goes_over_several_canvases():
    renderer = new_renderer()
    actions = some_actions(renderer, 4, seed=2)
    layer = LayerPainter(renderer, threads=1).paint(actions[3])
    grounds = torch.stack([painted(renderer, actions[:k]) for k in range(4)], dim=1)
    laid = layer.over(grounds)
    assert laid.shape == grounds.shape
    for k in range(4):
        assert torch.equal(laid[:, k], layer.over(grounds[:, k : k + 1])[:, 0])


def test_nothing_leaves_everything_as_it_is():
    renderer = new_renderer(color=True)
    picture = painted(renderer, some_actions(renderer, 3))
    assert torch.equal(LayerPainter(renderer, 1).nothing().over(picture[:, None])[:, 0], picture)


def test_rows_of_one_layer_and_of_another():
    renderer = new_renderer()
    painter = LayerPainter(renderer, 1)
    one, two = (painter.paint(action) for action in some_actions(renderer, 2))
    rows = torch.arange(BATCH) % 2 == 0
    mixed = one.where(rows, two)
    for i in range(BATCH):
        assert torch.equal(mixed.keep[i], (one if rows[i] else two).keep[i])
        assert torch.equal(mixed.add[i], (one if rows[i] else two).add[i])


@pytest.mark.parametrize(
    ("renderer", "does"),
    [
        (new_renderer(batch=1), True),
        (new_renderer(color=True, batch=1), True),
        (new_renderer(ground="transparent", batch=1), False),
        (new_renderer(space="bezier", batch=1), False),
        (new_renderer(space="relative", batch=1), False),
        (Toy(ToySettings(), 1), False),
    ],
)
def test_which_renderers_paint_layers(renderer, does):
    assert paints_layers(renderer) == does


def test_the_best_colour_of_a_stroke_is_the_one_it_was_painted_in():
    renderer = new_renderer(color=True)
    actions = some_actions(renderer, 5, seed=3)
    painter = LayerPainter(renderer, threads=1)
    layers = [painter.paint(action) for action in actions]
    above = painter.nothing()
    for layer in layers[:2:-1]:
        above = layer.then(above)
    goals, below = painted(renderer, actions).float(), painted(renderer, actions[:2]).float()
    colour = torch.stack([actions[2, :, renderer.actions.index(name)] for name in ("red", "green", "blue")], dim=1) / 19
    other = actions[2].clone()
    for name in ("red", "green", "blue"):
        other[:, renderer.actions.index(name)] = 7
    found, errors = best_colours(painter.cover(other), below, above, goals)
    assert found.shape == (BATCH, 1, 3)
    visible = ((1 - layers[2].keep) * above.keep).sum((1, 2, 3)) > 20
    assert visible.sum() >= 3
    assert (found[:, 0] - colour)[visible].abs().max() < 0.04
    assert errors.shape == (BATCH, 1)
    assert errors.max() / goals[0].numel() < 1


def test_the_errors_in_the_best_colours_are_those_of_the_pictures():
    renderer = new_renderer(color=True)
    goals, below = painted(renderer, some_actions(renderer, 3, seed=5)), painted(renderer, some_actions(renderer, 1))
    above = LayerPainter(renderer, threads=1).paint(some_actions(renderer, 1, seed=2)[0])
    many = new_renderer(color=True, batch=BATCH * 3)
    tried = some_actions(many, 1, seed=4)[0]
    painter = LayerPainter(many, threads=1)
    colours, errors = best_colours(painter.cover(tried), below.float(), above, goals.float())
    assert colours.shape == (BATCH, 3, 3)
    strokes = painter.paint(recolour(renderer.actions, tried, colours.flatten(0, 1)))
    for n in range(BATCH):
        mine = slice(3 * n, 3 * n + 3)
        pictures = below[n].float() * strokes.keep[mine] + strokes.add[mine]
        pictures = pictures * above.keep[n] + above.add[n]
        real = (pictures - goals[n].float()).square().sum((1, 2, 3))
        torch.testing.assert_close(errors[n], real, rtol=0.02, atol=200.0)


def test_a_stroke_that_is_not_seen_has_some_colour():
    painter = LayerPainter(new_renderer(color=True), threads=1)
    pictures = torch.full((BATCH, 64, 64, 3), 255.0)
    colour, _ = best_colours(1 - painter.nothing().keep, pictures, painter.nothing(), pictures / 2)
    assert ((colour >= 0) & (colour <= 1)).all()
