from dataclasses import replace

import numpy as np
import pytest
import torch

from limner.agents.checkpoint import restore_checkpoint, save_checkpoint
from limner.agents.rollout import collect
from limner.data import load_dataset
from limner.data.picture_source import PictureSource
from limner.programs.program import Program, execute_all, save_programs
from limner.training.config import ImitationConfig, LearningConfig, PolicyConfig
from limner.training.imitation.trainer import FOREBEARS, Imitation, read_actions
from limner.training.presets import PRESETS
from limner.training.run import ReconstructionEvaluation
from limner.worlds.observation import Observation, preprocess

TINY = replace(
    PRESETS["tiny"],
    conditional=True,
    batch=16,
    renderer=replace(PRESETS["tiny"].renderer, space="stroke", grid=16),
    imitation=ImitationConfig(teacher="search", tries=4, memory=64, batch=8, steps=2),
)
RANDOM = replace(TINY, imitation=replace(TINY.imitation, teacher="random"))


def programs(config, path, count=20, seed=0):
    """A file of random programs for ``config``; returns their actions int64[count, T, P]."""
    renderer = config.make_renderer(1)
    actions = renderer.actions.sample(np.random.default_rng(seed), (count, config.steps))
    save_programs(path, [Program(renderer.settings(), rows) for rows in actions])
    return actions


@pytest.fixture
def prior(tmp_path):
    """A configuration that learns from a file of programs."""
    config = replace(TINY, conditional=False, imitation=ImitationConfig())
    programs(config, tmp_path / "programs.jsonl")
    imitation = ImitationConfig(teacher="programs", programs=str(tmp_path / "programs.jsonl"), batch=8, steps=2)
    return replace(config, imitation=imitation)


@pytest.fixture
def pupil(source, tmp_path):
    """A configuration that learns from an agent with targets."""
    master = replace(TINY, temperature=0.0)
    agent = save_checkpoint(tmp_path / "agent", Imitation(master, source), {})
    return replace(master, imitation=ImitationConfig(teacher="agent", agent=str(agent), batch=8, steps=8))


def state(training):
    named = {f"policy {key}": value for key, value in training.policy_learner.policy.state_dict().items()}
    named |= {f"average {key}": value for key, value in training.policy_learner.average.state_dict().items()}
    named |= {f"random {name}": generator.get_state() for name, generator in training.generators.items()}
    named |= training.tensors()
    return {name: value.clone() for name, value in named.items()} | {"counters": training.counters()}


def different(a, b):
    assert a.keys() == b.keys()
    return [name for name in a if not (torch.equal(a[name], b[name]) if name != "counters" else a[name] == b[name])]


@pytest.mark.parametrize("kind", ["search", "random", "programs", "agent"])
def test_one_thread_and_two_give_the_same_run_and_so_does_resuming(kind, source, prior, pupil, tmp_path):
    config = {"search": TINY, "random": RANDOM, "programs": prior, "agent": pupil}[kind]
    whole, threaded = (Imitation(replace(config, threads=threads), source) for threads in (1, 2))
    for i in range(4):
        for training in (whole, threaded):
            training.update(i / 4)
    assert different(state(whole), state(threaded)) == []
    first = Imitation(config, source)
    for i in range(2):
        first.update(i / 4)
    checkpoint = save_checkpoint(tmp_path / "checkpoints", first, {})
    second = Imitation(config, source)
    restore_checkpoint(checkpoint, second)
    for i in range(2, 4):
        second.update(i / 4)
    assert different(state(whole), state(second)) == []
    assert whole.frames == 4 * config.steps * config.batch


def test_the_lessons_fill_whole_batches_whatever_their_sizes(source, tmp_path):
    """So that it does not matter for a resumed run where in the ring the last ones went."""
    config = replace(TINY, imitation=replace(TINY.imitation, batch=5, steps=4, tries=1))
    whole = Imitation(config, source)
    for i in range(3):
        whole.update(i / 3)
    first = Imitation(config, source)
    for i in range(2):
        first.update(i / 3)
    second = Imitation(config, source)
    restore_checkpoint(save_checkpoint(tmp_path / "checkpoints", first, {}), second)
    second.update(2 / 3)
    assert len(whole.lessons) == 32
    assert different(state(whole), state(second)) == []


def painted(training, advice):
    """The pictures of lessons' advice ``int32[N, T, P]``, as seen."""
    settings = training.renderer.settings()
    pictures = np.stack(execute_all([Program(settings, rows.numpy()) for rows in advice]))
    return preprocess(torch.from_numpy(pictures), training.config.resolution)


