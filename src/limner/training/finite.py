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

import math
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor

from limner.files import write_atomic
from limner.training import NonFiniteError

PATIENCE = 10
"""Gradient steps that are skipped in a row before training stops."""
MOST_FILES = 10
"""Batches that a run keeps."""
HIGH_RATE = 1.0
"""Learning rate up to which a parameter would need more steps to overflow than any run has."""

_files = threading.Lock()


class FiniteGuard:
    """Takes the gradient steps of a learner, but skips those that are not finite."""

    def __init__(self, learner: str, optimizer: torch.optim.Optimizer) -> None:
        """``learner`` is its name in messages and files."""
        self.learner, self.optimizer = learner, optimizer
        self.parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
        self.update = 1  # number of the update that steps belong to
        self.folder: Path | None = None  # for the batches of skipped steps
        self.skipped = self.in_a_row = 0
        self.first = (0, "")  # the update in which the steps in a row began, and what was not finite

    @torch.no_grad()
    def step(self, loss: Tensor, values: Mapping[str, Tensor], gradient: Tensor | None = None) -> bool:
        """Let the optimizer take a step; False when it was skipped.

        ``values`` are what the loss was computed from, by name, in the order of the computation. ``gradient`` is finite
        only if the gradients are, for instance their norm; it is computed where it is not given.
        """
        if self.in_a_row >= PATIENCE:
            return False
        if gradient is None:
            gradient = sum_of_squares([p.grad for p in self.parameters if p.grad is not None])
        if not math.isfinite(loss.item()) or not math.isfinite(gradient.item()):
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
        self.in_a_row = 0
        return True

    def counters(self) -> dict[str, float]:
        """Numbers that a checkpoint holds of it."""
        return {f"{self.learner}_skipped": self.skipped, f"{self.learner}_skipped_in_a_row": self.in_a_row}

    def load(self, counters: Mapping[str, float]) -> None:
        """Put back what ``counters`` gave."""
        self.skipped = int(counters[f"{self.learner}_skipped"])
        self.in_a_row = int(counters[f"{self.learner}_skipped_in_a_row"])

    def _skip(self, values: Mapping[str, Tensor]) -> None:
        if not self.in_a_row or not self.first[1]:
            name = next(name for name, value in values.items() if not is_finite(value))
            kind = "NaN" if values[name].isnan().any() else "infinite"
            self.first = self.update, f"{name} of the {self.learner} became {kind}"
        self.skipped += 1
        self.in_a_row += 1
        if self.folder is not None:
            self._keep(self.folder / f"{self.update:08d}-{self.learner}.safetensors", values)

    def _keep(self, path: Path, values: Mapping[str, Tensor]) -> None:
        """Write the first batch that this learner skipped in an update, as long as there is room."""
        with _files:
            if not path.exists() and len(list(path.parent.glob("*.safetensors"))) < MOST_FILES:
                write_atomic(path, save({name: value.detach().cpu().clone() for name, value in values.items()}))


def stop_if_hopeless(guards: Sequence[FiniteGuard]) -> None:
    """``NonFiniteError`` when the guards of a run have skipped ``PATIENCE`` steps in a row, or more together."""
    skipping = [guard for guard in guards if guard.in_a_row]
    if (count := sum(guard.in_a_row for guard in skipping)) < PATIENCE:
        return
    began = min(guard.first[0] for guard in skipping)
    first = " and ".join(guard.first[1] for guard in skipping if guard.first[0] == began)
    where = f"; batches are in {skipping[0].folder}" if skipping[0].folder is not None else ""
    raise NonFiniteError(
        f"training stopped in update {skipping[0].update}: {count} gradient steps in a row were not finite. First "
        f"{first}, in update {began}{where}. Start again with a lower learning rate"
    )


def sum_of_squares(tensors: list[Tensor]) -> Tensor:
    """Of all numbers in ``tensors``, a scalar: finite only if all of them are, and their squares too."""
    return torch.stack(torch._foreach_norm(tensors)).square().sum()


def is_finite(tensor: Tensor) -> bool:
    """Whether all numbers of a tensor are finite."""
    return not tensor.is_floating_point() or math.isfinite(tensor.sum(dtype=torch.float64).item())
