"""What every renderer does alike, and what every world has by default: programs, an order, what it cannot do."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from limner.worlds import find_world, make_renderer, world_names
from limner.worlds.observation import Targets
from limner.worlds.paint.settings import PaintSettings, paint_actions
from limner.worlds.proposals import perturb
from limner.worlds.refinement import Refinement
from limner.worlds.simulator import Simulator
from limner.worlds.toy.renderer import Toy, ToySettings, toy_actions
from limner.worlds.world import on_white

TOY = toy_actions(ToySettings())


def random(seed=0):
    return torch.Generator().manual_seed(seed)


def test_on_white_blends_as_pillow_does():
    rng = np.random.default_rng(0)
    canvas, opaque = (rng.integers(0, 256, (16, 16, channels), np.uint8) for channels in (4, 3))
    expected = Image.alpha_composite(Image.new("RGBA", (16, 16), "white"), Image.fromarray(canvas)).convert("RGB")
    assert np.abs(on_white(canvas).astype(int) - np.asarray(expected)).max() <= 1
    assert on_white(np.zeros((3, 2, 2, 2), np.uint8)).shape == (3, 2, 2, 1)
    assert on_white(np.asarray([[[0, 0]], [[0, 255]], [[9, 255]]], np.uint8)).ravel().tolist() == [255, 0, 9]
    assert on_white(opaque) is opaque


def test_canvases_are_chosen_by_number():
    renderer = Toy(batch=3)
    for _ in range(2):
        renderer.step(renderer.actions.sample(np.random.default_rng(0), 3))
    assert len(renderer.save()) == 3
    some = renderer.save(np.array([2, 0, 2], np.uint8))
    np.testing.assert_array_equal(some.parts[0], renderer.canvas()[[2, 0, 2]])
    for wrong in ([3], [-1], [0.5], [[0]], [True]):
        for method in (renderer.save, renderer.reset):
            with pytest.raises(ValueError, match=r"^indices must be canvas numbers in 0 … 2, got array"):
                method(np.array(wrong))
    before = renderer.canvas()
    renderer.reset(np.array([], np.int64))
    np.testing.assert_array_equal(renderer.canvas(), before)


def test_pictures_are_copied_or_written():
    renderer = Toy(batch=2)
    canvas = renderer.canvas()
    assert not np.shares_memory(canvas, renderer.canvas())
    out = np.zeros_like(canvas)
    assert renderer.canvas(out) is out
    np.testing.assert_array_equal(out, canvas)
    for wrong in (out[:1], out[..., 0], out.astype(np.int64)):
        with pytest.raises(ValueError, match=r"^out must be uint8\[2, 32, 32, 1\], got "):
            renderer.canvas(wrong)


@pytest.mark.usefixtures("gl")
@pytest.mark.parametrize("name", world_names())
def test_states_fit_renderers_with_the_same_settings(name):
    settings = find_world(name).settings_type(canvas=64)
    state = make_renderer(settings, 2).save()
    larger = make_renderer(settings, 3)
    larger.restore(state)
    with pytest.raises(ValueError, match=r"^cannot restore 2 canvases into 1$"):
        larger.restore(state, np.array([0]))
    with pytest.raises(ValueError, match=r"^indices must be canvas numbers in 0 … 0, got array"):
        make_renderer(settings, 1).restore(state)
    with pytest.raises(ValueError, match=r"^cannot restore what a renderer with other settings has saved$"):
        make_renderer(replace(settings, sizes=(1.0,)), 2).restore(state)


@pytest.mark.parametrize("name", world_names())
@pytest.mark.parametrize(("batch", "threads"), [(0, 1), (2**20 + 1, 1), (-1, 1)])
def test_impossible_batches_are_refused(name, batch, threads):
    message = f"^batch is {batch} and threads is {threads}: must be in 1 … 2\\^20 and in 1 … 1024$"
    with pytest.raises(ValueError, match=message):
        make_renderer({"name": name}, batch, threads)


@pytest.mark.parametrize("name", world_names())
@pytest.mark.parametrize("threads", [0, 1025])
def test_impossible_numbers_of_threads_are_refused(name, threads):
    with pytest.raises(ValueError, match=f"^batch is 1 and threads is {threads}: must be"):
        make_renderer({"name": name}, 1, threads)


def test_random_programs_are_uniform_and_canonical():
    actions = find_world("toy").random_programs(TOY, 5, 400, random())
    assert actions.shape == (5, 400, 5)
    np.testing.assert_array_equal(TOY.canonical(TOY.validate(actions.numpy())), actions)
    painting = actions[actions[..., 0] == 1]
    for i, size in enumerate(TOY.sizes[1:], 1):
        share = torch.bincount(painting[:, i], minlength=size) / len(painting)
        assert (share - 1 / size).abs().max() < 0.05
    assert torch.equal(find_world("toy").random_programs(TOY, 5, 400, random()), actions)


@pytest.mark.parametrize(
    ("name", "space"),
    [
        ("toy", TOY),
        ("paint", paint_actions(PaintSettings(grid=8, sizes=(1, 2), pressures=3, levels=4))),
        (
            "paint",
            paint_actions(PaintSettings(space="stroke", grid=8, sizes=(1, 2), pressures=3, color=True, levels=4)),
        ),
    ],
)
def test_perturbed_strokes_stay_and_the_program_goes_on(name, space):
    world = find_world(name)
    known = world.random_programs(space, 7, 50, random())
    expert, done = world.correct(space, known, lambda actions: actions)
    assert torch.equal(expert, known)
    assert torch.equal(done, known)

    def perturbed(actions):
        return perturb(space, actions.flatten(0, -2), random(1)).view_as(actions)

    expert, done = world.correct(space, known, perturbed)
    assert torch.equal(expert, known)
    assert torch.equal(done, perturbed(known))
    assert (done != known).any(-1).float().mean() > 0.5


@pytest.mark.parametrize(
    ("space", "actions", "count"),
    [
        ("bezier", [[0, 5, 0, 0, 0], [1, 9, 3, 0, 0], [1, 2, 3, 0, 0], [0, 1, 0, 0, 0]], 2),
        ("spline", [[0, 5, 0, 0], [2, 9, 0, 0], [1, 3, 0, 0]], 1),
        ("stroke", [[0, 5, 9, 0, 0], [0, 0, 0, 0, 0], [1, 2, 3, 0, 0]], 3),
    ],
)
def test_programs_are_counted_by_the_actions_that_paint(space, actions, count):
    world = find_world("paint")
    assert (
        world.count(
            paint_actions(PaintSettings(space=space, grid=8, sizes=(1, 2), pressures=3, levels=4)), np.array(actions)
        )
        == count
    )


def test_scenes_are_counted_by_the_objects_that_are_left():
    world = find_world("scenes")
    space = world.actions(world.settings_type())
    place, skip, change = [0, 1, 5, 0, 3, 0, 0], [2, 0, 0, 0, 0, 0, 0], [1, 1, 9, 0, 3, 0, 0]
    assert world.count(space, np.array([place, change, skip, place])) == 2
    assert world.count(space, np.array([change, change, skip])) == 1
    assert world.count(space, np.array([skip])) == 0


def test_metrics_of_programs_are_known_for_scenes_alone():
    world = find_world("scenes")
    space = world.actions(world.settings_type())
    program = np.array([[0, 1, 5, 0, 3, 0, 0], [2, 0, 0, 0, 0, 0, 0]])
    metrics = world.metrics(space, [program, program], [program, program[1:]])
    assert (metrics["scenes"], metrics["count_right"], metrics["type_right"]) == (2, 0.5, 1)
    assert find_world("toy").metrics(TOY, [], []) == {}


def test_an_order_is_known_where_it_matters_little():
    world, generator = find_world("paint"), random()
    grey, colour = (
        paint_actions(PaintSettings(space="stroke", grid=8, sizes=(1, 2), pressures=3, color=color, levels=4))
        for color in (False, True)
    )
    programs = world.random_programs(grey, 5, 4, generator)
    ordered = world.order(grey, programs)
    assert ordered is not None
    assert not torch.equal(ordered, programs)
    assert world.order(colour, world.random_programs(colour, 5, 4, generator)) is None
    assert find_world("toy").order(TOY, programs) is None


@pytest.mark.parametrize("name", ["scenes", "toy"])
def test_only_paint_has_large_canvases(name):
    world = find_world(name)
    with pytest.raises(ValueError, match=f"^the renderer '{name}' cannot paint large pictures: an agent of 'paint' is"):
        world.large_canvas(world.settings_type(), 4, None, None, False)


def test_refinement_is_the_general_one_by_default():
    renderer = make_renderer({"name": "toy"}, 2)
    world, actions = find_world("toy"), torch.from_numpy(renderer.actions.sample(np.random.default_rng(0), (3, 2)))
    goals = torch.zeros(2, *renderer.shape, dtype=torch.uint8)
    targets = Targets(goals, torch.zeros(2, 1, 8, 8), torch.zeros(2, 2))
    world.warm_up(renderer)
    proposer = world.proposals(renderer.actions)
    refinement = world.refinement(renderer)(renderer, Simulator(renderer, 4, 1), targets, actions, proposer)
    assert type(refinement) is Refinement
    assert torch.equal(refinement.actions, actions)
    assert refinement.goals is goals


def test_facts_are_for_people():
    facts = find_world("paint").facts()
    assert facts["libmypaint"]
    assert facts["brushes"] >= 1
    assert find_world("toy").facts() == {}


def test_which_grounds_are_white():
    assert [find_world(name).white_ground for name in ("paint", "scenes", "toy")] == [True, False, True]


def test_only_a_preset_repeats_the_release_of_2018():
    paint = find_world("paint")
    assert paint.repeats_release(PaintSettings(preset="deepmind-2018"))
    assert not paint.repeats_release(PaintSettings())
    assert not find_world("toy").repeats_release(ToySettings())
