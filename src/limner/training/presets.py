"""Named configurations. A preset is a value, not code."""

from dataclasses import dataclass, replace

from limner.agents.config import AgentConfig
from limner.models.config import CriticConfig, PolicyConfig
from limner.training.config import OptimizerConfig, PolicyGradientConfig, RunConfig, TrainingConfig
from limner.training.imitation.config import ImitationConfig, JointExpert, RandomExpert, SearchExpert
from limner.training.spiral.config import SpiralConfig, SpiralReward
from limner.worlds.paint.settings import PaintSettings
from limner.worlds.scenes.settings import ScenesSettings


@dataclass(frozen=True)
class Preset:
    """A configuration with a name."""

    teaches: str
    """What an agent learns with it, and from what, in a line."""
    config: TrainingConfig


_CHARACTER_STROKES = PaintSettings(
    space="stroke", brush="classic/pen", grid=32, sizes=(0.5, 0.75, 1.0, 1.5, 2.0), pressures=4, events=16
)
_DIGIT_STROKES = replace(
    _CHARACTER_STROKES, brush="classic/calligraphy", sizes=(1.0, 1.5, 2.0, 2.5, 3.0, 4.0), pressures=8
)
_FACE_STROKES = replace(_CHARACTER_STROKES, color=True, sizes=(2.0, 4.0, 8.0, 12.0, 24.0))
_PHOTO_STROKES = replace(
    _FACE_STROKES,
    brush="experimental/basic",
    sizes=(0.98, 1.38, 1.95, 2.76, 3.9, 5.5, 7.8, 11.0, 15.6),
    pressures=8,
    levels=32,
)
_POINTER = PolicyConfig(network="pointer", precision="native")

_RECONSTRUCTION = ImitationConfig(
    agent=AgentConfig(_DIGIT_STROKES, conditional=True, horizon=12, temperature=0.0, policy=_POINTER),
    run=RunConfig(episodes=32, evaluate_every=20, checkpoint_every=20),
    expert=SearchExpert(candidates=8, sweeps=3),
    learning=OptimizerConfig(learning_rate=1e-3, entropy_cost=0.01, ema_decay=0.995),
)
"""What conditional agents that imitate an expert have in common."""

_MNIST = SpiralConfig(
    agent=AgentConfig(
        PaintSettings(brush="classic/slow_ink", grid=16, sizes=(1.5, 2.5, 4.0), pressures=4, events=16),
        temperature=0.7,
        policy=PolicyConfig(precision="native"),
    ),
    critic=CriticConfig(
        width=48,
        pixel_unshuffle=4,
        learning_rate=4e-4,
        steps_per_update=8,
        replay=50,
        gradient_penalty_share=0.5,
        precision="native",
    ),
    learning=PolicyGradientConfig(
        learning_rate=7e-4,
        entropy_cost=0.003,
        final_entropy_cost=0.05,
        entropy_floor=2.5,
        kl_average_cost=1.0,
        ema_decay=0.97,
    ),
)

_OMNIGLOT = replace(
    _RECONSTRUCTION,
    agent=replace(_RECONSTRUCTION.agent, renderer=_CHARACTER_STROKES, resolution=64),
    run=replace(
        _RECONSTRUCTION.run, data="omniglot:-Armenian,-Burmese_(Myanmar),-Gujarati,-Latin,-Syriac_(Estrangelo)"
    ),
)

_FACES = replace(
    _RECONSTRUCTION,
    agent=replace(_RECONSTRUCTION.agent, renderer=_FACE_STROKES, horizon=20, resolution=64),
    run=replace(_RECONSTRUCTION.run, data="faces"),
)

_PAINT = replace(
    _FACES,
    agent=replace(_FACES.agent, renderer=_PHOTO_STROKES),
    run=replace(_FACES.run, data="folder:patches"),
    expert=JointExpert(augmentation=0.25, mirror=True),
    steps_per_update=40,
)

_SCENES = replace(
    _RECONSTRUCTION,
    agent=replace(_RECONSTRUCTION.agent, renderer=ScenesSettings(), horizon=8, resolution=64),
    run=replace(_RECONSTRUCTION.run, data="scenes"),
    expert=RandomExpert(),
    batch_size=8,
    steps_per_update=64,
)

