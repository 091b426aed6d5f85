"""A budget in sweeps: the same seed finds the same programs, on any number of threads and whatever the clock says."""

from types import SimpleNamespace

import numpy as np
import pytest

from limner.agents.agent import load_agent
from limner.data.resize import match_channels
from limner.inference import draw as drawing
from limner.inference import parse as parsing
from limner.inference.draw import DrawOptions, draw
from limner.inference.paint import paint
from limner.inference.parse import parse
from limner.worlds import budget
from limner.worlds.paint import joint
from limner.worlds.scenes.examples import visible_scenes

TOGETHER, COUNT = 2, 3


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    """Two batches, the second of which is not full."""
    monkeypatch.setattr(drawing, "SEARCHED", TOGETHER)


@pytest.fixture
def jumping_clock(monkeypatch):
    """A function after which the clock jumps back and forth by hours."""

    def start():
        rng = np.random.default_rng(0)
        clock = SimpleNamespace(perf_counter=lambda: float(rng.uniform(-1e6, 1e6)))
        for module in (drawing, budget, joint):
            monkeypatch.setattr(module, "time", clock)

    return start


@pytest.fixture(params=["small", "mnist-reconstruct", "scenes"])
def agent(request):
    if request.param == "scenes":
        request.getfixturevalue("gl")
    return request.getfixturevalue("conditional_agent") if request.param == "small" else load_agent(request.param)


@pytest.fixture
def goals(agent, digits):
    side, _, channels = agent.config.make_renderer(1).shape
    if agent.name == "scenes":
        return visible_scenes(np.random.default_rng(1), COUNT)[0]
    return match_channels(digits.spread(COUNT).pictures(side), channels)


def programs(agent, goals, **options):
    parts = list(draw(agent, goals, DrawOptions(**options)))
    assert len(parts) == -(-len(goals) // drawing.batch_size(DrawOptions(**options)))
    return [program for part in parts for program in part.programs]


def test_neither_threads_nor_time_matter(agent, goals, jumping_clock):
    one = programs(agent, goals, sweeps=2, seed=3)
    jumping_clock()
    assert programs(agent, goals, sweeps=2, seed=3, threads=2) == one
    assert programs(agent, goals, seed=3) != one


def test_neither_matters_to_greedy_search(conditional_agent, digits, jumping_clock):
    goals = digits.spread(COUNT).pictures(64)
    one = programs(conditional_agent, goals, sweeps=2, plan="greedy")
    jumping_clock()
    assert programs(conditional_agent, goals, sweeps=2, plan="greedy", threads=2) == one


def test_neither_matters_to_paint(conditional_agent, jumping_clock):
    goal = np.random.default_rng(0).integers(0, 256, (8, 8, 1), np.uint8).repeat(16, 0).repeat(16, 1)

    def painted(threads):
        *_, last = paint(conditional_agent, goal, 2, DrawOptions(sweeps=2, seed=3, threads=threads))
        return last.program

    one = painted(1)
    jumping_clock()
    assert len(one) > conditional_agent.config.horizon
    assert painted(2) == one


def test_neither_matters_to_parse(conditional_agent, digits, tmp_path, jumping_clock):
    data = digits.spread(COUNT)

    def parsed(name, threads):
        parse(conditional_agent, data, tmp_path / name, DrawOptions(sweeps=2, seed=3, threads=threads))
        return (tmp_path / name).read_bytes()

    assert not hasattr(parsing, "time")
    one = parsed("one", 1)
    jumping_clock()
    assert parsed("two", 2) == one
