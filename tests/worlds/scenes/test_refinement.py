"""Refinement of programs that place objects."""

import numpy as np
import pytest
import torch
from refining import assert_repeatable, generator

from limner.worlds import find_world
from limner.worlds.budget import Budget
from limner.worlds.observation import Targets, preprocess
from limner.worlds.proposals import ResidualProposals
from limner.worlds.scenes.examples import scatter, show, visible_scenes
from limner.worlds.scenes.refinement import PASSES, ObjectRefinement, settle
from limner.worlds.scenes.renderer import Scenes
from limner.worlds.scenes.settings import PLACE, SKIP, ScenesSettings, scene_actions
from limner.worlds.simulator import Simulator, negative_mse

pytestmark = pytest.mark.usefixtures("gl")
SPACE = scene_actions(ScenesSettings())


@pytest.fixture(scope="module")
def scenes(gl):
    """40 pictures and the programs behind them, int64[40, 5, P]."""
    return visible_scenes(np.random.default_rng(0), 40)


def refine(goals, programs, proposer=None, objective=negative_mse, candidates=16, threads=1):
    """What refines ``programs`` int64[B, T, P]."""
    renderer, pictures = Scenes(batch=len(goals)), torch.from_numpy(goals)
    targets = Targets(pictures, preprocess(pictures, 64), torch.zeros(len(goals), 2))
    simulator = Simulator(renderer, candidates, threads, objective)
    actions, proposer = torch.from_numpy(programs).transpose(0, 1), proposer or ResidualProposals(SPACE)
    refinement = find_world("scenes").refinement(renderer)(renderer, simulator, targets, actions, proposer)
    assert isinstance(refinement, ObjectRefinement)
    return refinement


def shown(actions):
    return torch.from_numpy(show(Scenes(batch=actions.shape[1]), actions.transpose(0, 1).numpy()))


def counted(actions):
    return (actions[..., 0] == PLACE).sum(0)


def nothing(count, steps=7):
    programs = np.zeros((count, steps, 7), np.int64)
    programs[..., 0] = SKIP
    return programs


# --- settled programs --------------------------------------------------------------------------------------------


def test_a_settled_program_shows_the_same_picture_and_places_before_it_skips():
    actions = SPACE.sample(np.random.default_rng(0), (20, 9))
    settled = settle(SPACE, torch.from_numpy(actions).transpose(0, 1)).transpose(0, 1).numpy()
    np.testing.assert_array_equal(SPACE.canonical(settled), settled)
    assert set(np.unique(settled[..., 0])) == {PLACE, SKIP}
    assert (np.diff((settled[..., 0] == SKIP).astype(int), axis=1) >= 0).all()
    np.testing.assert_array_equal(show(Scenes(batch=20), settled), show(Scenes(batch=20), actions))


def test_what_is_settled_stays():
    actions = torch.from_numpy(scatter(np.random.default_rng(0), np.arange(6))).transpose(0, 1)
    assert torch.equal(settle(SPACE, actions), actions)


# --- refinement --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("objective", [negative_mse, lambda canvases, goals: negative_mse(canvases, goals)])
def test_refinement_never_gets_worse_and_finds_objects_that_are_missing(scenes, objective):
    refined, random = refine(scenes[0][:4], nothing(4), objective=objective), generator()
    last = first = refined.scores
    for _ in range(5):
        refined.sweep(random)
        assert (refined.scores >= last).all()
        last = refined.scores
    assert last.mean() > 0.4 * first.mean()
    assert torch.equal(refined.canvas, shown(refined.actions))
    torch.testing.assert_close(refined.scores, negative_mse(refined.canvas, refined.goals))


def test_a_budget_of_sweeps_is_repeatable(scenes):
    assert_repeatable(lambda threads: refine(scenes[0][:3], nothing(3, steps=5), threads=threads), sweeps=2)


def test_a_budget_of_sweeps_is_repeatable_where_some_go_on_alone(scenes):
    """Two actions cannot place five objects."""
    easy, found = visible_scenes(np.random.default_rng(1), 2, most=2)
    hard = scenes[0][counted(torch.from_numpy(scenes[1]).transpose(0, 1)) == 5][:2]
    images, programs = np.concatenate([easy, hard]), np.concatenate([found, nothing(2, steps=2)])
    refined = assert_repeatable(lambda threads: refine(images, programs, threads=threads), sweeps=3)
    assert refined.finished.tolist() == [True, True, False, False]


def test_objects_that_are_not_seen_are_left_out_and_then_it_is_finished(scenes):
    images, programs = (part[:8] for part in scenes)
    twins = np.concatenate([programs[:, :1], programs], axis=1)
    refined = refine(images, twins)
    refined.run(Budget(sweeps=8), generator())
    assert refined.finished.float().mean() >= 0.5
    assert (refined.scores > -1e-4).all()
    assert (counted(refined.actions) < counted(torch.from_numpy(twins).transpose(0, 1))).all()


