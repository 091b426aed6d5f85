"""Arguments of tools: checked against a JSON schema, with one sentence about the first that is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.exceptions import relevance

from limner.worlds.validation import brief

KINDS = {"number": "a number", "integer": "a whole number", "string": "a text", "boolean": "true or false"}
KINDS |= {"array": "a list", "object": "an object"}


def check_arguments(tool: str, schema: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """``ValueError`` in one sentence, with what is wrong and the remedy, unless ``values`` fit the ``schema``."""
    errors = sorted(Draft202012Validator(schema).iter_errors(values), key=relevance)
    if errors:
        raise ValueError(_sentence(tool, errors[-1]))


def _sentence(tool: str, error: ValidationError) -> str:
    place, value, need = _place(error), brief(error.instance), error.validator_value
    match error.validator:
        case "required":
            missing = next(name for name in need if name not in error.instance)
            return f"{place or tool} lacks {missing!r}: give it"
        case "additionalProperties":
            known = error.schema["properties"]
            unknown = next(name for name in error.instance if name not in known)
            return f"{place or tool} has no argument {brief(unknown)}: there are {', '.join(known) or 'none'}"
        case "type":
            rule = KINDS[need]
        case "enum":
            rule = f"one of {', '.join(map(repr, need))}"
        case "minItems" | "maxItems":
            value = f"a list of {len(error.instance)}"
            rule = f"a list of {_span(error.schema, 'Items')}"
        case "minLength" | "maxLength":
            value = f"a text of {len(error.instance)} characters"
            rule = f"a text of {_span(error.schema, 'Length')} characters"
        case _:
            rule = f"in {_span(error.schema, 'imum')}"
    return f"{place or tool} is {value}: must be {rule}"


def _span(schema: Mapping[str, Any], of: str) -> str:
    low, high = schema.get(f"min{of}", 0), schema.get(f"max{of}")
    return f"{low} or more" if high is None else f"{low}" if low == high else f"{low} … {high}"


def _place(error: ValidationError) -> str:
    """Where in the arguments, such as ``strokes[3].radius``."""
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path]
    return "".join(parts).removeprefix(".")
