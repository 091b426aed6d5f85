"""Populations: rounds, lineage, collapse, damage, and kills at every moment."""

import json
import logging
import shutil
from dataclasses import replace

import pytest
from kills import Killed, kill_before

from limner.agents.checkpoint import list_checkpoints
from limner.files import hold
from limner.training import NonFiniteError
from limner.training.population.history import read_history
from limner.training.population.members import folder_of
from limner.training.population.run import resume_population, train_population
from limner.training.population.settings import PopulationConfig

pytestmark = pytest.mark.usefixtures("script")
FOUR = PopulationConfig(4, round_frames=24)


def events(folder, round=None):
    """Short forms of the events, of a round."""
    found = read_history(folder).events
    return [
        f"{event.member} {event.event}" + (f" {event.parent}" if event.parent is not None else "")
        for event in found
        if round in (None, event.round)
    ]


def damage(folder):
    """Damage all checkpoints of a run."""
    for path in list_checkpoints(folder / "checkpoints"):
        (path / "state.safetensors").write_bytes(b"nonsense")


def state(folder, weight, members=4):
    """Everything that must not depend on kills."""
    history = read_history(folder)
    return history.events, [weight(folder_of(folder, i)) for i in range(members)]


def test_in_a_round_all_train_and_the_worst_copies_the_best(config, script, tmp_path, weight):
    rounds = []
    assert train_population(config, FOUR, tmp_path, after_round=lambda history: rounds.append(history.round))
    assert rounds == [2, 3, 4, 5]
    assert events(tmp_path, 0) == ["0 started", "1 started", "2 started", "3 started"]
    trained = ["0 trained", "1 trained", "2 trained", "3 trained"]
    for round in (1, 2, 3):
        assert events(tmp_path, round) == [*trained, "0 copied 3", "0 perturbed"]
    assert events(tmp_path, 4) == trained, "after the last round nobody copies"
    history = read_history(tmp_path)
    assert [event.fitness for event in history.events if event.event == "copied"] == [pytest.approx(-0.7)] * 3
    assert history.complete
    assert history.best() == 3
    seeds = [json.loads((folder_of(tmp_path, i) / "config.json").read_text())["run"]["seed"] for i in range(4)]
    assert seeds == [0, 1, 2, 3]
    assert weight(folder_of(tmp_path, 0)) != weight(folder_of(tmp_path, 3))


def test_a_copy_trains_on_from_its_parent_with_perturbed_settings(config, script, tmp_path, weight):
    train_population(config, FOUR, tmp_path)
    copied, perturbed = [event for event in read_history(tmp_path).events if event.round == 3][-2:]
    assert (copied.event, perturbed.event) == ("copied", "perturbed")
    before = read_history(tmp_path).last(3, lambda event: event.round == 3)
    assert copied.settings == before.settings
    for new, old in zip(perturbed.settings, copied.settings, strict=True):
        assert any(new == pytest.approx(min(max(old * factor, 0.3), 3.0)) for factor in (0.8, 1.25))
    last = {name: rate for name, until, rate in script.trained if until == 4}
    assert last["member-00"] == pytest.approx(perturbed.learning_rate * config.learning.learning_rate)
    parent = (weight(folder_of(tmp_path, 3)) - last["member-03"] * 1000 - 3) / 2
    assert weight(folder_of(tmp_path, 0)) == pytest.approx(parent * 2 + last["member-00"] * 1000, rel=1e-5)


def test_the_same_seed_gives_the_same_population(config, tmp_path, weight):
    for name in ("a", "b"):
        train_population(config, FOUR, tmp_path / name)
    assert state(tmp_path / "a", weight) == state(tmp_path / "b", weight)
    train_population(config, replace(FOUR, seed=1), tmp_path / "c")
    assert state(tmp_path / "a", weight) != state(tmp_path / "c", weight)


def test_a_population_may_be_killed_at_any_moment(config, script, tmp_path, weight, monkeypatch):
    config, population = replace(config, run=replace(config.run, frames=72)), replace(FOUR, members=3)
    script.frechet = lambda name, until: 1.0 + ((int(name[-2:]) + until) % 3) / 10
    script.stops.add(("member-01", 2))
    train_population(config, population, tmp_path / "whole")
    whole = state(tmp_path / "whole", weight, 3)
    assert {event.event for event in whole[0]} >= {"copied", "revived", "collapsed"}
    for number in range(2, 1000):
        folder = tmp_path / str(number)
        with monkeypatch.context() as patch:
            count = kill_before(patch, number)
            try:
                train_population(config, population, folder)
                break
            except Killed:
                pass
        assert count[0] == number
        assert resume_population(folder)
        assert state(folder, weight, 3) == whole, number
        shutil.rmtree(folder)
    assert number > 40


