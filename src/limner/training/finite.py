"""Gradient steps that are not finite: they are skipped and counted, and their batches are kept.

Notable choices:
- A step is taken only if its loss and its gradient are finite. If it makes a parameter that is not, all parameters are
  put back, and the optimizer's moments start anew. Adam moves a parameter by at most some twenty learning rates, so it
  is only at high ones that parameters have to be copied and looked at.
- What became NaN or infinite first is searched for only when a step is skipped; otherwise one number tells.
- Adam keeps squares, so gradients and parameters whose sum of squares overflows count as infinite.
- Training stops when no learner took a step between the last ten that were skipped. Learners are told apart until an
  update is done, so that the result does not depend on the number of threads.
"""

import logging
import math
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor

from limner.files import is_disk_full, write_atomic
from limner.training import NonFiniteError

PATIENCE = 10
"""Gradient steps that are skipped in a row before training stops."""
MOST_FILES = 10
"""Batches that a run keeps."""
HIGH_RATE = 1.0
"""Learning rate up to which a parameter would need more steps to overflow than any run has."""

_files = threading.Lock()
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Skips:
    """The gradient steps that a learner has skipped."""

    learner: str
    """Its name in messages and files."""
    skipped: int = 0
    """In all."""
    in_a_row: int = 0
    """Since the last that was taken."""
    began: int = 0
    """The update in which those in a row began."""
    first: str = ""
    """What was not finite then."""


class FiniteGuard:
    """Takes the gradient steps of a learner, but skips those that are not finite."""

    def __init__(self, learner: str, optimizer: torch.optim.Optimizer) -> None:
        self.skips, self.optimizer = Skips(learner), optimizer
        self.parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
        self.update = 1  # number of the update that steps belong to
        self.folder: Path | None = None  # for the batches of skipped steps

    @torch.no_grad()
    def step(self, loss: Tensor, values: Mapping[str, Tensor], gradient: Tensor | None = None) -> bool:
        """Let the optimizer take a step; False when it was skipped.

        ``values`` are what the loss was computed from, by name, in the order of the computation. ``gradient`` is finite
        only if the gradients are, for instance their norm; it is computed where it is not given.
        """
        if self.skips.in_a_row >= PATIENCE:
            return False
        if gradient is None:
            gradient = sum_of_squares([p.grad for p in self.parameters if p.grad is not None])
        if not all(map(math.isfinite, torch.stack([loss, gradient]).tolist())):  # a GPU is waited for once
            self._skip({**values, "loss": loss, "gradient": gradient})
            return False
        high = any(group["lr"] > HIGH_RATE for group in self.optimizer.param_groups)
        before = [parameter.clone() for parameter in self.parameters] if high else []
        self.optimizer.step()
        if high and not is_finite(size := sum_of_squares(self.parameters)):
            torch._foreach_copy_(self.parameters, before)
            self.optimizer.state.clear()
            self._skip({**values, "loss": loss, "gradient": gradient, "parameters": size})
            return False
        if self.skips.in_a_row:
            self.skips = replace(self.skips, in_a_row=0)
        return True

    def counters(self) -> dict[str, float]:
        """Numbers that a checkpoint holds of it."""
        name = self.skips.learner
        return {f"{name}_skipped": self.skips.skipped, f"{name}_skipped_in_a_row": self.skips.in_a_row}

    def load(self, counters: Mapping[str, float]) -> None:
        """Put back what ``counters`` gave."""
        skipped, in_a_row = (int(counters[name]) for name in self.counters())
        self.skips = replace(self.skips, skipped=skipped, in_a_row=in_a_row)

    def _skip(self, values: Mapping[str, Tensor]) -> None:
        skips = self.skips
        if not skips.in_a_row or not skips.first:
            name = next(name for name, value in values.items() if not is_finite(value))
            kind = "NaN" if values[name].isnan().any() else "infinite"
            skips = replace(skips, began=self.update, first=f"{name} of the {skips.learner} became {kind}")
        self.skips = replace(skips, skipped=skips.skipped + 1, in_a_row=skips.in_a_row + 1)
        if self.folder is not None:
            self._keep(self.folder / f"{self.update:08d}-{skips.learner}.safetensors", values)

    def _keep(self, path: Path, values: Mapping[str, Tensor]) -> None:
        """Write the first batch that this learner skipped in an update, as long as there is room."""
        with _files:
            if path.exists() or len(list(path.parent.glob("*.safetensors"))) >= MOST_FILES:
                return
            try:
                write_atomic(path, save({name: value.detach().cpu().clone() for name, value in values.items()}))
            except OSError as error:
                if not is_disk_full(error):
                    raise
                logger.warning("%s: %s; training goes on without this file", error.filename, error.strerror)


def stop_if_hopeless(learners: Sequence[Skips], update: int, folder: Path | None) -> None:
    """``NonFiniteError`` when the learners of a run have skipped ``PATIENCE`` steps in a row, or more together.

    ``update`` is the last one, ``folder`` that of the batches of skipped steps.
    """
    skipping = [skips for skips in learners if skips.in_a_row]
    if (count := sum(skips.in_a_row for skips in skipping)) < PATIENCE:
        return
    began = min(skips.began for skips in skipping)
    first = " and ".join(skips.first for skips in skipping if skips.began == began)
    where = f"; batches are in {folder}" if folder is not None else ""
    raise NonFiniteError(
        f"training stopped in update {update}: {count} gradient steps in a row were not finite. First "
        f"{first}, in update {began}{where}. Start again with a lower learning rate"
    )


def sum_of_squares(tensors: list[Tensor]) -> Tensor:
    """Of all numbers in ``tensors``, a scalar: finite only if all of them are, and their squares too."""
    return torch.stack(torch._foreach_norm(tensors)).square().sum()


def is_finite(tensor: Tensor) -> bool:
    """Whether all numbers of a tensor are finite."""
    return not tensor.is_floating_point() or math.isfinite(tensor.sum(dtype=torch.float64).item())
