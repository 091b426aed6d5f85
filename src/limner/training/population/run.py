"""Training a population: rounds of training, evaluation, exploit and explore. It can be continued after any kill.

Members are run folders ``member-00``, ``member-01`` … beside ``population.json``. In a round every member trains for
``round_frames`` more and is evaluated; then the worst copy the best and perturb their settings. After the last round
nobody copies.

Notable choices:
- Learning rate and entropy cost follow the schedules of the whole run, which rounds only divide.
- A checkpoint is copied only if it is intact and not older than what its member was last recorded with; and it is
  copied only to members that are worse, have collapsed, or have lost their own. So nobody good is ever rolled back.
"""

import logging
import shutil
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from limner.agents.checkpoint import list_checkpoints
from limner.files import hold
from limner.training import NonFiniteError
from limner.training.config import TrainingConfig
from limner.training.log import Record
from limner.training.population.history import FILE, Copy, Event, History, expect_no_population, read_history
from limner.training.population.members import align, assess, copy_checkpoint, folder_of, intact_checkpoint
from limner.training.population.settings import (
    PopulationConfig,
    choose_parents,
    frames_of_update,
    member_config,
    or_lowest,
)
from limner.training.population.team import Job, Team, make_team
from limner.worlds.validation import require

Report = Callable[[Record], None]
AfterRound = Callable[[History], None]
logger = logging.getLogger(__name__)


def train_population(
    config: TrainingConfig,
    population: PopulationConfig,
    folder: Path,
    report: Report | None = None,
    after_round: AfterRound | None = None,
) -> bool:
    """Train a population into ``folder``. True when it is complete, False when it was interrupted.

    ``config`` is what members have in common; its ``frames`` are those of each member. In one process members take
    turns, of a round each, or of an update each where they share a critic, and ``report`` is given the lines of their
    logs; on Ray they train side by side. ``after_round`` is called when a round is complete. ``ValueError`` when
    population and configuration do not fit each other, when ``folder`` holds a population or a run, or another process
    is at work in it. ``NonFiniteError`` when no member is left to go on from.
    """
    population = population.fitted(config)
    expect_no_population(folder)
    rng = np.random.default_rng(population.seed)
    settings = [population.sample(rng) for _ in range(population.members)]
    events = [Event(0, i, "started", 0, *values) for i, values in enumerate(settings)]
    with hold(folder):
        history = History(folder, population, population.common(config), events=events)
        history.save()
        try:
            return _train(history, report, after_round)
        except Exception:
            if not any(folder_of(folder, i).exists() for i in range(population.members)):  # nothing has begun
                (folder / FILE).unlink()
            raise


def resume_population(
    folder: Path,
    limits: Mapping[str, Any] | None = None,
    report: Report | None = None,
    after_round: AfterRound | None = None,
) -> bool:
    """Continue the population in ``folder``; returns and raises as ``train_population``.

    ``limits`` are fields of ``RunConfig`` to change, ``frames`` or ``threads``. A member whose checkpoints are missing
    or damaged is revived from the best one. ``ValueError`` when there is no population, or no intact member.
    """
    require((folder / "population.json").exists(), f"{folder} holds no population to resume: it has no population.json")
    with hold(folder):
        history = read_history(folder)
        history.training = replace(history.training, run=replace(history.training.run, **(limits or {})))
        history.population.fitted(history.training)
        trained = max(history.updates(i) for i in range(history.population.members))
        fewer = f"frames is {history.training.run.frames}: members have taken more already; choose more"
        require(trained <= history.training.updates, fewer)
        history.save()
        return _train(history, report, after_round)


def _train(history: History, report: Report | None, after_round: AfterRound | None) -> bool:
    """Round after round."""
    if history.complete:
        return True
    with closing(make_team(history.training, history.population, report)) as team:
        while not history.complete:
            if not history.pending:
                _plan_revivals(history)
            if history.pending and not history.ends_round:
                _make_copies(history)
            if not history.ends_round:
                if not _train_round(history, team):
                    return False
                _plan_exploits(history)
            _make_copies(history)
            if after_round is not None:
                after_round(history)
    return True


def _train_round(history: History, team: Team) -> bool:
    """Have all members trained to the end of the round, but for those that are; False when it was interrupted."""
    population, until = history.population, history.population.round_end(history.training, history.round)
    logger.info("round %d of %d", history.round, population.rounds(history.training))
    jobs = [
        Job(i, _config(history, i), folder_of(history.folder, i), until)
        for i in range(population.members)
        if history.verdict(i) is None
    ]
    complete = True
    for job, outcome in team.train(jobs):
        if not outcome.finished:
            complete = False
            continue
        before = history.state(job.member)
        frames = until * frames_of_update(history.training)
        if outcome.failure is not None:
            event = replace(before, event="collapsed", fitness=None, reason=outcome.failure)
        else:
            assert population.fitness is not None, "as fitted"
            after = history.updates(job.member)
            value, collapse = assess(job.config, job.folder, population.fitness, after, until)
            kind: Any = "trained" if collapse is None else "collapsed"
            event = replace(before, event=kind, frames=frames, fitness=value, reason=collapse)
        event = replace(event, round=history.round, parent=None)
        history.events.append(event)
        history.save()
        _log(event)
    return complete


