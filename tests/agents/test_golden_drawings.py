"""What each agent that ships draws, byte for byte: a change of the code must not change it.

``golden_drawings.json`` holds for 20 drawings of each agent the hashes of canvas and actions. It was written on a CPU
that multiplies bfloat16 in hardware; elsewhere the networks round differently, and the test is skipped.
"""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from limner.agents.agent import load_agent
from limner.inference.draw import draw
from limner.inference.sample import sample
from limner.models.blocks import reduced_precision
from limner.worlds.scenes.examples import visible_scenes

GOLDEN = json.loads(Path(__file__).with_name("golden_drawings.json").read_text())

pytestmark = pytest.mark.skipif(
    not reduced_precision("native"), reason="the drawings were hashed on a CPU with bfloat16 in hardware"
)


@pytest.fixture(autouse=True)
def one_thread():
    """Sums of a kernel depend on how many threads share it."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("name", ["mnist", "omniglot-prior"])
def test_an_unconditional_agent_draws_the_same_as_ever(name):
    canvases, programs = sample(load_agent(name), 20, seed=0)
    assert hashes(canvases, programs) == GOLDEN[name]


@pytest.mark.parametrize("name", ["mnist-reconstruct", "omniglot", "faces"])
def test_a_conditional_agent_draws_the_same_as_ever(name):
    agent = load_agent(name)
    shape = agent.config.make_renderer(1).shape
    (drawings,) = draw(agent, discs(20, shape[0], shape[2]))
    assert hashes(drawings.canvases, drawings.programs) == GOLDEN[name]


@pytest.mark.usefixtures("gl")
def test_the_agent_of_scenes_builds_the_same_as_ever():
    pictures, _ = visible_scenes(np.random.default_rng(0), 20, threads=1)
    (drawings,) = draw(load_agent("scenes"), pictures)
    assert hashes(drawings.canvases, drawings.programs) == GOLDEN["scenes"]


def hashes(canvases, programs):
    return [[digest(canvas), digest(program.actions)] for canvas, program in zip(canvases, programs, strict=True)]


def digest(array):
    array = np.ascontiguousarray(array)
    return hashlib.sha256(str((array.dtype, array.shape)).encode() + array.tobytes()).hexdigest()[:16]


def discs(count, size, channels):
    """Pictures to draw, without chance in the arithmetic: four discs each."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:size, :size]
    pictures = np.full((count, size, size, channels), 255, np.uint8)
    for picture in pictures:
        for _ in range(4):
            (left, top), radius = rng.integers(8, size - 8, 2), int(rng.integers(3, size // 5))
            picture[(x - left) ** 2 + (y - top) ** 2 <= radius**2] = rng.integers(0, 200, channels)
    return pictures
