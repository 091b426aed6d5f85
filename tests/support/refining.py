"""What tests of refinements have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from limner.worlds.budget import Budget
from limner.worlds.observation import Targets, preprocess
from limner.worlds.proposals import ResidualProposals
from limner.worlds.refinement import Refinement
from limner.worlds.simulator import Simulator, execute, negative_mse
from limner.worlds.world import Renderer

Kind = TypeVar("Kind", bound=Refinement)


def some_actions(renderer: Renderer, seed: int, steps: int = 4) -> Tensor:
    """Random programs ``int64[steps, B, P]`` for the canvases of ``renderer``."""
    return torch.from_numpy(renderer.actions.sample(np.random.default_rng(seed), (steps, renderer.batch)))


def refinement_of(kind: type[Kind], renderer: Renderer, simulator: Simulator, goals: Tensor, actions: Tensor) -> Kind:
    """Refines ``actions`` int64[T, B, P] towards ``goals``, with residual proposals."""
    targets = Targets(goals, preprocess(goals, goals.shape[1]), torch.zeros(len(goals), 2))
    return kind(renderer, simulator, targets, actions, ResidualProposals(renderer.actions))


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def assert_improves(refinement: Refinement, another: Renderer, sweeps: int = 6) -> float:
    """No sweep makes a program worse; scores and canvases are those of the programs. Gives the share of error left."""
    first = last = refinement.scores.clone()
    for seed in range(sweeps):
        refinement.sweep(generator(seed))
        assert (refinement.scores >= last).all()
        last = refinement.scores.clone()
    canvas = execute(another, refinement.actions)
    assert torch.equal(refinement.canvas, canvas)
    torch.testing.assert_close(refinement.scores, negative_mse(canvas, refinement.goals))
    actions = refinement.actions.numpy()
    np.testing.assert_array_equal(another.actions.canonical(actions), actions)
    return float(last.mean() / first.mean())


def assert_repeatable(make: Callable[[int], Kind], sweeps: int = 3) -> Kind:
    """A budget of sweeps gives the same programs bit for bit: twice, and with simulators of 1 and 2 threads.

    ``make`` gives a refinement whose simulator has so many threads. Gives one that was run.
    """
    results = []
    for threads in (1, 1, 2):
        refinement = make(threads)
        before = refinement.actions.clone()
        refinement.run(Budget(sweeps=sweeps), generator(7))
        assert not torch.equal(refinement.actions, before)
        results.append(refinement)
    for other in results[1:]:
        assert torch.equal(other.actions, results[0].actions)
        assert torch.equal(other.canvas, results[0].canvas)
        assert torch.equal(other.scores, results[0].scores)
    return results[0]
