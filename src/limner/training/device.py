"""The process and the device of the networks, and the number formats of a GPU: they are set here and nowhere else."""

import torch

from limner.malloc import keep_freed_memory


def prepare(device: str) -> None:
    """Make ready for networks on ``device``, "cpu" or "cuda"; ``ValueError`` where PyTorch finds no GPU.

    Every kernel runs on one thread, and freed memory is kept. On a GPU cuDNN may time its algorithms and take the
    quickest, and ``use_tf32`` is on.
    """
    torch.set_num_threads(1)
    keep_freed_memory()
    if device != "cuda":
        return
    if not torch.cuda.is_available():
        raise ValueError("device is 'cuda', but PyTorch finds no GPU here: use --device cpu")
    torch.backends.cudnn.benchmark = True
    use_tf32(True)


def use_tf32(on: bool) -> None:
    """Whether a GPU may round the factors of float32 products to TF32 (10 bits of fraction); sums are float32.

    It holds for matrices, convolutions and LSTMs of the process.
    """
    torch.backends.cuda.matmul.allow_tf32 = on
    torch.backends.cudnn.allow_tf32 = on
