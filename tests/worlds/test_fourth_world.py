"""A fourth world, coloured rectangles in NumPy: it is trained, sampled, searched, evaluated and replayed from here."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest

import limner
from limner.actions import COLOURS, ActionSpace, Part
from limner.agents.config import AgentConfig
from limner.cli import main as cli
from limner.data.picture_source import PictureSource
from limner.models.config import CriticConfig, PolicyConfig
from limner.training import make_trainer
from limner.training.config import RunConfig
from limner.training.distance.config import DistanceConfig
from limner.training.imitation.config import FileExpert, ImitationConfig, RandomExpert, SearchExpert
from limner.training.saving import save_checkpoint
from limner.training.spiral.config import SpiralConfig
from limner.worlds import Renderer, Settings, World, register


@dataclass(frozen=True)
class RectangleSettings(Settings):
    name: ClassVar[str] = "rectangles"
    canvas: int = 16
    grid: int = 8


class Rectangles(Renderer):
    def __init__(self, settings: RectangleSettings, batch: int = 1, threads: int = 1) -> None:
        places = [Part(name, settings.grid**2, (settings.grid, settings.grid)) for name in ("corner", "opposite")]
        colours = [Part(name, 2, values=(0.0, 1.0)) for name in COLOURS]
        super().__init__(settings, ActionSpace((*places, *colours)), 3, batch)
        self._pen = np.zeros((batch, 2))
        self.reset()

    def pen(self):
        return np.float32(self._pen)

    def _reset(self, rows) -> None:
        self._canvas[rows], self._pen[rows] = 255, 0

    def _step(self, actions) -> None:
        cell = self.shape[0] // self._settings.grid
        for i, action in enumerate(actions):
            cells = np.sort([self.actions.cells(action, name) for name in ("corner", "opposite")], axis=0) * cell
            (top, left), (bottom, right) = cells[0], cells[1] + cell
            self._canvas[i, top:bottom, left:right] = action[2:] * 255
            self._pen[i] = right / self.shape[0], bottom / self.shape[0]

    def _save(self, rows):
        return self._canvas[rows], self._pen[rows]

    def _restore(self, rows, parts) -> None:
        self._canvas[rows], self._pen[rows] = parts


class RectangleWorld(World):
    name, settings_type, renderer_type = RectangleSettings.name, RectangleSettings, Rectangles

    def actions(self, settings):
        return Rectangles(settings).actions


@pytest.mark.parametrize("name", ["spiral", "distance", "random", "search", "unconditional", "file"])
def test_a_world_from_outside_is_trained_drawn_with_and_replayed(name, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(limner.worlds, "_worlds", dict(limner.worlds._worlds))  # other tests know three worlds
    register(RectangleWorld())
    random = limner.make_renderer(RectangleSettings()).actions.sample(np.random.default_rng(0), (40, 3))
    limner.save_programs("data.jsonl", [limner.Program({"name": "rectangles"}, program) for program in random])
    agent = AgentConfig(RectangleSettings(), True, horizon=3, resolution=8, policy=PolicyConfig(channels=4, hidden=16))
    run, alone = RunConfig("programs:data.jsonl", episodes=8, frames=48, threads=1), replace(agent, conditional=False)
    critic = CriticConfig(width=4, batch_size=4, replay=2)
    config = {
        "spiral": SpiralConfig(agent, run, critic=critic),
        "distance": DistanceConfig(agent, run),
        "random": ImitationConfig(agent, run, RandomExpert(), 4, 2),
        "search": ImitationConfig(agent, run, SearchExpert(candidates=4, sweeps=1), 4, 2),
        "unconditional": SpiralConfig(alone, run, critic=critic),
        "file": ImitationConfig(alone, run, FileExpert("data.jsonl"), 4, 2),
    }[name]
    if not config.agent.conditional:  # a whole run would be measured with 1,000 pictures
        trainer = make_trainer(config, PictureSource(limner.load_dataset(run.data), 16))
        save_checkpoint(tmp_path / "run" / "checkpoints", trainer, {"update": len(trainer.update(0.0))})
        assert cli.main(["sample", "--agent", "run", "-n", "4", "--out", "drawn"]) == 0
    else:
        assert limner.train(config, tmp_path / "run")
        data = limner.load_dataset(run.data, "test")
        options = limner.DrawOptions(sweeps=3)
        drawn = [limner.reconstruct(limner.load_agent("run"), data, None, o) for o in (limner.DrawOptions(), options)]
        assert drawn[1].metrics.mse < drawn[0].metrics.mse
        assert cli.main(["evaluate", "--agent", "run", "--data", run.data, "--out", "drawn"]) == 0
    program = limner.load_programs("drawn/programs.jsonl")[0]
    np.testing.assert_array_equal(limner.execute(program, 64)[::4, ::4], limner.execute(program))
    assert cli.main(["replay", "drawn/programs.jsonl", "--size", "64", "--out", "one.png"]) == 0
