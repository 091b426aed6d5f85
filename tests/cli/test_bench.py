"""``limner bench``: what it measures, on clocks of the tests' own."""

import functools
import json
import time
from types import SimpleNamespace

import pytest
from work_clock import WorkClock

from limner.cli import bench
from limner.training.policy_gradient import PolicyGradient
from limner.training.presets import PRESETS, Preset
from limner.training.spiral.critic_learner import CriticLearner
from limner.training.spiral.trainer import SpiralTrainer
from limner.worlds.paint.renderer import Paint
from limner.worlds.paint.settings import PAINT


@pytest.mark.parametrize("space", ["bezier", "stroke"])
def test_painting_speed_is_strokes_over_time(monkeypatch, space):
    """On a clock that ticks ten milliseconds a step."""
    now, original = 0.0, Paint.step

    def step(self, actions):
        nonlocal now
        now += 0.01
        assert space == "stroke" or (actions[:, 0] == PAINT).all()
        original(self, actions)

    monkeypatch.setattr(Paint, "step", step)
    monkeypatch.setattr(time, "perf_counter", lambda: now)
    settings = {"name": "paint", "events": 8, "space": space}
    assert bench.painting_speed(settings, threads=1, seconds=0.5, batch=16) == pytest.approx(1600)
    assert now == pytest.approx(0.6), "whole programs of 20 strokes until the time is up"


@pytest.mark.parametrize("threads", [1, 2])
def test_training_speed_is_environment_steps_over_time(tiny, source, monkeypatch, threads):
    """On a clock that ticks one second an update."""
    now, original = 0.0, SpiralTrainer.update

    def update(self, progress):
        nonlocal now
        now += 1.0
        return original(self, progress)

    monkeypatch.setattr(SpiralTrainer, "update", update)
    monkeypatch.setattr(bench, "time", SimpleNamespace(perf_counter=lambda: now))
    speed, _ = bench.training(tiny, source, threads, updates=3, warm_up=2)
    assert speed == tiny.agent.horizon * tiny.run.episodes
    assert now == 5


def test_shares_of_training_time_add_up_and_are_where_the_work_is(tiny, source, monkeypatch):
    """On a clock that only work of a known length moves: two seconds an update are spent beside the three parts."""
    clock = WorkClock(monkeypatch)
    clock.lasts(Paint, "step", 1 / tiny.agent.horizon)
    clock.lasts(PolicyGradient, "step", 3)
    clock.lasts(CriticLearner, "step", 4)
    clock.lasts(SpiralTrainer, "update", 2)
    _, shares = bench.training(tiny, source, threads=1, updates=4, warm_up=2)
    assert shares == pytest.approx({"inference": 0.2, "painting": 0.1, "policy learning": 0.3, "critic learning": 0.4})


def test_everything_is_one_json_object(tiny, monkeypatch):
    monkeypatch.setitem(PRESETS, "mnist", Preset("", tiny))
    monkeypatch.setattr(bench, "painting_speed", functools.partial(bench.painting_speed, seconds=0.01))
    monkeypatch.setattr(bench, "training", functools.partial(bench.training, updates=1, warm_up=1))
    result = bench.bench()
    json.dumps(result)
    assert result["cores"] >= 1
    assert len(result["painting, strokes/s"]) == 2 * len(bench.BRUSHES)
    assert result["training, environment steps/s"] > 0
    assert len(result["share of training time"]) == 4
