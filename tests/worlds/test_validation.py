"""Checking settings and configurations: what is refused, and in which words."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import pytest

from limner.worlds.validation import (
    brief,
    check_fields,
    expect_object,
    plain,
    read_section,
    require,
    require_range,
)


@dataclass(frozen=True)
class Values:
    count: int = 3
    rate: float = 0.5
    share: float = 0.5
    limit: float | None = None
    radii: tuple[float, ...] = (1.0, 2.0)
    mode: Literal["slow", "fast"] = "slow"
    kind: Literal["new"] | None = None
    text: str = ""
    on: bool = False

    def __post_init__(self) -> None:
        within = {"radii": (0.5, 8), "limit": (1, 10)}
        check_fields(self, "some.", positive="count", not_negative="rate", share="share", within=within)


@dataclass(frozen=True)
class Left:
    name: ClassVar[str] = "left"
    size: int = 1


@dataclass(frozen=True)
class Right:
    name: ClassVar[str] = "right"
    place: tuple[int, ...] = (0,)


@dataclass(frozen=True)
class Whole:
    values: Values = Values()
    side: Left | Right = Left()
    seed: int = 0


@dataclass(frozen=True)
class Share:
    share: float


# --- check_fields ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "need"),
    [
        ("count", 3.0, "a whole number"),
        ("count", True, "a whole number"),
        ("count", "3", "a whole number"),
        ("count", np.int64(3), "a whole number"),
        ("count", None, "a whole number"),
        ("rate", "fast", "a number"),
        ("rate", True, "a number"),
        ("rate", float("nan"), "a number"),
        ("rate", float("inf"), "a number"),
        ("limit", "much", "a number or null"),
        ("radii", [1.0], "one or more, each a number"),
        ("radii", (), "one or more, each a number"),
        ("radii", (1.0, "2"), "one or more, each a number"),
        ("mode", "medium", "'slow' or 'fast'"),
        ("mode", None, "'slow' or 'fast'"),
        ("kind", "old", "'new' or null"),
        ("text", 3, "a text"),
        ("on", 1, "true or false"),
        ("count", 0, "positive"),
        ("count", -2, "positive"),
        ("rate", -0.1, "0 or more"),
        ("share", 1.5, "in [0, 1]"),
        ("share", -0.5, "in [0, 1]"),
        ("radii", (1.0, 0.25), "in 0.5 … 8"),
        ("radii", (9, 1.0), "in 0.5 … 8"),
        ("limit", 0.5, "in 1 … 10"),
    ],
)
def test_a_bad_field_is_named_with_its_value_and_what_it_must_be(name: str, value: object, need: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(f'some.{name} is {value!r}: must be {need}')}$"):
        Values(**{name: value})


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"count": 1, "rate": 0, "share": 1},
        {"rate": 10**6, "limit": 10, "radii": (1, 0.5, 8)},
        {"kind": "new", "mode": "fast", "on": True, "text": "x"},
    ],
    ids=str,
)
def test_good_fields_pass(values: dict[str, Any]) -> None:
    assert vars(Values(**values)).items() >= values.items()


@pytest.mark.parametrize("value", [0, 0.5, 3, None])
def test_both_ends_are_in_a_range_and_none_is(value: float | None) -> None:
    require_range("size", value, 0, 3)


@pytest.mark.parametrize("value", [-1, 3.5, float("nan"), float("inf")])
def test_a_value_out_of_its_range_is_named(value: float) -> None:
    with pytest.raises(ValueError, match=f"^--size is {value}: must be in 0 … 3 mm$"):
        require_range("--size", value, 0, 3, " mm")


def test_the_first_bad_field_is_named_and_types_come_before_ranges() -> None:
    with pytest.raises(ValueError, match=r"^some\.text is 3: must be a text$"):
        Values(count=-1, text=3)
    with pytest.raises(ValueError, match=r"^some\.count is -1: must be positive$"):
        Values(count=-1, share=2)


def test_a_field_is_checked_against_every_range_that_is_given_for_it() -> None:
    for share, need in ((0.0, "positive"), (1.5, "in [0, 1]")):
        with pytest.raises(ValueError, match=f"^share is {share}: must be {re.escape(need)}$"):
            check_fields(Share(share), "", positive="share", share="share")


def test_a_section_must_be_one() -> None:
    with pytest.raises(ValueError, match=r"^values is 3: must be a Values$"):
        check_fields(Whole(values=3), "")
    with pytest.raises(ValueError, match=r"^side is 3: must be a Left or a Right$"):
        check_fields(Whole(side=3), "")
    check_fields(Whole(side=Right()), "")


def test_require_raises_its_message() -> None:
    require(True, "fine")
    with pytest.raises(ValueError, match=r"^not fine$"):
        require(False, "not fine")


# --- JSON --------------------------------------------------------------------------------------------------------


def test_json_values_are_read_back() -> None:
    for whole in (Whole(), Whole(Values(radii=(3.0,), kind="new", limit=2.0), Right((1, 2)), 7)):
        values = json.loads(json.dumps(plain(whole)))
        assert read_section(Whole, values, "") == whole
        assert values["side"]["name"] == whole.side.name
    assert list(plain(Right())) == ["name", "place"]
    assert plain(Values())["radii"] == [1.0, 2.0]


def test_what_is_not_given_takes_its_default() -> None:
    assert read_section(Whole, {}, "") == Whole()
    assert read_section(Whole, {"values": {"count": 5}}, "") == Whole(Values(count=5))
    assert read_section(Whole, {"side": {"name": "right"}}, "") == Whole(side=Right())
    assert read_section(Whole, {"side": Right((3,))}, "") == Whole(side=Right((3,)))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (3, "configuration: it must be an object, got 3"),
        ({"value": {}}, "configuration: unknown field value, must be one of values, side, seed"),
        ({"values": 3}, "configuration: values must be an object, got 3"),
        (
            {"values": {"z": 1, "counts": 3}},
            "configuration: unknown field values.counts, must be one of count, rate, share, limit, radii, mode, kind, "
            "text, on",
        ),
        ({"values": {"count": "3"}}, "some.count is '3': must be a whole number"),
        ({"values": {"radii": []}}, "some.radii is (): must be one or more, each a number"),
        ({"side": "left"}, "configuration: side must be an object, got 'left'"),
        ({"side": {}}, "configuration: side.name is None, must be one of 'left', 'right'"),
        ({"side": {"name": "up"}}, "configuration: side.name is 'up', must be one of 'left', 'right'"),
        ({"side": {"name": "left", "place": 3}}, "configuration: unknown field side.place, must be one of size"),
    ],
    ids=str,
)
def test_what_cannot_be_read_is_named(values: object, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        read_section(Whole, values, "")


def test_a_field_without_a_default_must_be_given() -> None:
    @dataclass(frozen=True)
    class Needs:
        canvas: int
        grid: int = 8

    assert read_section(Needs, {"canvas": 3}, "") == Needs(3)
    with pytest.raises(ValueError, match=r"^configuration: some\.canvas is missing$"):
        read_section(Needs, {"grid": 3}, "some.")


def test_objects_are_expected_by_name() -> None:
    assert expect_object({"a": 1}, "some.") == {"a": 1}
    with pytest.raises(ValueError, match=r"^configuration: some must be an object, got \[\]$"):
        expect_object([], "some.")


def test_long_values_are_cut_short_in_messages() -> None:
    assert brief("x") == "'x'"
    assert brief("x" * 1000) == "'" + "x" * 199 + " …"
