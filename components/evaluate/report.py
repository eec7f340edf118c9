"""Means with 95 % intervals, by row, by slice and in pairs: the contract of metrics/evaluate.json."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import pandas as pd

from components.core.statistics.interval import Resampling, interval
from components.evaluate import aside
from components.evaluate.metrics import METRICS
from components.evaluate.rows import EXPORTED, ROWS

LIPS_READ = ("read_opening_r", "read_width_r")
NEEDS_TRUTH = (
    "mouth_psnr_db", "mouth_ssim", "lmd_px", "lip_opening_r", "lip_width_r", "identity_truth_cosine",
    "occluder_psnr_db", *LIPS_READ,
)  # fmt: skip
JUDGED = (
    dict.fromkeys(("sync_confidence", "sync_distance"), "sync")
    | dict.fromkeys(("identity_cosine", "identity_truth_cosine"), "identity")
    | dict.fromkeys(LIPS_READ, "lips")
)


def report(clips: pd.DataFrame, manifest: pd.DataFrame, how: Resampling, min_slice: int) -> dict[str, Any]:
    """The whole of metrics/evaluate.json from the table of clips (pair_id, row, slices, metrics) and their manifest.

    The groups of aside.py count in their slices alone.
    """
    main = clips[~clips["slices"].isin(aside.GROUPS)]
    rows = by_row(main, how)
    measured = {metric for row in rows.values() for metric in row}
    return {
        "benchmark_sha256": fingerprint(manifest),
        "rows": rows,
        "slices": by_slice(clips, how, min_slice),
        "paired": paired(main, "editor", "generator", how),
        "not_measured": {metric: reason(metric, main) for metric in METRICS if metric not in measured},
    }


def fingerprint(manifest: pd.DataFrame) -> str:
    """SHA-256 over the manifest of the pairs that count in the rows: figures compare where it is the same."""
    counted = manifest[~manifest["slices"].isin(aside.GROUPS)]
    return hashlib.sha256(counted.to_csv(index=False).encode()).hexdigest()


def exported(clips: pd.DataFrame, manifest: pd.DataFrame, how: Resampling, min_slice: int) -> dict[str, Any]:
    """The whole of metrics/onnx.json: as metrics/evaluate.json, with the exported editor's row alone."""
    whole = report(clips, manifest, how, min_slice)
    slices = {name: {EXPORTED: rows[EXPORTED]} for name, rows in whole["slices"].items()}
    return {
        "benchmark_sha256": whole["benchmark_sha256"],
        "rows": {EXPORTED: whole["rows"][EXPORTED]},
        "slices": slices,
        "not_measured": whole["not_measured"],
    }


def by_row(clips: pd.DataFrame, how: Resampling) -> dict[str, dict[str, Any]]:
    """{ROW: {METRIC: interval}}; what a row has no value for is absent."""
    rows: dict[str, dict[str, Any]] = {}
    for row in (*ROWS, EXPORTED):
        table = clips[clips["row"] == row]
        found = {metric: interval(table[metric], how) for metric in METRICS}
        if len(table):
            rows[row] = {metric: asdict(value) for metric, value in found.items() if value}
    return rows


def by_slice(clips: pd.DataFrame, how: Resampling, min_slice: int) -> dict[str, dict[str, Any]]:
    """{SLICE: the same as by_row} for the slices of at least `min_slice` pairs."""
    members = clips["slices"].str.split("|")
    names = sorted({name for group in members for name in group if name})
    slices = {name: clips[[name in group for group in members]] for name in names}
    return {name: by_row(table, how) for name, table in slices.items() if table["pair_id"].nunique() >= min_slice}


def paired(clips: pd.DataFrame, row: str, other: str, how: Resampling) -> dict[str, Any]:
    """{METRIC: interval of `row` minus `other` over the pairs in which both were measured}."""
    tables = [clips[clips["row"] == name].set_index("pair_id") for name in (row, other)]
    found = {metric: interval((tables[0][metric] - tables[1][metric]).dropna(), how) for metric in METRICS}
    return {metric: asdict(value) for metric, value in found.items() if value}


def reason(metric: str, clips: pd.DataFrame) -> str:
    """Why a metric has no value in any row."""
    if "truth" not in set(clips["row"]):
        if metric in (*NEEDS_TRUTH, "silence_motion_ratio"):
            return "the benchmark has no exact re-dub to compare with"
        if metric == "success_rate":
            return "its rule needs read_opening_r, and that an exact re-dub"
    if metric in JUDGED:
        return f"the judge {JUDGED[metric]} expert is absent"
    if metric == "occluder_psnr_db":
        return "no clip has anything before the lower face"
    if metric == "silence_motion_ratio":
        return "no clip has a pause of five frames"
    if metric == "success_rate":
        return "a part of its rule was not measured"
    return "no clip has enough frames with a face and a moving mouth"


def curves(rows: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """The same figures as a table for `dvc plots`: row, metric, mean, lo, hi."""
    lines = [
        {"row": row, "metric": metric, "mean": value["mean"], "lo": value["lo"], "hi": value["hi"]}
        for row, values in rows.items()
        for metric, value in values.items()
    ]
    return pd.DataFrame(lines, columns=["row", "metric", "mean", "lo", "hi"])
