"""Documents show what their program paints, after any changes, in any order, from any version."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from studio_programs import random_program

from limner.actions import IntArray
from limner.programs.execution import execute
from limner.programs.frame import Frame
from limner.programs.program import Program
from limner.studio import layers
from limner.studio.document import Document
from limner.studio.layers import LayeredPictures
from limner.studio.states import ExecutedPictures

ROUNDING = 3
"""Of 255: what blending by covers differs from painting at most."""


def opened(program: Program, size: int = 64) -> Document:
    document = Document(program, size)
    document.load()
    return document


def change(document: Document, edit: Callable[[IntArray], IntArray], note: str = "change") -> None:
    """A change of the actions alone."""
    document.change(lambda program: replace(program, actions=edit(program.actions)), note)


def assert_shows(document: Document, program: Program, counts: list[int] | None = None) -> None:
    """The document shows ``program`` after each of ``counts`` actions."""
    for count in range(len(program) + 1) if counts is None else counts:
        exact = execute(replace(program, actions=program.actions[:count]), document.size)
        apart = np.abs(document.picture(count).astype(int) - exact).max()
        assert apart <= ROUNDING, f"after {count} actions {apart} apart"


KINDS = {
    "layers": {},
    "grey layers": {"color": False},
    "on coloured paper": {"ground": "#3050a0"},
    "transparent": {"ground": "transparent"},
    "from the pen": {"space": "bezier"},
    "smudging": {"brush": "classic/dry_brush"},
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_step_is_shown(kind: str) -> None:
    program = random_program(9, **KINDS[kind])
    document = opened(program)
    if kind == "transparent":
        assert document.picture(9).shape[-1] == 3
    else:
        assert_shows(document, program)


def test_strokes_are_layers_only_where_they_do_not_depend_on_each_other() -> None:
    kinds = {name: type(opened(random_program(2, **changes))._pictures) for name, changes in KINDS.items()}
    layered = {name for name, kind in kinds.items() if kind is LayeredPictures}
    assert layered == {"layers", "grey layers", "on coloured paper"}


@pytest.mark.parametrize("brush", ["classic/pen", "classic/dry_brush"])
def test_any_changes_are_shown(brush: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With so few strokes between two keys that each way of repairing pictures is taken."""
    monkeypatch.setattr(layers, "COUNT", 3)
    space = random_program(1).space

    @settings(max_examples=12, deadline=None, derandomize=True)
    @given(st.data())
    def check(data: st.DataObject) -> None:
        document = opened(random_program(data.draw(st.integers(0, 10)), brush=brush))
        versions = [document.program]
        for _ in range(data.draw(st.integers(1, 4))):
            count = len(document.program)
            start = data.draw(st.integers(0, count))
            end = data.draw(st.integers(start, min(count, start + 4)))
            fresh = space.sample(np.random.default_rng(data.draw(st.integers(0, 99))), data.draw(st.integers(0, 4)))
            change(document, lambda a, i=start, j=end, new=fresh: np.concatenate([a[:i], new, a[j:]]))
            versions.append(document.program)
            length = len(document.program)
            assert_shows(
                document, document.program, sorted({0, min(start, length), min(end, length), length // 2, length})
            )
        for program in reversed(versions[:-1]):
            document.undo()
            assert document.program == program
            assert_shows(document, program, [len(program) // 2, len(program)])
        document.redo()
        assert_shows(document, versions[1], [len(versions[1])])

    check()


def test_seeking_between_states_that_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("limner.studio.states.ROOM", 8 * 12 * 64 * 64)
    program = random_program(40, space="bezier")
    document = opened(program)
    assert isinstance(document._pictures, ExecutedPictures)
    assert len(document._pictures._keys) <= 8
    assert_shows(document, program, [40, 7, 39, 0, 23])
    change(document, lambda actions: np.delete(actions, 5, axis=0), "delete")
    assert_shows(document, document.program, [39, 4, 5, 6, 20])


def test_covers_that_take_too_much_room_are_done_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layers, "LARGEST", 5_000)
    program = random_program(10)
    document = opened(program)
    assert isinstance(document._pictures, ExecutedPictures)
    assert_shows(document, program)


@pytest.mark.parametrize("changes", [{}, {"space": "bezier"}], ids=["layers", "states"])
def test_the_stroke_under_a_place_is_found(changes: dict[str, str]) -> None:
    program = random_program(8, seed=3, **changes)
    document = opened(program)
    for count in (8, 5):
        pictures = [document.picture(i).astype(int) for i in range(count + 1)]
        for y, x in np.ndindex(8, 8):
            found = document.topmost((8 * x + 4.5) / 64, (8 * y + 4.5) / 64, count)
            steps = [np.abs(a - b)[8 * y + 4, 8 * x + 4].max() for a, b in pairwise(pictures)]
            clear = [i for i, step in enumerate(steps) if step > 60]
            assert found is not None or not clear
            assert not clear or found >= clear[-1]


def test_what_a_stroke_paints_lies_in_its_box() -> None:
    document = opened(random_program(6))
    for i in range(6):
        differ = (document.picture(i) != document.picture(i + 1)).any(-1)
        left, top, right, bottom = (round(64 * edge) for edge in document.box(i))
        differ[top:bottom, left:right] = False
        assert not differ.any()


def test_the_frame_is_cut_out() -> None:
    program = replace(random_program(5), frame=Frame(40, 20))
    document = opened(program)
    assert document.picture(5).shape == (32, 64, 3)
    assert_shows(document, program)


def test_a_branch_is_kept_and_old_versions_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("limner.studio.document.VERSIONS", 3)
    document = opened(random_program(5))
    for count in (4, 3, 2):
        change(document, lambda actions, count=count: actions[:count], f"cut to {count}")
    assert document.facts()["undo"] == "cut to 2"
    document.undo()
    document.undo()
    assert len(document.program) == 4
    with pytest.raises(ValueError, match=r"^there is nothing to undo"):
        document.undo()
    change(document, lambda actions: actions[:1], "another")
    with pytest.raises(ValueError, match=r"^there is nothing to redo"):
        document.redo()


def test_a_change_that_cannot_be_leaves_all_as_it_was() -> None:
    document = opened(random_program(3))
    before, picture = document.program, document.picture(3)
    with pytest.raises(ValueError, match="part 'size' is 99"):
        change(document, lambda actions: np.where(np.arange(actions.shape[1]) == 3, 99, actions), "bad")
    with pytest.raises(ValueError, match="the studio takes 20000 at most"):
        change(document, lambda actions: np.repeat(actions, 10_000, axis=0), "long")
    assert document.program == before
    np.testing.assert_array_equal(document.picture(3), picture)


def test_listeners_are_told_of_changes_until_they_stop() -> None:
    document, heard = Document(random_program(3), 64), []
    stop = document.listen(lambda: heard.append(document.ready))
    with pytest.raises(ValueError, match="still being opened"):
        change(document, lambda actions: actions, "early")
    document.load()
    assert heard == [3]
    stop()
    change(document, lambda actions: actions[:2], "cut")
    assert heard == [3]


def test_a_change_is_not_counted_before_the_program_has_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that asks meanwhile would take the old program for the new one, and never ask again."""
    document, other = opened(random_program(5)), random_program(3, seed=1)
    before, seen = document.facts()["changes"], []
    honest = document._pictures.update

    def update(actions: IntArray) -> None:
        honest(actions)
        seen.append((document.facts()["changes"], len(document.program)))

    monkeypatch.setattr(document._pictures, "update", update)
    document.follow(other)
    assert seen == [(before, 5)]
    assert (document.facts()["changes"], len(document.program)) == (before + 1, 3)


def test_following_another_program_paints_what_differs() -> None:
    document, other = opened(random_program(6)), random_program(9, seed=5)
    document.follow(other)
    assert_shows(document, other)
    finer = random_program(4, seed=6, grid=64)
    document.change(lambda program: finer, "finer")
    assert_shows(document, finer)
    document.undo()
    assert_shows(document, other)
    assert document.facts()["undo"] is None
