"""What is hosted by a Ray cluster: an object in a process, which can be replaced without a loss."""

import copy
import threading
from typing import Any

from limner.training.config import TrainingConfig
from limner.training.part import Part
from limner.training.runtime.cluster import Cluster
from limner.training.runtime.process import Process, to_arrays, to_tensors

PATIENCE = 300.0
"""Seconds without a result after which what is hosted is taken to hang."""
MOST_CALLS = 25
"""Calls after which the state of the object is kept, so that they need not be repeated."""


class RayObject:
    """Implements ``Hosted``. A process that has ended is replaced by one that goes on from the state that was kept
    last and repeats the calls since then, with the same results. Results may be waited for in several threads."""

    def __init__(self, kind: type[Part], config: TrainingConfig, cluster: Cluster) -> None:
        self.process, self.ray = Process(kind, config, cluster), cluster.ray
        self.lock = threading.RLock()  # of the process and what follows
        self.calls: list[RayResult] = []  # since the state that was kept last
        self.state: Any = None  # with the counters
        self.awaited: tuple[Any, int] | None = None  # a state, by reference, and the number of calls before it

    def call(self, method: str, *arguments: Any) -> "RayResult":
        """As ``Hosted.call``."""
        with self.lock:
            self._keep_state()
            kept = copy.deepcopy([to_arrays(argument) for argument in arguments])  # the call may be repeated later
            self.calls.append(RayResult(self, method, kept))
            return self.calls[-1]

    def replace(self, handle: Any, error: Exception) -> None:
        """Start another process than that of ``handle``, unless another thread has, and repeat what the state that was
        kept does not include."""
        with self.lock:
            if handle is not self.process.handle:
                return
            self.process.restart(error)
            self.awaited = None
            if self.state is not None:
                self.process.handle.call.remote("restore", *self.state)
            for call in self.calls:
                call.send()

    def _keep_state(self) -> None:
        """Ask for the state from time to time, and keep it when it has come."""
        if self.awaited is None:
            if len(self.calls) >= MOST_CALLS:
                self.awaited = self.process.handle.call.remote("snapshot"), len(self.calls)
            return
        reference, included = self.awaited
        if not self.ray.wait([reference], num_returns=1, timeout=0)[0]:
            return
        try:
            self.state = self.ray.get(reference)
            del self.calls[:included]
        except self.ray.exceptions.RayError:  # the process has ended; who waits for a result finds out
            pass
        self.awaited = None


class RayResult:
    """Implements ``Result``."""

    def __init__(self, hosted: RayObject, method: str, arguments: list[Any]) -> None:
        self.hosted, self.method, self.arguments = hosted, method, arguments
        self.taken = False
        self.send()

    def send(self) -> None:
        """Call the method, once more if the process is another one."""
        handle = self.hosted.process.handle
        reference = handle.call.remote(self.method, *self.arguments)
        self.sent = None if self.taken else (handle, reference)

    def result(self) -> Any:
        """As ``Result.result``; once. The process is replaced when it ends before the call returns, or hangs."""
        errors = self.hosted.ray.exceptions
        while True:
            sent = self.sent
            assert sent is not None, "a result is taken once"
            handle, reference = sent
            try:
                value = to_tensors(self.hosted.ray.get(reference, timeout=PATIENCE))
            except errors.RayTaskError as error:
                raise error.as_instanceof_cause() from None
            except errors.RayError as error:
                self.hosted.replace(handle, error)
                if self.sent is sent:  # the state that was kept includes the call, whose result is lost
                    raise
            else:
                self.hosted.process.in_a_row = 0
                self.taken, self.sent = True, None
                return value
