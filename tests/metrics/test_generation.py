import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import linalg

from limner.data import ArrayDataset, load_dataset
from limner.data.resize import resize_square
from limner.metrics.generation import (
    Reference,
    _real_pictures,
    class_entropy,
    evaluate_pictures,
    frechet_distance,
    make_reference,
    precision_coverage,
    random_pictures,
)
from limner.metrics.sample_size import compared_pictures
from limner.worlds.toy.renderer import Toy

STEPS = 6


@pytest.fixture(scope="module")
def reference() -> Reference:
    train, test = load_dataset(), load_dataset(split="test")
    return make_reference(test, train, Toy(batch=100), STEPS, np.random.default_rng(0))


def slow_frechet(a: np.ndarray, b: np.ndarray) -> float:
    first, second = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    root = linalg.sqrtm(first @ second)
    return float(((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(first + second - 2 * root.real))


def slow_precision_coverage(real: list[list[float]], fake: list[list[float]], k: int) -> tuple[float, float]:
    radii = [sorted(math.dist(p, q) for j, q in enumerate(real) if j != i)[k - 1] for i, p in enumerate(real)]
    precision = sum(any(math.dist(p, f) <= r for p, r in zip(real, radii, strict=True)) for f in fake) / len(fake)
    coverage = sum(any(math.dist(p, f) <= r for f in fake) for p, r in zip(real, radii, strict=True)) / len(real)
    return precision, coverage


@pytest.mark.parametrize("dimensions", [1, 2, 7, 40])
def test_frechet_distance_equals_the_matrix_root(dimensions: int) -> None:
    rng = np.random.default_rng(dimensions)
    a = rng.normal(size=(200, dimensions)) @ rng.normal(size=(dimensions, dimensions)) + 1
    b = rng.normal(size=(300, dimensions)) @ rng.normal(size=(dimensions, dimensions))
    if dimensions == 1:
        expected = (a.mean() - b.mean()) ** 2 + (a.std(ddof=1) - b.std(ddof=1)) ** 2
    else:
        expected = slow_frechet(a, b)
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-9)
    assert frechet_distance(b, a) == pytest.approx(expected, rel=1e-9)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-9 * expected)


def exact_gaussian(mean: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """Points whose mean and covariance are exactly these."""
    points = np.random.default_rng(0).normal(size=(50, len(mean)))
    points -= points.mean(0)
    points = points @ np.linalg.inv(np.linalg.cholesky(np.cov(points, rowvar=False))).T
    return points @ np.linalg.cholesky(covariance).T + mean


def test_frechet_distance_of_gaussians_that_share_axes() -> None:
    turn, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))
    a = exact_gaussian(np.zeros(3), turn @ np.diag([1.0, 4.0, 9.0]) @ turn.T)
    b = exact_gaussian(np.array([1.0, 2.0, 2.0]), turn @ np.diag([4.0, 4.0, 1.0]) @ turn.T)
    assert frechet_distance(a, b) == pytest.approx(9 + (1 - 2) ** 2 + 0 + (3 - 1) ** 2)


def test_frechet_distance_to_a_single_point_is_finite() -> None:
    a = exact_gaussian(np.zeros(2), np.diag([2.0, 3.0]))
    assert frechet_distance(a, np.full((10, 2), 2.0)) == pytest.approx(8 + 5)
    few = np.random.default_rng(0).normal(size=(5, 20))  # covariance of rank 4
    assert frechet_distance(few, few + 1) == pytest.approx(20)


@pytest.mark.parametrize("k", [1, 3, 5])
def test_precision_and_coverage_equal_the_slow_ones(k: int) -> None:
    rng = np.random.default_rng(k)
    real, fake = rng.normal(size=(60, 3)), rng.normal(size=(45, 3)) * 1.5 + 0.5
    expected = slow_precision_coverage(real.tolist(), fake.tolist(), k)
    assert precision_coverage(real, fake, k) == pytest.approx(expected)
    assert 0.1 < expected[0] < 0.99
    assert 0.1 < expected[1] < 0.99


def test_precision_and_coverage_by_hand() -> None:
    real = np.array([[0.0], [1.0], [3.0], [10.0]])  # radii 1, 1, 2, 7 at k = 1
    assert precision_coverage(real, np.array([[0.5], [2.5], [-4.0], [17.0]]), 1) == (0.75, 1.0)
    assert precision_coverage(real, np.array([[-0.5]]), 1) == (1.0, 0.25)
    with pytest.raises(ValueError, match="k is 4"):
        precision_coverage(real, real, 4)


def test_class_entropy() -> None:
    entropy, histogram = class_entropy(np.repeat([0, 1, 9], [2, 1, 1]))
    assert entropy == pytest.approx(1.5 * math.log(2))
    assert histogram.tolist() == [2, 1, 0, 0, 0, 0, 0, 0, 0, 1]
    assert class_entropy(np.full(9, 3))[0] == 0
    assert class_entropy(np.arange(10))[0] == pytest.approx(math.log(10))


def test_reference_rows(reference: Reference) -> None:
    assert reference.digits.features.shape == (1000, 64)
    assert reference.real.normalised_frechet == reference.real.plain_normalised_frechet == 0
    assert reference.random.normalised_frechet == reference.random.plain_normalised_frechet == 1
    assert reference.real.plain_precision > 0.85
    assert reference.real.precision > 0.85
    assert reference.real.coverage > 0.85
    assert reference.real.entropy > 2.29
    assert reference.random.frechet > 5 * reference.real.frechet
    assert reference.random.precision < 0.4
    assert reference.random.coverage < 0.15
    assert reference.real.empty == 0
    assert 0.1 < reference.real.ink < 0.16


