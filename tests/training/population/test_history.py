"""``population.json``."""

import json

import pytest

from limner.training.population.history import Copy, Event, History, read_history
from limner.training.population.settings import PopulationConfig


@pytest.fixture
def history(config, tmp_path):
    events = [Event(0, i, "started", 0, 1.0, 2.0) for i in range(3)]
    events += [Event(1, 1, "trained", 24, 1.0, 2.0, -0.5), Event(1, 2, "collapsed", 0, 1.0, 2.0, reason="NaN")]
    history = History(tmp_path, PopulationConfig(3).fitted(config), config, events=events)
    history.pending = [Copy(2, 1, "revived", 0.5, 0.25, "NaN")]
    history.save()
    return history


def test_it_is_read_as_it_was_written(history):
    assert read_history(history.folder) == history


def test_what_a_member_is_follows_from_its_events(history):
    assert (history.updates(0), history.updates(1), history.updates(2)) == (0, 1, 0)
    assert (history.fitness(0), history.fitness(1), history.fitness(2)) == (None, -0.5, None)
    assert history.verdict(0) is None
    assert history.verdict(2).reason == "NaN"
    assert history.best() == 1
    history.events += [Event(1, 2, "revived", 24, 1.0, 2.0, -0.5, 1), Event(1, 2, "perturbed", 24, 0.8, 1.6)]
    assert history.fitness(2) == -0.5
    assert history.state(2).settings == (0.8, 1.6)
    history.round = 2
    assert history.verdict(1) is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda values: values.pop("round"), "is damaged: 'round'"),
        (lambda values: values.update(schema=2), "has schema 2, this version of Limner reads 1"),
        (lambda values: values["history"].clear(), "members are missing"),
        (lambda values: values["history"][0].update(member=7), "members are missing, or unknown"),
        (lambda values: values["history"][0].update(frames=-1), "history.frames is -1"),
        (lambda values: values["population"].update(members=1), "population is 1"),
        (lambda values: values["pending"][0].update(learning_rate="x"), "pending.learning_rate is 'x'"),
    ],
)
def test_a_damaged_file_is_named(history, change, words):
    file = history.folder / "population.json"
    values = json.loads(file.read_text())
    change(values)
    file.write_text(json.dumps(values))
    with pytest.raises(ValueError, match=words) as raised:
        read_history(history.folder)
    assert str(file) in str(raised.value)
    file.write_text(file.read_text()[:-9])
    with pytest.raises(ValueError, match="is damaged"):
        read_history(history.folder)


def test_there_must_be_a_population(tmp_path):
    with pytest.raises(ValueError, match=r"holds no population: it has no population.json"):
        read_history(tmp_path)