@pytest.mark.parametrize("config", [RANDOM, replace(TINY, imitation=replace(TINY.imitation, dreams=1.0))])
def test_the_advice_of_dreams_and_random_programs_paints_their_targets(config, source):
    training = Imitation(config, source)
    training.update(0.0)
    lessons = training.lessons
    torch.testing.assert_close(painted(training, lessons.advice), lessons.target / 255, atol=0.51 / 255, rtol=0)
    assert len(torch.unique(lessons.target, dim=0)) == len(lessons)


@pytest.mark.parametrize("slips", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("kind", ["search", "agent"])
def test_so_many_actions_slip_and_the_canvas_shows_it(kind, slips, source, pupil):
    config = {"search": TINY, "agent": pupil}[kind]
    training = Imitation(replace(config, imitation=replace(config.imitation, slips=slips, steps=16)), source)
    training.update(0.0)
    lessons = training.lessons
    slipped = (lessons.actions != lessons.advice).any(-1)
    assert 0.7 * slips <= slipped.float().mean() <= slips  # a slip may change nothing
    before_last = painted(training, lessons.actions[:, :-1])
    torch.testing.assert_close(before_last, lessons.ink[:, -1] / 255, atol=0.51 / 255, rtol=0)


def test_what_is_found_is_remembered_with_its_picture(source):
    """Without dreams and slips, lessons are the programs found, on the way to the pictures that they were found for."""
    settings = replace(TINY.imitation, dreams=0.0, slips=0.0, memory=24)
    training = Imitation(replace(TINY, imitation=settings), source)
    for _ in range(3):
        training.update(0.0)
    assert training.found == 4 * TINY.batch
    assert (training.known != 0).any(-1).any(-1).all()
    pictures = preprocess(source.take(training.rows), TINY.resolution)
    known = painted(training, training.known)
    empty = pictures.square().mean((1, 2, 3))
    other = (known - pictures.roll(1, 0)).square().mean((1, 2, 3))
    closer = (known - pictures).square().mean((1, 2, 3))
    assert closer.mean() < 0.9 * empty.mean()
    assert closer.mean() < 0.7 * other.mean()
    last = {rows.numpy().tobytes() for rows in training.known}
    assert sum(rows.numpy().tobytes() in last for rows in training.lessons.advice) > len(training.lessons) / 4


def test_later_programs_of_a_prior_descend_from_those_of_similar_pictures(source):
    """With no sweeps they are the very programs, and there are no more than chance made up."""
    settings = replace(TINY.imitation, dreams=0.0, slips=0.0, memory=256, sweeps=0)
    training = Imitation(replace(TINY, conditional=False, opening=0.8, batch=32, imitation=settings), source)
    for _ in range(5):
        training.update(0.0)
    assert training.found == 6 * 32
    first, later = training.known[:FOREBEARS], training.known[FOREBEARS : training.found]
    pictures = preprocess(source.take(training.rows), TINY.resolution).flatten(1)
    nearest = torch.cdist(pictures[FOREBEARS : training.found], pictures[: training.found - 32])
    for i, row in enumerate(later[:32]):
        assert torch.equal(row, first[nearest[i, :FOREBEARS].argmin()])
    assert {row.numpy().tobytes() for row in later} <= {row.numpy().tobytes() for row in first}
    assert len(torch.unique(later, dim=0)) > 8


@pytest.mark.parametrize("conditional", [True, False])
def test_dreams_are_retouched_only_where_their_picture_is_the_target(conditional, source):
    """Without a target, a stroke that leans on no other would be learnt as right."""
    settings = replace(TINY.imitation, dreams=1.0, slips=0.0)
    training = Imitation(replace(TINY, conditional=conditional, imitation=settings), source)
    training.update(0.0)
    widths = [training.renderer.actions.index(name) for name in ("size", "pressure")]
    known = {rows.numpy().tobytes() for rows in training.known[: training.found, :, widths]}
    dreamt = [rows.numpy().tobytes() in known for rows in training.lessons.advice[..., widths]]
    assert all(dreamt) != conditional


def test_what_search_finds_is_learnt():
    """From random strokes to pictures that are closer to unseen digits than an empty canvas."""
    config = replace(
        TINY,
        batch=32,
        resolution=32,
        policy=PolicyConfig(network="pointer", channels=8, hidden=64, noise=0),
        imitation=replace(TINY.imitation, tries=8, memory=512, batch=32, steps=8),
        learning=LearningConfig(learning_rate=3e-3, entropy_cost=0.0, average=0.5),
        temperature=0.0,
    )
    training = Imitation(config, PictureSource(load_dataset().spread(500), 64))
    evaluation = ReconstructionEvaluation(config, load_dataset(split="test"), count=50)
    empty = evaluation.reference_rows()["empty"]["mse"]
    first = evaluation.measure(training)["eval/mse"]
    metrics = [training.update(i / 25) for i in range(25)]
    last = evaluation.measure(training)["eval/mse"]
    assert first > empty
    assert last < 0.9 * empty
    assert metrics[-1]["policy/nll"] < metrics[0]["policy/nll"] - 2
    assert metrics[-1]["search/distance"] < metrics[0]["search/distance"]


def test_programs_become_likely(prior, source):
    config = replace(
        prior,
        imitation=replace(prior.imitation, steps=10),
        learning=LearningConfig(learning_rate=1e-2, entropy_cost=0.0, average=0.5),
    )
    training = Imitation(config, source)
    assert len(training.lessons) == 20
    metrics = [training.update(0.0) for _ in range(20)]
    assert metrics[-1]["policy/nll"] < 0.5 * metrics[0]["policy/nll"]
    known = {
        rows.tobytes() for rows in read_actions(config.imitation.programs, training.renderer.settings(), 3).numpy()
    }
    collect(training.renderer, training.policy_learner.average, training.episodes, torch.Generator(), temperature=0.0)
    drawn = [rows.numpy().tobytes() for rows in training.episodes.actions.transpose(0, 1).contiguous()]
    assert sum(rows in known for rows in drawn) > len(drawn) / 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": 4}, "program 0 has 3 actions, this run has steps=4"),
        (
            {"renderer": replace(TINY.renderer, brush="classic/calligraphy")},
            "program 0 has renderer.brush 'classic/pen'",
        ),
    ],
)
def test_programs_of_another_run_are_refused(change, message, prior, source):
    with pytest.raises(ValueError, match=message):
        Imitation(replace(prior, **change), source)


