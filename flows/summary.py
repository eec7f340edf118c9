"""What a finished run has to say: the benchmark's table and where to look next. `python -m flows.summary`."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.core.base import runtime
from components.core.base.errors import UserError, shell

METHODS = ("truth", "shuffled", "copy", "generator", "editor-structure", "editor-lip", "editor", "onnx")
COLUMNS = {
    "mouth_psnr_db": "mouth PSNR, dB",
    "lip_opening_r": "lip opening r",
    "lip_width_r": "lip width r",
    "sync_confidence": "sync",
    "identity_cosine": "identity",
    "sharpness_ratio": "sharpness",
    "success_rate": "success",
}

LOOK = {
    "Data Docs of the clips": "artifacts/validation/clips/data_docs/index.html",
    "Data Docs of the pairs": "artifacts/validation/pairs/data_docs/index.html",
    "Drift of companions against real clips": "artifacts/validation/pairs/drift.html",
    "Contact sheets and videos of the benchmark": "artifacts/evaluate/samples",
    "The editor": "artifacts/export/dubstrap.onnx",
    "Its model card": "artifacts/export/MODEL_CARD.md",
}


def table(metrics: Path) -> list[dict[str, str]]:
    """The benchmark, one row per method, from the bounds to the exported editor; means with half-widths of intervals.

    Args:
        metrics: the folder of evaluate.json and export.json.

    Raises:
        UserError: there is no evaluate.json.
    """
    rows: dict[str, Any] = {}
    for name in ("evaluate.json", "export.json"):
        path = metrics / name
        if path.exists():
            rows |= json.loads(path.read_text()).get("rows", {})
    if not rows:
        raise UserError(f"no benchmark in {metrics}/", expected="evaluate.json", fix="Run `make repro` first.")
    return [
        {"row": method} | {title: _cell(rows[method].get(key)) for key, title in COLUMNS.items()}
        for method in METHODS
        if method in rows
    ]


def links(folder: Path) -> dict[str, Path]:
    """What is worth opening, by title; only what is there."""
    return {title: folder / path for title, path in LOOK.items() if (folder / path).exists()}


def _cell(value: Mapping[str, float] | None) -> str:
    if value is None:
        return "-"
    return f"{value['mean']:.2f} ± {(value['hi'] - value['lo']) / 2:.2f}"


@shell
def main() -> None:
    """Shows the table and the links on the terminal."""
    runtime.start()
    from rich.console import Console
    from rich.table import Table

    console = Console()
    rows = table(Path("metrics"))
    shown = Table(*rows[0], title="The benchmark: held-out speakers and speech, means with 95 % intervals")
    for row in rows:
        shown.add_row(*row.values())
    console.print(shown)
    for title, path in links(Path()).items():
        console.print(f"{title}: {path}", soft_wrap=True)
    console.print("More: `dvc metrics show`, `dvc plots show`. Dub: `dubstrap dub VIDEO SPEECH -o OUT.mp4`")


if __name__ == "__main__":
    main()
