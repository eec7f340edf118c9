"""Makes companions and scores them; what is good enough is decided by validate-pairs."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from components.core.base import runtime, seeds
from components.core.media.companions import Plan, plan
from components.core.media.crops import Crop
from components.core.models.synthesis import Sampling, Synthesizer
from components.pairs.params import Params, Relight
from components.pairs.scores import Companion, Judge, score


@dataclass(frozen=True)
class Made:
    """A companion: its plan, frames (f h w 3), row of pairs.parquet (without `shard`), and its lips' opening (f,)."""

    plan: Plan
    frames: NDArray[np.uint8]
    row: dict[str, float | str]
    opening: NDArray[np.float64]


def run(
    crops: Sequence[Crop],
    synthesizer: Synthesizer,
    judge: Callable[[], Judge],
    params: Params,
    seed: int,
    workers: int,
) -> Iterator[Made]:
    """Yields every companion, in the order of the plans.

    Args:
        crops: real clips of the training split.
        synthesizer: the generator, or in later rounds an editor.
        judge: makes the guide experts in a worker process.
        params, seed: of the stage.
        workers: processes that score.
    """
    plans = plan(crops, params.per_crop, seed)
    sampling = Sampling(params.steps, params.guidance_reference, params.guidance_audio, seed)
    made = []
    with runtime.progress("pairs: synthesis", len(plans)) as advance:
        for frames in synthesizer.dub_all([(p.crop, p.mel()) for p in plans], sampling):
            made.append(frames)
            advance(1)
    companions = [Companion(p.crop, frames, p.mel()) for p, frames in zip(plans, made, strict=True)]
    scored = runtime.map_processes(partial(score, judge), companions, "pairs: scores", workers)
    for p, frames, found in zip(plans, made, scored, strict=True):
        ids = {"pair_id": p.pair_id, "crop_id": p.crop.crop_id, "driving_crop_id": p.driver.crop_id}
        row: dict[str, float | str] = {**ids, "speaker": p.crop.speaker, "frames": len(frames)}
        row |= asdict(found.scores) | light(params.relight, seed, p.pair_id)
        yield Made(p, frames, row, found.opening)


def light(relight: Relight, seed: int, pair_id: str) -> dict[str, float | str]:
    """The pair's gain, gamma and slope (1, 1, 0: none), applied to both sides when the editor is trained."""
    rng = seeds.rng(seed, "relight", pair_id)
    if rng.random() >= relight.share:
        return {"relight_gain": 1.0, "relight_gamma": 1.0, "relight_slope": 0.0}
    gain, gamma = (float(limit ** rng.uniform(-1, 1)) for limit in (relight.gain, relight.gamma))
    return {"relight_gain": gain, "relight_gamma": gamma, "relight_slope": float(relight.slope * rng.uniform(-1, 1))}


def summary(table: pd.DataFrame) -> dict[str, float]:
    """Counts and medians for metrics/pairs.json."""
    numbers = table.select_dtypes("number").drop(columns="frames")
    return {"pairs": float(len(table)), "frames": float(table["frames"].sum())} | {
        f"median_{name}": float(value) for name, value in numbers.median().items() if np.isfinite(value)
    }


@dataclass(frozen=True)
class Guides:
    """Loads the judge of companions from artifacts/experts; small enough to be sent to worker processes."""

    experts: Path
    threads: int

    def __call__(self) -> Judge:
        import torch

        from components.core.models.frontend import load_frontend
        from components.core.models.identity import load_identity
        from components.core.models.sync import load_sync

        torch.set_num_threads(self.threads)
        return Judge(
            load_sync(self.experts / "guide_sync.safetensors"),
            load_identity(self.experts / "guide_identity.safetensors"),
            load_frontend(self.experts / "frontend.safetensors"),
        )
