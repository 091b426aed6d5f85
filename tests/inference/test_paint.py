import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from limner.agents.agent import Agent, load_agent
from limner.data.resize import resize_square
from limner.inference import paint as painting
from limner.inference.draw import draw
from limner.inference.evaluate import squared_error
from limner.inference.paint import CLOSE, WIDEST, canvas_shape, paint
from limner.models.policy import make_policy
from limner.programs.program import Program, execute
from limner.worlds.paint.renderer import Paint


def picture(side, channels=1, seed=0):
    """Soft blots: something at every scale."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (1, 8, 8, channels), np.uint8)
    return resize_square(coarse, side)[0]


def last(paintings):
    return list(paintings)[-1]


def error(program, goal):
    return squared_error(execute(program)[None], goal[None])[0]


@pytest.fixture(scope="module")
def coarse(conditional_agent):
    """The agent with strokes that cover: it has learnt nothing, so the wider the better."""
    config = replace(conditional_agent.config, renderer=replace(conditional_agent.config.renderer, sizes=(4.0, 8.0, 24.0)))
    torch.manual_seed(0)
    return Agent(conditional_agent.name, make_policy(config, config.make_renderer(1)).eval(), config)


@pytest.fixture(scope="module")
def colourful(conditional_config):
    config = replace(conditional_config, renderer=replace(conditional_config.renderer, color=True, levels=4))
    torch.manual_seed(0)
    return Agent("colourful", make_policy(config, config.make_renderer(1)).eval(), config)


def test_a_single_patch_is_an_ordinary_drawing(conditional_agent):
    goal = picture(64)
    (drawn,) = draw(conditional_agent, goal[None], seed=3)
    blank, growing, whole = paint(conditional_agent, goal, detail=1, seed=3)
    assert len(blank.program) == 0
    assert growing == whole
    assert whole.program == drawn.programs[0]
    assert (whole.done, whole.total) == (1, 1)


def test_the_painting_grows_and_comes_closer(coarse):
    goal = picture(256)
    paintings = list(paint(coarse, goal, detail=4, seed=2))
    assert [paintings[0].done, paintings[-1].done] == [0, 21]
    assert {painting.total for painting in paintings} == {21}
    for before, after in itertools.pairwise(paintings):
        np.testing.assert_array_equal(after.program.actions[: len(before.program)], before.program.actions)
        assert after.done >= before.done
    errors = [error(painting.program, goal) for painting in paintings[1:]]
    assert (np.diff(errors) <= 0).all(), "after the first level no stroke stays that does harm"
    assert errors[-1] < 0.9 * errors[0]
    assert len(paintings[-1].program) > len(paintings[1].program)


def test_the_program_is_for_the_whole_canvas(coarse):
    program = last(paint(coarse, picture(256), detail=4, seed=5)).program
    assert (program.agent, program.seed) == ("conditional_agent", 5)
    own = coarse.config.renderer
    renderer = program.renderer
    assert (renderer["canvas"], renderer["grid"]) == (256, own.grid * 4)
    assert renderer["sizes"] == [1.0, 2.0, 4.0, 6.0, 8.0, 12.0, WIDEST]
    assert WIDEST * 2048 / 64 <= 500
    assert renderer["brush"] == own.brush
    assert Program.from_json(program.to_json()) == program
    assert execute(program, 100).shape == (100, 100, 1)


def test_the_same_seed_paints_the_same_and_another_does_not(coarse):
    goal = picture(128)
    one = last(paint(coarse, goal, detail=2, seed=1))
    torch.manual_seed(7)
    assert last(paint(coarse, goal, detail=2, seed=1, threads=2)) == one
    assert last(paint(coarse, goal, detail=2, seed=2)) != one


def test_search_comes_closer(coarse):
    goal = picture(128)
    alone, found = (last(paint(coarse, goal, detail=2, search=seconds)).program for seconds in (0, 2))
    assert error(found, goal) < 0.8 * error(alone, goal)


def test_search_is_shared_by_the_patches_that_are_drawn(conditional_agent, monkeypatch):
    asked = []

    def pretend(renderer, agent, goals, search, seed, threads):
        asked.append((len(goals), search))
        steps = np.zeros((2, len(agent.config.make_renderer(1).actions)), np.int64)
        return type("Drawn", (), {"programs": [Program(renderer.settings(), steps)] * len(goals)})

    monkeypatch.setattr(painting, "draw_on", pretend)
    goal = np.zeros((256, 256, 1), np.uint8)
    goal[:128, :128] = 255  # a quarter that is done once it is left alone
    list(paint(conditional_agent, goal, detail=4, search=21))
    assert asked[0] == (1, 1.0)
    assert all(share >= 1 for _, share in asked)
    assert sum(count * share for count, share in asked) == pytest.approx(21)


def test_blank_paper_is_left_alone(conditional_agent):
    paintings = list(paint(conditional_agent, np.full((256, 256, 1), 255, np.uint8), detail=4))
    assert len(paintings[-1].program) == 0
    assert (paintings[-1].done, paintings[-1].total) == (21, 21)
    nearly = np.full((256, 256, 1), 253, np.uint8)
    assert CLOSE > (2 / 255) ** 2
    assert len(last(paint(conditional_agent, nearly, detail=4)).program) == 0
    assert len(last(paint(conditional_agent, (nearly - 5)[:64, :64], detail=1)).program) == 3


def test_colour(colourful):
    goal = picture(128, channels=3)
    assert canvas_shape(colourful, 2) == (128, 3)
    program = last(paint(colourful, goal, detail=2, search=0.5)).program
    assert execute(program).shape == goal.shape
    assert error(program, goal) < squared_error(np.full_like(goal, 255)[None], goal[None])[0]


# --- From patches to the canvas ------------------------------------------------------------------------------------


def easel(agent, goal, detail):
    return painting._Easel(agent.config.renderer, goal, detail)


@pytest.mark.parametrize(("detail", "level"), [(1, 1), (4, 4), (8, 8), (4, 2), (8, 2), (16, 4)])
def test_a_stroke_of_a_patch_is_the_same_stroke_on_the_canvas(conditional_agent, detail, level):
    """As seen by the agent: the same pixels where the patches are the finest, half a pixel off at most elsewhere."""
    size, grid = 64 * detail, 32
    config = replace(conditional_agent.config, renderer=replace(conditional_agent.config.renderer, grid=grid))
    board = easel(replace(conditional_agent, config=config), np.zeros((size, size, 1), np.uint8), detail)
    patches = np.array([[0, 0], [level - 2, 0], [0, level - 2]])[: max(1, level - 1)]
    if level == 2:
        patches = np.array([[1, 0]])
    sketch = Paint(board.patch_settings(level), len(patches))
    actions = sketch.actions.sample(np.random.default_rng(0), (4, len(patches)))
    for name in ("start", "control", "end"):  # within the middle, so that nothing crosses an edge
        index = sketch.actions.index(name)
        rows, columns = np.divmod(actions[..., index], grid)
        actions[..., index] = (grid // 4 + rows // 2) * grid + grid // 4 + columns // 2
    for action in actions:
        sketch.step(action)
    board.add(level, patches, actions)
    assert len(board.program()) == actions[..., 0].size, "on a black goal every stroke helps"
    shown, _ = board.patches(level, patches)
    difference = np.abs(shown.astype(int) - sketch.canvas())
    assert (sketch.canvas() < 100).any()
    if level == detail:
        assert difference.max() <= 1
    else:
        assert difference.mean() < 5
    whole, _ = board.patches(1, np.array([[0, 0]]))
    ink = (255.0 - whole).sum(), sum((255.0 - one).sum() for one in shown) / level**2
    assert ink[0] == pytest.approx(ink[1], rel=0.02), "and nothing is painted elsewhere"


def test_only_strokes_that_help_stay_but_on_the_first_level(conditional_agent):
    board = easel(conditional_agent, np.full((128, 128, 1), 255, np.uint8), 2)
    sketch = Paint(board.patch_settings(1))
    actions = sketch.actions.sample(np.random.default_rng(0), (3, 1))
    board.add(2, np.array([[0, 0]]), actions)
    assert len(board.program()) == 0
    assert (board.renderer.canvas() == 255).all()
    board.add(1, np.array([[0, 0]]), actions)
    assert len(board.program()) == 3
    assert (execute(Program(board.renderer.settings(), board.program())) == board.renderer.canvas()[0]).all()


def test_a_stroke_that_helps_its_patch_but_harms_the_next_is_dropped(conditional_agent):
    """A grey patch among white ones: black paint is a little closer to the grey, and far from the white."""
    goal = np.full((256, 256, 1), 255, np.uint8)
    goal[64:128, 64:128] = 100
    config = replace(conditional_agent.config, renderer=replace(conditional_agent.config.renderer, grid=8, sizes=(16.0,), pressures=1))
    board = easel(replace(conditional_agent, config=config), goal, 4)
    edge, middle = (np.array([[[8 * row + 2, 8 * row + 3, 8 * row + 5, 0, 0]]]) for row in (7, 3))
    sketch = Paint(board.patch_settings(4))
    sketch.step(edge[0])
    assert squared_error(sketch.canvas(), goal[None, 64:128, 64:128]) < (155 / 255) ** 2, "it helps its own patch"
    board.add(4, np.array([[1, 1]]), edge)
    assert len(board.program()) == 0
    board.add(4, np.array([[1, 1]]), middle)
    assert len(board.program()) == 1


def test_patches_start_from_what_is_there(coarse, monkeypatch):
    """From what all earlier strokes have left, their neighbours' strokes across the edge included."""
    seen = []
    honest = painting.draw_on

    def draw_on(renderer, *arguments):
        before = renderer.canvas()
        drawn = honest(renderer, *arguments)
        seen.append((before, len(seen)))
        return drawn

    monkeypatch.setattr(painting, "draw_on", draw_on)
    paintings = list(paint(coarse, picture(128), detail=2))
    assert len(seen) == 5
    patches = [(0, 0), (0, 1), (1, 0), (1, 1)]
    for before, number in seen[1:]:
        row, column = patches[number - 1]
        canvas = execute(paintings[number].program)[None]
        np.testing.assert_array_equal(before, canvas[:, 64 * row : 64 * row + 64, 64 * column : 64 * column + 64])


