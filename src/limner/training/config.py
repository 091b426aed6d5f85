"""Everything that decides a run, as values: nested frozen dataclasses.

Notable choices:
- The command line can set every field; a run saves the result.
- No torch import here: ``limner train --help`` must be quick.
- The default of a field that is added later is what was done before: configurations of older runs stay valid.
- What cannot work is refused when a configuration is made, with the value and the remedy.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Literal

from limner.worlds.paint.renderer import PaintSettings
from limner.worlds.scenes.renderer import ScenesSettings
from limner.worlds.validation import check_fields, expect_object, read_section, require
from limner.worlds.world import Renderer, make_renderer

Precision = Literal["float32", "bfloat16", "native"]
"""Of a network's inner layers. ``native`` is bfloat16 on a CPU that multiplies it in hardware, float32 elsewhere."""


@dataclass(frozen=True)
class PolicyConfig:
    """The network that writes programs."""

    network: Literal["small", "pointer", "paper"] = "small"
    """Two that CPU cores can train, the second for agents that look closely, and the published one."""
    channels: int = 32
    """Width of the first convolution of the small network."""
    hidden: int = 256
    """Width of the vector that the decoder starts from."""
    lstm: bool = False
    """Remember earlier steps. The paper's network does."""
    spatial_heads: bool = False
    """Locations by deconvolution (the paper's) instead of a linear layer."""
    noise: int = 10
    """Size of the noise vector that is fixed for an episode."""
    blind: bool = False
    """Never see the canvas, only the target: for comparison (Ganin et al. 2018, section 5.2)."""
    precision: Precision = "float32"
    """Of everything before the heads in the small network."""

    def __post_init__(self) -> None:
        check_fields(self, "policy.", positive="channels hidden", not_negative="noise")


@dataclass(frozen=True)
class CriticConfig:
    """The network that tells real pictures from painted ones, and how it learns."""

    loss: Literal["wasserstein", "logistic"] = "wasserstein"
    """Wasserstein with gradient penalty (SPIRAL), or logistic with spectral normalisation (SPIRAL++)."""
    width: int = 16
    """Channels of the first convolution; they double with each of the following."""
    fold: int = 1
    """Pixels a side of the blocks that become channels before the first convolution; 4 is quicker on a CPU."""
    learning_rate: float = 2e-4
    """Of Adam with β = (0.5, 0.999)."""
    batch: int = 64
    """Real pictures, and as many painted ones, in a step."""
    steps: int = 4
    """Critic steps per update."""
    penalty: float = 10.0
    """Weight λ of the gradient penalty."""
    penalised: float = 1.0
    """Share of the batch that the penalty is estimated from; it is two thirds of the work of a step."""
    precision: Precision = "float32"
    """Of its convolutions."""
    replay: int = 20
    """Painted pictures come from the last so many batches."""
    target: Literal["beside", "complement"] = "beside"
    """How it is shown the target of a conditional agent: as further channels (SPIRAL), or in the place of one half of
    the picture, so that it cannot compare them pixel by pixel (SPIRAL++)."""
    data: str = ""
    """Data set to show the critic as real instead of that of the run. What an agent painted (``programs:FILE``) leaves
    the critic nothing to say about the brush: it judges shapes alone."""
    programs: str = ""
    """A file of programs of the data's pictures (JSON lines, from ``limner parse``). With it the critic is joint: it
    judges a picture and the program that made it (after BiGAN and ALI)."""

    def __post_init__(self) -> None:
        check_fields(
            self,
            "critic.",
            positive="width learning_rate batch steps replay penalised",
            not_negative="penalty",
            share="penalised",
        )
        require(self.fold in (1, 2, 4, 8), f"critic.fold is {self.fold}: must be 1, 2, 4 or 8")


