from dataclasses import replace

import numpy as np
import pytest
import torch

from limner.config import Config, PolicyConfig
from limner.networks.policy import make_policy
from limner.renderers.paint import Paint, PaintSettings
from limner.rollout import EpisodeBatch, collect, follow
from limner.search import Rehearsal, collect_improved, likeness
from limner.tree import Forest, Node, collect_planned

BATCH, TRIES, STEPS = 3, 3, 3


def setting(space="stroke", brush="classic/pen", lstm=False):
    """A stage, a policy, episodes that the policy painted, and a rehearsal."""
    config = Config(
        conditional=True,
        steps=STEPS,
        resolution=16,
        renderer=PaintSettings(brush=brush, space=space, grid=16, sizes=(2.0, 6.0), pressures=3, events=6),
        policy=PolicyConfig(channels=4, hidden=16, noise=2, lstm=lstm),
    )
    stage = Paint(config.renderer, BATCH)
    rng = np.random.default_rng(5)
    for _ in range(STEPS):
        stage.step(stage.actions.sample(rng, BATCH))
    torch.manual_seed(0)
    batch = EpisodeBatch.empty(config, stage)
    batch.aim(torch.from_numpy(stage.canvas()))
    policy = make_policy(config, stage).requires_grad_(False)
    collect(stage, policy, batch, generator())
    return stage, policy, batch, Rehearsal(stage, TRIES, 1)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def canvas_after(settings, actions):
    alone = Paint(settings, 1)
    for action in actions:
        alone.step(action[None].numpy())
    return torch.from_numpy(alone.canvas())


def walk(node, done=()):
    """All nodes below, with the actions that lead there."""
    yield node, done
    for action, child in node.children.items():
        yield from walk(child, (*done, node.actions[action]))


@pytest.mark.parametrize(
    ("space", "brush", "lstm"),
    [("stroke", "classic/pen", False), ("bezier", "classic/dry_brush", True)],
)
def test_a_tree_knows_what_its_actions_paint(space, brush, lstm):
    stage, policy, batch, rehearsal = setting(space, brush, lstm)
    programs, end = batch.actions.clone(), -batch.distance[-1]
    forest = Forest(stage, rehearsal, policy, batch, generator())
    for _ in range(12):
        forest.simulate()
    assert torch.equal(batch.actions, programs)
    for tree, root in enumerate(forest.roots):
        assert root.visits.sum() == 12
        assert not root.known.all()
        nodes = list(walk(root))
        assert len(nodes) == 13
        assert max(node.depth for node, _ in nodes) > 0
        for node, done in nodes:
            assert node.depth == len(done) < STEPS
            assert (node.memory is not None) == lstm
            assert len(node.actions) == 2 * TRIES
            after = -batch.distance[node.depth + 1, tree]  # of the program that the search started from
            for k, action in enumerate(node.actions):
                if k in node.children:
                    expected = node.children[k].values.max()
                else:
                    canvas = canvas_after(stage._settings, [*done, action])
                    expected = likeness(canvas, batch.goal[tree : tree + 1]) + end[tree] - after
                assert node.values[k] == pytest.approx(float(expected), abs=1e-6)
            for k, child in node.children.items():
                assert node.visits[k] == 1 + child.visits.sum()
                assert node.known[k] == child.known.all()


def test_simulations_follow_what_looks_best_and_in_the_end_everything():
    values = np.array([0.1, 0.9, 0.85, 1.0], np.float32)
    node = Node(0, None, None, torch.zeros(4, 1, dtype=torch.int64), values, np.zeros(4, np.int64), np.arange(4) == 3)
    counts = np.zeros(4, int)
    for _ in range(300):
        chosen = node.choose(0.0, 1.0)
        node.visits[chosen] += 1
        counts[chosen] += 1
        if counts.sum() == 1:
            assert chosen == 1
    assert counts[1] > counts[2] > counts[0] > 0
    assert counts[3] == 0, "all is known there"


def test_a_tree_that_is_open_to_the_end_knows_the_best_program():
    stage, policy, batch, rehearsal = setting()
    batch = replace(batch, actions=batch.actions[:2], pen=batch.pen[:2])
    forest = Forest(stage, rehearsal, policy, batch, generator())
    for opened in range(2 * TRIES):
        assert not forest.exhausted, opened
        forest.simulate()
    assert forest.exhausted
    best = [root.values.max() for root in forest.roots]
    assert best == [max(child.values.max() for child in root.children.values()) for root in forest.roots]
    forest.simulate()
    assert best == [root.values.max() for root in forest.roots]
    follow(stage, batch, torch.stack([forest.advance() for _ in range(2)]))
    np.testing.assert_allclose(-batch.distance[2], best, rtol=1e-5)


def test_advancing_keeps_the_tree_below_the_best_action():
    stage, policy, batch, rehearsal = setting()
    forest = Forest(stage, rehearsal, policy, batch, generator())
    for _ in range(8):
        forest.simulate()
    before = forest.roots
    best = [int(root.values.argmax()) for root in before]
    done = forest.advance()
    for tree, (old, new, action) in enumerate(zip(before, forest.roots, best, strict=True)):
        assert torch.equal(done[tree], old.actions[action])
        assert new is old.children[action]
        assert new.depth == 1
    forest.advance()
    last = forest.roots
    assert torch.equal(forest.advance(), torch.stack([root.actions[root.values.argmax()] for root in last]))


@pytest.mark.parametrize("space", ["stroke", "bezier", "spline"])
def test_planned_episodes_end_closer(space):
    stage, policy, batch, rehearsal = setting(space)
    first = batch.distance[-1].mean()
    collect_planned(stage, rehearsal, policy, batch, generator(), 0.0)
    collect_planned(stage, rehearsal, policy, batch, generator(), 0.5)
    assert batch.distance[-1].mean() < 0.9 * first
    again = replace(batch, **{name: value.clone() for name, value in vars(batch).items()})
    follow(stage, again, batch.actions)
    for name in ("ink", "canvas", "pen", "distance"):
        assert torch.equal(getattr(again, name), getattr(batch, name)), name


def test_the_larger_the_tree_the_closer():
    stage, policy, batch, rehearsal = setting()
    collect_improved(stage, rehearsal, policy, batch, generator())
    programs, ends = batch.actions.clone(), []
    for simulations in (0, 30):
        scores = []
        for seed in range(3):
            follow(stage, batch, programs)
            forest, random = None, generator(seed)
            forest = Forest(stage, rehearsal, policy, batch, random)
            done = []
            for _ in range(STEPS):
                for _ in range(simulations):
                    forest.simulate()
                done.append(forest.advance())
            follow(stage, batch, torch.stack(done))
            scores.append(batch.distance[-1].mean().item())
        ends.append(np.mean(scores))
    assert ends[1] < 0.95 * ends[0]
