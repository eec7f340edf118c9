"""Milliseconds of a Muon step, ours and PyTorch's, on the matrices of the editor in params.yaml.

    python -m benchmarks.optimizer

One thread on a CPU, or the GPU where there is one; the best of three.
"""

import time
from collections.abc import Callable

import torch
from torch import nn
from torch.optim import Optimizer

from components.core.base import params
from components.core.models import hardware
from components.core.models.optim import Muon
from components.editor.params import Common


def matrices(common: Common) -> list[nn.Parameter]:
    """The hidden matrices of every block, with gradients."""
    d, hidden = common.architecture.dim, int(common.architecture.dim * common.architecture.mlp_ratio)
    shapes = [(3 * d, d), (d, d), (hidden, d), (d, hidden)] * common.architecture.depth
    made = [nn.Parameter(torch.randn(shape, device=hardware.device())) for shape in shapes]
    for one in made:
        one.grad = torch.randn_like(one)
    return made


def milliseconds(make: Callable[[list[nn.Parameter]], Optimizer], common: Common) -> float:
    """The best of three steps after one to warm up."""
    optimizer, best = make(matrices(common)), float("inf")
    for _ in range(4):
        start = time.perf_counter()
        optimizer.step()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        best = min(best, time.perf_counter() - start)
    return 1e3 * best


def main() -> None:
    torch.set_num_threads(1)
    common = params.load(Common, "editor.common")
    ours = milliseconds(lambda found: Muon(found, 1e-3, 0.01), common)
    peer = milliseconds(lambda found: torch.optim.Muon(found, 1e-3, adjust_lr_fn="match_rms_adamw"), common)
    print(f"{hardware.device()}, dim {common.architecture.dim}: ours {ours:.1f} ms, torch.optim.Muon {peer:.1f} ms")


if __name__ == "__main__":
    main()
