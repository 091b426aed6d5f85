"""Programs: round trips and validation."""

from __future__ import annotations

import dataclasses
import json
import pickle
from collections.abc import Callable
from copy import copy, deepcopy
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limner.programs.frame import Frame
from limner.programs.program import MAX_BYTES, Program, first_difference, load_alike, load_programs, save_programs
from limner.worlds import make_renderer
from limner.worlds.paint.settings import Space

TOY = {"name": "toy", "canvas": 32, "grid": 8, "sizes": [2.0, 4.0], "pressures": 4}
SPACE = make_renderer(TOY).actions


def random_program(seed: int, steps: int = 5, **changes: object) -> Program:
    actions = SPACE.sample(np.random.default_rng(seed), steps)
    actions[:1, SPACE.index("flag")] = 1
    return Program(TOY | changes, actions, seed)


def document(**changes: object) -> dict[str, object]:
    return json.loads(random_program(0).to_json()) | changes


@st.composite
def programs(draw: st.DrawFn) -> Program:
    rows = draw(st.lists(st.tuples(*(st.integers(0, size - 1) for size in SPACE.sizes)), max_size=12))
    actions = np.asarray(rows, np.int64).reshape(-1, len(SPACE))
    text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
    return Program(TOY, actions, draw(st.integers(0, 2**63 - 1)), draw(text), draw(text))


@given(programs())
@settings(max_examples=100, deadline=None)
def test_json_round_trip(program: Program) -> None:
    for one_line in (False, True):
        text = program.to_json(one_line)
        again = Program.from_json(text)
        assert again == program
        assert np.array_equal(again.actions, program.actions)
        assert (again.renderer, again.seed, again.agent, again.title) == (
            program.renderer,
            program.seed,
            program.agent,
            program.title,
        )
        assert again.to_json(one_line) == text
    assert "\n" not in program.to_json(one_line=True)


@given(st.lists(programs(), max_size=5))
@settings(max_examples=20, deadline=None)
def test_file_round_trip(tmp_path_factory: pytest.TempPathFactory, some: list[Program]) -> None:
    path = tmp_path_factory.mktemp("programs") / "programs.jsonl"
    save_programs(path, some)
    assert load_programs(path) == some
    assert len(path.read_text("utf-8").split("\n")) == len(some) + 1
    if some:
        some[0].save(path)
        assert Program.load(path) == some[0]


@pytest.mark.parametrize("duplicate", [copy, deepcopy, lambda program: pickle.loads(pickle.dumps(program))])
@pytest.mark.parametrize("steps", [0, 5])
def test_copies_are_equal_and_read_only(duplicate: Callable[[Program], Program], steps: int) -> None:
    program = random_program(1, steps)
    again = duplicate(program)
    assert again == program
    assert (again.renderer, again.seed) == (program.renderer, program.seed)
    assert not again.actions.flags.writeable
    with pytest.raises(dataclasses.FrozenInstanceError):
        again.seed = 3  # type: ignore[misc]


def test_the_file_is_readable() -> None:
    actions = [[1, 5 * 8 + 3, 2 * 8 + 7, 1, 3], [0, 9, 0, 0, 0]]
    text = Program(TOY, np.asarray(actions), 4, title="Two steps").to_json()
    assert text == (
        "{\n"
        '  "schema": 2,\n'
        '  "title": "Two steps",\n'
        '  "agent": "",\n'
        '  "seed": 4,\n'
        '  "renderer": {\n'
        '    "name": "toy",\n'
        '    "canvas": 32,\n'
        '    "grid": 8,\n'
        '    "sizes": [2.0, 4.0],\n'
        '    "pressures": 4\n'
        "  },\n"
        '  "columns": ["flag", "end x", "end y", "control x", "control y", "size", "pressure"],\n'
        '  "actions": [\n'
        '    ["paint", 3, 5, 7, 2, 1, 3],\n'
        '    ["jump",  1, 1]\n'
        "  ]\n"
        "}\n"
    )


def test_defaults_are_filled_in_and_parts_that_do_not_count_are_dropped() -> None:
    program = Program({"name": "toy"}, np.asarray([[0, 3, 60, 1, 2]]))
    assert program.renderer == make_renderer({"name": "toy"}).settings()
    assert program.actions.tolist() == [[0, 3, 0, 0, 0]]
    assert program == Program({"name": "toy"}, np.asarray([[0, 3, 0, 0, 0]]))
    with pytest.raises(ValueError, match="read-only"):
        program.actions[0, 0] = 1


