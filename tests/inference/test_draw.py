import copy
import itertools
import os
import signal
import threading
import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from limner.agents.agent import load_agent
from limner.agents.rollout import replay
from limner.inference import draw as drawing
from limner.inference.draw import BATCH, SEARCHED, DrawOptions, batch_size, draw
from limner.metrics.reconstruction import squared_error
from limner.programs.execution import execute_all
from limner.programs.program import Program
from limner.training import make_trainer
from limner.training.saving import save_checkpoint
from limner.worlds import budget
from limner.worlds.paint.refinement import LayeredRefinement
from limner.worlds.refinement import Refinement

COLD = DrawOptions(temperature=0.0)


@pytest.fixture(scope="module")
def goals(digits):
    """One picture more than a batch."""
    return digits.spread(BATCH + 1).pictures(64)


@pytest.fixture(scope="module")
def drawn(conditional_agent, goals):
    return list(draw(conditional_agent, goals, DrawOptions(seed=3)))


def canvases(parts):
    return np.concatenate([part.canvases for part in parts])


def programs(parts):
    return [program for part in parts for program in part.programs]


def painted_again(parts):
    """The programs' pictures, by way of a file."""
    return np.stack(execute_all([Program.from_json(program.to_json()) for program in programs(parts)]))


def test_a_picture_a_program(conditional_agent, goals, drawn):
    assert canvases(drawn).shape == goals.shape
    assert canvases(drawn).dtype == np.uint8
    assert [len(part.programs) for part in drawn] == [BATCH, 1]
    assert all(len(program) == conditional_agent.config.horizon for program in programs(drawn))
    assert {program.agent for program in programs(drawn)} == {"conditional"}
    assert [program.seed for program in programs(drawn)] == [3] * BATCH + [3 + BATCH]
    assert all(part.seconds > 0 for part in drawn)


def test_a_program_paints_its_canvas_again(drawn):
    np.testing.assert_array_equal(painted_again(drawn), canvases(drawn))


def test_the_same_seed_draws_the_same_and_another_does_not(conditional_agent, goals, drawn):
    torch.manual_seed(99)
    assert programs(draw(conditional_agent, goals, DrawOptions(seed=3, threads=2))) == programs(drawn)
    other = canvases(draw(conditional_agent, goals, DrawOptions(seed=4)))
    assert (other != canvases(drawn)).any((1, 2, 3)).mean() > 0.8


def test_batches_are_drawn_one_by_one(conditional_agent, goals, drawn):
    assert programs(draw(conditional_agent, goals[BATCH:], DrawOptions(seed=3 + BATCH))) == programs(drawn)[BATCH:]
    assert programs(draw(conditional_agent, goals[:BATCH], DrawOptions(seed=3))) == programs(drawn)[:BATCH]


def test_what_the_others_in_a_batch_show_does_not_matter(conditional_agent, goals, drawn):
    others = 255 - goals
    others[10] = goals[10]
    again = programs(draw(conditional_agent, others, DrawOptions(seed=3)))
    assert again[10] == programs(drawn)[10]


def test_what_a_picture_shows_matters(conditional_agent, goals):
    policy = copy.deepcopy(conditional_agent.policy)
    with torch.no_grad():
        for head in policy.decoder.heads:  # what has hardly been trained is all but indifferent
            head.weight.mul_(100)
    agent = replace(conditional_agent, policy=policy)
    first = canvases(draw(agent, goals[:8], COLD))
    other = canvases(draw(agent, 255 - goals[:8], COLD))
    assert (first != other).any((1, 2, 3)).any()


def test_the_temperature_is_that_of_the_configuration_unless_given(conditional_agent, goals):
    cold = replace(conditional_agent, config=replace(conditional_agent.config, temperature=0.0))
    assert programs(draw(cold, goals[:8])) == programs(draw(conditional_agent, goals[:8], COLD))
    assert programs(draw(cold, goals[:8], DrawOptions(temperature=1.0))) == programs(draw(conditional_agent, goals[:8]))
    assert programs(draw(cold, goals[:8])) != programs(draw(conditional_agent, goals[:8]))


@pytest.mark.parametrize("turned", [lambda a: a[::-1], lambda a: np.asfortranarray(a), lambda a: a[..., ::-1, :]])
def test_pictures_may_lie_in_memory_as_they_like(conditional_agent, goals, turned):
    pictures = turned(goals[:8])
    pictures.flags.writeable = False
    expected = programs(draw(conditional_agent, np.ascontiguousarray(pictures).copy()))
    assert programs(draw(conditional_agent, pictures)) == expected


