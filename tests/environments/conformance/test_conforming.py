"""The conformance suite passes what conforms."""

from __future__ import annotations

from functools import partial
from typing import get_args

import gymnasium
import numpy as np
import pytest
from broken import TINY, caught, ink, name_of

from limner.environments.conformance import RENDERER, check_environment, check_vector_environment
from limner.worlds import make_renderer
from limner.worlds.paint.settings import Space

RENDERERS = [
    pytest.param({"name": "toy"}, id="toy"),
    pytest.param({"name": "scenes", "canvas": 32}, id="scenes"),
    pytest.param({"name": "paint", "canvas": 64}, id="paint"),
    pytest.param({"name": "paint", "brush": "classic/dry_brush", "color": True}, id="paint-color"),
    pytest.param({"name": "paint", "preset": "deepmind-2018", "color": True}, id="paint-deepmind-2018"),
    pytest.param({"name": "paint", "ground": "transparent"}, id="paint-transparent"),
    *(
        pytest.param({"name": "paint", "space": space, "events": 16}, id=f"paint-{space}")
        for space in get_args(Space)
        if space != "bezier"
    ),
]


@pytest.fixture(params=RENDERERS)
def settings(request):
    try:
        make_renderer(request.param).canvas()
    except ImportError as error:
        pytest.skip(str(error))
    return request.param


@pytest.mark.parametrize("promise", RENDERER, ids=name_of)
def test_renderer(promise, settings):
    promise(partial(make_renderer, settings), np.random.default_rng(1))


def test_environment(settings):
    make, _ = environments(settings, "rgb_array")
    check_environment(make, seed=1)


def test_vector_environment(settings):
    make, make_vector = environments(settings, "rgb_array")
    check_vector_environment(make_vector, make, seed=1)


def environments(settings, render_mode):
    options = {**settings, "steps": 4, "reward": ink, "render_mode": render_mode}
    name = options.pop("name").capitalize()
    return (
        lambda: gymnasium.make(f"limner/{name}-v0", **options),
        lambda n: gymnasium.make_vec(f"limner/{name}-v0", num_envs=n, **options),
    )


def test_sync_vector_environment_of_gymnasium_is_not_lock_step():
    make, _ = environments({"name": "toy", **TINY}, None)
    broken = caught(check_vector_environment, lambda n: gymnasium.vector.SyncVectorEnv([make] * n), make)
    assert "disables_autoreset" in broken