_MNIST_PRIOR = ImitationConfig(
    agent=AgentConfig(_DIGIT_STROKES, horizon=8, temperature=0.2, first_action_temperature=0.8, policy=_POINTER),
    run=RunConfig(episodes=16, evaluate_every=24, checkpoint_every=24),
    expert=SearchExpert(candidates=16, sweeps=4, action_noise=0.2),
    steps_per_update=12,
    learning=OptimizerConfig(learning_rate=1e-3, entropy_cost=0.0, ema_decay=0.99),
)

_MNIST_FINETUNE = SpiralConfig(
    agent=replace(_MNIST_PRIOR.agent, horizon=12),
    run=RunConfig(start="mnist"),
    critic=replace(
        _MNIST.critic, encoder="contrastive", loss="relativistic", gradient_penalty=0.1, steps_per_update=15
    ),
    learning=PolicyGradientConfig(
        learning_rate=7e-4,
        final_learning_rate=0.05,
        entropy_cost=0.0,
        candidates=2,
        advantage_floor=0.05,
        kl_average_cost=0.4,
        kl_prior_cost=0.02,
        ema_decay=0.95,
    ),
)

_OMNIGLOT_SPIRAL = replace(
    _MNIST,
    agent=AgentConfig(_CHARACTER_STROKES, conditional=True, horizon=8, temperature=0.0, policy=_POINTER),
    run=RunConfig(data=_OMNIGLOT.run.data, episodes=64),
    learning=replace(
        _MNIST.learning,
        entropy_cost=0.02,
        final_entropy_cost=0.02,
        entropy_floor=4.0,
        kl_average_cost=0.0,
        discount=0.7,
        epochs=2,
    ),
)

_MNIST_PAPER = SpiralConfig(
    agent=AgentConfig(
        PaintSettings(), horizon=20, resolution=64, policy=PolicyConfig(network="paper", lstm=True, spatial_heads=True)
    ),
    run=RunConfig(data="mnist", episodes=64, frames=200_000_000),
    device="cuda",
    critic=CriticConfig(width=64, learning_rate=1e-4, steps_per_update=5),
    reward=SpiralReward(form="final", stroke_penalty=0.05, empty_penalty=1.0),
    learning=PolicyGradientConfig(clip=None, minibatches=1, learning_rate=1e-4, gae_lambda=1.0),
)

_TINY = SpiralConfig(
    agent=AgentConfig(
        PaintSettings(grid=8, sizes=(2.0, 4.0), pressures=2, events=8),
        horizon=3,
        resolution=16,
        policy=PolicyConfig(channels=4, hidden=32, noise=2),
    ),
    run=RunConfig(episodes=8, frames=240, threads=1, evaluate_every=1000),
    critic=CriticConfig(width=4, batch_size=8, steps_per_update=1, replay=2),
    learning=PolicyGradientConfig(minibatches=1),
)

PRESETS: dict[str, Preset] = {
    "mnist": Preset("make up digits, from the score of a critic", _MNIST),
    "mnist-prior": Preset("make up digits, from programs that search finds", _MNIST_PRIOR),
    "mnist-finetune": Preset("make up digits better, from the score of a critic", _MNIST_FINETUNE),
    "mnist-reconstruct": Preset("copy digits, from programs that search finds", _RECONSTRUCTION),
    "omniglot": Preset("copy characters, from programs that search finds", _OMNIGLOT),
    "omniglot-spiral": Preset("copy characters, from the score of a critic", _OMNIGLOT_SPIRAL),
    "faces": Preset("copy portraits in colour, from programs that search finds", _FACES),
    "paint": Preset("paint photographs in patches, from what joint search finds", _PAINT),
    "scenes": Preset("copy scenes of objects, from random scenes", _SCENES),
    "mnist-paper": Preset("make up digits as published (SPIRAL): needs a GPU and days", _MNIST_PAPER),
    "tiny": Preset("nothing of use, in a second: to try things out", _TINY),
}
