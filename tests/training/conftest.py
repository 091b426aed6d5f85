"""What the tests of configurations need."""

from collections.abc import Callable
from typing import Any

import pytest

from limner.training.config import TrainingConfig


@pytest.fixture(scope="session")
def with_field() -> Callable[[TrainingConfig, str, Any], dict[str, Any]]:
    """``with_field(config, "section.field", value)``: a configuration as JSON values, with one of them another."""

    def change(config: TrainingConfig, name: str, value: Any) -> dict[str, Any]:
        values = config.to_dict()
        *sections, field = name.split(".")
        inner = values
        for section in sections:
            inner = inner[section]
        inner[field] = value
        return values

    return change