def test_the_references_own_digits_score_perfectly(reference: Reference) -> None:
    perfect = evaluate_pictures(resize_square(load_dataset(split="test").images, 32), reference)
    assert perfect.precision == 1
    assert perfect.coverage == 1
    assert perfect.plain_precision == perfect.plain_coverage == 1
    assert perfect.normalised_frechet <= 0
    assert perfect.plain_normalised_frechet <= 0
    assert perfect.frechet == pytest.approx(0, abs=1e-6 * reference.random.frechet)


def test_collapsed_pictures_score_badly(reference: Reference) -> None:
    digit = resize_square(load_dataset().images[:1], 64)
    one = evaluate_pictures(digit.repeat(1000, 0), reference)
    assert one.coverage < 0.02
    assert one.entropy == 0
    assert one.histogram == (1000, *[0] * 9)
    assert one.normalised_frechet > 0.5
    blank = evaluate_pictures(np.full((1000, 64, 64, 1), 255, np.uint8), reference)
    assert blank.empty == 1
    assert blank.ink == 0
    assert blank.precision == 0
    assert blank.coverage == 0
    assert blank.normalised_frechet > 0.5
    noise = np.random.default_rng(0).integers(0, 256, (1000, 64, 64, 3), np.uint8)
    scored = evaluate_pictures(noise, reference)
    assert scored.precision < 0.1
    assert scored.coverage < 0.02
    assert scored.normalised_frechet > 0.5
    assert scored.empty == 0


def test_the_normalised_distance_lies_between_the_rows(reference: Reference) -> None:
    real = resize_square(load_dataset().spread(1000).images, 32)
    strokes = random_pictures(Toy(batch=100), STEPS, 1000, np.random.default_rng(1))[..., 0]
    mixed = [np.concatenate([strokes[:n], real[n:]]) for n in (0, 100, 500, 1000)]
    distances = [evaluate_pictures(pictures, reference).normalised_frechet for pictures in mixed]
    assert distances == sorted(distances)
    assert distances[0] == 0
    assert 0.9 < distances[-1] < 1.1
    doubled = replace(reference, random=replace(reference.random, frechet=2 * reference.random.frechet))
    assert evaluate_pictures(strokes, doubled).normalised_frechet < 0.6


def test_another_number_of_pictures_is_refused(reference: Reference) -> None:
    with pytest.raises(ValueError, match="got 999 pictures, the reference has 1000"):
        evaluate_pictures(np.full((999, 64, 64), 255, np.uint8), reference)


@pytest.mark.parametrize(("train", "test"), [(54, 6), (18, 2), (171, 19), (6, 54), (5, 1000), (100, 40)])
def test_of_few_pictures_none_is_on_both_sides(train: int, test: int) -> None:
    numbers = np.arange(train + test)
    images = np.stack([numbers // 256, numbers % 256], axis=1).astype(np.uint8).reshape(-1, 1, 2).repeat(2, 1)
    sets = [ArrayDataset("folder:x", images[:train]), ArrayDataset("folder:x", images[train:])]
    count = compared_pictures(train, test, "folder:x")
    sides = [_real_pictures(sets[1], sets[0], 2, count, np.random.default_rng(0)) for _ in range(2)]
    wanted, others = (256 * side[:, 0, 0, 0].astype(int) + side[:, 0, 1, 0] for side in sides[0])
    assert len(set(wanted)) == len(set(others)) == count
    assert not set(wanted) & set(others)
    assert sum(wanted >= train) == min(test, count), "training pictures stand in for test pictures alone"
    assert all(np.array_equal(*pair) for pair in zip(*sides, strict=True))


def test_more_pictures_than_there_are_are_refused() -> None:
    data = load_dataset().spread(30)
    with pytest.raises(ValueError, match="cannot take 2 × 40 pictures of 'mnist-5k', which has 60"):
        make_reference(data, data, Toy(batch=40), STEPS, np.random.default_rng(0), 40)


def test_figures_of_few_pictures() -> None:
    train, test = load_dataset().spread(54), load_dataset(split="test").spread(6)
    few = make_reference(test, train, Toy(batch=20), STEPS, np.random.default_rng(0), 20)
    assert (few.count, few.borrowed) == (20, 14)
    assert few.real.precision > few.random.precision + 0.3
    assert few.real.coverage > few.random.coverage + 0.3
    drawn = evaluate_pictures(random_pictures(Toy(batch=20), STEPS, 20, np.random.default_rng(1)), few)
    assert 0.5 < drawn.normalised_frechet < 1.5


def test_there_is_no_normalised_distance_where_strokes_are_as_near_as_real_pictures(reference: Reference) -> None:
    strokes = random_pictures(Toy(batch=100), STEPS, 1000, np.random.default_rng(1))
    for far in (reference.real, replace(reference.real, frechet=0.0, plain_frechet=0.0)):
        found = evaluate_pictures(strokes, replace(reference, random=far))
        assert math.isnan(found.normalised_frechet)
        assert math.isnan(found.plain_normalised_frechet)
        assert found.frechet > 0


def test_random_pictures_fills_up_and_repeats() -> None:
    renderer = Toy(batch=8)
    pictures = random_pictures(renderer, 2, 20, np.random.default_rng(0))
    assert pictures.shape == (20, 32, 32, 1)
    assert len({picture.tobytes() for picture in pictures}) > 10
    assert np.array_equal(pictures, random_pictures(renderer, 2, 20, np.random.default_rng(0)))
