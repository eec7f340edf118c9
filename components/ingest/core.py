"""All of data/ to clips, in worker processes."""

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
from components.core.media import shards
from components.ingest import clip, sources
from components.ingest.clip import Clip
from components.ingest.params import Params
from components.ingest.sources import Reject

PARTS = ("mp4", "wav", "npz")


@dataclass(frozen=True)
class Ingested:
    """What ingest made."""

    clips: pd.DataFrame
    """clips.parquet."""
    rejects: pd.DataFrame
    """rejects.parquet."""
    redubs: pd.DataFrame
    """redubs.parquet."""

    def metrics(self) -> dict[str, Any]:
        """Counts and seconds, of all and by split, and how many were rejected for which reason."""
        return {
            "clips": len(self.clips),
            "seconds": round(float(self.clips["duration_s"].sum()), 2),
            "redubs": {split: len(part) for split, part in self.redubs.groupby("split")},
            "rejected": len(self.rejects),
            "reasons": dict(Counter(self.rejects["reason"])),
            "splits": {
                split: {
                    "clips": len(part),
                    "seconds": round(float(part["duration_s"].sum()), 2),
                    "speakers": int(part["speaker"].nunique()),
                }
                for split, part in self.clips.groupby("split")
            },
        }


def run(data: Path, out: Path, params: Params, workers: int) -> Ingested:
    """Writes the clips of `data` and their tables into `out`.

    Raises:
        UserError: there is no footage, or none of it can be used; it counts the reasons.
    """
    log = logging.getLogger(__name__)
    found = sources.find(data, params.benchmark_share)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".parts-", dir=out) as folder:
        tasks = [clip.Task(source, params, data, Path(folder)) for source in found.sources]
        outcomes = runtime.map_processes(clip.ingest, tasks, "ingest", workers)
        rejects = found.rejects + [reject for outcome in outcomes for reject in outcome.rejects]
        for reject in rejects:
            log.warning("rejected %s: %s (%s)", reject.source, reject.reason, reject.detail)
        clips = sorted((one for outcome in outcomes for one in outcome.clips), key=lambda one: one.clip_id)
        orphans = _orphans(clips, found.pairs)
        rejects += [Reject(one.source, "missing", "its source was rejected") for one in orphans]
        clips = [one for one in clips if one not in orphans]
        if not clips:
            raise _none_left(rejects)
        table = _pack(clips, Path(folder), out, params.clips_per_shard)
    result = Ingested(table, _table(rejects, Reject), redubs(table, found.pairs))
    result.clips.to_parquet(out / "clips.parquet", index=False)
    result.rejects.to_parquet(out / "rejects.parquet", index=False)
    result.redubs.to_parquet(out / "redubs.parquet", index=False)
    return result


def redubs(clips: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """The pairs both of whose files became clips, with the clips' ids in place of the files."""
    ids = dict(zip(clips["source"], clips["clip_id"], strict=True))
    kept = pairs[pairs["source"].isin(ids) & pairs["truth"].isin(ids)]
    named = {
        "source_clip_id": kept["source"].map(ids).astype("str"),
        "truth_clip_id": kept["truth"].map(ids).astype("str"),
    }
    table = kept.drop(columns=["source", "truth"]).assign(**named)
    first = ["pair_id", *named]
    return table[first + [column for column in table if column not in first]].reset_index(drop=True)


def _orphans(clips: Sequence[Clip], pairs: pd.DataFrame) -> list[Clip]:
    """Truths whose source did not become a clip: nothing says how to crop them."""
    present = {one.source for one in clips}
    wanted = {row["truth"] for row in pairs.to_dict("records") if row["source"] in present}
    return [one for one in clips if one.role == "truth" and one.source not in wanted]


def _pack(clips: Sequence[Clip], parts: Path, out: Path, per_shard: int) -> pd.DataFrame:
    """Moves the parts into shards and returns the table of clips."""
    names = []
    with shards.ShardWriter(out, "clips", per_shard) as writer:
        for one in clips:
            paths = {suffix: parts / f"{one.clip_id}.{suffix}" for suffix in PARTS}
            sample = {suffix: path.read_bytes() for suffix, path in paths.items() if path.is_file()}
            names.append(writer.add(one.clip_id, {**sample, "json": asdict(one)}))
            for path in paths.values():
                path.unlink(missing_ok=True)
    return _table(clips, Clip).assign(shard=names)


def _table(rows: Sequence[Any], record: type) -> pd.DataFrame:
    """The records as a table, with its columns even where there are no rows."""
    columns = {field.name: [getattr(row, field.name) for row in rows] for field in fields(record)}
    return pd.DataFrame(columns) if rows else pd.DataFrame(columns, dtype="str")


def _none_left(rejects: Sequence[Reject]) -> UserError:
    counts = Counter(reject.reason for reject in rejects)
    first = {reject.reason: reject for reject in reversed(rejects)}
    return UserError(
        "no clip of data/ can be used",
        got=", ".join(f"{count} {reason}" for reason, count in counts.most_common()),
        expected="at least one talking face with sound and rights",
        fix=" ".join(f"{reason}, for example {reject.source}: {reject.detail}." for reason, reject in first.items()),
    )
