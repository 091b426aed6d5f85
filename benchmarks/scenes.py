"""How fast scenes are rendered, against a bare MuJoCo loop that takes pictures of the same quality.

    python benchmarks/scenes.py [--rounds 15] [--objects 5]

The bare loop is what MuJoCo's documentation leads to: one model with a geometry for each object, edited in place, then
``mj_kinematics``, ``mj_camlight``, ``mjv_updateScene``, ``mjr_render`` and ``mjr_readPixels``. It renders the same
world at the same resolution and with the same flags, and leaves the pixels unaveraged. Every figure is the median over
rounds in which the two take turns. Both use one thread and one core.
"""

from __future__ import annotations

import argparse
import statistics
import time
from importlib.resources import files
from xml.etree import ElementTree

import numpy as np

from limner.actions import COLOURS
from limner.worlds.scenes.camera import EFFECTS, EXTENTS, GEOMS
from limner.worlds.scenes.mujoco import mujoco, open_context
from limner.worlds.scenes.renderer import Scenes

BATCH = 64


class Bare:
    """The loop, on a context of its own."""

    def __init__(self, objects: int, size: int) -> None:
        world = ElementTree.fromstring(files("limner.worlds.scenes").joinpath("scenes.xml").read_text())
        body = world.find("worldbody")
        assert body is not None
        self.first = len(body.findall("geom"))
        for _ in range(objects):
            ElementTree.SubElement(body, "geom", type="sphere", size="1 1 1")
        self.model = mujoco.MjModel.from_xml_string(ElementTree.tostring(world, "unicode"))
        self.model.geom_sameframe[:] = 0
        self.data = mujoco.MjData(self.model)
        self.gl, self.context = open_context(self.model, 2 * size, 2 * size)
        self.scene = mujoco.MjvScene(self.model, maxgeom=100)
        for effect in EFFECTS:
            self.scene.flags[effect] = 0
        self.camera, self.option = mujoco.MjvCamera(), mujoco.MjvOption()
        self.camera.type, self.camera.fixedcamid = mujoco.mjtCamera.mjCAMERA_FIXED, 0
        self.frame = mujoco.MjrRect(0, 0, 2 * size, 2 * size)
        self.pixels = np.empty((2 * size, 2 * size, 3), np.uint8)
        mujoco.mj_forward(self.model, self.data)

    def run(self, scenes: list[dict[str, np.ndarray]]) -> None:
        """One picture of each scene."""
        model, data = self.model, self.data
        for scene in scenes:
            for name, values in scene.items():
                getattr(model, name)[self.first :] = values
            mujoco.mj_kinematics(model, data)
            mujoco.mj_camlight(model, data)
            everything = mujoco.mjtCatBit.mjCAT_ALL
            mujoco.mjv_updateScene(model, data, self.option, None, self.camera, everything, self.scene)
            mujoco.mjr_render(self.frame, self.scene, self.context)
            mujoco.mjr_readPixels(self.pixels, None, self.frame, self.context)


def scenes(renderer: Scenes, actions: np.ndarray) -> list[dict[str, np.ndarray]]:
    """The arrays of the model for each of the scenes that ``actions``, int64[T, N, P], build."""
    result = []
    space = renderer.actions
    for objects in actions.swapaxes(0, 1):
        kinds = objects[:, space.index("type")]
        radius = space.values(objects, "size")[:, None]
        colours = np.column_stack([*(space.values(objects, name) for name in COLOURS), np.ones(len(objects))])
        places = space.cells(objects, "location")[:, ::-1] * 0.1 - 0.75
        result.append(
            {
                "geom_type": np.asarray([GEOMS[kind] for kind in kinds]),
                "geom_size": EXTENTS[kinds] * radius,
                "geom_pos": np.column_stack([places, radius]),
                "geom_rgba": colours,
            }
        )
    return result


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--objects", type=int, default=5)
    arguments = parser.parse_args()
    renderer = Scenes(batch=BATCH)
    shape = (arguments.objects, BATCH, len(renderer.actions))
    actions = np.random.default_rng(0).integers(0, renderer.actions.sizes, shape)
    actions[..., 0] = 0
    for action in actions[:-1]:
        renderer.step(action)
    last = actions[-1].copy()
    renderer.step(last)
    last[:, 0] = 1  # change the last object from now on: as many objects at each step
    bare = Bare(arguments.objects, renderer.shape[0])
    rows = scenes(renderer, actions)
    times: dict[str, list[float]] = {"bare": [], "renderer": []}
    for round_ in range(arguments.rounds + 1):
        for name in times:
            start = time.process_time()
            if name == "bare":
                bare.run(rows)
            else:
                renderer.step(last)
                renderer.canvas()
            if round_:
                times[name].append(time.process_time() - start)
    for name, values in times.items():
        print(f"{name:10s} {BATCH / statistics.median(values):8.0f} pictures/s of CPU time")
    print(f"ratio      {statistics.median(a / b for a, b in zip(times['bare'], times['renderer'], strict=True)):8.3f}")


if __name__ == "__main__":
    main()