def _plan_revivals(history: History) -> None:
    """Plan to give a state to members that have still to train in this round and have lost theirs.

    One that is lost in the first round starts again. Those that share a critic go back to an update that all have.
    """
    training = [i for i in range(history.population.members) if history.verdict(i) is None]
    if history.population.shared_critic:
        align([folder_of(history.folder, i) for i in training], _least(history, 0))
    intact = _intact(history)
    for i in training:
        checkpoints = folder_of(history.folder, i) / "checkpoints"
        if i in intact:
            continue
        if _least(history, i):
            _plan_revival(history, i, intact, "its checkpoints are missing or damaged")
        elif list_checkpoints(checkpoints):
            shutil.rmtree(checkpoints)
    if history.pending:
        history.save()


def _plan_exploits(history: History) -> None:
    """Plan who copies whom at the end of the round; nobody does at the end of the last one."""
    population, members = history.population, range(history.population.members)
    fitness = [history.fitness(i) for i in members]
    until = population.round_end(history.training, history.round)
    stopped = [i for i in members if history.updates(i) < until]
    if len(stopped) == len(fitness):
        raise NonFiniteError(f"all members of {history.folder} have stopped: {history.state(stopped[0]).reason}")
    if history.round < population.rounds(history.training):
        rng = np.random.default_rng([population.seed, history.round])
        intact = _intact(history)
        for i, parent in sorted(choose_parents(fitness, intact, population.share, rng).items()):
            reason = history.state(i).reason if fitness[i] is None else None
            _plan(history, i, parent, reason)
        for i in stopped:  # nobody is healthy, but somebody has trained to the end of the round
            if all(copy.member != i for copy in history.pending):
                _plan_revival(history, i, [j for j in intact if j not in stopped], str(history.state(i).reason))
    history.ends_round = True
    history.save()


def _plan_revival(history: History, member: int, intact: list[int], reason: str) -> None:
    """Plan to revive a member from the best of those that are ``intact``; ``ValueError`` when there are none."""

    def rank(i: int) -> tuple[float, bool, int]:
        """Best first; an original before its copies."""
        return -or_lowest(history.fitness(i)), history.state(i).event == "perturbed", i

    others = sorted((i for i in intact if i != member), key=rank)
    nobody = (
        f"{folder_of(history.folder, member)}: {reason}; and no other member has an intact checkpoint to go on from"
    )
    require(len(others) > 0, f"{nobody}: start a new population, or one from an older agent with --start")
    _plan(history, member, others[0], reason)


def _plan(history: History, member: int, parent: int, reason: str | None) -> None:
    """Plan a copy; its settings are perturbed."""
    population = history.population
    rng = np.random.default_rng([population.seed, history.round, member])
    settings = population.perturb(history.state(parent).settings, rng)
    history.pending.append(Copy(member, parent, "copied" if reason is None else "revived", *settings, reason))


def _make_copies(history: History) -> None:
    """Make the pending copies, from the start; then the round is complete, if it ends with them."""
    made = []
    for i, copy in enumerate(history.pending):
        updates = history.updates(copy.parent)
        source = intact_checkpoint(folder_of(history.folder, copy.parent), updates)
        if source is None:
            _replace(history, i, f"{folder_of(history.folder, copy.parent)} is damaged")
            return _make_copies(history)
        config = member_config(history.training, copy.member, copy.settings)
        seed = int(np.random.SeedSequence([history.population.seed, history.round, copy.member]).generate_state(1)[0])
        copy_checkpoint(source, folder_of(history.folder, copy.member), config, seed)
        made.append((copy, int(source.name) * frames_of_update(history.training)))
    for copy, frames in made:
        parent = history.state(copy.parent)
        taken = replace(parent, round=history.round, member=copy.member, event=copy.event, frames=frames)
        fitness, verdict = history.fitness(copy.parent), history.verdict(copy.parent)
        taken = replace(taken, fitness=fitness, parent=copy.parent, reason=copy.reason)
        changed = replace(taken, event="perturbed", parent=None, reason=None, fitness=None)
        _log(taken)
        history.events += [taken, replace(changed, **copy.settings._asdict())]
        if verdict is not None and not history.ends_round:  # its parent has trained in this round, so it has
            history.events.append(replace(verdict, member=copy.member, **copy.settings._asdict()))
    history.pending = []
    if history.ends_round:
        history.round, history.ends_round = history.round + 1, False
    history.save()


def _replace(history: History, index: int, reason: str) -> None:
    """Plan a pending copy anew: its parent can no longer be copied."""
    copy = history.pending.pop(index)
    receivers = {other.member for other in history.pending}
    intact = [i for i in _intact(history) if i not in receivers]
    _plan_revival(history, copy.member, intact, copy.reason or reason)
    history.save()


def _intact(history: History) -> list[int]:
    """Members with an intact checkpoint that is not older than what they were last recorded with."""
    members = range(history.population.members)
    return [i for i in members if intact_checkpoint(folder_of(history.folder, i), _least(history, i)) is not None]


def _least(history: History, member: int) -> int:
    """Updates below which a checkpoint of a member is too old to go on from: with a shared critic as for any member."""
    sharing = range(history.population.members) if history.population.shared_critic else [member]
    return max(history.updates(i) for i in sharing)


def _config(history: History, member: int) -> TrainingConfig:
    return member_config(history.training, member, history.state(member).settings)


def _log(event: Event) -> None:
    """Tell of an event."""
    text = event.event if event.parent is None else f"{event.event} from member-{event.parent:02d}"
    measured = "" if event.fitness is None else f", fitness {event.fitness:.4g}"
    settings = f"learning rate ×{event.learning_rate:.3g}, entropy cost ×{event.entropy_cost:.3g}"
    why = "" if event.reason is None else f" ({event.reason})"
    logger.info("member-%02d %s: %d frames%s, %s%s", event.member, text, event.frames, measured, settings, why)
