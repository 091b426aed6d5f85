import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from limner.agents.agent import Agent, load_agent, make_policy
from limner.data.resize import resize_square
from limner.inference import paint as painting
from limner.inference import patch_clock
from limner.inference.draw import SEARCHED, Drawings, DrawOptions, draw
from limner.inference.paint import CLOSE, PaintOptions, canvas_shape, enough_detail, paint
from limner.metrics.reconstruction import squared_error
from limner.programs.execution import execute
from limner.programs.frame import Frame
from limner.programs.program import Program
from limner.worlds.paint.large import WIDEST
from limner.worlds.paint.style import Style
from limner.worlds.toy.renderer import ToySettings


def picture(side, channels=1, seed=0):
    """Soft blots: something at every scale."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (1, 8, 8, channels), np.uint8)
    return resize_square(coarse, side)[0]


def last(paintings):
    return list(paintings)[-1]


def error(program, goal):
    return squared_error(execute(program)[None], goal[None])[0]


def with_renderer(agent, **changes):
    """The agent with another renderer, and a network that has learnt nothing."""
    config = replace(agent.config, renderer=replace(agent.config.renderer, **changes))
    torch.manual_seed(0)
    return Agent(agent.name, make_policy(config).eval(), config)


@pytest.fixture(scope="module")
def coarse(conditional_agent):
    """An agent with strokes that cover: it has learnt nothing, so the wider the better."""
    return with_renderer(conditional_agent, sizes=(4.0, 8.0, 24.0))


@pytest.fixture(scope="module")
def grainy(conditional_agent):
    """An agent whose brush draws random numbers, so that its strokes are no layers."""
    return with_renderer(conditional_agent, brush="classic/charcoal")


@pytest.fixture(scope="module")
def colourful(conditional_agent):
    return with_renderer(conditional_agent, color=True, levels=4)


def test_a_single_patch_is_an_ordinary_drawing(conditional_agent):
    goal = picture(64)
    (drawn,) = draw(conditional_agent, goal[None], DrawOptions(seed=3))
    blank, growing, whole = paint(conditional_agent, goal, 1, DrawOptions(seed=3))
    assert len(blank.program) == 0
    assert growing == whole
    assert whole.program == drawn.programs[0]
    assert [painting.done for painting in (blank, growing, whole)] == [0, 1, 1]


def test_the_painting_grows_and_comes_closer(coarse):
    goal = picture(256)
    paintings = list(paint(coarse, goal, 4, DrawOptions(seed=2)))
    assert [paintings[0].done, paintings[-1].done] == [0, 1]
    for before, after in itertools.pairwise(paintings):
        np.testing.assert_array_equal(after.program.actions[: len(before.program)], before.program.actions)
        assert after.done >= before.done
    errors = [error(painting.program, goal) for painting in paintings[1:]]
    assert (np.diff(errors) <= 0).all(), "after the first level no stroke stays that does harm"
    assert errors[-1] < 0.9 * errors[0]
    assert len(paintings[-1].program) > len(paintings[1].program)


def test_the_program_is_for_the_whole_canvas(coarse):
    program = last(paint(coarse, picture(256), 4, DrawOptions(seed=5))).program
    assert (program.agent, program.seed) == ("conditional", 5)
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
    one = last(paint(coarse, goal, 2, DrawOptions(seed=1)))
    torch.manual_seed(7)
    assert last(paint(coarse, goal, 2, DrawOptions(seed=1, threads=2))) == one
    assert last(paint(coarse, goal, 2, DrawOptions(seed=2))) != one


def test_search_comes_closer(coarse):
    goal = picture(128)
    alone, found = (last(paint(coarse, goal, 2, DrawOptions(sweeps=sweeps))).program for sweeps in (0, 3))
    assert error(found, goal) < 0.8 * error(alone, goal)


def pretend_to_draw(asked, monkeypatch, least=0.0):
    """A ``draw_on`` that notes how many pictures it was given, the options and whether to look ahead.

    It jumps twice, and takes the seconds that it is given, or ``least`` for each picture to look ahead.
    """
    clock = [0.0]
    monkeypatch.setattr(patch_clock.time, "perf_counter", lambda: clock[0])

    def draw_on(renderer, agent, goals, options, lookahead):
        asked.append((len(goals), options, lookahead))
        actions = np.zeros((2, len(agent.config.actions)), np.int64)
        seconds = len(goals) * max(options.seconds, least * lookahead)
        clock[0] += seconds
        return Drawings(goals, [Program(renderer.settings(), actions)] * len(goals), seconds)

    monkeypatch.setattr(painting, "draw_on", draw_on)


def quarter_done(side):
    """A picture of which a quarter is white already."""
    goal = np.zeros((side, side, 1), np.uint8)
    goal[: side // 2, : side // 2] = 255
    return goal


def test_seconds_are_shared_by_the_patches_that_are_drawn(grainy, monkeypatch):
    asked = []
    pretend_to_draw(asked, monkeypatch)
    list(paint(grainy, quarter_done(256), 4, DrawOptions(seconds=21)))
    assert asked[0][0] == 1
    assert asked[0][1].seconds == 1.0
    assert all(options.seconds >= 1 and lookahead for _, options, lookahead in asked)
    assert sum(count * options.seconds for count, options, _ in asked) == pytest.approx(21)


@pytest.mark.parametrize("seconds", [0.5, 2, 15, 21])
def test_lookahead_that_takes_too_long_does_not_exceed_the_budget(grainy, monkeypatch, seconds):
    asked = []
    pretend_to_draw(asked, monkeypatch, least=1.5)
    started = patch_clock.time.perf_counter()
    list(paint(grainy, quarter_done(256), 4, DrawOptions(seconds=seconds)))
    assert patch_clock.time.perf_counter() - started == pytest.approx(max(seconds, 1.5))
    assert asked[0][2]
    assert not any(lookahead for _, options, lookahead in asked[1:] if options.seconds < 1.5)


def test_every_patch_that_is_drawn_has_all_sweeps(grainy, monkeypatch):
    asked = []
    pretend_to_draw(asked, monkeypatch)
    list(paint(grainy, quarter_done(256), 4, DrawOptions(sweeps=3, seed=5)))
    assert {(options.sweeps, options.seconds, lookahead) for _, options, lookahead in asked} == {(3, 0, True)}
    assert all(count <= SEARCHED for count, *_ in asked)
    seeds = [options.seed for _, options, _ in asked]
    assert seeds[0] == 5
    assert seeds == sorted(set(seeds))


def test_blank_paper_is_left_alone(conditional_agent):
    paintings = list(paint(conditional_agent, np.full((256, 256, 1), 255, np.uint8), detail=4))
    assert len(paintings[-1].program) == 0
    assert paintings[-1].done == 1
    nearly = np.full((256, 256, 1), 253, np.uint8)
    assert CLOSE > (2 / 255) ** 2
    assert len(last(paint(conditional_agent, nearly, detail=4)).program) == 0
    assert len(last(paint(conditional_agent, (nearly - 5)[:64, :64], detail=1)).program) == 3


def test_colour(colourful):
    goal = picture(128, channels=3)
    assert canvas_shape(colourful, 2) == (128, 3)
    program = last(paint(colourful, goal, 2, DrawOptions(sweeps=1))).program
    assert execute(program).shape == goal.shape
    assert error(program, goal) < squared_error(np.full_like(goal, 255)[None], goal[None])[0]


def test_patches_start_from_what_is_there(coarse, monkeypatch):
    """From what all earlier strokes have left, their neighbours' strokes across the edge included."""
    seen = []
    honest = painting.draw_on

    def draw_on(renderer, *arguments, **options):
        before = renderer.canvas()
        drawn = honest(renderer, *arguments, **options)
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
        ({"options": DrawOptions(seconds=-1)}, "search is -1: must be in 0 … 3600"),
        ({"options": DrawOptions(seconds=float("nan"))}, "search is nan"),
        ({"options": DrawOptions(sweeps=-1)}, "sweeps is -1: must be in 0 … 100000"),
        ({"options": DrawOptions(seed=-1)}, "seed is -1"),
    ],
)
def test_impossible_options_are_refused_at_once(conditional_agent, options, words):
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
        return with_renderer(conditional_agent, **changes)

    with pytest.raises(ValueError, match="agent 'unconditional' is unconditional"):
        paint(load_agent(str(unconditional_folder)), picture(64), detail=1)
    with pytest.raises(ValueError, match="agent 'conditional': it paints in the space 'bezier' on white ground"):
        paint(other(space="bezier"), picture(64), detail=1)
    with pytest.raises(ValueError, match="on transparent ground"):
        paint(other(ground="transparent"), picture(64), detail=1)
    for changes in ({"canvas": 512}, {"sizes": (0.7, 4.0)}):
        with pytest.raises(ValueError, match="agent 'conditional': detail is 16: too fine for a canvas of"):
            canvas_shape(other(**changes), 16)
    toy = replace(conditional_agent, config=replace(conditional_agent.config, renderer=ToySettings(canvas=32)))
    with pytest.raises(ValueError, match="agent 'conditional': the renderer 'toy' cannot paint large pictures"):
        paint(toy, picture(32), detail=1)


