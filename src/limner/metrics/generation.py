"""Metrics of drawn digits: Fréchet distance, precision, coverage and classes, of 1,000 drawn against 1,000 real ones.

Of a smaller data set they are taken of as many pictures as it has: see ``limner.metrics.sample_size``.

Notable choices:
- Every figure stands beside two reference rows: real training digits and random strokes of the same renderer.
  ``normalised_frechet`` puts a Fréchet distance between them: 0 as good as real digits, 1 as bad as random strokes.
- Every distance is given twice: on standardised features, which scribbles cannot satisfy, and on the classifier's plain
  activations, as in publications, so that figures compare with theirs (``plain_…``).
- A set of pictures must be as large as the reference set: all these figures depend on the number of pictures.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from limner.actions import IntArray
from limner.data import Dataset, Pictures
from limner.metrics.features import ExtractedFeatures, extract_features, small_grey
from limner.metrics.sample_size import USUAL, neighbours
from limner.worlds.validation import require
from limner.worlds.world import Renderer

Features = NDArray[np.float64]

VISIBLE = 230
"""A picture whose every pixel is at least this light (255 is white) counts as empty."""


@dataclass(frozen=True)
class GenerationMetrics:
    """Figures of one set of pictures against the reference set."""

    frechet: float
    """Squared Fréchet distance of the features; less is better."""
    normalised_frechet: float
    """Fréchet distance as a share of the way from real training digits (0) to random strokes (1).

    NaN where random strokes are no further than real pictures.
    """
    precision: float
    """Share of the pictures that lie among real digits, in [0, 1]."""
    coverage: float
    """Share of the real digits that have a picture near them, in [0, 1]."""
    plain_frechet: float
    plain_normalised_frechet: float
    plain_precision: float
    plain_coverage: float
    """The same four on plain activations."""
    entropy: float
    """Entropy of the classes in nats; ln 10 = 2.303 when every digit is drawn equally often."""
    histogram: tuple[int, ...]
    """Number of pictures that the classifier takes for each digit, 0 to 9."""
    empty: float
    """Share of the pictures without a pixel darker than ``VISIBLE``, in [0, 1]."""
    ink: float
    """Mean darkness of a pixel, in [0, 1]."""


@dataclass(frozen=True)
class Reference:
    """The features of real test digits, and the two reference rows, of as many pictures each."""

    digits: ExtractedFeatures
    real: GenerationMetrics
    """Of real training digits, none of them in ``digits``."""
    random: GenerationMetrics
    """Of random strokes."""
    borrowed: int = 0
    """How many of ``digits`` are training digits, since there are too few to test."""

    @property
    def count(self) -> int:
        """Number of pictures."""
        return len(self.digits.features)


def make_reference(
    test: Dataset, train: Dataset, renderer: Renderer, steps: int, rng: np.random.Generator, count: int = USUAL
) -> Reference:
    """Measure the two reference rows against ``count`` digits of ``test``, spread evenly through it.

    The real row is ``count`` digits of ``train``, spread evenly; the random row ``count`` pictures of ``steps``
    random actions each. Where ``test`` has fewer, digits of ``train`` that are not in the real row stand in. Digits are
    resized to the renderer's canvas. The renderer is reset.
    """
    wanted, others = _real_pictures(test, train, renderer.shape[0], count, rng)
    digits = extract_features(small_grey(wanted))
    real = _measure(others, digits)
    random = _measure(random_pictures(renderer, steps, count, rng), digits)
    return Reference(
        digits,
        replace(real, normalised_frechet=0.0, plain_normalised_frechet=0.0),
        replace(random, normalised_frechet=1.0, plain_normalised_frechet=1.0),
        max(0, count - len(test)),
    )


def _real_pictures(
    test: Dataset, train: Dataset, size: int, count: int, rng: np.random.Generator
) -> tuple[Pictures, Pictures]:
    """Twice ``count`` pictures ``uint8[count, size, size, C]``, none in both."""
    if count <= min(len(test), len(train)):
        return test.spread(count).pictures(size), train.spread(count).pictures(size)
    rows = [rng.permutation(len(data))[: 2 * count] for data in (test, train)]
    pictures = np.concatenate([test.pictures(size, rows[0]), train.pictures(size, rows[1])])
    require(len(pictures) >= 2 * count, f"cannot take 2 × {count} pictures of {test.name!r}, which has {len(pictures)}")
    return pictures[:count], pictures[-count:]


def evaluate_pictures(canvases: Pictures, reference: Reference) -> GenerationMetrics:
    """Measure canvases ``uint8[N, S, S]``, ``[N, S, S, 1]`` or ``[N, S, S, 3]``, dark on white; N as in the reference.

    ``ValueError`` when there are more or fewer, or on any other shape or type.
    """
    count = len(canvases)
    require(count == reference.count, f"got {count} pictures, the reference has {reference.count}: must be as many")
    metrics, near, far = _measure(canvases, reference.digits), reference.real, reference.random
    return replace(
        metrics,
        normalised_frechet=_share(metrics.frechet, near.frechet, far.frechet),
        plain_normalised_frechet=_share(metrics.plain_frechet, near.plain_frechet, far.plain_frechet),
    )


def random_pictures(renderer: Renderer, steps: int, count: int, rng: np.random.Generator) -> Pictures:
    """``count`` canvases ``uint8[count, H, W, C]`` after ``steps`` uniformly random actions. The renderer is reset."""
    canvases = []
    for _ in range(-(-count // renderer.batch)):
        renderer.reset()
        for _ in range(steps):
            renderer.step(renderer.actions.sample(rng, renderer.batch))
        canvases.append(renderer.canvas())
    renderer.reset()
    return np.concatenate(canvases)[:count]


def frechet_distance(a: Features, b: Features) -> float:
    """Squared Fréchet distance of Gaussians fitted to features ``[N, D]`` and ``[M, D]`` (Heusel et al. 2017, eq. 6).

    ``|m_a − m_b|² + tr(C_a + C_b − 2 (C_a C_b)^½)``. The trace of the root is the sum of the roots of the eigenvalues
    of ``C_a^½ C_b C_a^½``, which is symmetric and has no negative ones, so rank-deficient covariances (few pictures,
    or all alike) need no regularisation.
    """
    root, other = _root_covariance(a), np.atleast_2d(np.cov(b, rowvar=False))
    values = np.linalg.eigvalsh(root @ other @ root)
    cross = np.sqrt(np.maximum(values, 0)).sum()
    offset = a.mean(0) - b.mean(0)
    return float(max(offset @ offset + np.sum(root * root) + np.trace(other) - 2 * cross, 0.0))


def precision_coverage(real: Features, fake: Features, k: int) -> tuple[float, float]:
    """Improved precision (Kynkäänniemi et al. 2019, eq. 1) and coverage (Naeem et al. 2020, eq. 9), both in [0, 1].

    Each real point, of ``real [N, D]``, has a ball that reaches to its k-th nearest other real point.
    Precision: the share of the fakes ``[M, D]`` inside the ball of at least one real point. Coverage: the share of
    the balls with at least one fake inside. The surface counts as inside.
    """
    require(1 <= k < len(real), f"k is {k}, must be in 1 … {len(real) - 1} with {len(real)} real pictures")
    among = _squared_distances(real, real)
    np.fill_diagonal(among, 0)
    radii = np.partition(among, k, axis=1)[:, k]  # place 0 is the point itself
    inside = _squared_distances(real, fake) <= radii[:, None]
    return float(inside.any(0).mean()), float(inside.any(1).mean())


def class_entropy(labels: IntArray) -> tuple[float, IntArray]:
    """Entropy in nats and the histogram ``int64[10]`` of classes ``int64[N]`` from 0 to 9."""
    histogram = np.bincount(labels, minlength=10)
    share = histogram[histogram > 0] / len(labels)
    return float(-(share * np.log(share)).sum() + 0.0), histogram


def _measure(canvases: Pictures, digits: ExtractedFeatures) -> GenerationMetrics:
    drawn = extract_features(small_grey(canvases))
    k = neighbours(len(digits.features))
    precision, coverage = precision_coverage(digits.features, drawn.features, k)
    plain_precision, plain_coverage = precision_coverage(digits.plain, drawn.plain, k)
    entropy, histogram = class_entropy(drawn.classes)
    flat = canvases.reshape(len(canvases), -1)
    return GenerationMetrics(
        frechet=frechet_distance(digits.features, drawn.features),
        normalised_frechet=np.nan,
        precision=precision,
        coverage=coverage,
        plain_frechet=frechet_distance(digits.plain, drawn.plain),
        plain_normalised_frechet=np.nan,
        plain_precision=plain_precision,
        plain_coverage=plain_coverage,
        entropy=entropy,
        histogram=tuple(int(n) for n in histogram),
        empty=float((flat.min(1) >= VISIBLE).mean()),
        ink=float(1 - flat.mean() / 255),
    )


def _share(distance: float, near: float, far: float) -> float:
    return (distance - near) / (far - near) if far > near else np.nan


def _root_covariance(points: Features) -> Features:
    values, vectors = np.linalg.eigh(np.atleast_2d(np.cov(points, rowvar=False)))
    return np.asarray((vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T)


def _squared_distances(a: Features, b: Features) -> Features:
    """``[N, M]`` for ``[N, D]`` and ``[M, D]``; never negative."""
    return np.asarray(np.maximum((a * a).sum(1)[:, None] + (b * b).sum(1) - 2 * a @ b.T, 0))
