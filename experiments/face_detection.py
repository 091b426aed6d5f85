"""In how many paintings of faces OpenCV's stock detector finds a face.

    pip install "opencv-python-headless<5"
    LIMNER_DATA=DATA python experiments/face_detection.py --agent faces --search 1 --detail 2

A low error does not show whether features are there. The detector (Viola and Jones 2001, the frontal-face cascade that
comes with OpenCV) is given grey pictures enlarged from 64 to 256 pixels, scale factor 1.1, 3 neighbours, at least 80
pixels. The faces themselves, and what is left of them at a few pixels a side, are the reference rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import tyro

from limner.agents.agent import Agent, load_agent
from limner.data import Pictures, load_dataset
from limner.inference.draw import DrawOptions
from limner.inference.evaluate import reconstruct
from limner.inference.paint import paint
from limner.metrics.reconstruction import squared_error
from limner.programs.execution import execute


@dataclass(frozen=True)
class Detection:
    """Which agent, and how long it may search."""

    agent: str = "faces"
    data: str = "faces"
    pictures: int = 103
    search: float = 1.0
    """Seconds of search for each picture."""
    sweeps: int | None = None
    """Sweeps of refinement for each picture or patch, in place of seconds."""
    detail: int | None = None
    """Paint once more, coarse to fine (``limner paint``), for as long: 2 means 1 + 4 times the agent's strokes."""
    threads: int = 2
    seed: int = 0

    def options(self) -> DrawOptions:
        """How pictures are drawn."""
        seconds = self.search if self.sweeps is None else 0.0
        return DrawOptions(seconds=seconds, sweeps=self.sweeps, seed=self.seed, threads=self.threads)

    def budget(self) -> str:
        """What search may spend, for the table."""
        return f"{self.search:g} s" if self.sweeps is None else f"{self.sweeps} sweeps"


def found(pictures: Pictures) -> float:
    """Share of ``uint8[N, 64, 64, 3]`` in which there is a face."""
    cascade = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_default.xml")
    faces = 0
    for picture in pictures:
        grey = cv2.cvtColor(cv2.resize(picture, (256, 256), interpolation=cv2.INTER_CUBIC), cv2.COLOR_RGB2GRAY)
        faces += len(cascade.detectMultiScale(grey, 1.1, 3, minSize=(80, 80))) > 0
    return faces / len(pictures)


def blurred(pictures: Pictures, side: int) -> Pictures:
    """Reduced to ``side`` pixels and enlarged again."""
    small = [cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA) for picture in pictures]
    return np.stack([cv2.resize(picture, (64, 64), interpolation=cv2.INTER_CUBIC) for picture in small])


def painted(agent: Agent, pictures: Pictures, arguments: Detection) -> tuple[Pictures, float]:
    """``uint8[N, 64, 64, 3]`` painted coarse to fine, and with how many strokes in the mean."""
    assert arguments.detail is not None
    side = agent.config.renderer.canvas * arguments.detail
    paintings, strokes = [], 0
    for picture in pictures:
        large = cv2.resize(picture, (side, side), interpolation=cv2.INTER_CUBIC)
        *_, last = paint(agent, large, arguments.detail, arguments.options())
        paintings.append(cv2.resize(execute(last.program), picture.shape[1::-1], interpolation=cv2.INTER_AREA))
        strokes += len(last.program)
    return np.stack(paintings), strokes / len(pictures)


def main(arguments: Detection) -> None:
    """Draw, and print a table."""
    agent, data = load_agent(arguments.agent), load_dataset(arguments.data, "test")
    result = reconstruct(agent, data, arguments.pictures, arguments.options())
    rows = {"faces": result.goals}
    rows |= {f"reduced to {side}×{side}": blurred(result.goals, side) for side in (16, 10, 8)}
    rows |= {f"{agent.name}, {agent.config.horizon} strokes, search {arguments.budget()}": result.drawings}
    if arguments.detail is not None:
        pictures, strokes = painted(agent, result.goals, arguments)
        rows[f"{agent.name}, {strokes:.0f} strokes, search {arguments.budget()}"] = pictures
    print(f"| {result.metrics.pictures} pictures | mse | a face is found in |\n|---|---|---|")
    for name, pictures in rows.items():
        print(f"| {name} | {squared_error(pictures, result.goals).mean():.4f} | {found(pictures):.2f} |")


if __name__ == "__main__":
    main(tyro.cli(Detection, description=__doc__))
