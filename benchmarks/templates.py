"""How long it takes to find the object that a scene lacks, beside rendering, and whether it is found.

    python benchmarks/templates.py [--scenes 200]

From each random scene one object is taken away; all objects that there can be are compared (``Scenes.additions``), on
one core. Times are CPU time.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from limner.worlds.scenes.examples import show, visible_scenes
from limner.worlds.scenes.refinement import BEST
from limner.worlds.scenes.renderer import Scenes


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", type=int, default=200)
    count = parser.parse_args().scenes
    pictures, programs = visible_scenes(np.random.default_rng(0), count)
    start = time.process_time()
    Scenes().additions(pictures[:1], 1)
    print(f"templates  {time.process_time() - start:8.2f} s, once")
    left, lacking = programs[:, 1:], programs[:, :1]
    renderer = Scenes(batch=count)
    start = time.process_time()
    show(renderer, left)
    rendered = time.process_time()
    found = renderer.additions(pictures, BEST)
    searched = time.process_time()
    print(f"a render   {(rendered - start) / count * 1e3:8.2f} ms a scene")
    print(f"all objects{(searched - rendered) / count * 1e3:8.2f} ms a scene")
    print(f"found      {(found == lacking).all(2).any(1).mean():8.3f} of what was taken away, among the best {BEST}")


if __name__ == "__main__":
    main()
