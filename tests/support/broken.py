"""What the tests with deliberately broken things have in common."""

from __future__ import annotations

import numpy as np
import pytest

TINY = {"canvas": 12, "grid": 6}


def name_of(value) -> str:
    return value if isinstance(value, str) else value.__name__


def ink(canvas):
    return (255 - canvas).mean(axis=(1, 2, 3))


def caught(check, *makers) -> dict[str, str]:
    """The promises that ``check`` says are broken, with what it says about each."""
    with pytest.raises(AssertionError) as error:
        check(*makers)
    lines = str(error.value).splitlines()
    return {line[2:].split(":")[0]: line for line in lines if line.startswith("- ")}


def assert_caught(promises, name, *makers):
    """The promise finds the fault itself: an accidental exception would be no ``AssertionError``."""
    (promise,) = (promise for promise in promises if promise.__name__ == name)
    with pytest.raises(AssertionError) as error:
        promise(*makers, np.random.default_rng(0))
    assert str(error.value)
