import functools
import json
import time
from dataclasses import replace

import pytest

from limner.worlds.paint.actions import PAINT
from limner.cli import bench_measure as bench
from limner.training.presets import PRESETS
from limner.worlds.paint.renderer import Paint
from limner.worlds.paint.settings import PaintSettings

TINY = PRESETS["tiny"]


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
    settings = PaintSettings(events=8, space=space)
    assert bench.painting_speed(settings, threads=1, seconds=0.5, batch=16) == pytest.approx(1600)
    assert now == pytest.approx(0.6), "whole programs of 20 strokes until the time is up"


@pytest.mark.parametrize("threads", [1, 2])
def test_training_speed_is_environment_steps_over_time(source, monkeypatch, threads):
    """On a clock that ticks one second an update."""
    from limner.training.spiral.trainer import Adversarial

    now, original = 0.0, Adversarial.update

    def update(self, progress):
        nonlocal now
        now += 1.0
        return original(self, progress)

    monkeypatch.setattr(Adversarial, "update", update)
    monkeypatch.setattr(time, "perf_counter", lambda: now)
    speed = bench.training_speed(replace(TINY, threads=threads), source, updates=3, warm_up=2)
    assert speed == TINY.steps * TINY.batch
    assert now == 5


def test_shares_of_training_time_add_up_and_are_where_the_work_is(source):
    shares = bench.training_shares(TINY, source, updates=4, warm_up=2)
    assert sorted(shares) == ["critic learning", "inference", "painting", "policy learning"]
    assert sum(shares.values()) == pytest.approx(1)
    assert all(share > 0 for share in shares.values())
    more = replace(TINY, critic=replace(TINY.critic, steps=30))
    busier = bench.training_shares(more, source, updates=4, warm_up=2)
    assert busier["critic learning"] > max(0.6, shares["critic learning"])


def test_everything_is_one_json_object(source, monkeypatch):
    """On a preset whose data set need not be there: speed is measured with digits that come with the library."""
    monkeypatch.setattr(bench, "PRESETS", {"mnist": replace(TINY, data="mnist")})
    monkeypatch.setattr(bench, "painting", lambda: dict.fromkeys(bench.BRUSHES, 1.0))
    monkeypatch.setattr(bench, "training_speed", functools.partial(bench.training_speed, updates=1, warm_up=1))
    monkeypatch.setattr(bench, "training_shares", functools.partial(bench.training_shares, updates=1, warm_up=1))
    monkeypatch.setattr("limner.data.picture_source.PictureSource", lambda data, size: source)
    result = bench.bench()
    json.dumps(result)
    assert result["cores"] >= 1
    assert result["training, environment steps/s"] > 0
    assert len(result["share of training time"]) == 4
