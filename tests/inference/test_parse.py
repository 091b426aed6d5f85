import json
from dataclasses import replace

import numpy as np
import pytest

from limner.agents.agent import load_agent
from limner.inference import draw as drawing
from limner.inference import parse as parsing
from limner.inference.draw import SEARCHED, DrawOptions, draw
from limner.inference.parse import parse
from limner.metrics.reconstruction import squared_error
from limner.programs.execution import execute
from limner.programs.program import load_alike, load_programs

COUNT, BATCH = 10, 4
OPTIONS = DrawOptions(seed=7)
SWEEPS = DrawOptions(sweeps=1)


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    monkeypatch.setattr(drawing, "BATCH", BATCH)


@pytest.fixture(scope="module")
def data(digits):
    return digits.spread(COUNT)


@pytest.fixture(scope="module")
def complete(conditional_agent, data, tmp_path_factory):
    """The bytes of a file that was written without an interruption."""
    path = tmp_path_factory.mktemp("parsed") / "programs.jsonl"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drawing, "BATCH", BATCH)
        parse(conditional_agent, data, path, OPTIONS)
    return path.read_bytes()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "programs.jsonl"


def drawn(agent, data, options=OPTIONS):
    return [program for part in draw(agent, data.pictures(64), options) for program in part.programs]


def test_line_i_is_the_program_of_picture_i(conditional_agent, data, path, complete):
    told = []
    error = parse(conditional_agent, data, path, OPTIONS, report=lambda *done: told.append(done))
    assert path.read_bytes() == complete
    assert told == [(4, 10), (8, 10), (10, 10)]
    programs = load_programs(path)
    assert [program.title for program in programs] == [f"mnist-5k {i}" for i in range(COUNT)]
    assert [replace(program, title="") for program in programs] == drawn(conditional_agent, data)
    pictures = np.stack([execute(program) for program in programs])
    assert error == pytest.approx(squared_error(pictures, data.pictures(64)).mean())


def test_it_is_what_imitation_reads(conditional_agent, data, path, complete):
    path.write_bytes(complete)
    settings, horizon = conditional_agent.config.make_renderer(1).settings(), conditional_agent.config.horizon
    programs = load_alike(path, settings, horizon)
    assert np.stack([program.actions for program in programs]).shape == (COUNT, horizon, 5)


@pytest.mark.parametrize("held", [0, 1, 3, 4, 5, 9])
@pytest.mark.parametrize("cut", [0, 1, 30, -1])
def test_an_interrupted_file_becomes_what_it_would_have_been(conditional_agent, data, path, complete, held, cut):
    """Whether or not it ends with a whole line, or a whole batch."""
    lines = complete.splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:held]) + lines[held][:cut])
    told = []
    error = parse(conditional_agent, data, path, OPTIONS, report=lambda *done: told.append(done))
    assert path.read_bytes() == complete
    assert told == [done for done in ((4, 10), (8, 10), (10, 10)) if done[0] > held]
    pictures = np.stack([execute(program) for program in load_programs(path)])
    assert error == pytest.approx(squared_error(pictures, data.pictures(64))[held:].mean()), "of those made now"


def test_every_batch_is_in_the_file_when_it_is_reported(conditional_agent, data, path):
    def stop(done, total):
        raise KeyboardInterrupt

    for written in (4, 8, 10):
        with pytest.raises(KeyboardInterrupt):
            parse(conditional_agent, data, path, report=stop)
        assert len(load_programs(path)) == written


def test_a_complete_file_is_left_alone(conditional_agent, data, path, complete, monkeypatch):
    path.write_bytes(complete)
    monkeypatch.setattr(parsing, "draw", None)
    assert np.isnan(parse(conditional_agent, data, path, OPTIONS))
    assert path.read_bytes() == complete


def test_with_search(conditional_agent, data, path):
    error = parse(conditional_agent, data, path, SWEEPS)
    programs = load_programs(path)
    assert [program.title for program in programs] == [f"mnist-5k {i}" for i in range(COUNT)]
    assert [program.seed for program in programs] == [0] * SEARCHED + [SEARCHED] * (COUNT - SEARCHED)
    pictures = np.stack([execute(program) for program in programs])
    assert error == pytest.approx(squared_error(pictures, data.pictures(64)).mean())
    assert [replace(program, title="") for program in programs] == drawn(conditional_agent, data, SWEEPS)


