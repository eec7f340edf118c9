"""What a sweep calls, what the table says of finished, failed and queued experiments, and what is drawn of two."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from components.core.base.errors import UserError
from scripts import experiments


def data(rank: int, mean: float | None) -> dict[str, Any]:
    """One revision as `dvc exp show --json` has it."""
    measured = {"editor": {"read_opening_r": mean}} if mean is not None else None
    params = {"params.yaml": {"data": {"seed": 0, "editor": {"lip": {"rank": rank}, "gaps": [6, 60]}}}}
    return {"params": params, "metrics": {"metrics/benchmark.json": {"data": measured}}}


def test_the_table_names_what_was_changed_and_skips_what_has_not_run():
    shown = [
        {"rev": "workspace", "data": data(1, 0.9)},
        {
            "rev": "abc",
            "data": data(16, 0.35),
            "experiments": [
                {"name": "rank-8", "revs": [{"data": data(8, 0.36)}]},
                {"name": "failed", "revs": [{"data": data(4, None)}]},
                {"name": "queued", "revs": [{"data": {"params": None, "metrics": None}}]},
                {"name": "unreadable", "revs": [{"data": None}]},
            ],
        },
    ]
    lines = experiments.table(shown).splitlines()
    assert [[cell.strip() for cell in line.split("|")[1:5]] for line in lines[2:]] == [
        ["HEAD", "-", "-", "0.35"],
        ["rank-8", "editor.lip.rank=8", "-", "0.36"],
    ]


def test_the_table_goes_between_the_files_markers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(experiments, "asked", lambda *command: [{"rev": "abc", "data": data(16, 0.35)}])
    path = tmp_path / "experiments.md"
    path.write_text(f"before\n{experiments.BEGIN}\nold\n{experiments.END}\nafter\n")
    for _ in range(2):
        experiments.write(path)
        table = experiments.table(experiments.asked("exp", "show"))
        assert path.read_text() == f"before\n{experiments.BEGIN}\n{table}\n{experiments.END}\nafter\n"
    for text in ("no markers", f"{experiments.BEGIN} and no end"):
        path.write_text(text)
        with pytest.raises(UserError, match="has no place for the table"):
            experiments.write(path)
        assert path.read_text() == text


def test_a_sweep_is_one_experiment_per_value_and_stops_at_a_failure():
    called: list[list[str]] = []

    def call(command: list[str], check: bool) -> SimpleNamespace:
        called.append(command[3:])
        return SimpleNamespace(returncode=int("0.25" in command[-1]))

    experiments.sweep("editor.common.paste_share", ["0.1", "0.2"], call)
    assert called[1] == [
        "exp", "run", "--temp", "--name", "paste-share-0-2", "--set-param", "editor.common.paste_share=0.2",
    ]  # fmt: skip
    with pytest.raises(UserError, match="experiment rank-0-25 failed"):
        experiments.sweep("editor.lip.rank", ["0.25", "3"], call)
    assert len(called) == 3


def test_two_revisions_are_drawn_from_what_dvc_hands_over(tmp_path: Path):
    values = {
        experiments.CURVE: [{"step": "6", "loss": "0.1"}, {"step": "12", "loss": "0.05"}],
        experiments.BENCHMARK: [
            {"row": row, "metric": metric, "mean": "0.5", "lo": "0.4", "hi": "0.6"}
            for row in ("truth", "copy", "editor")
            for metric in ("mouth_psnr_db", "read_opening_r", "read_width_r", "sync_confidence")
        ],
    }
    revisions = ["HEAD", "rank-8"]
    shown = {
        name: [
            {
                "revisions": revisions,
                "content": {"data": {"values": [{**point, "rev": rev} for rev in revisions for point in points]}},
            }
        ]
        for name, points in values.items()
    }
    experiments.draw({"data": shown}, tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
