"""Examples of scenes: random objects on a platform, their pictures, and the programs behind them.

A scene has 1 to 5 objects, each number equally often. All else is uniform, except that no two objects are in one place
and each is visible (as in CLEVR, Johnson et al. 2017): a hidden object cannot be inferred from the picture. Every
seventh random scene has a hidden object and is drawn again.
"""

from dataclasses import asdict

import numpy as np

from limner.actions import IntArray
from limner.worlds.examples import Examples
from limner.worlds.scenes.renderer import Scenes
from limner.worlds.scenes.settings import PLACE, SKIP, ScenesSettings, scene_actions
from limner.worlds.world import Canvas

MOST = 5
"""Objects in a scene."""
VISIBLE = 11
"""Pixels of 64 × 64 that each object has to change: as large a share as CLEVR asks for, 200 of 320 × 240."""


def visible_scenes(
    rng: np.random.Generator, count: int, threads: int = 1, fewest: int = 1, most: int = MOST
) -> tuple[Canvas, IntArray]:
    """``count`` scenes of ``fewest`` to ``most`` objects each, all of them visible.

    Pictures ``uint8[count, 64, 64, 3]`` and canonical programs ``int64[count, most, P]``.
    """
    objects = rng.integers(fewest, most + 1, count)
    settings = ScenesSettings()
    programs = np.empty((count, most, len(scene_actions(settings))), np.int64)
    images = np.empty((count, settings.canvas, settings.canvas, 3), np.uint8)
    rows = np.arange(count)
    while len(rows):
        programs[rows] = scatter(rng, objects[rows], most)
        renderer = Scenes(settings, len(rows), threads)
        images[rows] = show(renderer, programs[rows])
        rows = rows[changed_pixels(renderer, programs[rows], images[rows]).min(1) < VISIBLE]
    return images, programs


def scatter(rng: np.random.Generator, objects: IntArray, most: int = MOST) -> IntArray:
    """Programs that place ``objects`` int64[N] at random, no two in one place, and then skip: ``int64[N, most, P]``."""
    space, count = scene_actions(ScenesSettings()), len(objects)
    actions = rng.integers(0, space.sizes, (count, most, len(space)))
    cells = space.sizes[space.index("location")]
    actions[..., space.index("location")] = rng.permuted(np.tile(np.arange(cells), (count, 1)), axis=1)[:, :most]
    actions[..., 0] = np.where(np.arange(most) < objects[:, None], PLACE, SKIP)
    return space.canonical(actions)


def changed_pixels(renderer: Scenes, programs: IntArray, images: Canvas) -> IntArray:
    """Pixels of ``images`` that change without each action of ``programs`` int64[N, T, P]: ``int64[N, T]``.

    All pixels are counted for a skip.
    """
    pixels = np.full(programs.shape[:2], images[0, ..., 0].size)
    skip = np.array([SKIP, *[0] * (programs.shape[2] - 1)])
    for step in range(programs.shape[1]):
        placed = programs[:, step, 0] != SKIP
        without = np.where(placed[:, None, None], programs, skip)  # an empty platform is not rendered again
        without[:, step] = skip
        pixels[placed, step] = (show(renderer, without) != images).any(3).sum((1, 2))[placed]
    return pixels


def show(renderer: Scenes, actions: IntArray) -> Canvas:
    """Pictures ``uint8[N, H, W, 3]`` of programs ``int64[N, T, P]``, one on each canvas of ``renderer``."""
    renderer.reset()
    for step in actions.swapaxes(0, 1):
        renderer.step(step)
    return renderer.canvas()


EXAMPLES = Examples(
    settings=ScenesSettings(),
    counts={"train": 50_000, "test": 1_000},
    about={"visible": VISIBLE, "scenes": asdict(ScenesSettings())},
    generate=visible_scenes,
)