def test_a_population_may_be_killed_again_and_again(config, script, tmp_path, weight, monkeypatch):
    train_population(config, FOUR, tmp_path / "whole")
    for attempt in range(1000):
        with monkeypatch.context() as patch:
            kill_before(patch, 9)
            try:
                done = resume_population(tmp_path / "a") if attempt else train_population(config, FOUR, tmp_path / "a")
                break
            except Killed:
                pass
    assert done
    assert attempt > 5
    assert state(tmp_path / "a", weight) == state(tmp_path / "whole", weight)


def test_a_member_that_an_interruption_kept_from_finishing_goes_on(config, script, tmp_path, monkeypatch):
    honest = script.train

    def train(config, folder, *rest):
        return honest(config, folder, *rest) if folder.name != "member-02" else False

    monkeypatch.setattr("limner.training.population.members.train", train)
    assert not train_population(config, FOUR, tmp_path)
    assert events(tmp_path, 1) == ["0 trained", "1 trained"], "the others wait"
    monkeypatch.setattr("limner.training.population.members.train", honest)
    assert resume_population(tmp_path)
    assert [name for name, until, _ in script.trained if until == 1] == [f"member-0{i}" for i in range(4)]


def test_a_complete_population_is_left_alone_and_can_be_continued(config, script, tmp_path):
    train_population(config, FOUR, tmp_path)
    script.trained.clear()
    assert resume_population(tmp_path)
    assert script.trained == []
    assert resume_population(tmp_path, {"frames": 6 * 24})
    assert [until for _, until, _ in script.trained] == [5] * 4 + [6] * 4
    with pytest.raises(ValueError, match="frames is 72: members have taken more already"):
        resume_population(tmp_path, {"frames": 72})
    with pytest.raises(ValueError, match="minutes is 3: a population takes turns by frames"):
        resume_population(tmp_path, {"minutes": 3})


# --- Collapse ----------------------------------------------------------------------------------------------------


def test_a_member_that_stopped_is_revived_from_the_best(config, script, tmp_path):
    script.stops.add(("member-02", 2))
    train_population(config, FOUR, tmp_path)
    assert events(tmp_path, 2) == [
        *("0 trained", "1 trained", "2 collapsed", "3 trained"),
        *("2 revived 3", "2 perturbed"),
    ]
    collapsed = next(event for event in read_history(tmp_path).events if event.event == "collapsed")
    assert (collapsed.reason, collapsed.frames) == ("the loss became NaN", 24)
    assert "2 trained" in events(tmp_path, 3)


@pytest.mark.parametrize("what", [{"eval/empty": 1.0}, {"policy/entropy": 0.0}, {"eval/normalised_frechet": 1e400}])
def test_a_member_that_has_collapsed_is_revived_however_fit(config, script, tmp_path, what):
    script.extra["member-03", 1] = what
    train_population(config, FOUR, tmp_path)
    assert {"3 collapsed", "3 revived 2", "3 perturbed"} <= set(events(tmp_path, 1))


def test_where_all_have_collapsed_they_go_on_if_they_can(config, script, tmp_path):
    for i in range(4):
        script.extra[f"member-0{i}", 1] = {"eval/empty": 1.0}
    script.stops.add(("member-00", 1))
    assert train_population(config, FOUR, tmp_path)
    assert events(tmp_path, 1)[:4] == [f"{i} collapsed" for i in range(4)]
    assert events(tmp_path, 1)[4:] == ["0 revived 1", "0 perturbed"], "it has nothing to go on from"


def test_where_all_have_stopped_the_population_does(config, script, tmp_path):
    script.stops |= {(f"member-0{i}", 2) for i in range(4)}
    with pytest.raises(NonFiniteError, match=f"all members of {tmp_path} have stopped: the loss became NaN"):
        train_population(config, FOUR, tmp_path)


# --- Damage ------------------------------------------------------------------------------------------------------


def killed_in_round(number, config, folder, script, monkeypatch, before="member-00"):
    """A population that was killed when a member was about to train in a round."""
    honest = script.train

    def train(config, folder, *rest):
        if folder.name == before and rest[-1] == number:
            raise Killed
        return honest(config, folder, *rest)

    with monkeypatch.context() as patch:
        patch.setattr("limner.training.population.members.train", train)
        with pytest.raises(Killed):
            train_population(config, FOUR, folder)


def test_a_damaged_member_is_named_and_revived_from_the_best(config, script, tmp_path, monkeypatch, caplog, weight):
    killed_in_round(3, config, tmp_path, script, monkeypatch)
    damage(folder_of(tmp_path, 1))
    with caplog.at_level(logging.WARNING):
        assert resume_population(tmp_path)
    assert "member-01" in caplog.text
    assert events(tmp_path, 3)[:2] == ["1 revived 3", "1 perturbed"]
    revived = next(event for event in read_history(tmp_path).events if event.event == "revived")
    assert (revived.reason, revived.frames) == ("its checkpoints are missing or damaged", 48)


