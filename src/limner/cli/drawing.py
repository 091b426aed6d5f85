"""What ``limner evaluate`` and ``limner parse`` share: how an agent is to draw the pictures of a data set."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from limner.worlds.validation import require

if TYPE_CHECKING:
    from limner.agents.agent import Agent
    from limner.inference.draw import DrawOptions


@dataclass(frozen=True, kw_only=True)
class DrawingFlags:
    """How an agent is to draw the pictures of a data set."""

    search: float = 0.0
    """Seconds of search for each picture; 0 lets the policy draw alone."""
    sweeps: int | None = None
    """Sweeps of refinement for each picture, in place of seconds: such a search repeats bit for bit."""
    plan: Literal["refine", "greedy"] = "refine"
    """What search does: refine the policy's drawing, or look ahead greedily before that."""
    critic: str | None = None
    """Folder of a run whose critic's score is added to what search maximises."""
    critic_weight: float = 0.001
    """Weight of the critic's score, beside minus the mean squared error."""
    limit: int | None = None
    """Number of pictures, spread evenly through the set. None: all."""
    seed: int = 0
    """Seed of actions and search. Without search, or with sweeps, the same seed draws the same."""
    threads: int = 2
    """Threads that render and search."""

    def prepare(self, agent: str) -> "tuple[Agent, DrawOptions]":
        """The agent of that name, and how it draws; ``ValueError`` naming a flag that is out of its range."""
        from limner.agents.agent import load_agent
        from limner.inference.draw import DrawOptions, check_drawing

        require(self.limit is None or self.limit >= 1, f"--limit is {self.limit}: must be at least 1")
        require(0 <= self.critic_weight < float("inf"), f"--critic-weight is {self.critic_weight}: must be 0 or more")
        options = DrawOptions(
            seconds=self.search, sweeps=self.sweeps, plan=self.plan, seed=self.seed, threads=self.threads
        )
        options.check()
        if self.critic is not None and not options.searches:
            raise ValueError("--critic is for search only: give it a budget with --search or --sweeps")
        loaded = load_agent(agent)
        check_drawing(loaded)
        if self.critic is not None:
            from limner.search.objectives import load_critic

            shape = loaded.config.make_renderer(1).shape
            options = replace(options, objective=load_critic(self.critic).objective(self.critic_weight, shape))
        return loaded, options
