"""Features of pictures from a small digit classifier: see ``mnist.md``; ``experiments/train_features.py`` trains it.

Notable choices:
- The features are the last hidden layer before its rectifier: nothing is clipped, and a Gaussian fits better.
- They are standardised by the mean and covariance of real digits. A classifier stretches its features along the ten
  classes, and distances in that space hardly change with anything else: without this step two in three pictures of
  random strokes, and the white canvas, lie among real digits. The plain activations after the rectifier, which
  publications use, are given beside them.
- Pictures are reduced to 32×32 grey pixels by averaging areas, so a canvas of any size can be measured.
- The softmax is not used: the classifier is as confident with scribbles as with digits.
"""

import hashlib
from functools import cache
from importlib import resources
from typing import NamedTuple

import numpy as np
import safetensors.torch
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from limner.actions import IntArray
from limner.data import Pictures, luma, resize_square
from limner.worlds.validation import require

SIZE = 32
"""Height and width of the network's input, in pixels."""


class ExtractedFeatures(NamedTuple):
    """Features and classes of N pictures."""

    features: NDArray[np.float64]
    """``float64[N, 64]``, standardised."""
    plain: NDArray[np.float64]
    """``float64[N, 64]``: the last hidden layer's activations, not negative."""
    classes: IntArray
    """``int64[N]``: the likeliest digit."""


class DigitNetwork(nn.Module):
    """Grey pictures ``float32[N, 1, 32, 32]`` (0 white, 1 black) to features ``[N, 64]`` and logits ``[N, 10]``."""

    mean: Tensor
    scale: Tensor

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for channels, out, stride in ((1, 16, 2), (16, 32, 1), (32, 64, 2), (64, 64, 2)):  # 16, 16, 8, 4 pixels
            size = 5 if channels == 1 else 3
            layers += [nn.Conv2d(channels, out, size, stride, size // 2, bias=False), nn.BatchNorm2d(out), nn.ReLU()]
        self.torso = nn.Sequential(*layers, nn.Flatten(), nn.Linear(64 * 4 * 4, 64))
        self.classify = nn.Sequential(nn.ReLU(), nn.Linear(64, 10))
        self.register_buffer("mean", torch.zeros(64))
        self.register_buffer("scale", torch.eye(64))

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Standardised features, plain activations and class logits."""
        hidden = self.torso(pictures)
        return (hidden - self.mean) @ self.scale, hidden.relu(), self.classify(hidden)


def small_grey(canvases: Pictures) -> Pictures:
    """Canvases ``uint8[N, S, S]``, ``[N, S, S, 1]`` or RGB ``[N, S, S, 3]`` reduced to ``uint8[N, 32, 32]``.

    Colour becomes luma (ITU-R BT.601). ``ValueError`` on any other shape; a canvas with an alpha channel has to be
    composited on white first.
    """
    kind, shape = canvases.dtype, list(canvases.shape)
    right = kind == np.uint8 and len(shape) in (3, 4) and shape[3:] in ([], [1], [3])
    require(right, f"canvases must be uint8[N, S, S] or [N, S, S, 1 or 3] on white, got {kind}{shape}")
    grey = luma(canvases) if canvases.shape[3:] == (3,) else canvases.reshape(canvases.shape[:3])
    return resize_square(grey, SIZE)


def network_input(grey: Pictures) -> Tensor:
    """Grey pictures ``uint8[N, 32, 32]`` as the input of the network, ``float32[N, 1, 32, 32]``."""
    return 1 - torch.from_numpy(grey)[:, None].float() / 255


@cache
def digit_network() -> DigitNetwork:
    """The trained network that ships with the library, for evaluation on the CPU."""
    network = DigitNetwork()
    network.load_state_dict(safetensors.torch.load(_weights()))
    return network.eval().requires_grad_(False)


def fingerprint() -> str:
    """The first 12 hexadecimal digits of the SHA-256 of the weights, by which figures can be compared."""
    return hashlib.sha256(_weights()).hexdigest()[:12]


def extract_features(grey: Pictures) -> ExtractedFeatures:
    """Features and classes of grey pictures ``uint8[N, 32, 32]``."""
    network = digit_network()
    with torch.inference_mode():
        parts = [network(chunk) for chunk in torch.split(network_input(grey), 250)]
    features, plain, logits = (torch.cat(values).numpy() for values in zip(*parts, strict=True))
    return ExtractedFeatures(features.astype(np.float64), plain.astype(np.float64), logits.argmax(1).astype(np.int64))


def _weights() -> bytes:
    return (resources.files(__name__) / "mnist.safetensors").read_bytes()