# --- What is asked for ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("strokes", [1, 2, 3, 4, 17, 60, 400])
def test_so_many_strokes_exactly(coarse, strokes):
    goal, options = picture(128), DrawOptions(seed=2, sweeps=1)
    program = last(paint(coarse, goal, 2, options, PaintOptions(strokes=strokes))).program
    assert len(program) == strokes
    assert error(program, goal) < squared_error(np.full_like(goal, 255)[None], goal[None])[0]
    assert last(paint(coarse, goal, 2, options, PaintOptions(strokes=strokes))).program == program


@pytest.mark.parametrize("detail", [1, 2])
@pytest.mark.parametrize("shade", [0, 255])
def test_so_many_strokes_where_none_are_needed(conditional_agent, detail, shade):
    goal = np.full((64 * detail, 64 * detail, 1), shade, np.uint8)
    for strokes in (2, 50):
        program = last(paint(conditional_agent, goal, detail, wishes=PaintOptions(strokes=strokes))).program
        assert len(program) == strokes


def test_more_strokes_come_closer(coarse):
    goal, options = picture(256), DrawOptions(sweeps=1)
    some = [last(paint(coarse, goal, 4, options, PaintOptions(strokes=count))).program for count in (3, 12, 60)]
    errors = [error(program, goal) for program in some]
    assert errors[0] > errors[1] > errors[2]


