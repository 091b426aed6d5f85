"""Named configurations. A preset is a value, not code."""

from __future__ import annotations

from dataclasses import replace

from limner.training.config import Config, CriticConfig, ImitationConfig, LearningConfig, PolicyConfig, RewardConfig
from limner.worlds.paint.renderer import PaintSettings
from limner.worlds.scenes.renderer import ScenesSettings

_DIGIT_STROKES = PaintSettings(
    space="stroke",
    brush="classic/calligraphy",
    grid=32,
    sizes=(1.0, 1.5, 2.0, 2.5, 3.0, 4.0),
    pressures=8,
    events=16,
)
_POINTER = PolicyConfig(network="pointer", precision="native")
_SEARCH = ImitationConfig(teacher="search", tries=8, sweeps=3)
_TAUGHT = LearningConfig(learning_rate=1e-3, entropy_cost=0.01, average=0.995)

_COPYIST = Config(
    conditional=True,
    temperature=0.0,
    batch=32,
    evaluate_every=20,
    checkpoint_every=20,
    policy=_POINTER,
    imitation=_SEARCH,
    learning=_TAUGHT,
)
"""What agents with targets that learn from a teacher have in common."""

PRESETS: dict[str, Config] = {
    "mnist": Config(
        temperature=0.7,
        renderer=PaintSettings(brush="classic/slow_ink", grid=16, sizes=(1.5, 2.5, 4.0), pressures=4, events=16),
        policy=PolicyConfig(precision="native"),
        critic=CriticConfig(
            width=48, fold=4, learning_rate=4e-4, steps=8, replay=50, penalised=0.5, precision="native"
        ),
        learning=LearningConfig(
            learning_rate=7e-4,
            entropy_cost=0.003,
            final_entropy_cost=0.05,
            entropy_floor=2.5,
            anchor_cost=1.0,
            average=0.97,
        ),
    ),
    "mnist-reconstruct": replace(
        _COPYIST,
        steps=12,
        renderer=_DIGIT_STROKES,
    ),
    "omniglot": replace(
        _COPYIST,
        data="omniglot:-Armenian,-Burmese_(Myanmar),-Gujarati,-Latin,-Syriac_(Estrangelo)",
        steps=12,
        resolution=64,
        renderer=PaintSettings(
            space="stroke", brush="classic/pen", grid=32, sizes=(0.5, 0.75, 1.0, 1.5, 2.0), pressures=4, events=16
        ),
    ),
    "faces": replace(
        _COPYIST,
        data="faces",
        steps=20,
        resolution=64,
        renderer=PaintSettings(
            space="stroke",
            brush="classic/pen",
            color=True,
            grid=32,
            sizes=(2.0, 4.0, 8.0, 12.0, 24.0),
            pressures=4,
            events=16,
        ),
    ),
    "scenes": replace(
        _COPYIST,
        data="scenes",
        steps=8,
        resolution=64,
        renderer=ScenesSettings(),
        imitation=ImitationConfig(teacher="random", batch=8, steps=64),
    ),
    "mnist-prior": Config(
        temperature=0.2,
        opening=0.8,
        steps=8,
        batch=16,
        evaluate_every=24,
        checkpoint_every=24,
        renderer=_DIGIT_STROKES,
        policy=_POINTER,
        imitation=ImitationConfig(teacher="search", tries=16, sweeps=4, slips=0.2, steps=12),
        learning=LearningConfig(learning_rate=1e-3, entropy_cost=0.0, average=0.99),
    ),
    "mnist-paper": Config(
        data="mnist",
        device="cuda",
        steps=20,
        batch=64,
        frames=200_000_000,
        renderer=PaintSettings(),
        resolution=64,
        policy=PolicyConfig(network="paper", lstm=True, spatial_heads=True),
        critic=CriticConfig(width=64, learning_rate=1e-4, steps=5),
        reward=RewardConfig(form="final", stroke_penalty=0.05, empty_penalty=1.0),
        learning=LearningConfig(clip=None, minibatches=1, learning_rate=1e-4, trace_decay=1.0),
    ),
    "tiny": Config(
        steps=3,
        batch=8,
        frames=240,
        threads=1,
        evaluate_every=1000,
        resolution=16,
        renderer=PaintSettings(grid=8, sizes=(2.0, 4.0), pressures=2, events=8),
        policy=PolicyConfig(channels=4, hidden=32, noise=2),
        critic=CriticConfig(width=4, batch=8, steps=1, replay=2),
        learning=LearningConfig(minibatches=1),
    ),
}
