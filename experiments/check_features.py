"""What the evaluation makes of pictures that are known to be good, damaged or no digits at all.

    OMP_NUM_THREADS=1 python experiments/check_features.py

Notable choices:
- Every row is 1,000 pictures against the 1,000 test digits of ``mnist-5k``; most are changed training digits.
- Random strokes come from the toy renderer: 6 actions at 64x64. A row of another renderer is another row.
"""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image, ImageFilter

from limner.data import Pictures, load_dataset
from limner.metrics.features import fingerprint
from limner.metrics.generation import GenerationMetrics, evaluate_pictures, make_reference
from limner.worlds.toy.renderer import Toy, ToySettings


def filtered(pictures: Pictures, change: ImageFilter.Filter) -> Pictures:
    """Each picture ``uint8[N, H, W]`` after one of Pillow's filters."""
    return np.stack([np.asarray(Image.fromarray(picture).filter(change)) for picture in pictures])


def row(name: str, metrics: GenerationMetrics) -> str:
    """One row of the table, in Markdown."""
    figures = (metrics.normalised_frechet, metrics.precision, metrics.coverage, metrics.entropy)
    return f"| {name} | {metrics.frechet:.2f} | " + " | ".join(f"{figure:.3f}" for figure in figures) + " |"


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    train, test = load_dataset(), load_dataset(split="test")
    renderer = Toy(ToySettings(canvas=64, grid=32, sizes=(1.5, 2.5, 4.0)), batch=100)
    reference = make_reference(test, train, renderer, 6, rng)
    real = train.spread(1000).pictures(64)[..., 0]
    ones = train.pictures(64, np.flatnonzero(train.labels == 1))[..., 0]
    white = np.full_like(real, 255)
    pictures = {
        "hard edges": np.where(real < 128, 0, 255).astype(np.uint8),
        "thicker by 2 pixels": filtered(real, ImageFilter.MinFilter(3)),
        "thinner by 2 pixels": filtered(real, ImageFilter.MaxFilter(3)),
        "6 pixels to the right": np.roll(real, 6, 2),
        "mirrored": np.ascontiguousarray(real[:, :, ::-1]),
        "upside down": np.ascontiguousarray(real[:, ::-1]),
        "without the lower half": np.concatenate([real[:, :32], white[:, 32:]], 1),
        "only ones": ones[np.arange(1000) % len(ones)],
        "one digit, 1,000 times": real[:1].repeat(1000, 0),
        "light on dark": 255 - real,
        "white canvases": white,
        "noise": rng.integers(0, 256, real.shape, np.uint8),
    }
    print(f"features {fingerprint()}", end="\n\n")
    print("| pictures | Fréchet | normalised | precision | coverage | entropy |", "|---|---|---|---|---|---|", sep="\n")
    print(row("real training digits", reference.real))
    print(row("random strokes", reference.random))
    for name, canvases in pictures.items():
        print(row(name, evaluate_pictures(canvases, reference)))


if __name__ == "__main__":
    main()