def test_an_interrupted_search_becomes_what_it_would_have_been(conditional_agent, data, path):
    parse(conditional_agent, data, path, SWEEPS)
    searched = path.read_bytes()
    path.write_bytes(b"".join(searched.splitlines(keepends=True)[:9]))
    parse(conditional_agent, data, path, SWEEPS)
    assert path.read_bytes() == searched


def test_with_seconds_programs_that_were_found_stay(conditional_agent, data, path):
    options = DrawOptions(seconds=1e-9)
    parse(conditional_agent, data, path, options)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:9]))
    parse(conditional_agent, data, path, options)
    assert path.read_bytes().splitlines(keepends=True)[:9] == lines[:9]
    assert load_programs(path)[9].seed == SEARCHED


def test_pictures_that_differ_in_name_are_not_mixed(conditional_agent, data, path):
    parse(conditional_agent, data, path, name="mnist-5k test 10/1000")
    assert load_programs(path)[3].title == "mnist-5k test 10/1000 3"
    with pytest.raises(ValueError, match="line 1, is a program of 'mnist-5k test 10/1000 0'"):
        parse(conditional_agent, data, path)


# --- What is refused ---------------------------------------------------------------------------------------------


def refused(agent, data, path, words):
    before = path.read_bytes()
    with pytest.raises(ValueError, match=words) as caught:
        parse(agent, data, path, OPTIONS)
    assert path.read_bytes() == before
    assert str(path) in str(caught.value)
    assert "choose another --out" in str(caught.value)


@pytest.mark.parametrize("text", ["thesis", "thesis\n", "thesis\nchapter", '{"schema":1}\n', "\n", "\xff\n", "\xff"])
def test_a_file_of_something_else_is_left_as_it_is(conditional_agent, data, path, text):
    path.write_bytes(text.encode("latin-1"))
    refused(conditional_agent, data, path, "line 1")


@pytest.mark.parametrize("held", [0, 3])
def test_the_end_must_be_that_of_the_next_program(conditional_agent, data, path, complete, held):
    lines = complete.splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:held]) + b"chapter 1")
    refused(conditional_agent, data, path, f"line {held + 1}, is no program that was cut short")
    path.write_bytes(b"".join(lines[:held]) + lines[held + 1][:-1])
    refused(conditional_agent, data, path, f"line {held + 1}, is no program that was cut short")


def test_programs_of_another_agent_data_set_or_order(conditional_agent, data, path, complete):
    path.write_bytes(complete)
    other = r"line 1, is a program of 'mnist-5k 0' by 'conditional', not of"
    refused(replace(conditional_agent, name="other"), data, path, f"{other} 'mnist-5k 0' by 'other'")
    more = data.select(np.arange(3))
    more.name = "omniglot"
    refused(conditional_agent, more, path, f"{other} 'omniglot 0' by 'conditional'")
    refused(conditional_agent, data.select(np.arange(3)), path, "holds 10 programs, the data set 3 pictures")
    lines = complete.splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[2])
    refused(conditional_agent, data, path, "line 2, is a program of 'mnist-5k 2'")
    path.write_bytes(lines[0] + b"\n" + lines[1])
    refused(conditional_agent, data, path, "line 2")


def test_programs_of_an_agent_of_that_name_with_other_settings(conditional_agent, data, path, complete):
    good = json.loads(complete.splitlines()[0])
    for changed in ({"renderer": good["renderer"] | {"pressures": 3}}, {"actions": good["actions"][:-1]}):
        path.write_text(json.dumps(good | changed) + "\n")
        refused(conditional_agent, data, path, "line 1, is a program with other settings than 'conditional' has")


def test_an_unconditional_agent_writes_nothing(unconditional_folder, data, path):
    with pytest.raises(ValueError, match="use limner sample"):
        parse(load_agent(str(unconditional_folder)), data, path)
    assert not path.exists()
