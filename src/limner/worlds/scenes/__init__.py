"""The world ``scenes``: objects on a platform, rendered by MuJoCo."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, ClassVar

from limner.actions import ActionSpace, IntArray
from limner.worlds import register
from limner.worlds.examples import Examples
from limner.worlds.scenes.examples import EXAMPLES
from limner.worlds.scenes.renderer import Scenes
from limner.worlds.scenes.settings import CHANGE, PLACE, SKIP, ScenesSettings, objects, scene_actions
from limner.worlds.world import Renderer, World

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from limner.worlds.proposals import Proposer
    from limner.worlds.refinement import Refinement


class ScenesWorld(World):
    """A scene is a set of objects: a wrong one can be changed or removed."""

    name: ClassVar[str] = "scenes"
    settings_type: ClassVar[type[Any]] = ScenesSettings
    renderer_type: ClassVar[type[Any]] = Scenes
    white_ground: ClassVar[bool] = False
    examples: ClassVar[Examples | None] = EXAMPLES
    actions = staticmethod(scene_actions)

    def random_programs(self, space: ActionSpace, steps: int, batch: int, generator: Generator) -> Tensor:
        """As ``World.random_programs``: some objects, all parts uniform, then skips.

        Objects are at least one and at most two thirds of the actions: that leaves time to correct perturbed ones.
        """
        import torch

        from limner.worlds.proposals import canonical, random_actions

        actions = random_actions(space, (steps, batch), generator)
        count = torch.randint(1, max(2, steps * 2 // 3 + 1), (batch,), generator=generator)
        placed = torch.arange(steps)[:, None] < count
        actions[..., space.index("op")] = torch.where(placed, PLACE, SKIP)
        return canonical(space, actions)

    def correct(self, space: ActionSpace, programs: Tensor, noise: Callable[[Tensor], Tensor]) -> tuple[Tensor, Tensor]:
        """As ``World.correct``: the expert changes a perturbed object.

        Actions are perturbed only while a correction leaves enough steps for the objects that are still to be placed.
        """
        import torch

        op = space.index("op")
        steps, batch, _ = programs.shape
        rows, position = torch.arange(batch), torch.zeros(batch, dtype=torch.int64)
        count = (programs[..., op] != SKIP).sum(0)
        right, wrong = torch.zeros_like(programs[0]), torch.zeros(batch, dtype=torch.bool)
        expert, done = [], []
        for t in range(steps):
            change = right.clone()
            change[:, op] = CHANGE
            action = torch.where(wrong[:, None], change, programs[position.clamp(max=steps - 1), rows])
            position = position + ~wrong
            spare = steps - 1 - t > (count - position).clamp(min=0)
            did = torch.where(spare[:, None], noise(action), action)
            right, wrong = action, (did != action).any(1)
            expert.append(action)
            done.append(did)
        return torch.stack(expert), torch.stack(done)

    def proposals(self, space: ActionSpace) -> Proposer:
        """Aimed at the residual as the camera sees it, without skips; an object may stand where only its edge shows."""
        from limner.worlds.proposals import SPREAD, ResidualProposals

        return ResidualProposals(space, first_spread=SPREAD / 2, verbs=SKIP)

    def refinement(self, renderer: Renderer) -> type[Refinement]:
        """``ObjectRefinement``, which removes, adds and replaces objects."""
        from limner.worlds.scenes.refinement import ObjectRefinement

        return ObjectRefinement

    def warm_up(self, renderer: Any) -> None:
        """Render the templates, once in a process."""
        renderer.additions(renderer.canvas(), 1)

    def count(self, space: ActionSpace, actions: IntArray) -> int:
        """The number of objects in the scene that a program builds."""
        return len(objects(space, actions))

    def metrics(self, space: ActionSpace, found: Sequence[IntArray], truth: Sequence[IntArray]) -> dict[str, float]:
        """Objects matched with the true ones: see ``SceneMetrics``."""
        from limner.worlds.scenes.metrics import compare_scenes

        return asdict(compare_scenes(space, found, truth))


register(ScenesWorld())