def test_enough_detail(coarse):
    horizon = coarse.config.horizon
    assert enough_detail(coarse, 1) == 1
    assert enough_detail(coarse, horizon) == 2
    assert enough_detail(coarse, 10_000) == 16


def test_only_colours_of_the_palette(colourful):
    style = Style(palette=("navy", "#c08040", "white"))
    program = last(paint(colourful, picture(128, 3), 2, wishes=PaintOptions(style=style))).program
    assert len(program) > 0
    colours = program.actions[:, [program.space.index(name) for name in ("red", "green", "blue")]]
    assert {tuple(colour) for colour in colours.tolist()} <= {(0, 0, 128), (192, 128, 64), (255, 255, 255)}
    assert program.renderer["levels"] == 256


def test_brush_paper_and_radii_are_those_asked_for(colourful):
    style = Style(brush="classic/charcoal", opaque=True, paper="#203040", radii=(1.5, 3.0), grey=True)
    program = last(paint(colourful, picture(128, 3), 2, wishes=PaintOptions(style=style))).program
    renderer = program.renderer
    assert (renderer["brush"], renderer["opaque"], renderer["ground"]) == ("classic/charcoal", True, "#203040")
    assert {min(renderer["sizes"]), max(renderer["sizes"])} <= {1.5, 2.0, 3.0}
    assert (execute(replace(program, actions=program.actions[:0])) == (32, 48, 64)).all()
    channels = program.actions[:, [program.space.index(name) for name in ("red", "green", "blue")]]
    assert (channels == channels[:, :1]).all()


def test_search_in_colour_has_a_brush_of_its_own_unless_another_is_asked_for(colourful):
    goal, options = picture(128, 3), DrawOptions(sweeps=1)
    alone = last(paint(colourful, goal, 2)).program
    found = last(paint(colourful, goal, 2, options, PaintOptions(strokes=12))).program
    asked = last(
        paint(colourful, goal, 2, options, PaintOptions(strokes=12, style=Style(brush="classic/knife")))
    ).program
    brushes = [program.renderer["brush"] for program in (alone, found, asked)]
    assert brushes == [colourful.config.renderer.brush, "experimental/basic", "classic/knife"]
    limited = PaintOptions(strokes=12, style=Style(palette=("navy", "gold")))
    assert last(paint(colourful, goal, 2, options, limited)).program.renderer["brush"] == brushes[0]
    more = last(paint(colourful, goal, 2, options, PaintOptions(strokes=20, start=alone))).program
    assert more.renderer["brush"] == alone.renderer["brush"]
    assert len(more) == 20


def test_a_search_may_revise_what_it_goes_on_from(colourful):
    """Then it leaves nothing of another picture; without, all strokes stay."""
    before, goal, options = picture(128, 3), picture(128, 3, seed=5), DrawOptions(sweeps=2)
    begun = last(paint(colourful, before, 2, options, PaintOptions(strokes=30))).program
    revised, continued = (
        last(paint(colourful, goal, 2, options, PaintOptions(strokes=60, start=begun, revise=revise))).program
        for revise in (True, False)
    )
    assert len(revised) == len(continued) == 60
    np.testing.assert_array_equal(continued.actions[:30], begun.actions)
    assert len(set(map(bytes, revised.actions)) & set(map(bytes, begun.actions))) < 10
    assert error(revised, goal) < error(continued, goal)
    fewer = last(paint(colourful, before, 2, options, PaintOptions(strokes=12, start=begun, revise=True))).program
    assert len(fewer) == 12


