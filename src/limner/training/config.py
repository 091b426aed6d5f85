"""What decides a run, as values: the sections that the algorithms' configurations are made of.

Notable choices:
- One configuration for each algorithm, in its folder: it holds an agent, a run, and just the fields that act in it.
- The command line can set every field; a run saves the result.
- What cannot work is refused when a configuration is made, naming field, value and remedy.
- No torch import here: ``limner train --help`` must be quick.
"""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from limner.agents.config import AgentConfig
from limner.training import find_algorithm
from limner.worlds.validation import check_fields, expect_object, plain, read_section, require

Device = Literal["cpu", "cuda"]
"""Where networks live. Rendering is always done by the CPU."""


@dataclass(frozen=True)
class LocalConfig:
    """Everything lives in one process."""

    name: ClassVar[str] = "local"


@dataclass(frozen=True)
class RayConfig:
    """Actors, and the critic, are processes of a Ray cluster; the policy learns in this one."""

    name: ClassVar[str] = "ray"
    actors: int = 2
    """Processes that act. Each makes an even share of the episodes of an update."""
    max_lag: int = 4
    """Batches made with weights that are more updates old than this are dropped."""
    lockstep: bool = False
    """Learn from batches of all actors, in order, made with weights exactly one update old: a run repeats bit for
    bit."""
    address: str = ""
    """Address of a running Ray cluster; auto for the one on this machine. Empty: start one here, and end it with the
    run."""
    object_store: int = 512
    """Mebibytes of shared memory for weights and batches, of a cluster that is started here."""

    def __post_init__(self) -> None:
        ranges = {"actors": (1, 4096), "object_store": (80, 2**20)}
        check_fields(self, "", not_negative="max_lag", within=ranges)


@dataclass(frozen=True)
class RunConfig:
    """The run: data, limits, and what it leaves in its folder."""

    data: str = "mnist-5k"
    """Data set that real pictures and targets come from."""
    start: str = ""
    """Agent whose weights the policy starts from: its name, or the folder of a run or checkpoint. Empty: random
    weights."""
    seed: int = 0
    """Seed of weights, actions and batches."""
    evaluation_seed: int | None = None
    """Seed of what evaluations draw. None: that of the run."""
    episodes: int = 128
    """Episodes per update."""
    frames: int = 1_500_000
    """Environment steps, that is actions, in the whole run."""
    minutes: float | None = None
    """Minutes of training after which the run stops, if it has not taken all its frames; schedules then follow the
    time. None: no limit."""
    threads: int = 2
    """Threads that render. With two or more, acting and learning also run side by side. The results do not depend on
    it."""
    evaluate_every: int = 100
    """Updates between evaluations."""
    checkpoint_every: int = 100
    """Updates between checkpoints."""
    keep: int = 2
    """Number of checkpoints kept, the newest."""
    runtime: LocalConfig | RayConfig = LocalConfig()
    """Where actors and critic live."""

    def __post_init__(self) -> None:
        positive = "episodes frames minutes evaluate_every checkpoint_every keep"
        check_fields(self, "", positive=positive, within={"threads": (1, 1024)})
        fewest = 2 * self.runtime.actors if isinstance(self.runtime, RayConfig) else 1
        require(self.episodes >= fewest, f"episodes is {self.episodes}: must be {fewest} or more, two for each actor")
        for name in ("seed", "evaluation_seed"):
            seed = getattr(self, name)
            require(seed is None or 0 <= seed < 2**61, f"{name} is {seed}: must be in 0 … 2^61 − 1")


@dataclass(frozen=True)
class OptimizerConfig:
    """How the policy's weights change."""

    learning_rate: float = 2e-4
    """Learning rate of Adam at the start of the run."""
    final_learning_rate: float = 0.1
    """Learning rate at the end of the run, as a fraction of that at the start; it falls linearly."""
    entropy_cost: float = 0.02
    """Weight of the entropy bonus, per nat, at the start of the run."""
    final_entropy_cost: float = 1.0
    """Weight of the entropy bonus at the end of the run, as a fraction of that at the start; it changes linearly."""
    gradient_norm: float = 1.0
    """Largest L2 norm of a gradient: a larger gradient is scaled down to it."""
    ema_decay: float = 0.99
    """Decay, per gradient step or update, of the averaged policy, which samples and evaluations use. 0: no average."""

    def __post_init__(self) -> None:
        positive, not_negative = "learning_rate gradient_norm", "final_learning_rate entropy_cost final_entropy_cost"
        check_fields(self, "learning.", positive=positive, not_negative=not_negative, share="ema_decay")
        require(self.ema_decay < 1, f"learning.ema_decay is {self.ema_decay}: must be below 1, or it never moves")


