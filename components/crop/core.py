"""All clips to crops, in worker processes."""

import logging
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import pandas as pd

from components.core.base import runtime
from components.core.base.errors import UserError
from components.core.media import FPS, shards
from components.crop import clip
from components.crop.clip import Clip, Crop, Reject
from components.crop.params import Params

PARTS = ("mp4", "wav", "npz")


@dataclass(frozen=True)
class Cropped:
    """What crop made."""

    crops: pd.DataFrame
    """crops.parquet."""
    rejects: pd.DataFrame
    """rejects.parquet."""

    def metrics(self) -> dict[str, Any]:
        """Counts, seconds and mean quality, of all and by split, and how many were rejected for which reason."""
        return {
            "crops": len(self.crops),
            "rejected": len(self.rejects),
            "reasons": dict(Counter(self.rejects["reason"])),
            "splits": {
                f"{split}_{role}": {
                    "crops": len(part),
                    "seconds": round(float(part["frames"].sum()) / FPS, 2),
                    "face_share": round(float(part["face_share"].mean()), 4),
                    "sharpness": round(float(part["sharpness"].mean()), 3),
                    "mouth_motion": round(float(part["mouth_motion"].mean()), 4),
                    "silence_share": round(float(part["silence_share"].mean()), 4),
                }
                for (split, role), part in self.crops.groupby(["split", "role"])
            },
        }


def run(clips: Path, out: Path, params: Params, workers: int) -> Cropped:
    """Writes the crops of the clips and their tables into `out`.

    Raises:
        UserError: there are no clips, or no clip shows a usable face; it counts the reasons.
    """
    log = logging.getLogger(__name__)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".parts-", dir=out) as folder:
        outcomes = runtime.map_processes(clip.crop, tasks(clips, Path(folder), params), "crop", workers)
        rejects = [reject for outcome in outcomes for reject in outcome.rejects]
        for reject in rejects:
            log.warning("rejected %s: %s (%s)", reject.source, reject.reason, reject.detail)
        made = sorted((one for outcome in outcomes for one in outcome.crops), key=lambda one: one.crop_id)
        if not made:
            counts = Counter(reject.reason for reject in rejects)
            raise UserError(
                f"no clip of {clips} gave a crop",
                got=", ".join(f"{count} {reason}" for reason, count in counts.most_common()),
                expected=f"at least one run of {params.min_frames} frames with a face",
                fix=f"For example {rejects[0].source}: {rejects[0].detail}." if rejects else "",
            )
        table = _pack(made, Path(folder), out, params.crops_per_shard)
    result = Cropped(table, _table(rejects, Reject))
    result.crops.to_parquet(out / "crops.parquet", index=False)
    result.rejects.to_parquet(out / "rejects.parquet", index=False)
    return result


def tasks(clips: Path, parts: Path, params: Params) -> list[clip.Task]:
    """One task per clip of footage, with the truths that redubs.parquet pairs with it."""
    path = clips / "clips.parquet"
    if not path.is_file():
        raise UserError(f"{path} does not exist", fix="Run `dvc repro ingest`.")
    columns = [field.name for field in fields(Clip)]
    known = {row["clip_id"]: Clip(**row) for row in pd.read_parquet(path)[columns].to_dict("records")}
    truths: dict[str, list[tuple[str, Clip]]] = {}
    for row in pd.read_parquet(clips / "redubs.parquet").to_dict("records"):
        truths.setdefault(row["source_clip_id"], []).append((row["pair_id"], known[row["truth_clip_id"]]))
    return [
        clip.Task(one, tuple(truths.get(name, ())), clips, parts, params)
        for name, one in sorted(known.items())
        if one.role == "footage"
    ]


def _pack(made: Sequence[Crop], parts: Path, out: Path, per_shard: int) -> pd.DataFrame:
    """Moves the parts into shards and returns the table of crops."""
    names = []
    with shards.ShardWriter(out, "crops", per_shard) as writer:
        for one in made:
            paths = {suffix: parts / f"{one.crop_id}.{suffix}" for suffix in PARTS}
            sample = {suffix: path.read_bytes() for suffix, path in paths.items()}
            names.append(writer.add(one.crop_id, {**sample, "json": asdict(one)}))
            for path in paths.values():
                path.unlink()
    return _table(made, Crop).assign(shard=names)


def _table(rows: Sequence[Any], record: type) -> pd.DataFrame:
    """The records as a table, with its columns even where there are no rows."""
    columns = {field.name: [getattr(row, field.name) for row in rows] for field in fields(record)}
    return pd.DataFrame(columns) if rows else pd.DataFrame(columns, dtype="str")
