"""Attention on this machine: the fused kernel against plain products, forward and backward, per head count.

Run `python benchmarks/attention.py`; it prints milliseconds of CPU time on one thread, the best of five.
"""

import time

import torch
import torch.nn.functional as F
from torch import Tensor

from components.core.models.dit import attend

BATCH, TOKENS, DIM = 6, 384, 192


def milliseconds(function: object, heads: int, dtype: torch.dtype) -> float:
    """CPU time of one forward and backward pass."""
    q, k, v = (torch.randn(BATCH, heads, TOKENS, DIM // heads, dtype=dtype, requires_grad=True) for _ in range(3))
    best = float("inf")
    for _ in range(5):
        start = time.process_time()
        out: Tensor = function(q, k, v)  # type: ignore[operator]
        out.sum().backward()
        best = min(best, time.process_time() - start)
    return 1000 * best


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(f"{'heads':>5} {'type':>9} {'fused':>7} {'plain':>7}")
    for heads in (6, 3, 2):
        for dtype in (torch.float32, torch.bfloat16):
            fused, plain = (milliseconds(f, heads, dtype) for f in (F.scaled_dot_product_attention, attend))
            print(f"{heads:>5} {str(dtype)[6:]:>9} {fused:>7.1f} {plain:>7.1f}")
