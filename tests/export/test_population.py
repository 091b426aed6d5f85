"""The picture of a population's history."""

from pathlib import Path

import pytest

from limner.export.curves import encode
from limner.export.population import population_history
from limner.training.population.history import Event, History
from limner.training.population.settings import PopulationConfig
from limner.training.presets import PRESETS

TINY = PRESETS["tiny"].config


@pytest.fixture
def history(tmp_path: Path) -> History:
    """Member 0 copies member 1 after the first round; member 2 collapses and is revived."""
    events = [Event(0, i, "started", 0, 1.0 + i / 2, 0.5) for i in range(3)]
    events += [
        Event(1, 0, "trained", 24, 1.0, 0.5, -0.9),
        Event(1, 1, "trained", 24, 1.5, 0.5, -0.4),
        Event(1, 2, "collapsed", 0, 2.0, 0.5, None, reason="the loss became NaN"),
        Event(1, 0, "copied", 24, 1.5, 0.5, -0.4, 1),
        Event(1, 0, "perturbed", 24, 1.2, 0.625),
        Event(1, 2, "revived", 24, 1.5, 0.5, -0.4, 1, "the loss became NaN"),
        Event(1, 2, "perturbed", 24, 1.875, 0.4),
        *(Event(2, i, "trained", 48, 1.0, 0.5, -0.3 + i / 10) for i in range(3)),
    ]
    return History(tmp_path, PopulationConfig(3).fitted(TINY), TINY, round=3, events=events)


def test_fitness_with_lineage_and_settings(history: History) -> None:
    figure = population_history(history)
    fitness, rate, entropy = figure.axes
    titles = [panel.get_title("left") for panel in figure.axes]
    assert titles == ["Minus the normalised Fréchet distance", "Learning rate", "Entropy cost"]
    pieces = [line.get_xydata().tolist() for line in fitness.lines]
    assert [[24, -0.9]] in pieces
    assert [[24, -0.4], [48, pytest.approx(-0.3)]] in pieces, "a copy goes on from its parent"
    assert len(fitness.texts) == 1, "an arrow from the last fitness of a member to its parent's"
    arrow = fitness.texts[0]
    assert (arrow.xy, arrow.xyann) == ((24, -0.4), (24, -0.9))  # type: ignore[attr-defined]
    assert rate.lines[0].get_xydata().tolist() == [[0, 1.0], [24, 1.0], [24, 1.2], [48, 1.0]]
    assert [panel.get_yscale() for panel in figure.axes] == ["linear", "log", "log"]
    assert entropy.get_ylim() == pytest.approx((0.3, 3.0))
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.texts] == ["member-00", "member-01", "member-02"]


def test_it_can_be_drawn_before_anything_was_measured(history: History) -> None:
    history.events = history.events[:3]
    assert encode(population_history(history), "png").startswith(b"\x89PNG")


def test_the_same_history_gives_the_same_bytes(history: History) -> None:
    first, second = (encode(population_history(history), "svg") for _ in range(2))
    assert first == second
    assert b"member-02" in first
