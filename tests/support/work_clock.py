"""A clock that only work of a known length moves."""

import time
from typing import Any

import pytest


class WorkClock:
    """Stands for ``time.perf_counter`` as long as ``monkeypatch`` does."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.monkeypatch = 0.0, monkeypatch
        monkeypatch.setattr(time, "perf_counter", lambda: self.now)

    def lasts(self, owner: Any, method: str, seconds: float) -> None:
        """Have every call of a method of a class take so long."""
        original = getattr(owner, method)

        def work(*arguments: Any) -> Any:
            self.now += seconds
            return original(*arguments)

        self.monkeypatch.setattr(owner, method, work)
