"""Weights that are put into a network, and what is said where they are those of another one."""

from collections.abc import Mapping

from torch import Tensor, nn


def load_weights(network: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Put ``weights`` into ``network``, which stays as it is if they do not fit.

    ``ValueError`` in one line names the first tensor that does not fit, and how many there are.
    """
    own = network.state_dict()
    wrong = [
        f"{name} is {list(weights[name].shape)}, must be {list(tensor.shape)}"
        for name, tensor in own.items()
        if name in weights and weights[name].shape != tensor.shape
    ]
    wrong += [f"{name} is missing" for name in own if name not in weights]
    wrong += [f"{name} is there, and the network has no such tensor" for name in weights if name not in own]
    if wrong:
        raise ValueError(wrong[0] + (f" ({len(wrong)} tensors do not fit)" if len(wrong) > 1 else ""))
    network.load_state_dict(weights)
