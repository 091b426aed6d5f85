"""Arguments of tools: whatever is wrong with them is said in one sentence that names it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limner.mcp.arguments import check_arguments
from limner.mcp.tools import TOOLS, Tool

SCHEMAS = {tool.name: tool.schema for tool in TOOLS}
STROKE = {"start": [1, 2], "end": [3, 4], "radius": 5}
WRONG = [
    ("undo", {}, "undo lacks 'to': give it"),
    ("undo", {"to": 1.5}, "to is 1.5: must be a whole number"),
    ("undo", {"to": -1}, "to is -1: must be in 0 … 5000"),
    ("undo", {"to": 1, "by": 2}, "undo has no argument 'by': there are to"),
    ("pictures", {"a": 1}, "pictures has no argument 'a': there are none"),
    ("look", {"unit": "metres"}, "unit is 'metres': must be one of 'pixels', 'fractions'"),
    ("look", {"region": [1, 2]}, "region is a list of 2: must be a list of 4"),
    ("look", {"region": [1, 2, 3, None]}, "region[3] is None: must be a number"),
    ("stroke", {"strokes": []}, "strokes is a list of 0: must be a list of 1 … 500"),
    ("stroke", {"strokes": [STROKE, {}]}, "strokes[1] lacks 'start': give it"),
    ("stroke", {"strokes": [STROKE | {"colour": 5}]}, "strokes[0].colour is 5: must be a text"),
    ("save", {"name": "x" * 101}, "name is a text of 101 characters: must be a text of 0 … 100 characters"),
    ("new_canvas", {"discard": "yes"}, "discard is 'yes': must be true or false"),
]


@pytest.mark.parametrize(("tool", "values", "sentence"), WRONG, ids=[sentence for *_, sentence in WRONG])
def test_a_sentence_names_value_and_remedy(tool: str, values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 (the whole text is compared)
        check_arguments(tool, SCHEMAS[tool], values)
    assert str(caught.value) == sentence


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=6,
)


@given(st.sampled_from(TOOLS), st.data())
@settings(max_examples=60, deadline=None)
def test_any_arguments_fit_or_are_refused_in_one_line(tool: Tool, data: st.DataObject) -> None:
    names = st.sampled_from([*tool.properties]) if tool.properties else st.nothing()
    values = data.draw(st.dictionaries(names | st.text(max_size=3), JSON, max_size=4))
    said = ""
    try:
        check_arguments(tool.name, tool.schema, values)
    except ValueError as error:
        said = str(error)
    assert len(said.splitlines()) <= 1
    assert len(said) < 600
