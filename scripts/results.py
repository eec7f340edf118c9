"""Writes the figures of the last run into docs/results.md and README.md: `python scripts/results.py`.

Reads metrics/*.json and nothing else, so the tables are exactly what the committed run measured.
"""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.core.base import errors, files, runtime
from flows import summary

METRICS = (
    "mouth_psnr_db", "mouth_ssim", "lmd_px", "read_opening_r", "read_width_r", "lip_opening_r", "lip_width_r",
    "old_lip_r", "sync_confidence", "sync_distance", "identity_cosine", "identity_truth_cosine", "outside_psnr_db",
    "occluder_psnr_db", "sharpness_ratio", "jitter_ratio", "silence_motion_ratio", "seam_db", "success_rate",
    "seconds_per_second",
)  # fmt: skip


def text(metrics: Path) -> str:
    """Markdown of every table."""
    evaluation = json.loads((metrics / "evaluate.json").read_text())
    rows = summary.measured(metrics)
    parts = [
        "Means with 95 % bootstrap intervals over the benchmark's pairs (`dvc repro evaluate evaluate-onnx`).",
        table(["metric", *rows], [[m, *(cell(row.get(m)) for row in rows.values())] for m in METRICS]),
        "Paired differences, editor minus generator:",
        table(["metric", "difference"], [[m, cell(evaluation["paired"].get(m))] for m in METRICS]),
        "Experts on held-out speakers (`dvc repro experts occluders`):",
        table(["expert", "figures"], [[k, figures(v)] for k, v in experts(metrics).items()]),
        "Companions and what validation kept (`dvc repro validate-pairs`):",
        table(["what", "figures"], [[k, figures(read(metrics, k))] for k in ("pairs", "validate_pairs")]),
        "Export (`dvc repro export`):",
        table(["what", "figures"], [["onnx against torch", figures(read(metrics, "export")["parity"])]]),
    ]
    if evaluation["not_measured"]:
        parts += ["Not measured: " + "; ".join(f"{k} ({v})" for k, v in evaluation["not_measured"].items())]
    return "\n\n".join(parts)


def read(metrics: Path, stage: str) -> dict[str, Any]:
    """One stage's metrics."""
    values: dict[str, Any] = json.loads((metrics / f"{stage}.json").read_text())
    return values


def experts(metrics: Path) -> dict[str, Any]:
    """Every expert's metrics by its name."""
    return read(metrics, "experts") | {"occluder": read(metrics, "occluders")}


def table(head: list[str], lines: list[list[str]]) -> str:
    """A Markdown table."""
    return "\n".join("| " + " | ".join(line) + " |" for line in [head, ["---"] * len(head), *lines])


def cell(value: Mapping[str, float] | None) -> str:
    """Mean and interval."""
    return "-" if value is None else f"{value['mean']:.3g} ({value['lo']:.3g} .. {value['hi']:.3g})"


def figures(values: Mapping[str, Any]) -> str:
    """Numbers of one level of a mapping, those of deeper levels in brackets."""
    named = (
        f"{k} ({figures(v)})" if isinstance(v, Mapping) else f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}"
        for k, v in values.items()
    )
    return ", ".join(named)


@errors.shell
def main() -> None:
    """Reads the arguments and rewrites the part between the markers."""
    runtime.start()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--metrics", type=Path, default=Path("metrics"), help="folder of the stages' metrics")
    parser.add_argument("--results", type=Path, default=Path("docs/results.md"), help="gets every figure")
    parser.add_argument("--readme", type=Path, default=Path("README.md"), help="gets the short table")
    args = parser.parse_args()
    insert(args.results, text(args.metrics))
    short = summary.table(args.metrics)
    insert(args.readme, table(list(short[0]), [list(line.values()) for line in short]))


def insert(path: Path, content: str, name: str = "run") -> None:
    """Puts the content between the file's markers of that name."""
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    before, found, rest = path.read_text().partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise errors.UserError(f"{path} has no place for the figures", expected=f"{begin} and {end}")
    files.write_text(path, f"{before}{begin}\n{content}\n{end}{after}")


if __name__ == "__main__":
    main()
