"""The training of the digit classifier: how its features are standardised."""

import runpy
from pathlib import Path

import numpy as np
import torch

from limner.metrics.features import DigitNetwork

standardise = runpy.run_path(str(Path(__file__).parents[2] / "experiments" / "train_features.py"))["standardise"]


def test_standardise_turns_the_covariance_into_a_unit_one() -> None:
    torch.manual_seed(0)
    network = DigitNetwork().eval()
    pictures = torch.rand(300, 1, 32, 32)
    standardise(network, pictures, 0.0)
    features = network(pictures)[0].detach().numpy().astype(np.float64)
    assert np.allclose(features.mean(0), 0, atol=0.02)
    assert np.allclose(np.cov(features, rowvar=False), np.eye(64), atol=0.05)
    standardise(network, pictures, 1e6)  # so much shrinkage leaves the plain distances, but for one factor
    features, plain = (x.detach().numpy() for x in (network(pictures)[0], network.torso(pictures)))
    ratio = np.linalg.norm(features[:-1] - features[1:], axis=1) / np.linalg.norm(plain[:-1] - plain[1:], axis=1)
    assert np.ptp(ratio) < 0.01 * ratio.mean()
