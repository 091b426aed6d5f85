import threading
import time

import pytest
import torch
from refining import assert_improves, assert_repeatable, generator, refinement_of, some_actions

from limner.worlds.budget import Budget
from limner.worlds.paint.renderer import Paint
from limner.worlds.paint.settings import PaintSettings
from limner.worlds.refinement import Refinement
from limner.worlds.simulator import Simulator, execute, negative_mse
from limner.worlds.toy.renderer import Toy, ToySettings

BATCH, CANDIDATES = 3, 6


def paint(brush="classic/pen", space="stroke"):
    return Paint(PaintSettings(brush=brush, space=space, grid=16, sizes=(2.0, 6.0), pressures=3, events=6), BATCH)


RENDERERS = {
    "pen": paint,
    "dry brush": lambda: paint("classic/dry_brush"),
    "bezier": lambda: paint(space="bezier"),
    "relative": lambda: paint(space="relative"),
    "spline": lambda: paint(space="spline"),
    "toy": lambda: Toy(ToySettings(), BATCH),
}


def make(renderer, objective=negative_mse, threads=1):
    goals = execute(renderer, some_actions(renderer, 5))
    simulator = Simulator(renderer, CANDIDATES, threads, objective)
    return refinement_of(Refinement, renderer, simulator, goals, some_actions(renderer, 2))


@pytest.mark.parametrize("kind", RENDERERS)
def test_refinement_never_gets_worse_and_knows_how_close_it_is(kind):
    assert assert_improves(make(RENDERERS[kind]()), RENDERERS[kind]()) < 0.8


@pytest.mark.parametrize("kind", ["bezier", "toy"])
def test_a_budget_of_sweeps_is_repeatable(kind):
    assert_repeatable(lambda threads: make(RENDERERS[kind](), threads=threads))


def test_another_objective_finds_other_pictures():
    """Here the less ink the better."""
    refinement = make(paint(), lambda canvases, goals: canvases.float().mean((1, 2, 3)))
    before = refinement.canvas.float().mean()
    for seed in range(6):
        refinement.sweep(generator(seed))
    assert refinement.canvas.float().mean() > before + 5


def test_what_was_given_is_kept():
    renderer = paint()
    given, goals = some_actions(renderer, 2), execute(renderer, some_actions(renderer, 5))
    copy = given.clone()
    refinement = refinement_of(Refinement, renderer, Simulator(renderer, CANDIDATES, 1), goals, given)
    refinement.run(Budget(sweeps=4), generator())
    assert torch.equal(given, copy)
    assert not torch.equal(refinement.actions, given)


# --- budgets -----------------------------------------------------------------------------------------------------


def counted(refinement):
    """A list that grows with each sweep."""
    done, sweep = [], refinement.sweep
    refinement.sweep = lambda *given: (done.append(given), sweep(*given))
    return done


def test_a_budget_needs_a_limit():
    with pytest.raises(ValueError, match=r"^a budget needs seconds or sweeps$"):
        Budget()


@pytest.mark.parametrize("budget", [Budget(0.0), Budget(-1.0), Budget(sweeps=0), Budget(-1.0, 3)], ids=str)
def test_no_budget_no_change(budget):
    renderer = paint()
    given = some_actions(renderer, 2)
    refinement = make(renderer)
    done = counted(refinement)
    refinement.run(budget, generator())
    assert done == []
    assert torch.equal(refinement.actions, given)
    assert torch.equal(refinement.canvas, execute(renderer, given))


def test_sweeps_are_counted_and_need_no_clock(monkeypatch):
    monkeypatch.setattr(time, "perf_counter", lambda: 1 / 0)
    refinement, other = make(Toy(batch=2)), make(Toy(batch=2))
    done, random = counted(refinement), generator()
    refinement.run(Budget(sweeps=3), generator())
    assert len(done) == 3
    for _ in range(3):
        other.sweep(random)
    assert torch.equal(refinement.actions, other.actions)


def test_whichever_limit_comes_first_ends_it(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    for budget, sweeps in ((Budget(3.0), 3), (Budget(3.0, 2), 2), (Budget(1.0, 2), 1)):
        refinement, done = make(Toy(batch=2)), []

        def sweep(generator, end, done=done):
            done.append(end)
            now[0] += 1.0

        refinement.sweep = sweep
        refinement.run(budget, generator())
        assert len(done) == sweeps


def test_after_its_end_a_sweep_leaves_the_rest_as_it_is(monkeypatch):
    refinement = make(Toy(batch=2))
    tried = []
    monkeypatch.setattr(refinement, "_choose", lambda actions, t, random: (tried.append(t), actions[t])[1])
    ticks = iter(range(100))
    monkeypatch.setattr(time, "perf_counter", lambda: next(ticks))
    refinement.sweep(generator(), end=2)
    assert tried == [0, 1]


def test_it_stops_when_it_is_told_to():
    refinement, stop = make(Toy(batch=2)), threading.Event()
    done, sweep = [], refinement.sweep

    def counting(*given):
        done.append(sweep(*given))
        if len(done) == 2:
            stop.set()

    refinement.sweep = counting
    refinement.run(Budget(sweeps=5), generator(), stop)
    assert len(done) == 2
    refinement.run(Budget(sweeps=5), generator(), stop)
    assert len(done) == 2