def test_a_member_that_is_gone_is_revived(config, script, tmp_path, monkeypatch):
    killed_in_round(3, config, tmp_path, script, monkeypatch)
    shutil.rmtree(folder_of(tmp_path, 3))
    assert resume_population(tmp_path)
    assert events(tmp_path, 3)[0] == "3 revived 0", "which has copied it"
    assert list_checkpoints(folder_of(tmp_path, 3) / "checkpoints")[-1].name == "00000004"


def test_a_member_is_not_rolled_back_to_an_older_checkpoint_of_its_own(config, script, tmp_path, monkeypatch):
    killed_in_round(3, config, tmp_path, script, monkeypatch)
    newest = list_checkpoints(folder_of(tmp_path, 2) / "checkpoints")
    assert [path.name for path in newest] == ["00000001", "00000002"]
    (newest[-1] / "agent.safetensors").write_bytes(b"nonsense")
    assert resume_population(tmp_path)
    assert events(tmp_path, 3)[0] == "2 revived 3"


def test_an_older_checkpoint_of_a_good_member_is_never_copied(config, script, tmp_path, monkeypatch):
    honest, best = script.train, folder_of(tmp_path, 3)

    def train(config, folder, *rest):
        done = honest(config, folder, *rest)
        if rest[-1] == 2 and folder == best:
            (best / "checkpoints" / "00000002" / "agent.safetensors").write_bytes(b"nonsense")
        return done

    monkeypatch.setattr("limner.training.population.members.train", train)
    assert train_population(config, FOUR, tmp_path)
    assert "0 copied 3" not in events(tmp_path, 2)
    assert events(tmp_path, 3)[:2] == ["3 revived 2", "3 perturbed"]


def test_a_member_lost_beside_one_that_has_finished_the_round_has_finished_it_too(
    config, script, tmp_path, monkeypatch
):
    script.frechet = lambda name, until: 1.0 + int(name[-2:]) / 10
    killed_in_round(3, config, tmp_path, script, monkeypatch, before="member-02")
    damage(folder_of(tmp_path, 2))
    assert resume_population(tmp_path)
    assert events(tmp_path, 3)[:6] == [
        *("0 trained", "1 trained", "2 revived 0", "2 perturbed", "2 trained", "3 trained"),
    ]
    assert read_history(tmp_path).complete


def test_a_member_lost_in_the_first_round_starts_again(config, script, tmp_path, monkeypatch, weight):
    train_population(config, FOUR, tmp_path / "whole")
    folder = tmp_path / "a"
    killed_in_round(1, config, folder, script, monkeypatch, before="member-02")
    (folder_of(folder, 2) / "checkpoints" / "00000001").mkdir(parents=True)
    assert resume_population(folder)
    assert state(folder, weight) == state(tmp_path / "whole", weight)


def test_without_an_intact_member_it_is_refused(config, script, tmp_path, monkeypatch):
    killed_in_round(3, config, tmp_path, script, monkeypatch)
    for i in range(4):
        damage(folder_of(tmp_path, i))
    with pytest.raises(ValueError, match=r"member-00: its checkpoints .* no other member has an intact checkpoint"):
        resume_population(tmp_path)


def test_a_parent_that_is_damaged_before_it_is_copied_is_replaced(config, script, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("limner.training.population.run.copy_checkpoint", lambda *rest, **named: kill())
        with pytest.raises(Killed):
            train_population(config, FOUR, tmp_path)
    assert [(copy.member, copy.parent) for copy in read_history(tmp_path).pending] == [(0, 3)]
    damage(folder_of(tmp_path, 3))
    assert resume_population(tmp_path)
    assert events(tmp_path, 1)[4:] == ["0 revived 2", "0 perturbed"]
    assert events(tmp_path, 2)[:2] == ["3 revived 2", "3 perturbed"]


def kill():
    raise Killed


# --- What is refused ---------------------------------------------------------------------------------------------


def test_nothing_is_written_where_something_cannot_work(config, tmp_path):
    with pytest.raises(ValueError, match="choose fewer for two rounds"):
        train_population(config, PopulationConfig(2, round_frames=96), tmp_path / "pop")
    assert not (tmp_path / "pop").exists()


def test_a_folder_that_is_in_use_is_left_alone(config, tmp_path):
    train_population(config, FOUR, tmp_path / "pop")
    with pytest.raises(ValueError, match="pop already holds a population: continue it with --resume"):
        train_population(config, FOUR, tmp_path / "pop")
    with pytest.raises(ValueError, match="member-00 already holds a run"):
        train_population(config, FOUR, folder_of(tmp_path / "pop", 0))
    with pytest.raises(ValueError, match="nothing holds no population to resume"):
        resume_population(tmp_path / "nothing")
    with hold(tmp_path / "pop"), pytest.raises(ValueError, match="another process is at work"):
        resume_population(tmp_path / "pop")
