"""How close a painting comes with few strokes, or in little time.

    python benchmarks/economy.py PICTURES --out runs/economy [--strokes 20 50 …] [--seconds 10 30 90] [-- FLAGS]
    python benchmarks/economy.py PICTURES --score FOLDER

Paints each picture of a folder with so many strokes (``--search`` seconds of search), and with as many as there may be
in so many seconds, by ``limner paint`` with ``FLAGS`` on one core. A painting that is there already is not painted
again. Then, as with ``--score``, all that lies in the folder is scored: FOLDER/PICTURE/WHAT.png, of Limner or of any
other system, at the size of the picture. The columns are means over pictures: MSE and PSNR (of colours in [0, 1]), SSIM
(Wang et al. 2004, 11 × 11 Gaussian windows) and FLIP (Andersson et al. 2020), a distance as people see it, in [0, 1]:
``pip install flip-evaluator``.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
from PIL import Image
from skimage.metrics import structural_similarity

STROKES, SECONDS = (20, 50, 100, 200, 500, 1000, 3000), (10, 30, 90)
COLUMNS = ("mse", "psnr", "ssim", "flip")


def main() -> None:
    """Paint and print the table; ``scores.json`` in the folder has the figures of each picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--out", type=Path, default=Path("runs/economy"))
    parser.add_argument("--score", type=Path)
    parser.add_argument("--strokes", type=int, nargs="*", default=STROKES)
    parser.add_argument("--seconds", type=int, nargs="*", default=SECONDS)
    parser.add_argument("--search", type=float, default=30.0)
    parser.add_argument("--only", nargs="*", default=[])
    words, flags = sys.argv[1:], []
    if "--" in words:
        words, flags = words[: words.index("--")], words[words.index("--") + 1 :]
    asked = parser.parse_args(words)
    pictures = [path for path in sorted(asked.pictures.glob("*.png")) if not asked.only or path.stem in asked.only]
    if asked.score is None:
        for picture in pictures:
            for count in asked.strokes:
                paint(picture, asked.out / picture.stem / f"{count:05d} strokes", asked.search, flags, count)
            for seconds in asked.seconds:
                paint(picture, asked.out / picture.stem / f"{seconds:02d} seconds", seconds, flags)
    folder = asked.score or asked.out
    scores = {picture.stem: score_all(picture, folder / picture.stem) for picture in pictures}
    (folder / "scores.json").write_text(json.dumps(scores, indent=1))
    print_table(scores)


def paint(picture: Path, name: Path, search: float, flags: list[str], strokes: int | None = None) -> None:
    """Paint a picture, unless it is there: NAME.png and NAME.json."""
    if name.with_suffix(".png").exists():
        return
    command = [sys.executable, "-m", "limner", "paint", str(picture), "--search", str(search), "--threads", "1"]
    command += ["--size", str(max(Image.open(picture).size)), "--out", str(name), *flags]
    command += ["--strokes", str(strokes)] if strokes else []
    subprocess.run(command, check=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
    (name / "painted.png").rename(name.with_suffix(".png"))
    (name / "program.json").rename(name.with_suffix(".json"))
    shutil.rmtree(name)


def score_all(picture: Path, folder: Path) -> dict[str, dict[str, float]]:
    """The scores of all paintings of a picture."""
    goal = np.asarray(Image.open(picture).convert("RGB"))
    scores = {}
    for path in sorted(folder.glob("*.png")):
        painted = np.asarray(Image.open(path).convert("RGB"))
        if painted.shape != goal.shape:
            sys.exit(f"{path} has another size than {picture}")
        scores[path.stem] = score(painted, goal)
    return scores


def score(painted: np.ndarray, goal: np.ndarray) -> dict[str, float]:
    """The scores of a painting, both ``uint8[H, W, 3]``."""
    import flip_evaluator

    mse = float(np.square(painted / 255 - goal / 255).mean())
    ssim = structural_similarity(painted, goal, channel_axis=2, gaussian_weights=True, sigma=1.5, data_range=255)
    _, flip, _ = flip_evaluator.evaluate(goal / np.float32(255), painted / np.float32(255), "LDR", applyMagma=False)
    return {"mse": mse, "psnr": float(-10 * np.log10(mse)), "ssim": float(ssim), "flip": float(flip)}


def print_table(scores: dict[str, dict[str, dict[str, float]]]) -> None:
    """Means over the pictures, as Markdown."""
    rows: dict[str, list[dict[str, float]]] = defaultdict(list)
    for one in scores.values():
        for what, figures in one.items():
            rows[what].append(figures)
    print(f"| painted | pictures | {' | '.join(COLUMNS)} |\n|{'---|' * (2 + len(COLUMNS))}")
    for what, all_figures in sorted(rows.items(), key=lambda row: row[0].split()[::-1]):
        means = [float(np.mean([figures[column] for figures in all_figures])) for column in COLUMNS]
        mse, psnr, ssim, flip = means
        print(f"| {what.lstrip('0')} | {len(all_figures)} | {mse:.5f} | {psnr:.2f} | {ssim:.3f} | {flip:.3f} |")


if __name__ == "__main__":
    main()