def test_no_pictures_no_drawings(conditional_agent, goals):
    assert list(draw(conditional_agent, goals[:0])) == []


# --- Search ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("plan", ["refine", "greedy"])
def test_search_comes_closer_and_its_programs_paint_what_was_found(plan, conditional_agent, goals):
    few = goals[::9]
    assert len(few) == SEARCHED
    alone, (found,) = list(draw(conditional_agent, few)), draw(conditional_agent, few, DrawOptions(sweeps=3, plan=plan))
    errors = squared_error(found.canvases, few)
    assert errors.mean() < 0.85 * squared_error(canvases(alone), few).mean()
    np.testing.assert_array_equal(painted_again([found]), found.canvases)
    assert all(len(program) == conditional_agent.config.horizon for program in found.programs)


def test_more_sweeps_come_closer(conditional_agent, goals):
    few, errors = goals[:SEARCHED], []
    for sweeps in (1, 2, 6):
        errors.append(squared_error(canvases(draw(conditional_agent, few, DrawOptions(sweeps=sweeps))), few))
    assert (errors[0] >= errors[1]).all()
    assert (errors[1] >= errors[2]).all()
    assert (errors[0] > errors[2]).any()


@pytest.mark.parametrize("space", ["bezier", "spline"])
def test_search_in_a_space_where_the_pen_matters(space, conditional_config, goals, source, tmp_path):
    agent = replace(conditional_config.agent, renderer=replace(conditional_config.agent.renderer, space=space))
    save_checkpoint(tmp_path / "checkpoints", make_trainer(replace(conditional_config, agent=agent), source), {})
    found = list(draw(load_agent(str(tmp_path)), goals[: SEARCHED + 1], DrawOptions(sweeps=1)))
    assert [len(part.programs) for part in found] == [SEARCHED, 1]
    assert [program.seed for program in programs(found)] == [0] * SEARCHED + [SEARCHED]
    np.testing.assert_array_equal(painted_again(found), canvases(found))


@pytest.mark.parametrize("options", [DrawOptions(seconds=1e-9, plan="greedy"), DrawOptions(sweeps=2, plan="greedy")])
def test_greedy_search_keeps_a_drawing_that_it_cannot_improve(conditional_agent, goals, options):
    """However little time there is, lookahead is done once."""
    alone = squared_error(canvases(draw(conditional_agent, goals[:SEARCHED])), goals[:SEARCHED])
    found = squared_error(canvases(draw(conditional_agent, goals[:SEARCHED], options)), goals[:SEARCHED])
    assert (found <= alone).all()
    assert (found < alone).any()


def test_without_time_lookahead_is_done_only_where_the_policy_leaves_much_of_the_error(
    conditional_agent, goals, monkeypatch
):
    few, options = goals[:SEARCHED], DrawOptions(seconds=1e-9)
    alone, found = canvases(draw(conditional_agent, few)), canvases(draw(conditional_agent, few, options))
    assert squared_error(found, few).mean() < squared_error(alone, few).mean()
    monkeypatch.setattr("limner.inference.draw.LOST", 1e6)
    assert np.array_equal(canvases(draw(conditional_agent, few, options)), alone)


def test_looking_ahead_keeps_the_best_of_each_picture(conditional_agent, goals, monkeypatch):
    few = goals[:SEARCHED]
    alone = squared_error(canvases(draw(conditional_agent, few)), few)
    tried = [alone]

    def wander(renderer, simulator, policy, episodes, generator):
        sizes = torch.tensor(renderer.actions.sizes)
        replay(renderer, episodes, (torch.rand(episodes.actions.shape, generator=generator) * sizes).long())
        tried.append(squared_error(renderer.canvas(), few))

    clock = itertools.count(step=0.1)
    monkeypatch.setattr(drawing, "time", SimpleNamespace(perf_counter=lambda: next(clock)))
    monkeypatch.setattr(drawing, "greedy_lookahead", wander)
    monkeypatch.setattr(Refinement, "run", lambda *arguments: None)
    found = squared_error(canvases(draw(conditional_agent, few, DrawOptions(seconds=0.5, plan="greedy"))), few)
    assert len(tried) > 3
    assert np.mean(np.argmin(tried, axis=0) < len(tried) - 1) > 0, "the last is not always the best"
    np.testing.assert_allclose(found, np.min(tried, axis=0))


def test_how_many_at_a_time():
    options = (DrawOptions(), DrawOptions(sweeps=0), DrawOptions(seconds=0.1), DrawOptions(sweeps=1))
    assert [batch_size(given) for given in options] == [BATCH, BATCH, SEARCHED, SEARCHED]