def test_what_cannot_be_revised_is_said(grainy, coarse):
    with pytest.raises(ValueError, match="revise is for a painting to go on from: give start"):
        paint(coarse, picture(64), 1, DrawOptions(sweeps=1), PaintOptions(revise=True))
    start = last(paint(grainy, picture(64), 1)).program
    for options in (DrawOptions(), DrawOptions(sweeps=1)):
        with pytest.raises(ValueError, match="revise needs a search, and a brush whose strokes are layers"):
            paint(grainy, picture(64), 1, options, PaintOptions(start=start, revise=True))


def test_search_paints_what_lies_in_the_frame(colourful):
    goal, frame = picture(256, 3), Frame(2, 1)
    painted = list(paint(colourful, goal, 4, DrawOptions(sweeps=1), PaintOptions(strokes=60, frame=frame)))
    program = painted[-1].program
    assert program.frame == frame
    assert [painting.done for painting in painted] == sorted(painting.done for painting in painted)
    rows = np.stack([program.space.cells(program.actions, name) for name in ("start", "control", "end")])[..., 0]
    inside = ((rows >= program.renderer["grid"] / 4) & (rows < 3 * program.renderer["grid"] / 4)).any(0)
    assert inside.mean() > 0.9
    assert error(program, frame.cut(goal)) < 0.1 * error(replace(program, actions=program.actions[:0]), frame.cut(goal))


def test_search_leaves_alone_what_has_no_weight(colourful):
    goal, weights = picture(256, 3), np.zeros((256, 256))
    weights[:, :128] = 1
    program = last(paint(colourful, goal, 4, DrawOptions(sweeps=1), PaintOptions(strokes=60, weights=weights))).program
    painted = execute(program)
    assert np.abs(255.0 - painted[:, 160:]).mean() < 4
    assert squared_error(painted[None, :, :128], goal[None, :, :128])[0] < 0.02


def test_outside_of_a_region_less_is_painted(coarse):
    goal, weights = picture(256), np.zeros((256, 256))
    weights[:128, :128] = 0.5
    program = last(paint(coarse, goal, 4, wishes=PaintOptions(weights=weights))).program
    everywhere = last(paint(coarse, goal, 4)).program
    first = coarse.config.horizon

    def places(program):
        rows, columns = np.divmod(program.actions[first:, program.space.index("control")], program.renderer["grid"])
        return (rows < program.renderer["grid"] / 2 + 1) & (columns < program.renderer["grid"] / 2 + 1)

    assert places(program).all()
    assert not places(everywhere).all()
    assert places(program).sum() > 0


def test_a_painting_goes_on(coarse):
    goal, options = picture(128), DrawOptions(seed=4, sweeps=1)
    begun = replace(last(paint(coarse, goal, 2, options, PaintOptions(strokes=9))).program, frame=Frame(1, 1))
    program = last(paint(coarse, goal, 2, options, PaintOptions(strokes=30, start=begun))).program
    assert len(program) == 30
    assert program.frame == Frame(1, 1)
    assert error(program, goal) < error(begun, goal)
    before = execute(replace(program, actions=program.actions[:9]))
    np.testing.assert_array_equal(before, execute(begun))
    same = last(paint(coarse, goal, 2, DrawOptions(sweeps=1), PaintOptions(strokes=30, start=program))).program
    assert same == replace(program, seed=0)


@pytest.mark.parametrize(
    ("wishes", "words"),
    [
        (PaintOptions(strokes=0), "strokes is 0: must be in 1 … 20000"),
        (PaintOptions(weights=np.zeros((128, 128))), "the weights are 0 everywhere"),
        (PaintOptions(weights=np.ones((64, 64))), "weights must be"),
        (PaintOptions(weights=np.full((128, 128), 2.0)), "weights must be"),
        (PaintOptions(style=Style(palette=("red",))), "an agent that paints in grey has no colours"),
        (PaintOptions(style=Style(brush="no/such")), "unknown brush 'no/such'"),
    ],
)
def test_wishes_that_cannot_be_had(coarse, wishes, words):
    with pytest.raises(ValueError, match=words):
        paint(coarse, picture(128), 2, wishes=wishes)


def test_a_program_of_another_canvas_does_not_go_on(coarse):
    begun = last(paint(coarse, picture(128), 2)).program
    with pytest.raises(ValueError, match=r"the program to continue has renderer\.canvas 128, this painting 64"):
        paint(coarse, picture(64), 1, wishes=PaintOptions(start=begun))
    with pytest.raises(ValueError, match=r"the program to continue has renderer\.brush"):
        paint(coarse, picture(128), 2, wishes=PaintOptions(start=begun, style=Style(brush="classic/pencil")))
    with pytest.raises(ValueError, match="strokes is 1: the program to continue has"):
        paint(coarse, picture(128), 2, wishes=PaintOptions(start=begun, strokes=1))
