"""Seven trainings: the front end on all training speakers, then sync, identity and lips as guide and as judge."""

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from torch import nn

from components.core.base import files
from components.core.media.crops import Crop
from components.core.models import hardware, weights
from components.core.models.fit import Run, fingerprint
from components.core.models.frontend import load_frontend
from components.core.models.identity import load_identity
from components.core.models.lips import load_lips
from components.core.models.sync import load_sync
from components.core.models.windows import digest
from components.experts import frontend, identity, lips, portraits, recitals, sync
from components.experts.data import Material, halves
from components.experts.params import ExpertsParams

log = logging.getLogger(__name__)
CONVOLUTIONAL = "32-true"
"""Precision: convolutions gain nothing from bf16 on CPUs."""


@dataclass(frozen=True)
class Outcome:
    """What the stage found: metrics by expert, and the loss curves with columns step, expert and loss."""

    metrics: dict[str, dict[str, float]]
    curves: pd.DataFrame


@dataclass(frozen=True)
class Job:
    """One training.

    Attributes:
        name: of its files, its row in the metrics and its seeds; guide and judge therefore share none.
        train: material, params and run -> network and loss curve.
        load: the trained network from its file.
        evaluate: network and held-out crops -> metrics.
        precision: Lightning's name of it.
    """

    name: str
    material: Material
    params: Any
    train: Callable[[Any, Any, Run], tuple[nn.Module, pd.DataFrame]]
    load: Callable[[Path], Any]
    evaluate: Callable[[Any, Sequence[Crop]], dict[str, float]]
    precision: str


def run(material: Material, heldout: Sequence[Crop], params: ExpertsParams, seed: int, out: Path) -> Outcome:
    """Trains what `out` lacks, measures all of it on the held-out speakers.

    Args:
        material: what is learnt from.
        heldout: crops of the split "benchmark".
        params: the section `experts`.
        seed: the seed param.
        out: gets a .safetensors file per expert, and a folder per expert: its checkpoint while it is trained, its
            loss curve and fingerprint thereafter. An expert whose fingerprint is there already is not trained again.

    Raises:
        UserError: fewer than four training speakers, crops too short, or a training that broke.
    """
    metrics, curves = {}, []
    for job in jobs(material, params):
        curves.append(_trained(job, seed, out).assign(expert=job.name))
        metrics[job.name] = job.evaluate(job.load(_weights(out, job)), heldout)
        log.info("%s: %s", job.name, ", ".join(f"{name} {value:.3g}" for name, value in metrics[job.name].items()))
    return Outcome(metrics, pd.concat(curves)[["step", "expert", "loss"]])


def jobs(material: Material, params: ExpertsParams) -> list[Job]:
    """The trainings in their order."""
    half = halves(material)
    listed = [
        Job(
            "frontend",
            material,
            params.frontend,
            frontend.train,
            load_frontend,
            frontend.evaluate,
            hardware.precision(),
        ),
    ]
    for role, seen in (("guide", half.guide), ("judge", half.judge)):
        listed += [
            Job(f"{role}_sync", seen, params.sync, sync.train, load_sync, sync.evaluate, CONVOLUTIONAL),
            Job(
                f"{role}_identity",
                seen,
                params.identity,
                identity.train,
                load_identity,
                identity.evaluate,
                CONVOLUTIONAL,
            ),
            Job(f"{role}_lips", seen, params.lips, lips.train, load_lips, lips.evaluate, CONVOLUTIONAL),
        ]
    return listed


def _trained(job: Job, seed: int, out: Path) -> pd.DataFrame:
    """The job's loss curve, from its folder where the very same training has been done before."""
    folder = out / job.name
    label, curve_file = folder / "done.json", folder / "curve.csv"
    seen = job.material
    marks = digest(seen.crops), recitals.digest(seen.recitals), portraits.digest(seen.portraits)
    mark = fingerprint(job.params, job.precision, seed, *marks)
    if label.is_file() and json.loads(label.read_text())["fingerprint"] == mark and _weights(out, job).is_file():
        log.info("%s: already trained, kept", job.name)
        return pd.read_csv(curve_file, float_precision="round_trip")
    label.unlink(missing_ok=True)
    model, curve = job.train(job.material, job.params, Run(job.name, seed, folder, mark, job.precision))
    weights.save(_weights(out, job), model, job.params.model)
    files.write_text(curve_file, curve.to_csv(index=False))
    files.write_json(label, {"fingerprint": mark})
    return curve


def _weights(out: Path, job: Job) -> Path:
    return out / f"{job.name}.safetensors"
