"""What an agent is, as values: its renderer, its network, and how it draws.

All that drawing needs, and nothing of training: a checkpoint's agent is read without knowing how it was trained. What
cannot work is refused at once, naming field, value and remedy. ``limner train --help`` reads this module without torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from limner.actions import ActionSpace, Part
from limner.models.config import PolicyConfig
from limner.worlds import Renderer, Settings, World, find_world, make_renderer, read_settings
from limner.worlds.validation import check_fields, expect_object, plain, read_section, require


@dataclass(frozen=True)
class AgentConfig:
    """The agent: what it draws with, and how."""

    renderer: Settings
    """What executes the agent's programs: the settings of a world."""
    conditional: bool = False
    """Show the agent a picture in each episode: its target."""
    horizon: int = 6
    """Actions per episode."""
    resolution: int = 32
    """Pixels along each side of the canvas as policy and critic are shown it."""
    temperature: float = 1.0
    """Temperature of actions in samples and evaluations: below 1 less varied, 0 the likeliest. Training acts at 1."""
    first_action_temperature: float | None = None
    """The same for the first action, which decides much of what is drawn. None: as for the others. For unconditional
    agents."""
    policy: PolicyConfig = PolicyConfig()

    def __post_init__(self) -> None:
        temperatures = {"temperature": (0, 10), "first_action_temperature": (0, 10)}
        check_fields(self, "", positive="horizon", within=temperatures)
        conditional, first = self.conditional, self.first_action_temperature
        require(not conditional or first is None, f"first_action_temperature is {first}: for unconditional agents only")
        aimless = self.policy.blind and not conditional
        require(not aimless, "policy.blind is True: a blind policy needs a target; set conditional")
        side, canvas = self.resolution, self.renderer.canvas
        require(
            side >= 8 and side & (side - 1) == 0 and canvas % side == 0,
            f"resolution is {side}: must be a power of two, at least 8, that divides the canvas of {canvas} pixels",
        )
        for part in self.actions.parts:
            if part.grid is not None:
                self._check_location(part, max(part.grid))

    def _check_location(self, part: Part, side: int) -> None:
        """``ValueError`` when the network cannot choose cells of a location with ``side`` cells a side."""
        square, canvas = part.grid == (side, side), self.renderer.canvas
        what = f"renderer: part {part.name!r} has {side} cells a side"
        fits = side <= canvas or part.origin != (0, 0)
        require(fits, f"{what}, must be at most the canvas, {canvas}; choose a smaller renderer.grid")
        least = 64 if part.sights is not None else 32
        require(
            self.policy.network != "pointer" or (square and side % 16 == 0 and self.resolution >= least),
            f"{what} and resolution is {self.resolution}: with policy.network 'pointer' cells must be a multiple of "
            f"16, resolution at least {least}; change renderer.grid or renderer.space, or use policy.network 'small'",
        )
        require(
            not self.policy.spatial_heads or (square and side >= 4 and side & (side - 1) == 0),
            f"{what}: with policy.spatial_heads they must be 4, 8, 16 …; change renderer.grid or renderer.space, or "
            "switch policy.spatial_heads off",
        )

    @property
    def world(self) -> World:
        """What the agent's programs are written for."""
        return find_world(self.renderer.name)

    @property
    def actions(self) -> ActionSpace:
        """What an action of the agent consists of."""
        return self.world.actions(self.renderer)

    def make_renderer(self, batch: int, threads: int = 1) -> Renderer:
        """The agent's renderer, with ``batch`` canvases painted by ``threads`` threads."""
        return make_renderer(self.renderer, batch, threads)

    def to_dict(self) -> dict[str, Any]:
        """JSON values, from which ``from_dict`` makes the same configuration."""
        return plain(self)

    @classmethod
    def from_dict(cls, values: Any) -> AgentConfig:
        """The reverse of ``to_dict``; ``ValueError`` names an unknown or impossible field."""
        given = dict(expect_object(values, ""))
        if "renderer" in given:
            given["renderer"] = read_settings(expect_object(given["renderer"], "renderer."))
        return read_section(cls, given, "")
