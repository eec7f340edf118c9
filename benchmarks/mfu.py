"""Model FLOPs utilisation of the editor's training step on one GPU, at the scale that params.yaml holds.

    python -m flows.params scale=gpu && python -m benchmarks.mfu

Random data of the structure phase's shapes, without the guides; FLOPs are counted by PyTorch, forward and backward, of
matrix products and attention alone; the peak is the vendor's dense bf16 rate. Prints a table and writes
benchmarks/mfu.json.
"""

import argparse
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch.utils.flop_counter import FlopCounterMode

from components.core.base import files, params
from components.core.media.geometry import Window
from components.core.models import hardware
from components.core.models.dubber import Dubber, DubberConfig
from components.core.models.learning import DubberLearner
from components.core.models.optim import MuonAdamW
from components.core.models.windows import Batch
from components.crop.params import Params as Crop
from components.editor.params import Common, Structure

PEAK_TFLOPS = {"H100": 989.4, "H200": 989.4, "A100": 312.0, "L40S": 362.0, "4090": 165.2}
AUDIO = 102
WARM_UP, TIMED = 5, 30


@dataclass(frozen=True)
class Measured:
    """One way to run the step."""

    device: str
    batch: int
    compiled: bool
    parameters_m: float
    tflop_per_step: float
    ms_per_step: float
    optimizer_ms: float
    tflops: float
    mfu: float | None
    peak_gib: float


def batch_of(common: Common, count: int, window: Window) -> Batch:
    """Random data of the shapes of `count` samples."""
    frames, device = common.architecture.chunk_frames, hardware.device()
    size = (window.height, window.width)
    video = torch.rand(count, frames, 3, *size, device=device) * 2 - 1
    others = torch.rand(count, 1 + common.references, frames, 3, *size, device=device) * 2 - 1
    mask, ones = torch.ones(count, frames, 1, *size, device=device), torch.ones(count, device=device)
    audio = torch.randn(count, frames, AUDIO, device=device)
    return Batch(video, others, mask, mask, audio, 0 * ones, ones, ones, {})


def measure(common: Common, phase: Structure, count: int, size_px: int, compiled: bool) -> Measured:
    """Milliseconds of forward, backward and optimizer, the mean of TIMED steps."""
    window, device = Window.of(size_px), hardware.device()
    shape = ("editor", common.architecture, size_px, window.height, window.width, 1 + common.references, AUDIO)
    learner = DubberLearner(Dubber(DubberConfig(*shape)).to(device), phase.objective)
    optimizer, batch = MuonAdamW(learner, phase.fit.lr, phase.fit.weight_decay), batch_of(common, count, window)
    draw = torch.Generator(device).manual_seed(0)

    def step() -> None:
        with torch.autocast(device.type, torch.bfloat16):
            loss = learner.losses(batch, draw)["loss"]
        loss.backward()

    with torch.compiler.set_stance("force_eager"), FlopCounterMode(display=False) as counter:
        step()
    tflop = counter.get_total_flops() / 1e12
    with torch.compiler.set_stance("default" if compiled else "force_eager"):
        torch.cuda.reset_peak_memory_stats()
        for _ in range(WARM_UP):
            step()
            optimizer.step()
            optimizer.zero_grad()
        network, whole = _timed(step), _timed(lambda: (step(), optimizer.step(), optimizer.zero_grad()))
    name, rate = torch.cuda.get_device_name(), tflop / whole * 1e3
    peak = next((value for key, value in PEAK_TFLOPS.items() if key in name), None)
    return Measured(
        device=name,
        batch=count,
        compiled=compiled,
        parameters_m=sum(p.numel() for p in learner.parameters()) / 1e6,
        tflop_per_step=tflop,
        ms_per_step=whole,
        optimizer_ms=whole - network,
        tflops=rate,
        mfu=rate / peak if peak else None,
        peak_gib=torch.cuda.max_memory_allocated() / 2**30,
    )


def _timed(function) -> float:  # type: ignore[no-untyped-def]
    """Milliseconds by CUDA events."""
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    start.record()
    for _ in range(TIMED):
        function()
    end.record()
    torch.cuda.synchronize()
    return start.elapsed_time(end) / TIMED


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batches", type=int, nargs="+", help="samples a step (default: the structure phase's)")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/mfu.json"), help="default: %(default)s")
    options = parser.parse_args()
    if not torch.cuda.is_available():
        parser.error("no GPU is seen: utilisation is of one")
    common, phase = params.load(Common, "editor.common"), params.load(Structure, "editor.structure")
    size_px = params.load(Crop, "crop").size_px
    rows: list[Measured] = []
    for count in options.batches or [phase.drawing.batch]:
        for compiled in (False, True):
            one = measure(common, phase, count, size_px, compiled)
            rows.append(one)
            share = "not known" if one.mfu is None else f"{one.mfu:.1%}"
            print(
                f"{one.device}, {one.parameters_m:.1f} M parameters, batch {count:>3}, "
                f"{'compiled' if compiled else 'eager':>8}: {one.ms_per_step:6.1f} ms a step "
                f"(optimizer {one.optimizer_ms:.1f}), {one.tflops:5.0f} TFLOP/s, MFU {share}, {one.peak_gib:.1f} GiB",
                flush=True,
            )
            files.write_json(options.out, [asdict(row) for row in rows])


if __name__ == "__main__":
    main()
