"""The world ``scenes``: objects on a platform, rendered by MuJoCo."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, ClassVar

from limner.actions import ActionSpace, IntArray
from limner.worlds import register
from limner.worlds.scenes.settings import ScenesSettings, scene_actions
from limner.worlds.world import Examples, Renderer, World

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from limner.worlds.observation import Targets
    from limner.worlds.proposals import Proposer
    from limner.worlds.refinement import Refinement
    from limner.worlds.simulator import Simulator


class ScenesWorld(World):
    """A scene is a set of objects: a wrong one can be changed or taken away."""

    name: ClassVar[str] = "scenes"
    settings_type: ClassVar[type[Any]] = ScenesSettings
    white_ground: ClassVar[bool] = False

    def make(self, settings: ScenesSettings, batch: int, threads: int) -> Renderer:
        """As ``World.make``; MuJoCo and OpenGL are needed only when a picture is taken (``ImportError``)."""
        from limner.worlds.scenes.renderer import Scenes

        return Scenes(settings, batch, threads)

    def actions(self, settings: ScenesSettings) -> ActionSpace:
        """See ``scene_actions``."""
        return scene_actions(settings)

    def random_programs(self, space: ActionSpace, steps: int, batch: int, generator: torch.Generator) -> Tensor:
        """Some objects, then skips: see ``programs.random_scenes``."""
        from limner.worlds.scenes.programs import random_scenes

        return random_scenes(space, steps, batch, generator)

    def correct(
        self, space: ActionSpace, programs: Tensor, perturb: Callable[[Tensor], Tensor]
    ) -> tuple[Tensor, Tensor]:
        """The expert changes a perturbed object: see ``programs.correct_objects``."""
        from limner.worlds.scenes.programs import correct_objects

        return correct_objects(space, programs, perturb)

    def proposals(self, space: ActionSpace) -> Proposer:
        """Aimed at the residual as the camera sees it, never a skip; an object may stand where only its edge shows."""
        from limner.worlds.proposals import SPREAD, ResidualProposals
        from limner.worlds.scenes.objects import SKIP

        return ResidualProposals(space, first_spread=SPREAD / 2, verbs=SKIP)

    def refine(
        self, renderer: Renderer, simulator: Simulator, targets: Targets, actions: Tensor, proposer: Proposer
    ) -> Refinement:
        """Objects are removed, added and replaced: see ``refinement.ObjectRefinement``."""
        from limner.worlds.scenes.refinement import ObjectRefinement
        from limner.worlds.scenes.renderer import Scenes

        assert isinstance(renderer, Scenes)
        return ObjectRefinement(renderer, simulator, targets, actions, proposer)

    def warm_up(self, renderer: Renderer) -> None:
        """Render the templates, once in a process."""
        from limner.worlds.scenes.renderer import Scenes

        assert isinstance(renderer, Scenes)
        renderer.additions(renderer.canvas(), 1)

    def count(self, space: ActionSpace, actions: IntArray) -> int:
        """How many objects are left of those that a program places."""
        from limner.worlds.scenes.objects import objects

        return len(objects(space, actions))

    def metrics(self, space: ActionSpace, found: Sequence[IntArray], truth: Sequence[IntArray]) -> dict[str, float]:
        """Objects matched with the true ones: see ``metrics.SceneMetrics``."""
        from limner.worlds.scenes.metrics import compare_scenes

        return asdict(compare_scenes(space, found, truth))

    @property
    def examples(self) -> Examples:
        """Scenes of 1 to 5 objects, each of which can be seen: see ``examples``."""
        from limner.worlds.scenes.examples import EXAMPLES

        return EXAMPLES


register(ScenesWorld())
