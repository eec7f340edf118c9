"""What this machine computes with: the one place that asks."""

import os
from functools import cache

import torch

NATIVE_BF16 = ("avx512_bf16", "amx_bf16")


def device() -> torch.device:
    """The accelerator where there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


@cache
def bf16() -> bool:
    """Whether linear layers are faster in bf16 than in float32.

    On CPUs that multiply bf16 themselves they are, 3 to 4 times; on others it is emulated and takes ten times as long
    (an AMD EPYC with AVX2: docs/decisions.md).
    """
    capabilities = torch.cpu.get_capabilities()
    return torch.cuda.is_available() or any(capabilities.get(name, False) for name in NATIVE_BF16)


def precision() -> str:
    """Lightning's name of the precision in which transformers are trained here."""
    return "bf16-mixed" if bf16() else "32-true"


def loaders() -> int:
    """Processes that draw batches: beside an accelerator every core but one; on CPUs none, which training needs."""
    return len(os.sched_getaffinity(0)) - 1 if torch.cuda.is_available() else 0
