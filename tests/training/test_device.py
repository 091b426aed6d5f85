from dataclasses import replace

import pytest
import torch

from limner.models.config import PolicyConfig
from limner.training import make_trainer
from limner.training.device import prepare, use_tf32
from limner.training.distance.config import DistanceConfig
from limner.training.saving import restore_checkpoint, save_checkpoint
from limner.worlds.observation import preprocess

gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")


@pytest.fixture(autouse=True)
def put_back():
    """What a test sets is put back."""
    matrices, convolutions, benchmark = *found(), torch.backends.cudnn.benchmark
    yield
    torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = matrices, convolutions
    torch.backends.cudnn.benchmark = benchmark


def found():
    return torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32


def test_nothing_is_set_for_the_cpu():
    use_tf32(False)
    prepare("cpu")
    assert found() == (False, False)
    assert not torch.backends.cudnn.benchmark


def test_a_gpu_uses_tf32(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    use_tf32(False)
    prepare("cuda")
    assert found() == (True, True)
    assert torch.backends.cudnn.benchmark
    use_tf32(False)
    assert found() == (False, False)


@gpu
@pytest.mark.parametrize("algorithm", ["spiral", "distance"])
@pytest.mark.parametrize("network", ["small", "paper", "pointer"])
@pytest.mark.parametrize("threads", [1, 2])
def test_a_run_on_a_gpu_learns_and_goes_on(algorithm, network, threads, tiny, source, tmp_path):
    policy = PolicyConfig(network=network, channels=8, hidden=32, lstm=network == "paper", precision="native")
    config = replace(tiny, device="cuda", run=replace(tiny.run, threads=threads))
    resolution = 64 if network != "small" else 16
    renderer = replace(tiny.agent.renderer, grid=16)
    agent = replace(tiny.agent, renderer=renderer, policy=policy, resolution=resolution)
    agent = replace(agent, conditional=algorithm == "distance")
    config = replace(config, agent=agent)
    if algorithm == "distance":
        config = DistanceConfig(agent, config.run, device="cuda", learning=config.learning)
    trainers = [make_trainer(config, source) for _ in range(2)]
    for update in range(3):
        trainers[0].update(update / 4)
    save_checkpoint(tmp_path, trainers[0], {})
    restore_checkpoint(next(tmp_path.iterdir()), trainers[1])
    for trainer in trainers:
        figures = trainer.update(0.75)
        assert all(map(torch.isfinite, map(torch.tensor, figures.values()))), figures
        assert {p.device.type for p in trainer.policy_learner.policy.parameters()} == {"cuda"}
        trainer.close()


@gpu
def test_white_is_zero_on_a_gpu():
    for factor in range(1, 65):
        canvas = torch.full((1, factor, factor, 1), 255, dtype=torch.uint8, device="cuda")
        assert preprocess(canvas, 1).item() == 0