def test_an_empty_file_of_programs_is_refused(prior, source, tmp_path):
    (tmp_path / "none.jsonl").write_text("")
    with pytest.raises(ValueError, match=r"none\.jsonl holds no program"):
        Imitation(replace(prior, imitation=replace(prior.imitation, programs=str(tmp_path / "none.jsonl"))), source)


@pytest.mark.parametrize("conditional", [True, False])
def test_an_agent_is_asked_about_the_canvas_as_it_is(conditional, source, pupil):
    """After a slip as well: the advice is what the agent would do there, for the picture that it draws."""
    training = Imitation(replace(pupil, conditional=conditional), source)
    advice, done = training._demonstrate()
    observation = Observation(*(x.flatten(0, 1) for x in training.sketches.observations()))
    answer = training.teacher.policy.act(observation, None, torch.Generator(), temperature=0.0).actions
    assert torch.equal(answer, advice.flatten(0, 1))
    assert not torch.equal(done, advice)
    training.update(0.0)
    assert training.lessons.target.shape[1] == conditional


def test_an_agent_is_imitated(source, pupil):
    config = replace(pupil, learning=LearningConfig(learning_rate=3e-3, entropy_cost=0.0, average=0.5))
    training = Imitation(config, source)
    surprises = [training.update(0.0)["policy/nll"] for _ in range(20)]
    assert surprises[-1] < 0.7 * surprises[0]


def test_an_agent_that_cannot_teach_is_refused(source, pupil, tmp_path):
    with pytest.raises(ValueError, match=r"renderer\.brush 'classic/pen': this run has 'classic/calligraphy'"):
        Imitation(replace(pupil, renderer=replace(TINY.renderer, brush="classic/calligraphy")), source)
    alone = replace(pupil, conditional=False)
    folder = str(save_checkpoint(tmp_path / "alone", Imitation(alone, source), {}))
    with pytest.raises(ValueError, match="which draws without targets"):
        Imitation(replace(pupil, imitation=replace(pupil.imitation, agent=folder)), source)


def test_imitation_on_a_gpu_is_refused(source):
    with pytest.raises(ValueError, match="imitation works on the CPU only; use --device cpu"):
        Imitation(replace(TINY, device="cuda"), source)