@dataclass(frozen=True)
class RewardConfig:
    """What the agent is paid for."""

    form: Literal["differences", "final"] = "differences"
    """Pay the change of the score after each action, or the score after the last."""
    critic: float = 1.0
    """Weight of the critic's score; with 0 the critic is not trained."""
    distance: float = 0.0
    """Weight of minus the distance to the target: the mean squared difference of pixel values in [0, 1]."""
    stroke_penalty: float = 0.0
    """Subtracted where a new continuous sequence of strokes starts."""
    empty_penalty: float = 0.0
    """Subtracted at the end when nothing was painted."""

    def __post_init__(self) -> None:
        check_fields(self, "reward.", not_negative="critic distance stroke_penalty empty_penalty")


@dataclass(frozen=True)
class LearningConfig:
    """How the policy learns."""

    learning_rate: float = 2e-4
    """Of Adam, at the start."""
    final_learning_rate: float = 0.1
    """At the end of the run, as a fraction of the first; falls linearly."""
    target_kl: float | None = None
    """Nats per action that the policy may move away from the one that acted. While it moves more than twice as far the
    learning rate falls, while it moves less than half as far it rises again, at most to the scheduled one."""
    entropy_cost: float = 0.02
    """Weight of the entropy bonus, per nat, at the start."""
    final_entropy_cost: float = 1.0
    """At the end of the run, as a fraction of the first; falls linearly."""
    entropy_floor: float = 0.0
    """Nats per action below which the entropy cost rises (×1.02 an update, up to ×100) until it is above again."""
    advantage_floor: float = 0.2
    """Smallest deviation that advantages are divided by, in units of the critic's score."""
    discount: float = 1.0
    trace_decay: float = 0.95
    """λ of the traces."""
    clip: float | None = 0.2
    """Clipped surrogate (PPO) with this range, or None for the importance-weighted policy gradient."""
    passes: int = 1
    """Passes over each batch of episodes."""
    minibatches: int = 4
    """Gradient steps in a pass; a minibatch is whole episodes."""
    value_cost: float = 0.5
    gradient_norm: float = 1.0
    """Gradients are clipped to this norm."""
    anchor_cost: float = 0.0
    """Weight of the divergence from the averaged policy, per nat: damps cycling between agent and critic."""
    prior_cost: float = 0.0
    """Reward lost for each nat that an action is likelier than it was for the agent that the run started from: keeps
    what a prior over programs knows."""
    average: float = 0.99
    """Decay per update of the averaged policy, which samples and evaluation use; 0 for none."""

    def __post_init__(self) -> None:
        check_fields(
            self,
            "learning.",
            positive="learning_rate target_kl advantage_floor clip passes minibatches gradient_norm",
            not_negative="final_learning_rate entropy_cost final_entropy_cost entropy_floor value_cost anchor_cost "
            "prior_cost",
            share="discount trace_decay average",
        )
        require(self.average < 1, f"learning.average is {self.average}: must be below 1, or it would never move")


@dataclass(frozen=True)
class ImitationConfig:
    """A teacher whose advice the policy learns, instead of from a critic."""

    teacher: Literal["search", "random", "programs", "agent"] | None = None
    """``search`` improves on what the policy proposes; ``random`` programs are their own answer; or a file of them; or
    an agent with targets, drawing the data."""
    programs: str = ""
    """That file, JSON lines."""
    agent: str = ""
    """That agent: a name, or the folder of a run or checkpoint."""
    tries: int = 16
    """Actions that a search tries in a state, and as many variations of the best."""
    sweeps: int = 2
    """Refinements of all actions of a program that a search has found."""
    memory: int = 8192
    """Programs that are remembered."""
    dreams: float = 0.5
    """Share of the lessons that are variations of remembered programs towards the pictures that these paint."""
    slips: float = 0.3
    """Share of the actions in lessons that are done a little wrong."""
    batch: int = 32
    """Episodes in a gradient step."""
    steps: int = 16
    """Gradient steps in an update."""

    def __post_init__(self) -> None:
        check_fields(
            self, "imitation.", positive="tries memory batch steps", not_negative="sweeps", share="dreams slips"
        )
        for kind in ("programs", "agent"):
            named = getattr(self, kind)
            require(
                (self.teacher == kind) == bool(named),
                f"imitation.{kind} is {named!r} and imitation.teacher {self.teacher!r}: the one names what the teacher "
                f"{kind!r} teaches",
            )


