"""The configuration of imitation, with a tagged value for each kind of expert."""

from dataclasses import dataclass
from typing import ClassVar

from limner.training.config import OptimizerConfig, TrainingConfig
from limner.worlds.validation import check_fields, require


@dataclass(frozen=True)
class SearchExpert:
    """Search finds programs of the data's pictures, starting from what the policy proposes (expert iteration)."""

    name: ClassVar[str] = "search"
    candidates: int = 16
    """Actions that search tries in each state, and as many perturbations of the best one."""
    sweeps: int = 2
    """Refinement sweeps over the actions of each program that is found."""
    capacity: int = 8192
    """Number of found programs that the buffer holds."""
    augmentation: float = 0.5
    """Share of the demonstrations, in [0, 1], that are transformed programs, each with the picture it paints
    as its target."""
    action_noise: float = 0.3
    """Share of the actions in demonstrations, in [0, 1], that are perturbed (DART)."""

    def __post_init__(self) -> None:
        check_fields(
            self, "expert.", positive="candidates capacity", not_negative="sweeps", share="augmentation action_noise"
        )


@dataclass(frozen=True)
class JointExpert:
    """Joint search finds programs of the data's pictures, all actions of each together. For conditional agents that
    paint strokes."""

    name: ClassVar[str] = "joint"
    sweeps: int = 2
    """Sweeps over the actions of each program that is found."""
    capacity: int = 8192
    """Number of found programs that the buffer holds."""
    augmentation: float = 0.5
    """Share of the demonstrations, in [0, 1], that are transformed programs, each with the picture it paints
    as its target."""
    mirror: bool = False
    """Whether demonstrations are flipped and turned by right angles, picture and program: for round brushes."""
    action_noise: float = 0.3
    """Share of the actions in demonstrations, in [0, 1], that are perturbed (DART)."""

    def __post_init__(self) -> None:
        check_fields(self, "expert.", positive="sweeps capacity", share="augmentation action_noise")


@dataclass(frozen=True)
class RandomExpert:
    """Random programs, each towards the picture that it paints. For conditional agents."""

    name: ClassVar[str] = "random"
    action_noise: float = 0.3
    """Share of the actions in demonstrations, in [0, 1], that are perturbed (DART)."""

    def __post_init__(self) -> None:
        check_fields(self, "expert.", share="action_noise")


@dataclass(frozen=True)
class FileExpert:
    """The programs in a file, for instance of a whole data set (``limner parse``). For unconditional agents."""

    name: ClassVar[str] = "file"
    path: str = ""
    """File of programs, one a line as JSON."""

    def __post_init__(self) -> None:
        check_fields(self, "expert.")


@dataclass(frozen=True)
class AgentExpert:
    """A conditional agent that draws the data's pictures, and is asked for the right action in every state."""

    name: ClassVar[str] = "agent"
    agent: str = ""
    """Conditional agent that is imitated: its name, or the folder of a run or checkpoint."""
    action_noise: float = 0.3
    """Share of its actions, in [0, 1], that are perturbed (DART)."""

    def __post_init__(self) -> None:
        check_fields(self, "expert.", share="action_noise")


EXPERTS = {expert.name: expert for expert in (SearchExpert, JointExpert, RandomExpert, FileExpert, AgentExpert)}


@dataclass(frozen=True)
class ImitationConfig(TrainingConfig):
    """A run that imitates an expert by maximum likelihood."""

    algorithm: ClassVar[str] = "imitation"
    trainer: ClassVar[str] = "limner.training.imitation.trainer:ImitationTrainer"
    expert: SearchExpert | JointExpert | RandomExpert | FileExpert | AgentExpert = SearchExpert()
    batch_size: int = 32
    """Episodes per gradient step."""
    steps_per_update: int = 16
    """Gradient steps per update."""
    learning: OptimizerConfig = OptimizerConfig()

    def __post_init__(self) -> None:
        check_fields(self, "", positive="batch_size steps_per_update")
        kind, conditional = self.expert.name, self.agent.conditional
        for name, needs, remedy in (("joint", True, "set"), ("random", True, "set"), ("file", False, "switch off")):
            fits, who = kind != name or conditional == needs, "conditional" if needs else "unconditional"
            require(fits, f"expert is {name!r}: for {who} agents only; {remedy} conditional, or choose another expert")
        if kind == "joint":
            self.agent.world.check_joint(self.agent.renderer)
        for name, field in (("file", "path"), ("agent", "agent")):
            given = kind != name or bool(getattr(self.expert, field))
            require(given, f"expert is {name!r}, but expert.{field} is empty: name the {name}")