# --- What is refused -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"detail": 0}, "detail is 0: must be one of 1, 2, 4, 8, 16"),
        ({"detail": 3}, "detail is 3"),
        ({"search": -1}, "search is -1: must be in 0 … 3600"),
        ({"search": float("nan")}, "search is nan"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_impossible_wishes_are_refused_at_once(conditional_agent, options, words):
    with pytest.raises(ValueError, match=words):
        paint(conditional_agent, picture(64), **{"detail": 1, **options})


@pytest.mark.parametrize(
    "wrong", [picture(32), picture(64, 3), picture(64)[:32], picture(64)[..., 0], picture(64) / np.float32(255)]
)
def test_the_picture_must_be_like_the_canvas(conditional_agent, wrong):
    with pytest.raises(ValueError, match=r"the picture is .*, the canvas is uint8\[64, 64, 1\]"):
        paint(conditional_agent, wrong, detail=1)


def test_agents_that_cannot_paint_large_pictures_are_refused(conditional_agent, unconditional_folder):
    def other(**changes):
        return replace(conditional_agent, config=replace(conditional_agent.config, renderer=replace(conditional_agent.config.renderer, **changes)))

    with pytest.raises(ValueError, match="agent 'free' draws what it likes"):
        paint(load_agent(str(unconditional_folder)), picture(64), detail=1)
    with pytest.raises(ValueError, match="paints in the space 'bezier' on white ground: a large picture needs"):
        paint(other(space="bezier"), picture(64), detail=1)
    with pytest.raises(ValueError, match="on transparent ground"):
        paint(other(ground="transparent"), picture(64), detail=1)
    for changes in ({"canvas": 512}, {"sizes": (0.7, 4.0)}):
        with pytest.raises(ValueError, match="detail is 16: too fine for agent 'conditional_agent'"):
            canvas_shape(other(**changes), 16)
