import hashlib
from importlib import resources

import numpy as np
import pytest

from limner.data import load_dataset
from limner.data.resize import resize_square
from limner.metrics.features import digit_network, extract_features, fingerprint, small_grey


def test_small_grey_averages_areas_and_weighs_colours() -> None:
    canvas = np.random.default_rng(0).integers(0, 256, (2, 64, 64), np.uint8)
    expected = canvas.reshape(2, 32, 2, 32, 2).mean((2, 4))
    assert abs(small_grey(canvas) - expected).max() <= 0.5
    assert np.array_equal(small_grey(canvas[..., None]), small_grey(canvas))
    assert np.array_equal(small_grey(canvas[..., None].repeat(3, -1)), small_grey(canvas))
    assert small_grey(np.full((1, 8, 8, 3), (255, 0, 0), np.uint8))[0, 0, 0] == round(0.299 * 255)
    with pytest.raises(ValueError, match=r"uint8\[2, 64, 64, 2\]"):
        small_grey(np.stack([canvas, canvas], -1))
    with pytest.raises(ValueError, match="on white, got float64"):
        small_grey(canvas / 255)


def test_the_shipped_network_knows_digits_it_has_not_seen() -> None:
    digits = load_dataset(split="test")
    features, plain, classes = extract_features(small_grey(resize_square(digits.images, 64)))
    assert features.shape == plain.shape == (1000, 64)
    assert plain.min() == 0
    assert (classes == digits.labels).mean() >= 0.985
    assert sum(weight.numel() for weight in digit_network().parameters()) < 300_000


def test_the_network_measures_each_picture_alone() -> None:
    grey = small_grey(load_dataset(split="test").images[::20])
    together = extract_features(grey).features
    alone = np.concatenate([extract_features(picture[None])[0] for picture in grey])
    assert np.allclose(together, alone, atol=1e-4)


def test_the_fingerprint_and_the_card_belong_to_the_weights() -> None:
    files = resources.files("limner.metrics.features")
    weights = (files / "mnist.safetensors").read_bytes()
    digest = hashlib.sha256(weights).hexdigest()
    assert digest.startswith(fingerprint())
    assert len(weights) < 1_000_000
    assert digest in (files / "mnist.md").read_text()
