"""The model card: what the editor is, what it was trained on, what was measured, and where it ends."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from components.core.base import files
from components.export.core import Exported
from components.export.params import Params

LIMITS = (
    "It has seen the footage named under training data and no other: one that learned from the embedded studio alone "
    "knows rendered faces and synthetic voices only (README, 'Your own footage').",
    "One face at a time; turns beyond about 30 degrees are at the edge of the data.",
    "What is before the face stays as it is where the occluder expert beside the editor finds it: hands, microphones, "
    "cups. It misses some (IoU and recall on held-out speakers are in metrics/occluders.json), and may take a part of "
    "a real face for a thing before it, which is then not dubbed.",
    "It edits the lower face and nothing else: expressions of the eyes keep following the original speech.",
)
METRICS = (
    "mouth_psnr_db",
    "read_opening_r",
    "read_width_r",
    "lip_opening_r",
    "lip_width_r",
    "sync_confidence",
    "identity_cosine",
    "success_rate",
)


@dataclass(frozen=True)
class Origin:
    """What the model comes from.

    Attributes:
        card_id: short hash of all weights and of the export's params; the ONNX file carries it too.
        weights: sha256 of each weight file by name.
        training: speakers, clips, seconds, languages and licences (with their clips) of the training footage.
    """

    card_id: str
    weights: dict[str, str]
    training: dict[str, Any]

    @property
    def trained_on(self) -> str:
        """The training footage in a few words."""
        return "{clips} clips of {speakers} speakers".format(**self.training)


def identify(hashes: Mapping[str, str]) -> str:
    """A short name for what a model is made of: the same always has the same one."""
    text = "".join(f"{name}={hashes[name]};" for name in sorted(hashes))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def origin(weights: Mapping[str, Path], params: Params, clips: Path) -> Origin:
    """Where a model comes from: weight files and how it samples, by which it is named, and clips.parquet."""
    hashes = {name: files.sha256(path) for name, path in weights.items()}
    return Origin(identify(hashes | {"params": str(params)}), hashes, training(pd.read_parquet(clips)))


def training(clips: pd.DataFrame) -> dict[str, Any]:
    """Sums up the training footage of clips.parquet."""
    used = clips[(clips["split"] == "train") & (clips["role"] == "footage")]
    return {
        "speakers": int(used["speaker"].nunique()),
        "clips": len(used),
        "seconds": round(float(used["duration_s"].sum()), 1),
        "languages": sorted(set(used["language"].astype(str))),
        "licences": {str(name): int(count) for name, count in used["licence"].value_counts().items()},
    }


def build(origin: Origin, evaluation: Mapping[str, Any], exported: Exported, params: Params) -> dict[str, Any]:
    """The card as JSON values."""
    rows = evaluation.get("rows", {})
    return {
        "card_id": origin.card_id,
        "name": "dubstrap editor",
        "task": "mask-free visual dubbing: re-times the lips of a video to new speech",
        "licence": "Apache-2.0, as far as the licences of the training footage allow",
        "weights_sha256": origin.weights,
        "training": origin.training,
        "sampling": asdict(params),
        "export": asdict(exported),
        "benchmark": {row: {m: rows[row][m] for m in METRICS if m in rows[row]} for row in rows},
        "not_measured": evaluation.get("not_measured", {}),
        "limits": list(LIMITS),
        "intended_use": "Dubbing footage whose rights holder and speaker have agreed to it (rights.yaml).",
        "misuse": "Do not dub anyone who has not consented; say of every output that it is dubbed.",
    }


def markdown(card: Mapping[str, Any]) -> str:
    """The card for people."""
    footage, export = card["training"], card["export"]
    lines = [
        f"# {card['name']} `{card['card_id']}`",
        "",
        f"{card['task'].capitalize()}. Licence of the weights: {card['licence']}.",
        "",
        "## Training data",
        f"{footage['clips']} clips of {footage['speakers']} speakers, {footage['seconds']} s, languages "
        f"{', '.join(footage['languages'])}. Licences: "
        + ", ".join(f"{name} ({count} clips)" for name, count in footage["licences"].items())
        + ".",
        "",
        "## Benchmark (held-out speakers, held-out speech; mean and 95 % interval)",
        "| row | " + " | ".join(METRICS) + " |",
        "|---" * (len(METRICS) + 1) + "|",
        *(
            f"| {row} | " + " | ".join(_cell(values.get(m)) for m in METRICS) + " |"
            for row, values in card["benchmark"].items()
        ),
        "",
        "## The file",
        f"{export['megabytes']:.1f} MB; difference from torch at most {export['max_abs_error']:.1e} (of [-1, 1]).",
        f"A second of cropped video took {export['seconds_per_second']:.2f} s at {card['sampling']['steps']} steps,",
        "measured on the machine that exported it.",
        "",
        "## Use and limits",
        card["intended_use"] + " " + card["misuse"],
        *(f"- {limit}" for limit in card["limits"]),
        "",
    ]
    return "\n".join(lines)


def _cell(value: Mapping[str, float] | None) -> str:
    return "not measured" if value is None else f"{value['mean']:.3g} ({value['lo']:.3g} to {value['hi']:.3g})"