@dataclass(frozen=True)
class Config:
    """One run."""

    data: str = "mnist-5k"
    """What the critic is shown as real, and where targets come from."""
    start: str = ""
    """Agent whose weights the policy starts from: a name, or the folder of a run or checkpoint."""
    conditional: bool = False
    """Show the agent a picture in every episode, its target, and the critic that picture beside what was painted."""
    seed: int = 0
    steps: int = 6
    """Actions in an episode."""
    batch: int = 128
    """Episodes in an update."""
    resolution: int = 32
    """Pixels a side that policy and critic see of the canvas."""
    temperature: float = 1.0
    """Of the drawings in samples and evaluations: below 1 bolder and less varied. Learning is always at 1."""
    opening: float | None = None
    """Temperature of the first action of such a drawing; None: as of the others. What is drawn is decided early, how
    well it is drawn later. For agents without targets."""
    frames: int = 1_500_000
    """Environment steps in the whole run."""
    minutes: float | None = None
    """Stop after so many minutes, if that is earlier; schedules then follow the time."""
    device: Literal["cpu", "cuda"] = "cpu"
    """Where the networks live. Painting is always done by the CPU."""
    threads: int = 2
    """Two or more: critic and actor have a thread of their own. One: all in turn, the same results."""
    evaluate_every: int = 100
    """Updates between evaluations."""
    checkpoint_every: int = 100
    """Updates between checkpoints."""
    keep: int = 2
    """Checkpoints kept."""
    renderer: PaintSettings | ScenesSettings = field(
        default_factory=lambda: PaintSettings(grid=16, sizes=(1.5, 2.5, 4.0), pressures=4, events=16)
    )
    policy: PolicyConfig = PolicyConfig()
    critic: CriticConfig = CriticConfig()
    reward: RewardConfig = RewardConfig()
    learning: LearningConfig = LearningConfig()
    imitation: ImitationConfig = ImitationConfig()

    def __post_init__(self) -> None:
        check_fields(self, "", positive="steps frames minutes threads evaluate_every checkpoint_every keep")
        for name in ("temperature", "opening"):
            value = getattr(self, name)
            require(value is None or 0 <= value <= 10, f"{name} is {value}: must be in 0 … 10")
        require(
            not self.conditional or self.opening is None,
            f"opening is {self.opening}: it is for agents without targets (conditional)",
        )
        require(0 <= self.seed < 2**61, f"seed is {self.seed}: must be in 0 … 2^61 − 1")
        require(self.threads <= 1024, f"threads is {self.threads}: must be in 1 … 1024")
        minibatches = self.learning.minibatches
        require(
            self.batch >= 2 * minibatches and self.batch % minibatches == 0,
            f"batch is {self.batch}: must be a multiple of learning.minibatches={minibatches}, at least twice as much",
        )
        require(
            self.resolution >= 8
            and self.resolution & (self.resolution - 1) == 0
            and self.renderer.canvas % self.resolution == 0,
            f"resolution is {self.resolution}: must be a power of two, at least 8, that divides the canvas of "
            f"{self.renderer.canvas} pixels",
        )
        require(
            self.critic.fold * 4 <= self.resolution,
            f"critic.fold is {self.critic.fold}: must leave 4 of the {self.resolution} pixels (resolution) or more",
        )
        for name, given in (
            ("policy.blind", self.policy.blind),
            ("reward.distance", self.reward.distance > 0),
            ("critic.target 'complement'", self.critic.target == "complement"),
        ):
            require(self.conditional or not given, f"{name} needs a target: set conditional")
        for name in ("stroke_penalty", "empty_penalty"):
            penalty = getattr(self.reward, name)
            require(
                not penalty or isinstance(self.renderer, PaintSettings),
                f"reward.{name} is {penalty}: it is for painters, scenes have no strokes",
            )
        cost = self.learning.prior_cost
        require(
            not cost or bool(self.start),
            f"learning.prior_cost is {cost}, but the run starts from nothing: name an agent with start",
        )
        require(
            not (self.conditional and self.critic.programs),
            f"critic.programs is {self.critic.programs!r}: a joint critic is for agents without targets (conditional)",
        )
        teacher = self.imitation.teacher
        require(
            not self.critic.data or not (self.conditional or self.critic.programs or teacher),
            f"critic.data is {self.critic.data!r}: it is for adversarial training without targets (conditional), "
            "critic.programs or imitation.teacher",
        )
        require(
            teacher != ("programs" if self.conditional else "random"),
            f"imitation.teacher is {teacher!r}: 'random' teaches agents with targets (conditional) only, 'programs' "
            "those without; 'search' both",
        )
        grid = self.renderer.grid
        require(
            grid <= self.renderer.canvas,
            f"renderer.grid is {grid}: must be at most {self.renderer.canvas}, the pixels of the canvas",
        )
        least = 64 if isinstance(self.renderer, ScenesSettings) else 32
        require(
            self.policy.network != "pointer" or (grid % 16 == 0 and self.resolution >= least),
            f"renderer.grid is {grid} and resolution {self.resolution}: with policy.network 'pointer' the grid must be "
            f"a multiple of 16, the resolution at least {least}",
        )
        require(
            not (isinstance(self.renderer, PaintSettings) and self.renderer.space == "relative")
            or not (self.policy.spatial_heads or self.policy.network == "pointer"),
            "renderer.space is 'relative': its grids of offsets have an odd number of cells a side, which neither a "
            "spatial head nor a pointer can have; switch policy.spatial_heads off, or use policy.network 'small'",
        )
        require(
            not self.policy.spatial_heads or (grid >= 4 and grid & (grid - 1) == 0),
            f"renderer.grid is {grid}: with policy.spatial_heads it must be 4, 8, 16, 32 …",
        )

    @property
    def updates(self) -> int:
        """Updates in the whole run."""
        return -(-self.frames // (self.steps * self.batch))

    def progress(self, updates: int, minutes: float) -> float:
        """How much of the run is done, in [0, 1]: by updates, or by minutes if that is further."""
        by_time = minutes / self.minutes if self.minutes is not None else 0.0
        return min(1.0, max(updates / self.updates, by_time))

    def make_renderer(self, batch: int, threads: int = 1) -> Renderer:
        """The renderer of this configuration, with ``batch`` canvases painted on ``threads`` threads."""
        return make_renderer(self.renderer.to_dict(), batch, threads)

    def to_dict(self) -> dict[str, Any]:
        """Nested plain values, for JSON."""
        return dataclasses.asdict(self) | {"renderer": self.renderer.to_dict()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Config:
        """The reverse of ``to_dict``; ``ValueError`` names an unknown or impossible field."""
        sections: dict[str, Any] = {
            "renderer": lambda given: _read_renderer(expect_object(given, "renderer.")),
            "policy": lambda given: read_section(PolicyConfig, given, "policy."),
            "critic": lambda given: read_section(CriticConfig, given, "critic."),
            "reward": lambda given: read_section(RewardConfig, given, "reward."),
            "learning": lambda given: read_section(LearningConfig, given, "learning."),
            "imitation": lambda given: read_section(ImitationConfig, given, "imitation."),
        }
        fields = expect_object(values, "").items()
        return read_section(cls, {k: sections[k](v) if k in sections else v for k, v in fields}, "")


def _read_renderer(values: dict[str, Any]) -> PaintSettings | ScenesSettings:
    """What ``Renderer.settings`` gives; it painted when nothing says what renders."""
    rest = dict(values)
    name = rest.pop("name", "paint")
    require(name in ("paint", "scenes"), f"renderer.name is {name!r}: must be 'paint' or 'scenes'")
    return PaintSettings.from_dict(rest) if name == "paint" else ScenesSettings.from_dict(rest)