@pytest.mark.parametrize("space", get_args(Space))
@given(seed=st.integers(0, 2**32), steps=st.integers(0, 12), color=st.booleans())
@settings(max_examples=10, deadline=None)
def test_json_round_trip_of_every_space_of_the_painter(space: str, seed: int, steps: int, color: bool) -> None:
    paint = {"name": "paint", "space": space, "grid": 7, "color": color}
    actions = make_renderer(paint).actions.sample(np.random.default_rng(seed), steps)
    program = Program(paint, actions)
    assert program.renderer["space"] == space
    for one_line in (False, True):
        again = Program.from_json(text := program.to_json(one_line))
        assert np.array_equal(again.actions, actions)
        assert again.to_json(one_line) == text


def test_a_frame_is_kept() -> None:
    framed = replace(random_program(1), frame=Frame(300, 200))
    for one_line in (False, True):
        text = framed.to_json(one_line)
        assert json.loads(text)["frame"] == {"width": 300, "height": 200}
        assert Program.from_json(text) == framed
    assert "frame" not in json.loads(random_program(1).to_json())


def test_programs_of_the_first_schema_are_read() -> None:
    program = random_program(2)
    old = json.loads(program.to_json()) | {"schema": 1}
    assert Program.from_json(json.dumps(old)) == program


def test_programs_differ_by_every_field() -> None:
    program = random_program(0)
    others = [
        Program(TOY | {"canvas": 40}, program.actions, 0),
        Program(TOY, program.actions[:-1], 0),
        Program(TOY, program.actions, 1),
        Program(TOY, program.actions, 0, agent="a"),
        Program(TOY, program.actions, 0, title="a"),
    ]
    assert len({program, *others}) == 6


ROW = ["paint", 3, 5, 7, 2, 1, 3]
SETTINGS = {"name": "toy"}
BAD_DOCUMENTS = [
    ([], "not a Limner program"),
    ({}, "not a Limner program"),
    ("text", "not a Limner program"),
    (document(schema=3), "upgrade"),
    (document(frame=[3, 2]), '"frame" must be an object with "width" and "height"'),
    (document(frame={"width": 3}), '"frame" must be an object'),
    (document(frame={"width": 3, "height": 0}), "the height of a frame must be an integer in 1 … 1000000, got 0"),
    (document(frame={"width": 2.5, "height": 2}), "the width of a frame must be"),
    (document(schema=0), "schema must be"),
    (document(schema=True), "schema must be"),
    (document(schema=1.0), "schema must be"),
    (document(schema="1"), "schema must be"),
    (document(brush="classic/pen"), "unknown key 'brush', perhaps of a newer version of Limner: a program has"),
    ({"schema": 1, "columns": [], "actions": []}, "no 'renderer'"),
    ({"schema": 1, "renderer": SETTINGS, "actions": []}, "no 'columns'"),
    ({"schema": 1, "renderer": SETTINGS, "columns": []}, "no 'actions'"),
    (document(renderer="toy"), "must be an object"),
    (document(renderer={}), "unknown renderer None"),
    (document(renderer={"name": "oil"}), "unknown renderer 'oil'"),
    (document(renderer={"name": ["toy"]}), r"unknown renderer \['toy'\]"),
    (document(renderer=TOY | {"canvas": 4}), "canvas is 4"),
    (document(renderer=TOY | {"canvas": "32"}), "renderer.canvas is '32': must be a whole number"),
    (
        document(renderer=TOY | {"ink": 4}),
        'unknown setting .ink. in "renderer", perhaps of a newer version of Limner: there are name, canvas',
    ),
    (document(columns=["flag"]), "columns are"),
    (document(columns=None), "columns are"),
    (document(actions={}), "must be a list"),
    (document(actions=[ROW, 5]), "step 1: an action is a list"),
    (document(actions=[[]]), "step 0: an action starts with"),
    (document(actions=[[1, 3, 5, 7, 2, 1, 3]]), "step 0: an action starts with"),
    (document(actions=[[["paint"], 3, 5, 7, 2, 1, 3]]), "step 0: an action starts with"),
    (document(actions=[ROW, ROW, ["paint", 3, 8, 7, 2, 1, 3]]), "step 2: 'end y' is 8, must be in 0 … 7"),
    (document(actions=[["paint", 3, 5, 7, -1, 1, 3]]), "step 0: 'control y' is -1"),
    (document(actions=[["paint", 3, 5, 7, 2, 2, 3]]), "step 0: 'size' is 2"),
    (document(actions=[["paint", 3, 5, 7, 2, 1, 10**30]]), "step 0: 'pressure' is 1000"),
    (document(actions=[["paint", 3, 5, 7, 2, 1, 3.0]]), "'pressure' must be a whole number"),
    (document(actions=[["paint", 3, 5, 7, 2, 1, True]]), "'pressure' must be a whole number"),
    (document(actions=[["paint", 3, 5, 7, 2, 1, "3"]]), "'pressure' must be a whole number"),
    (document(actions=[["paint", 3, 5, 7, 2, 1]]), "'pressure' is missing"),
    (document(actions=[["paint", 3, 5, 7, 2, 1, None]]), "'pressure' is missing"),
    (document(actions=[[*ROW, 1]]), "1 too many"),
    (document(actions=[["jump", 1, 1, 0]]), "1 too many"),
    (document(seed=-1), "seed must be an integer in 0 … 2"),
    (document(seed=2**63), "seed must be an integer in 0 … 2"),
    (document(seed=1.5), "seed must be an integer"),
    (document(seed=True), "seed must be an integer"),
    (document(title=5), "title must be text"),
    (document(agent=None), "agent must be text"),
    (document(title="\ud800"), "surrogate"),
    (document(seed=float("nan")), "seed must be an integer in .*, got nan"),
    (document(title=float("inf")), "title must be text, got inf"),
    (document(renderer=TOY | {"sizes": [float("inf")]}), "settings are not JSON"),
    (document(actions=[["paint", 3, 5, 7, 2, 1, float("nan")]]), "'pressure' must be a whole number, got nan"),
]


