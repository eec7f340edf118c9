"""CPU seconds of a training step by layout, size and precision, one thread, best of three.

python -m benchmarks.training_step
"""

import time
from typing import Literal

import torch

from components.core.diffusion.flow import Timesteps
from components.core.models import hardware
from components.core.models.dubber import Architecture, Dubber, DubberConfig
from components.core.models.learning import DubberLearner, Objective
from components.core.models.optim import MuonAdamW
from components.core.models.windows import Batch

BATCH, FRAMES, HEIGHT, WIDTH, AUDIO = 6, 8, 48, 64, 102


def seconds(layout: Literal["frames", "channels"], dim: int, patch: int, bf16: bool) -> float:
    """CPU time of forward, backward and optimizer on random data."""
    shape = Architecture(patch, dim, 6, dim // 64, 4.0, "modulation", 4, layout, "clean", FRAMES, 2, 0.6)
    learner = DubberLearner(
        Dubber(DubberConfig("editor", shape, 96, HEIGHT, WIDTH, 1, AUDIO)),
        Objective(Timesteps(3.0, "logit_normal", 0.5), 1.0, 10.0, 3.0),
    )
    optimizer = MuonAdamW(learner, 1e-3, 0.01)
    video, mask, ones = (
        torch.rand(BATCH, FRAMES, 3, HEIGHT, WIDTH),
        torch.ones(BATCH, FRAMES, 1, HEIGHT, WIDTH),
        torch.ones(BATCH),
    )
    batch = Batch(video, video[:, None], mask, mask, torch.rand(BATCH, FRAMES, AUDIO), 0 * ones, ones, ones, {})
    best = float("inf")
    for _ in range(3):
        start = time.process_time()
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            loss = learner.losses(batch, torch.Generator().manual_seed(0))["loss"]
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        best = min(best, time.process_time() - start)
    return best


if __name__ == "__main__":
    torch.set_num_threads(1)
    for layout, dim, patch in (("channels", 192, 8), ("frames", 192, 8), ("channels", 256, 8), ("channels", 192, 16)):
        for bf16 in (True, False) if (layout, dim, patch) == ("channels", 192, 8) else (hardware.bf16(),):
            took = seconds(layout, dim, patch, bf16)
            name = "bf16" if bf16 else "float32"
            print(f"{layout:>8} dim {dim} patch {patch:>2} {name:>7}: {took:.2f} s for {BATCH} x {FRAMES} frames")