def test_a_finished_picture_stays_as_it_is_and_is_not_rendered_again(scenes):
    class Silent:
        def act(self, observation, memory, generator, *, count, verb=None):
            raise AssertionError("nothing is left to propose")

    refined, random = refine(scenes[0][:4], scenes[1][:4]), generator()
    for _ in range(2):
        refined.sweep(random)
    assert refined.finished.all()
    actions, refined.proposer = refined.actions.clone(), Silent()
    refined.sweep(random)
    assert torch.equal(refined.actions, actions)
    assert torch.equal(refined.canvas, shown(actions))


def test_what_is_unfinished_goes_on_alone(scenes):
    images, programs = scenes[0][:6], scenes[1][:6].copy()
    programs[2], programs[5] = nothing(1, steps=5)[0], nothing(1, steps=5)[0]
    refined = refine(images, programs)
    before = refined.scores
    sweeps = []
    refined.sweep = lambda *given: (sweeps.append(1), ObjectRefinement.sweep(refined, *given))
    refined.run(Budget(sweeps=8), generator())
    assert refined.finished[[0, 1, 3, 4]].all()
    assert (refined.scores[[2, 5]] > before[[2, 5]]).all()
    assert len(sweeps) <= 4
    assert torch.equal(refined.canvas, shown(refined.actions))
    torch.testing.assert_close(refined.scores, negative_mse(refined.canvas, refined.goals))


def test_those_that_go_on_alone_have_the_sweeps_that_are_left(scenes, monkeypatch):
    sweeps = []

    def sweep(self, generator, end):
        sweeps.append(len(self.goals))
        if len(sweeps) == 2:
            self.finished[[0, 2, 3]] = True

    monkeypatch.setattr(ObjectRefinement, "sweep", sweep)
    refined = refine(scenes[0][:4], nothing(4))
    refined.run(Budget(sweeps=5), generator())
    assert sweeps == [4, 4, 1, 1, 1]
    assert refined.finished.tolist() == [True, False, True, True]


def test_a_large_object_takes_the_place_of_several_that_explain_it():
    """Eight small cubes cannot become the large one by changing one at a time."""
    large = np.array([[[PLACE, 0, 16 * 8 + 8, 2, 3, 1, 0]]])
    cells = [16 * row + column for row in (6, 8, 10) for column in (6, 8, 10)][:8]
    small = np.array([[[PLACE, 0, cell, 0, 3, 1, 0] for cell in cells]])
    refined = refine(show(Scenes(), large), small)
    refined.run(Budget(sweeps=60), generator())
    assert refined._exact(refined.scores).all()
    np.testing.assert_array_equal(refined.actions[0, 0], large[0, 0])
    assert counted(refined.actions).tolist() == [1]


def test_a_proposer_sees_the_picture_without_the_object_and_the_last_of_the_others(scenes):
    seen = []

    class Spy:
        def act(self, observation, memory, generator, *, count, verb=None):
            seen.append((observation, verb))
            return ResidualProposals(SPACE).act(observation, memory, generator, count=count, verb=verb)

    images, programs = (part[:5] for part in scenes)
    refined = refine(images, programs, Spy())
    actions = torch.from_numpy(programs).transpose(0, 1)
    refined.renderer.reset()
    for action in actions[1:]:
        refined.renderer.step(action.numpy())
    refined._propose(actions, 0, generator())
    observation, verb = seen[0]
    assert verb == PLACE
    for i, program in enumerate(programs):
        others, renderer = program[1:], Scenes()
        picture = show(renderer, others[None])[0]
        np.testing.assert_array_equal(np.round(255 - observation.canvas[i].permute(1, 2, 0).numpy() * 255), picture)
        placed = others[others[:, 0] == PLACE]
        np.testing.assert_array_equal(observation.previous[i], placed[-1] if len(placed) else np.zeros(7))
        np.testing.assert_array_equal(observation.pen[i], renderer.pen()[0])
        assert observation.step[i] == pytest.approx(len(placed) / 5)


def test_an_object_that_hardly_shows_is_not_worth_its_place(scenes, monkeypatch):
    monkeypatch.setattr("limner.worlds.scenes.refinement.PRICE", 1.0)
    refined = refine(scenes[0][:4], scenes[1][:4])
    refined.sweep(generator())
    assert (counted(refined.actions) == 0).all()


def test_a_program_of_one_action_is_refined_too(scenes):
    refined = refine(scenes[0][:3], nothing(3, steps=1))
    before = refined.scores
    for _ in range(4):
        refined.sweep(generator())
    assert (refined.scores > before).any()


def test_after_its_end_a_sweep_leaves_programs_as_they_are(scenes):
    images, programs = scenes[0][:4], scenes[1][:4].copy()
    programs[:, 0] = nothing(4, steps=1)[:, 0]
    refined = refine(images, programs)
    actions = refined.actions.clone()
    refined.sweep(generator(), end=-1.0)
    assert PASSES > 0
    assert torch.equal(refined.actions, actions)
    assert not refined.finished.any()