@dataclass(frozen=True)
class PolicyGradientConfig(OptimizerConfig):
    """How the policy learns from rewards."""

    target_kl: float | None = None
    """Divergence from the policy that acted, in nats per action. Above twice this the learning rate falls; below half
    of it the learning rate rises again, at most to the scheduled one. None: not adapted."""
    entropy_floor: float = 0.0
    """Entropy, in nats per action, below which the entropy cost rises (×1.02 per update, up to ×100) until the entropy
    is above it again."""
    advantage_floor: float = 0.2
    """Smallest standard deviation that advantages are divided by, in units of the reward."""
    discount: float = 1.0
    """Discount γ per action, in [0, 1]."""
    gae_lambda: float = 0.95
    """λ of the returns and advantages (V-trace), in [0, 1]."""
    candidates: int = 1
    """Actions that are sampled in each state. One is executed. With two or more an advantage is how much better the
    finished picture is with an action than with the others in its place, the rest of the program unchanged; discount
    and gae-lambda then count for the value only."""
    clip: float | None = 0.2
    """Range of the probability ratio in the clipped surrogate loss (PPO). None: importance-weighted policy gradient."""
    epochs: int = 1
    """Passes over each batch of episodes."""
    minibatches: int = 4
    """Gradient steps per epoch; a minibatch holds whole episodes."""
    value_cost: float = 0.5
    """Weight of the squared error of the value."""
    kl_average_cost: float = 0.0
    """Weight of the divergence from the averaged policy, per nat. It damps cycles between agent and critic."""
    kl_prior_cost: float = 0.0
    """Reward lost per nat by which an action is likelier than under the agent that the run starts from (start)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        positive = "target_kl advantage_floor candidates clip epochs minibatches"
        not_negative = "entropy_floor value_cost kl_average_cost kl_prior_cost"
        check_fields(self, "learning.", positive=positive, not_negative=not_negative, share="discount gae_lambda")


@dataclass(frozen=True)
class RewardConfig:
    """What the agent is rewarded for."""

    form: Literal["differences", "final"] = "differences"
    """Reward the change of the score after each action, or the score after the last action."""
    stroke_penalty: float = 0.0
    """Reward lost where a new sequence of connected strokes starts."""
    empty_penalty: float = 0.0
    """Reward lost at the end of an episode in which nothing was painted."""

    def __post_init__(self) -> None:
        check_fields(self, "reward.", not_negative="stroke_penalty empty_penalty")


@dataclass(frozen=True)
class TrainingConfig:
    """What the configurations of all algorithms have in common."""

    algorithm: ClassVar[str]
    trainer: ClassVar[str]
    """Module and class, "module:class": imported when a trainer is made."""
    agent: AgentConfig
    run: RunConfig = RunConfig()

    @property
    def updates(self) -> int:
        """Updates in the whole run."""
        return -(-self.run.frames // (self.agent.horizon * self.run.episodes))

    def progress(self, updates: int, minutes: float) -> float:
        """How much of the run is done, in [0, 1]: by updates, or by minutes if that is further."""
        by_time = minutes / self.run.minutes if self.run.minutes is not None else 0.0
        return min(1.0, max(updates / self.updates, by_time))

    def to_dict(self) -> dict[str, Any]:
        """JSON values, from which ``read_config`` makes the same configuration."""
        return {"algorithm": self.algorithm, **plain(self)}


def read_config(values: Any) -> TrainingConfig:
    """The reverse of ``TrainingConfig.to_dict``; ``ValueError`` names an unknown or impossible field."""
    given = dict(expect_object(values, ""))
    kind = find_algorithm(given.pop("algorithm", None))
    given["agent"] = AgentConfig.from_dict(given.get("agent"))
    return read_section(kind, given, "")


RUNTIMES = {runtime.name: runtime for runtime in (LocalConfig, RayConfig)}


def check_policy_gradient(config: TrainingConfig, learning: PolicyGradientConfig, reward: RewardConfig) -> None:
    """``ValueError`` when the sections of an algorithm that learns from rewards do not fit each other."""
    episodes, minibatches, cost = config.run.episodes, learning.minibatches, learning.kl_prior_cost
    fits = episodes >= 2 * minibatches and episodes % minibatches == 0
    require(fits, f"episodes is {episodes}: must be a multiple, at least twice, of learning.minibatches={minibatches}")
    require(not cost or bool(config.run.start), f"learning.kl_prior_cost is {cost}, but start is empty: name an agent")
    stroke, empty = reward.stroke_penalty, reward.empty_penalty
    jumps, white = config.agent.actions.jump is not None, config.agent.world.white_ground
    require(not stroke or jumps, f"reward.stroke_penalty is {stroke}: this renderer never lifts a pen; leave it out")
    require(not empty or white, f"reward.empty_penalty is {empty}: this renderer has no white canvas; leave it out")
