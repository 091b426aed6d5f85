"""Tree search: looking ahead more than one action, for as long as there is time.

PUCT (Silver et al. 2017) over sampled actions (Hubert et al. 2021, "Sampled MuZero"), one tree for each picture of a
batch, grown in lock step: a simulation opens one node of every tree, so the network sees a batch and the canvases are
painted in one call.

Notable choices:
- Opening a node is a step of the greedy search: the policy proposes, the best proposal is varied, and all are tried on
  copies of the canvas. So every action has a value before it is followed, and without simulations this is that search.
- Actions are drawn from the policy; after that they count alike. The sample already is as dense as the policy is sure,
  and weighting it by probability would count that twice (Hubert et al., section 4).
- The value of an action is the score of the canvas after it and what remains to be gained: as much as the program that
  the search starts from gained from there on. So canvases after few and after many actions compare. (A policy's value
  head means something only where rewards were learnt from.)
- A node is worth as much as its best action, not the mean: nothing here is left to chance or to an opponent.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from limner.networks.observation import Observation, see
from limner.networks.policy import Memory
from limner.renderers import Renderer, State
from limner.rollout import EpisodeBatch, follow
from limner.search import Proposer, Rehearsal, try_all

EXPLORATION = 1.0
"""Weight of what was visited seldom against what looks best."""
SIMULATIONS = 256
"""At most so many before an action is done: each keeps a canvas."""


@dataclass
class Node:
    """A canvas, and the actions that were tried on it."""

    depth: int
    """How many actions were done before."""
    state: State
    """Of this canvas alone."""
    memory: Memory | None
    """What the proposer remembers having seen it, ``[1, 1, …]``."""
    actions: Tensor
    """``int64[K, P]``."""
    values: NDArray[np.float32]
    """``float32[K]``: the score that is to be expected at the end after each action."""
    visits: NDArray[np.int64]
    """``int64[K]``: how often each was followed."""
    known: NDArray[np.bool_]
    """``bool[K]``: whether there is nothing left to open after it."""
    children: dict[int, Node] = field(default_factory=dict)
    """By action."""

    def choose(self, low: float, high: float) -> int:
        """The action to follow in a simulation, where nodes are worth ``low`` … ``high``."""
        value = (self.values - low) / max(high - low, 1e-9)
        curiosity = np.sqrt(self.visits.sum()) / (1 + self.visits) / len(self.visits)
        return int(np.argmax(np.where(self.known, -np.inf, value + EXPLORATION * curiosity)))


Path = list[tuple[Node, int]]
"""Nodes with the action that is followed in each."""


class Forest:
    """A tree for each canvas of a stage, in search of something better than the programs in a batch of episodes."""

    def __init__(
        self, stage: Renderer, rehearsal: Rehearsal, proposer: Proposer, batch: EpisodeBatch, generator: torch.Generator
    ) -> None:
        self.stage, self.rehearsal, self.proposer = stage, rehearsal, proposer
        self.batch, self.generator = batch, generator
        self.remaining = self._gains()
        stage.reset()
        self.low, self.high = (np.full(stage.batch, sign * np.inf, np.float32) for sign in (1, -1))
        self.roots = self._open([0] * stage.batch, torch.zeros_like(batch.actions[0]), [None] * stage.batch)

    @property
    def exhausted(self) -> bool:
        """Whether all trees are open to the end."""
        return all(root.known.all() for root in self.roots)

    def simulate(self) -> None:
        """Open one more node of every tree that is not open to the end."""
        self._follow([self._descend(tree) for tree in range(self.stage.batch)])

    def advance(self) -> Tensor:
        """Do the best action known at every root, ``int64[B, P]``: the subtrees there are the trees from now on."""
        best = [int(np.argmax(root.values)) for root in self.roots]
        actions = torch.stack([root.actions[action] for root, action in zip(self.roots, best, strict=True)])
        if self.roots[0].depth + 1 < self.batch.steps:
            self._follow([self._descend(tree, action) for tree, action in enumerate(best)])
            self.roots = [root.children[action] for root, action in zip(self.roots, best, strict=True)]
        return actions

    def _descend(self, tree: int, first: int | None = None) -> Path:
        """The way to an action that has not been followed, at the root by the action ``first`` if it is given."""
        node: Node | None = self.roots[tree]
        path: Path = []
        while node is not None:
            action = node.choose(self.low[tree], self.high[tree]) if first is None or path else first
            path.append((node, action))
            node = node.children.get(action)
        return path

    def _follow(self, paths: list[Path]) -> None:
        """Do the last action of every path, open the node there, and pass up what it is worth."""
        last = [path[-1] for path in paths]
        for tree, (node, _) in enumerate(last):
            self.stage.restore(node.state, np.array([tree]))
        done = torch.stack([node.actions[action] for node, action in last])
        depths = [node.depth + 1 for node, _ in last]
        if min(depths) < self.batch.steps:
            self.stage.step(done.numpy())
            for (node, action), opened in zip(
                last, self._open(depths, done, [node.memory for node, _ in last]), strict=True
            ):
                if opened.depth < self.batch.steps:
                    node.children[action] = opened
        for tree, path in enumerate(paths):
            for node, action in reversed(path):
                node.visits[action] += 1
                if action in node.children:
                    node.values[action] = node.children[action].values.max()
                    node.known[action] = node.children[action].known.all()
                self._widen(tree, node)

    def _open(self, depths: list[int], previous: Tensor, memories: list[Memory | None]) -> list[Node]:
        """Nodes for the canvases of the stage, after so many actions of which ``previous`` int64[B, P] were the last.

        A canvas after the last action gets a node that means nothing.
        """
        stage, batch = self.stage, self.batch
        known = [memory for memory in memories if memory is not None]
        observation = Observation(
            ink=see(torch.from_numpy(stage.canvas()), batch.ink.shape[-1]),
            target=batch.target,
            pen=torch.from_numpy(stage.pen()),
            step=torch.tensor(depths) / batch.steps,
            previous=previous,
            noise=batch.noise,
        )
        memory = (torch.cat([h for h, _ in known], dim=1), torch.cat([c for _, c in known], dim=1)) if known else None
        acted = self.proposer.act(observation, memory, self.generator, count=self.rehearsal.tries)
        proposals = acted.actions.view(stage.batch, self.rehearsal.tries, -1)
        state = stage.save()
        actions, scores = try_all(self.rehearsal, state, batch.goal, proposals, stage.actions, self.generator)
        after = torch.tensor(depths).add(1).clamp(max=batch.steps)
        values = (scores + self.remaining.gather(0, after[None]).T).numpy()
        nodes = []
        for i, depth in enumerate(depths):
            own = None if acted.memory is None else (acted.memory[0][:, i : i + 1], acted.memory[1][:, i : i + 1])
            visits, last = np.zeros(len(values[i]), np.int64), np.full(len(values[i]), depth + 1 >= batch.steps)
            nodes.append(Node(depth, state.take(np.array([i])), own, actions[i], values[i], visits, last))
            if depth < batch.steps:
                self._widen(i, nodes[-1])
        return nodes

    def _widen(self, tree: int, node: Node) -> None:
        worth = node.values.max()
        self.low[tree], self.high[tree] = min(self.low[tree], worth), max(self.high[tree], worth)

    def _gains(self) -> Tensor:
        """What the programs in the batch gain from after each number of actions to the end, ``float32[T + 1, B]``."""
        self.stage.reset()
        scores = []
        for t in range(self.batch.steps + 1):
            scores.append(self.rehearsal.score(torch.from_numpy(self.stage.canvas()), self.batch.goal))
            if t < self.batch.steps:
                self.stage.step(self.batch.actions[t].numpy())
        return scores[-1] - torch.stack(scores)


@torch.no_grad()
def collect_planned(
    stage: Renderer,
    rehearsal: Rehearsal,
    proposer: Proposer,
    batch: EpisodeBatch,
    generator: torch.Generator,
    seconds: float,
) -> None:
    """Paint episodes towards ``batch.goal``, searching a tree for about so many seconds, the same for every step.

    Starts from the programs in ``batch``, what ``collect_improved`` or ``collect`` left there, and replaces them; but
    for the log-probabilities, which stay. A tree starts with one node, and is never smaller, however little time.
    """
    end = time.perf_counter() + seconds
    forest = Forest(stage, rehearsal, proposer, batch, generator)
    actions = []
    for left in range(batch.steps, 0, -1):
        now = time.perf_counter()
        until = now + (end - now) / left
        for _ in range(SIMULATIONS):
            if time.perf_counter() >= until or forest.exhausted:
                break
            forest.simulate()
        actions.append(forest.advance())
    follow(stage, batch, torch.stack(actions))
