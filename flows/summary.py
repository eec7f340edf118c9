"""What a finished run has to say: the benchmark's table and where to look next. `python -m flows.summary`."""

import argparse
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.core.base import files, gate, runtime
from components.core.base.errors import UserError, shell

log = logging.getLogger(__name__)

METRICS = Path("metrics")
LOG_WIDTH = 130  # characters, where there is no terminal that knows better
NOT_APPROVED = "nothing: no run is approved yet"
METHODS = ("truth", "shuffled", "copy", "generator", "editor-structure", "editor-lip", "editor", "onnx")
COLUMNS = {
    "mouth_psnr_db": "mouth PSNR, dB",
    "read_opening_r": "lip opening r",
    "read_width_r": "lip width r",
    "sync_confidence": "sync",
    "identity_cosine": "identity",
    "sharpness_ratio": "sharpness",
    "success_rate": "success",
}

LOOK = {
    "The review, with players (`dubstrap review` builds it)": "artifacts/review/index.html",
    "Data Docs of the clips": "artifacts/validation/clips/data_docs/index.html",
    "Data Docs of the crops": "artifacts/validation/crops/data_docs/index.html",
    "Data Docs of the pairs": "artifacts/validation/pairs/data_docs/index.html",
    "Drift of companions against real clips": "artifacts/validation/pairs/drift.html",
    "Contact sheets and videos of the benchmark": "artifacts/evaluate/samples",
    "The editor": "artifacts/export/dubstrap.onnx",
    "Its model card": "artifacts/export/MODEL_CARD.md",
}


def measured(metrics: Path) -> dict[str, Any]:
    """{METHOD: {METRIC: mean, lo, hi, n}} of evaluate.json and onnx.json, from the bounds to the exported editor.

    Args:
        metrics: the folder of the two.

    Raises:
        UserError: there is no evaluate.json.
    """
    found: dict[str, Any] = {}
    for name in ("evaluate.json", "onnx.json"):
        path = metrics / name
        if path.exists():
            found |= json.loads(path.read_text()).get("rows", {})
    if not found:
        raise UserError(f"no benchmark in {metrics}/", expected="evaluate.json", fix="Run `make repro` first.")
    return {method: found[method] for method in METHODS if method in found}


def table(metrics: Path) -> list[dict[str, str]]:
    """The benchmark, one row per method: means and half-widths of their intervals. Raises as `measured`."""
    return [
        {"row": method} | {title: _cell(values.get(key)) for key, title in COLUMNS.items()}
        for method, values in measured(metrics).items()
    ]


def headline(metrics: Path) -> dict[str, Any]:
    """What `dvc metrics show` compares: means of the editor and of the generator that it has to beat, and the marks."""
    found = measured(metrics)
    means = {
        method: {key: found[method][key]["mean"] for key in COLUMNS if key in found[method]}
        for method in ("generator", "editor")
    }
    return {**means, "gate": marks(metrics)}


def marks(metrics: Path) -> dict[str, Any]:
    """`against`: the approved run, or why there is no comparison; `fallen`: {METRIC: "was ..., is ..."} if there is.

    A metric of the editor has fallen where it is worse than the approved run's by more than its interval.
    """
    approved = metrics / "approved.json"
    if not approved.exists():
        return {"against": NOT_APPROVED}
    evaluation, baseline = (json.loads(path.read_text()) for path in (metrics / "evaluate.json", approved))
    run = f"model {baseline['card_id']}"
    if evaluation.get("benchmark_sha256") != baseline.get("benchmark_sha256"):
        return {"against": f"nothing: {run} was measured on another benchmark"}
    worse = gate.regressions(evaluation, baseline)
    return {"against": run, "fallen": {found.metric: f"was {found.was}, is {found.now}" for found in worse}}


def warnings(found: Mapping[str, Any]) -> list[str]:
    """The marks in words: a line for each metric that fell, or for why none can be told; none where all is well."""
    if "fallen" not in found:
        return [f"the editor is compared with {found['against']}"]
    return [f"worse than {found['against']}: {metric} {words}" for metric, words in found["fallen"].items()]


def links(folder: Path) -> dict[str, Path]:
    """What is worth opening, by title; only what is there."""
    return {title: folder / path for title, path in LOOK.items() if (folder / path).exists()}


def _cell(value: Mapping[str, float] | None) -> str:
    if value is None:
        return "-"
    return f"{value['mean']:.2f} ± {(value['hi'] - value['lo']) / 2:.2f}"


def show() -> None:
    """The table and the links on the terminal."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    if not console.is_terminal:
        console.width = LOG_WIDTH
    rows = table(METRICS)
    shown = Table(title="The benchmark: held-out speakers and speech, means with 95 % intervals")
    for title in rows[0]:
        shown.add_column(title, no_wrap=title == "row")
    for row in rows:
        shown.add_row(*row.values())
    console.print(shown)
    for line in warnings(marks(METRICS)):
        console.print(line, style="yellow", soft_wrap=True)
    for title, path in links(Path()).items():
        console.print(f"{title}: {path}", soft_wrap=True)
    console.print(
        "More: `dubstrap review`, `dvc metrics show`, `dvc plots show`. Dub: `dubstrap dub VIDEO SPEECH -o OUT.mp4`",
        soft_wrap=True,
    )


@shell
def main() -> None:
    """Shows the summary, or writes its headline for DVC."""
    runtime.start()
    parser = argparse.ArgumentParser("python -m flows.summary", description=__doc__)
    parser.add_argument("--headline", type=Path, metavar="FILE", help="write means and marks to this JSON instead")
    arguments = parser.parse_args()
    if arguments.headline:
        values = headline(METRICS)
        files.write_json(arguments.headline, values)
        for line in warnings(values["gate"]):
            log.warning(line)
    else:
        show()


if __name__ == "__main__":
    main()
