import copy
import itertools
import json
import os
import shutil
import signal
import threading
import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from limner.agents.agent import load_agent, sample
from limner.agents.checkpoint import save_checkpoint
from limner.agents.rollout import follow
from limner.inference import draw as drawing
from limner.inference.draw import BATCH, SEARCHED, batch_size, draw
from limner.inference.evaluate import squared_error
from limner.programs.program import Program, execute_all
from limner.training.imitation.trainer import Imitation
from limner.worlds.paint.refinement import Refinement


@pytest.fixture(scope="module")
def goals(digits):
    """One picture more than a batch."""
    return digits.spread(BATCH + 1).pictures(64)


@pytest.fixture(scope="module")
def drawn(conditional_agent, goals):
    return list(draw(conditional_agent, goals, seed=3))


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
    assert all(len(program) == conditional_agent.config.steps for program in programs(drawn))
    assert {program.agent for program in programs(drawn)} == {"conditional_agent"}
    assert [program.seed for program in programs(drawn)] == [3] * BATCH + [3 + BATCH]
    assert all(part.seconds > 0 for part in drawn)


def test_a_program_paints_its_canvas_again(drawn):
    np.testing.assert_array_equal(painted_again(drawn), canvases(drawn))


def test_the_same_seed_draws_the_same_and_another_does_not(conditional_agent, goals, drawn):
    torch.manual_seed(99)
    assert programs(draw(conditional_agent, goals, seed=3, threads=2)) == programs(drawn)
    other = canvases(draw(conditional_agent, goals, seed=4))
    assert (other != canvases(drawn)).any((1, 2, 3)).mean() > 0.8


def test_batches_are_drawn_one_by_one(conditional_agent, goals, drawn):
    assert programs(draw(conditional_agent, goals[BATCH:], seed=3 + BATCH)) == programs(drawn)[BATCH:]
    assert programs(draw(conditional_agent, goals[:BATCH], seed=3)) == programs(drawn)[:BATCH]


def test_what_the_others_in_a_batch_show_does_not_matter(conditional_agent, goals, drawn):
    others = 255 - goals
    others[10] = goals[10]
    again = programs(draw(conditional_agent, others, seed=3))
    assert again[10] == programs(drawn)[10]


def test_what_a_picture_shows_matters(conditional_agent, goals):
    policy = copy.deepcopy(conditional_agent.policy)
    with torch.no_grad():
        for head in policy.decoder.heads:  # what has hardly been trained is all but indifferent
            head.weight.mul_(100)
    agent = replace(conditional_agent, policy=policy)
    first = canvases(draw(agent, goals[:8], temperature=0.0))
    other = canvases(draw(agent, 255 - goals[:8], temperature=0.0))
    assert (first != other).any((1, 2, 3)).any()


def test_the_temperature_is_that_of_the_configuration_unless_given(conditional_agent, goals):
    cold = replace(conditional_agent, config=replace(conditional_agent.config, temperature=0.0))
    assert programs(draw(cold, goals[:8])) == programs(draw(conditional_agent, goals[:8], temperature=0.0))
    assert programs(draw(cold, goals[:8], temperature=1.0)) == programs(draw(conditional_agent, goals[:8]))
    assert programs(draw(cold, goals[:8])) != programs(draw(conditional_agent, goals[:8]))


@pytest.mark.parametrize("turned", [lambda a: a[::-1], lambda a: np.asfortranarray(a), lambda a: a[..., ::-1, :]])
def test_pictures_may_lie_in_memory_as_they_like(conditional_agent, goals, turned):
    pictures = turned(goals[:8])
    pictures.flags.writeable = False
    assert programs(draw(conditional_agent, pictures)) == programs(draw(conditional_agent, np.ascontiguousarray(pictures).copy()))


def test_no_pictures_no_drawings(conditional_agent, goals):
    assert list(draw(conditional_agent, goals[:0])) == []


# --- Search ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("plan", ["refine", "greedy"])
def test_search_comes_closer_and_its_programs_paint_what_was_found(plan, conditional_agent, goals):
    few = goals[::9]
    assert len(few) == SEARCHED
    alone, (found,) = list(draw(conditional_agent, few)), draw(conditional_agent, few, search=0.25, plan=plan)
    errors = squared_error(found.canvases, few)
    assert errors.mean() < 0.85 * squared_error(canvases(alone), few).mean()
    np.testing.assert_array_equal(painted_again([found]), found.canvases)
    assert all(len(program) == conditional_agent.config.steps for program in found.programs)


@pytest.mark.parametrize("space", ["bezier", "spline"])
def test_search_in_a_space_where_the_pen_matters(space, conditional_config, goals, source, tmp_path):
    config = replace(conditional_config, renderer=replace(conditional_config.renderer, space=space))
    save_checkpoint(tmp_path / "checkpoints", Imitation(config, source), {})
    found = list(draw(load_agent(str(tmp_path)), goals[: SEARCHED + 1], search=0.05))
    assert [len(part.programs) for part in found] == [SEARCHED, 1]
    assert [program.seed for program in programs(found)] == [0] * SEARCHED + [SEARCHED]
    np.testing.assert_array_equal(painted_again(found), canvases(found))