@pytest.mark.parametrize(("data", "message"), BAD_DOCUMENTS)
def test_bad_documents(data: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Program.from_json(json.dumps(data))


BAD_BYTES = [
    (b"", "not JSON"),
    (b"{", "not JSON"),
    (b"\x89PNG\r\n\x1a\n", "'utf-8' codec can't decode byte 0x89 in position 0"),
    (b'{"schema": 1, "seed": ' + b"9" * 5000 + b"}", "digits"),
    (b'{"schema": 1, "schema": 1}', "appears twice"),
    (b"[" * 200_000, "nested too deeply"),
    (b'{"schema": 1, "renderer": ' + b'{"a":' * 900 + b"1" + b"}" * 900 + b', "columns": [], "actions": []}', "."),
    (b" " * (MAX_BYTES + 1), "larger than"),
]


@pytest.mark.parametrize(("data", "message"), BAD_BYTES, ids=range(len(BAD_BYTES)))
def test_bad_files(tmp_path: object, data: bytes, message: str) -> None:
    path = f"{tmp_path}/program.json"
    with open(path, "wb") as file:
        file.write(data)
    with pytest.raises(ValueError, match=f"program.json.*{message}"):
        Program.load(path)


def test_a_byte_order_mark_is_fine(tmp_path: object) -> None:
    path = f"{tmp_path}/program.json"
    with open(path, "wb") as file:
        file.write(b"\xef\xbb\xbf" + random_program(1).to_json().encode())
    assert Program.load(path) == random_program(1)


def test_a_bad_line_is_named(tmp_path: object) -> None:
    path = f"{tmp_path}/programs.jsonl"
    good = random_program(0).to_json(one_line=True)
    with open(path, "w") as file:
        file.write(f"{good}\n\n{good}\n{json.dumps(document(schema=9))}\n")
    with pytest.raises(ValueError, match=r"programs\.jsonl, line 4: .*upgrade"):
        load_programs(path)


@pytest.mark.parametrize(
    ("actions", "message"),
    [
        (np.zeros((2, 5)), "integers"),
        (np.zeros((2, 4), np.int64), "5 parts"),
        (np.zeros(5, np.int64), "array"),
        (np.asarray([[0, 64, 0, 0, 0]]), "'end' is 64"),
    ],
)
def test_bad_arrays(actions: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Program(TOY, actions)


def test_settings_that_are_not_json() -> None:
    for value in (float("nan"), {1, 2}, np.zeros(2)):
        with pytest.raises(ValueError, match="not JSON"):
            Program(TOY | {"sizes": value}, np.zeros((0, 5), np.int64))


def test_programs_of_a_run_are_alike(tmp_path: object) -> None:
    path = f"{tmp_path}/programs.jsonl"
    some = [random_program(seed) for seed in range(3)]
    save_programs(path, some)
    settings = some[0].renderer
    assert load_alike(path, settings, 5) == some
    with pytest.raises(ValueError, match=r"programs\.jsonl: program 0 has 5 actions, this run has horizon=4"):
        load_alike(path, settings, 4)
    save_programs(path, [*some, random_program(3, canvas=40)])
    with pytest.raises(ValueError, match=r"program 3 has renderer\.canvas 40, this run 32"):
        load_alike(path, settings, 5)
    save_programs(path, [])
    with pytest.raises(ValueError, match=r"programs\.jsonl holds no program"):
        load_alike(path, settings, 5)


def test_the_first_setting_that_differs_is_named() -> None:
    assert first_difference({"name": "toy", "canvas": 32}, {"canvas": 32, "name": "toy", "grid": 8}) is None
    assert first_difference({"name": "toy", "canvas": 32}, {"name": "paint", "canvas": 64}) == "name"
    assert first_difference({"name": "toy", "canvas": 32}, {"name": "toy"}) == "canvas"
