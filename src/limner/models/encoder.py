"""An encoder of pictures that learns from pictures alone, by contrast (SimCLR, Chen et al. 2020).

Notable choices:
- Two views of a picture, turned, scaled, sheared, shifted, blurred or thickened, are to be alike and unlike those of
  other pictures. So features tell shapes apart and know little of the brush, by whose edges a critic of pixels tells
  painted pictures from real ones without looking at the shapes (docs/results.md, "what a critic adds").
- The features are the layer before the projection, standardised by their covariance over real pictures: otherwise a few
  directions, which separate kinds of pictures, outweigh what makes a picture a good one of its kind.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

FEATURES = 64
"""Length of a feature vector."""
BATCH = 256
"""Pictures in a gradient step, with two views of each."""
LEARNING_RATE = 2e-3
"""Of Adam at the start; it falls to a twentieth."""
TEMPERATURE = 0.2
"""By which the cosines between views are divided."""
REGULARISATION = 0.1
"""Share of their mean that is added to the variances before standardisation."""

Draw = Callable[[int, torch.Generator], Tensor]


class Encoder(nn.Module):
    """Pictures ``float32[N, C, R, R]`` in [0, 1], R a multiple of 8, to standardised features ``float32[N, 64]``."""

    mean: Tensor
    scale: Tensor

    def __init__(self, channels: int, resolution: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        sizes = ((channels, 16, 5, 2), (16, 32, 3, 1), (32, 64, 3, 2), (64, 64, 3, 2))  # an eighth of the resolution
        for inputs, outputs, size, stride in sizes:
            layers += [nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False), nn.BatchNorm2d(outputs)]
            layers.append(nn.ReLU())
        self.torso = nn.Sequential(*layers, nn.Flatten(), nn.Linear(64 * (resolution // 8) ** 2, FEATURES))
        self.project = nn.Sequential(nn.ReLU(), nn.Linear(FEATURES, FEATURES))
        self.register_buffer("mean", torch.zeros(FEATURES))
        self.register_buffer("scale", torch.eye(FEATURES))

    def forward(self, pictures: Tensor) -> Tensor:
        """Features."""
        features: Tensor = (self.torso(pictures) - self.mean) @ self.scale
        return features


def learn_contrast(encoder: Encoder, draw: Draw, steps: int, generator: torch.Generator) -> float:
    """Teach ``encoder`` in ``steps`` gradient steps; the loss of the last one.

    ``draw(count, generator)`` gives real pictures ``float32[count, C, R, R]``. The loss is that of SimCLR (equation 1).
    Afterwards the encoder is fixed.
    """
    optimizer = torch.optim.Adam(encoder.parameters(), lr=LEARNING_RATE, fused=True)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.05, steps)
    other = torch.arange(2 * BATCH, device=generator.device).roll(BATCH)
    encoder.train().requires_grad_(True)
    for _ in range(steps):
        pictures = draw(BATCH, generator)
        views = torch.cat([view(pictures, generator), view(pictures, generator)])
        projected = F.normalize(encoder.project(encoder.torso(views)), dim=1)
        likeness = (projected @ projected.T / TEMPERATURE).fill_diagonal_(-torch.inf)
        loss = F.cross_entropy(likeness, other)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
    encoder.eval().requires_grad_(False)
    _standardise(encoder, torch.cat([encoder.torso(draw(BATCH, generator)) for _ in range(8)]))
    return loss.item()


def view(pictures: Tensor, generator: torch.Generator) -> Tensor:
    """Pictures ``float32[N, C, R, R]``, 0 the ground, each turned by up to 20°, scaled by up to 22 %, sheared and
    shifted; a third is blurred, a fifth thickened, and all become fainter or stronger."""
    count = len(pictures)

    def uniform(least: float, most: float) -> Tensor:
        return torch.empty(count, device=pictures.device).uniform_(least, most, generator=generator)

    angle, shear = uniform(-0.35, 0.35), uniform(-0.2, 0.2)
    width, height = uniform(-0.2, 0.2).exp(), uniform(-0.2, 0.2).exp()
    right, down = uniform(-0.15, 0.15), uniform(-0.15, 0.15)
    first = torch.stack([angle.cos() * width, shear - angle.sin(), right], dim=1)
    second = torch.stack([angle.sin(), angle.cos() * height, down], dim=1)
    grid = F.affine_grid(torch.stack([first, second], dim=1), list(pictures.shape), align_corners=False)
    moved = F.grid_sample(pictures, grid, align_corners=False)
    kind = uniform(0, 1)[:, None, None, None]
    blurred = F.avg_pool2d(moved, 3, 1, 1)
    thick = (F.max_pool2d(moved, 3, 1, 1) + moved) / 2
    changed = torch.where(kind < 0.3, blurred, torch.where(kind > 0.8, thick, moved))
    return (changed * uniform(0.7, 1.3)[:, None, None, None]).clamp(0, 1)


def _standardise(encoder: Encoder, hidden: Tensor) -> None:
    """Give features ``hidden`` of real pictures mean 0 and, but for ``REGULARISATION``, the unit covariance."""
    scaled, directions = principal_directions(hidden, REGULARISATION)
    encoder.mean.copy_(hidden.mean(0))
    encoder.scale.copy_(scaled @ directions.T)


def principal_directions(hidden: Tensor, shrinkage: float) -> tuple[Tensor, Tensor]:
    """Principal directions of features ``[N, F]``, scaled and unit vectors, as columns: ``[F, F]`` each.

    Direction i, of variance v_i, is divided by the root of v_i + ``shrinkage`` · mean(v): at 0 the distance along them
    is the Mahalanobis distance; the larger, the closer to the plain distance.
    """
    variances, directions = torch.linalg.eigh(hidden.T.cov())
    return directions / (variances + shrinkage * variances.mean()).sqrt(), directions