def test_search_keeps_the_drawing_that_it_cannot_better(conditional_agent, goals):
    """Of the policy's own drawings, that is."""
    alone = squared_error(canvases(draw(conditional_agent, goals[:SEARCHED])), goals[:SEARCHED])
    for seconds in (1e-9, 0.05):  # however little time there is, every action is looked at once
        found = squared_error(canvases(draw(conditional_agent, goals[:SEARCHED], seconds, plan="greedy")), goals[:SEARCHED])
        assert (found <= alone).all()
        assert (found < alone).any()


def test_without_time_refinement_keeps_the_drawing_unless_the_policy_has_lost_its_way(conditional_agent, goals, monkeypatch):
    few = goals[:SEARCHED]
    alone, looked = canvases(draw(conditional_agent, few)), canvases(draw(conditional_agent, few, search=1e-9))
    assert squared_error(looked, few).mean() < squared_error(alone, few).mean()
    monkeypatch.setattr("limner.inference.draw.LOST", 1e6)
    assert np.array_equal(canvases(draw(conditional_agent, few, search=1e-9)), alone)


def test_looking_ahead_keeps_the_best_of_each_picture(conditional_agent, goals, monkeypatch):
    few = goals[:SEARCHED]
    alone = squared_error(canvases(draw(conditional_agent, few)), few)
    tried = [alone]

    def wander(renderer, simulator, policy, episodes, generator, **options):
        sizes = torch.tensor(renderer.actions.sizes)
        follow(renderer, episodes, (torch.rand(episodes.actions.shape, generator=generator) * sizes).long())
        tried.append(squared_error(renderer.canvas(), few))

    clock = itertools.count(step=0.1)
    monkeypatch.setattr(drawing, "time", SimpleNamespace(perf_counter=lambda: next(clock)))
    monkeypatch.setattr(drawing, "greedy_lookahead", wander)
    monkeypatch.setattr(Refinement, "run", lambda *arguments: None)
    found = squared_error(canvases(draw(conditional_agent, few, 0.5, plan="greedy")), few)
    assert len(tried) > 3
    assert np.mean(np.argmin(tried, axis=0) < len(tried) - 1) > 0, "the last is not always the best"
    np.testing.assert_allclose(found, np.min(tried, axis=0))


def test_how_many_at_a_time():
    assert (batch_size(0.0), batch_size(0.1)) == (BATCH, SEARCHED)


# --- What is refused ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"search": -0.1}, "search is -0.1: must be in 0 … 3600 seconds"),
        ({"search": float("nan")}, "search is nan"),
        ({"search": float("inf")}, "search is inf"),
        ({"seed": -1}, "seed is -1"),
        ({"seed": 2**62}, "seed is 4611686018427387904"),
    ],
)
def test_impossible_wishes_are_refused_at_once(conditional_agent, goals, options, words):
    with pytest.raises(ValueError, match=words):
        draw(conditional_agent, goals[:2], **options)


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
    with pytest.raises(ValueError, match=r"pictures are .*, the canvas of 'conditional_agent' is uint8\[64, 64, 1\]"):
        draw(conditional_agent, wrong(goals[:2]))


def test_an_agent_without_targets_is_told_of_sample(unconditional_folder, goals):
    with pytest.raises(ValueError, match="agent 'free' draws what it likes: use limner sample"):
        draw(load_agent(str(unconditional_folder)), goals[:2])


def test_an_agent_trained_on_a_gpu_draws_without_one(conditional_folder, unconditional_folder, goals, tmp_path):
    for name, folder in (("conditional_agent", conditional_folder), ("free", unconditional_folder)):
        moved = shutil.copytree(folder, tmp_path / name)
        (path,) = moved.glob("checkpoints/*/manifest.json")
        manifest = json.loads(path.read_text())
        manifest["config"]["device"] = "cuda"
        path.write_text(json.dumps(manifest))
    first = programs(draw(load_agent(str(conditional_folder)), goals[:2]))
    assert programs(draw(load_agent(str(tmp_path / "conditional_agent")), goals[:2])) == first
    drawn, _ = sample(load_agent(str(tmp_path / "free")), 2)
    np.testing.assert_array_equal(drawn, sample(load_agent(str(unconditional_folder)), 2)[0])


def test_batches_that_are_searched_at_the_same_time_come_in_order(conditional_agent, goals):
    started = time.perf_counter()
    found = list(draw(conditional_agent, goals[: 2 * SEARCHED + 1], search=0.02, seed=7, threads=2))
    spent = time.perf_counter() - started
    assert [len(part.programs) for part in found] == [SEARCHED, SEARCHED, 1]
    assert [part.programs[0].seed for part in found] == [7, 7 + SEARCHED, 7 + 2 * SEARCHED]
    assert sum(part.seconds for part in found) <= spent
    for i, part in enumerate(found):
        mine = goals[i * SEARCHED : i * SEARCHED + len(part.programs)]
        others = np.roll(mine, 1, axis=0)
        if i < 2:
            assert squared_error(part.canvases, mine).mean() < squared_error(part.canvases, others).mean()
        np.testing.assert_array_equal(painted_again([part]), part.canvases)


def test_ctrl_c_ends_a_search_on_several_threads(conditional_agent, goals):
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
    threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT)).start()
    started = time.perf_counter()
    try:
        with pytest.raises(KeyboardInterrupt):
            list(draw(conditional_agent, goals[: 2 * SEARCHED], search=120, threads=2))
    finally:
        signal.signal(signal.SIGINT, before)
    assert time.perf_counter() - started < 120, "it went on to the end of its time"