def test_no_sweeps_are_no_search(conditional_agent, goals, drawn):
    assert programs(draw(conditional_agent, goals, DrawOptions(seed=3, sweeps=0))) == programs(drawn)


def test_seconds_are_the_most_that_a_search_takes(conditional_agent, goals, monkeypatch):
    """Each picture has its seconds, and those of a batch are shared. The clock here goes on with every sweep."""
    now, swept = [0.0], []
    sweep = LayeredRefinement.sweep

    def slow(self, generator, end):
        sweep(self, generator, end)
        swept.append(len(self.goals))
        now[0] += 1.0

    monkeypatch.setattr(LayeredRefinement, "sweep", slow)
    for module in (drawing, budget):
        monkeypatch.setattr(module, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    list(draw(conditional_agent, goals[:4], DrawOptions(seconds=0.75)))
    assert swept == [4, 4, 4]


# --- What is refused ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"seconds": -0.1}, "search is -0.1: must be in 0 … 3600 seconds"),
        ({"seconds": float("nan")}, "search is nan"),
        ({"seconds": float("inf")}, "search is inf"),
        ({"sweeps": -1}, "sweeps is -1: must be in 0 … 100000"),
        ({"sweeps": 100_001}, "sweeps is 100001"),
        ({"sweeps": 2, "seconds": 1.0}, "search is 1.0 seconds and sweeps is 2: give one of the two"),
        ({"sweeps": 0, "seconds": 1.0}, "search is 1.0 seconds and sweeps is 0: give one of the two"),
        ({"seed": -1}, "seed is -1"),
        ({"seed": 2**62}, "seed is 4611686018427387904"),
        ({"threads": 0}, "threads is 0: must be in 1 … 1024"),
        ({"threads": 1025}, "threads is 1025"),
        ({"temperature": -0.1}, "temperature is -0.1: must be in 0 … 10"),
        ({"temperature": float("nan")}, "temperature is nan"),
        ({"plan": "tree"}, "plan is 'tree': must be 'refine' or 'greedy'"),
    ],
)
def test_impossible_options_are_refused_at_once(conditional_agent, goals, options, words):
    with pytest.raises(ValueError, match=words):
        draw(conditional_agent, goals[:2], DrawOptions(**options))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda goals: goals[:, :32, :32],
        lambda goals: np.repeat(goals, 3, axis=3),
        lambda goals: goals[..., 0],
        lambda goals: goals / np.float32(255),
        lambda goals: goals > 128,
    ],
)
def test_pictures_must_be_like_the_canvas(conditional_agent, goals, wrong):
    with pytest.raises(ValueError, match=r"pictures are .*, the canvas of 'conditional' is uint8\[64, 64, 1\]"):
        draw(conditional_agent, wrong(goals[:2]))


def test_an_unconditional_agent_is_told_of_sample(unconditional_folder, goals):
    with pytest.raises(ValueError, match="agent 'unconditional' is unconditional: use limner sample"):
        draw(load_agent(str(unconditional_folder)), goals[:2])


# --- Threads -----------------------------------------------------------------------------------------------------


def test_batches_that_are_searched_at_the_same_time_come_in_order(conditional_agent, goals):
    options = DrawOptions(sweeps=1, seed=7, threads=2)
    started = time.perf_counter()
    found = list(draw(conditional_agent, goals[: 2 * SEARCHED + 1], options))
    spent = time.perf_counter() - started
    assert [len(part.programs) for part in found] == [SEARCHED, SEARCHED, 1]
    assert [part.programs[0].seed for part in found] == [7, 7 + SEARCHED, 7 + 2 * SEARCHED]
    assert 0 < sum(part.seconds for part in found) <= spent
    for i, part in enumerate(found):
        mine = goals[i * SEARCHED : i * SEARCHED + len(part.programs)]
        others = np.roll(mine, 1, axis=0)
        if i < 2:
            assert squared_error(part.canvases, mine).mean() < squared_error(part.canvases, others).mean()
        np.testing.assert_array_equal(painted_again([part]), part.canvases)


def test_ctrl_c_ends_a_search_on_several_threads(conditional_agent, goals):
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
    timer = threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):  # this many sweeps would take hours
            list(draw(conditional_agent, goals[: 2 * SEARCHED], DrawOptions(sweeps=100_000, threads=2)))
    finally:
        timer.cancel()
        signal.signal(signal.SIGINT, before)
