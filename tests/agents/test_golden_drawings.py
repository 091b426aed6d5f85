"""What each agent that ships draws, byte for byte, on any CPU: a change of the code must not change it.

``golden_drawings.json`` holds for 20 drawings of each agent the hashes of canvas and actions.
"""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from limner.agents.agent import load_agent
from limner.inference.draw import draw
from limner.inference.sample import sample
from limner.models import blocks
from limner.worlds.scenes.examples import visible_scenes

DRAW = """
import json, sys
import torch
sys.path.insert(0, sys.argv[1])
from test_golden_drawings import hashes, load_agent, sample
torch.set_num_threads(1)
print(json.dumps(hashes(*sample(load_agent("mnist"), 20, seed=0))))
"""
"""Prints the hashes of the first drawings; its argument is the folder of this file."""
GOLDEN = json.loads(Path(__file__).with_name("golden_drawings.json").read_text())


@pytest.fixture(autouse=True)
def one_thread():
    """Sums of a kernel depend on how many threads share it."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(params=["this CPU", "without bfloat16"])
def capabilities(request, monkeypatch):
    """This CPU, and one that does not multiply bfloat16 in hardware."""
    if request.param != "this CPU":
        monkeypatch.setattr(torch.cpu, "get_capabilities", dict)
        monkeypatch.setattr(blocks, "_multiplies_bfloat16", blocks._multiplies_bfloat16.__wrapped__)


@pytest.mark.usefixtures("capabilities")
@pytest.mark.parametrize("name", ["mnist", "omniglot-prior"])
def test_an_unconditional_agent_draws_the_same_as_ever(name):
    canvases, programs = sample(load_agent(name), 20, seed=0)
    assert hashes(canvases, programs) == GOLDEN[name]


@pytest.mark.usefixtures("capabilities")
@pytest.mark.parametrize("name", ["mnist-reconstruct", "omniglot", "omniglot-spiral", "faces"])
def test_a_conditional_agent_draws_the_same_as_ever(name):
    agent = load_agent(name)
    shape = agent.config.make_renderer(1).shape
    (drawings,) = draw(agent, discs(20, shape[0], shape[2]))
    assert hashes(drawings.canvases, drawings.programs) == GOLDEN[name]


@pytest.mark.usefixtures("gl", "capabilities")
def test_the_agent_of_scenes_builds_the_same_as_ever():
    pictures, _ = visible_scenes(np.random.default_rng(0), 20, threads=1)
    (drawings,) = draw(load_agent("scenes"), pictures)
    assert hashes(drawings.canvases, drawings.programs) == GOLDEN["scenes"]


@pytest.mark.parametrize("capability", ["avx2", "default"])
def test_an_agent_draws_the_same_with_other_instructions(capability):
    """``ATEN_CPU_CAPABILITY`` is read when PyTorch is imported."""
    environment = os.environ | {"ATEN_CPU_CAPABILITY": capability}
    command = [sys.executable, "-c", DRAW, str(Path(__file__).parent)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=True)
    assert json.loads(done.stdout) == GOLDEN["mnist"]


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
