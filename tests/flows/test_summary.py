"""What a run has to say."""

import json
import sys
from pathlib import Path

import pytest

from components.core.base.errors import UserError
from flows import summary


def figures(mean: float) -> dict[str, dict[str, float]]:
    """One method's figures as evaluate.json has them."""
    return {
        "mouth_psnr_db": {"mean": mean, "lo": mean - 1, "hi": mean + 1, "n": 4},
        "seam_db": {"mean": 0.0, "lo": 0.0, "hi": 0.0},
    }


@pytest.fixture
def metrics(tmp_path: Path) -> Path:
    """A folder with both files; JSON's order of methods is the alphabet's."""
    rows = {"copy": figures(20), "editor": figures(24), "generator": figures(22), "truth": figures(60)}
    (tmp_path / "evaluate.json").write_text(json.dumps({"rows": rows}))
    (tmp_path / "onnx.json").write_text(json.dumps({"rows": {"onnx": figures(24)}}))
    return tmp_path


def test_methods_come_from_the_bounds_to_the_export(metrics: Path) -> None:
    rows = summary.table(metrics)
    assert [row["row"] for row in rows] == ["truth", "copy", "generator", "editor", "onnx"]
    assert rows[2]["mouth PSNR, dB"] == "22.00 ± 1.00"
    assert rows[2]["sync"] == "-"


def test_the_headline_is_the_editor_beside_the_generator(metrics: Path) -> None:
    found = summary.headline(metrics)
    assert (found["generator"], found["editor"]) == ({"mouth_psnr_db": 22}, {"mouth_psnr_db": 24})


def test_what_was_not_exported_is_no_row(metrics: Path) -> None:
    (metrics / "onnx.json").unlink()
    assert [row["row"] for row in summary.table(metrics)][-1] == "editor"


def test_without_a_run_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="make repro"):
        summary.table(tmp_path)


def test_only_what_is_there_is_linked(tmp_path: Path) -> None:
    card = tmp_path / "artifacts" / "export" / "MODEL_CARD.md"
    card.parent.mkdir(parents=True)
    card.touch()
    assert summary.links(tmp_path) == {"Its model card": card}


def approve(metrics: Path, mean: float, **more: str) -> None:
    """An approved run whose editor had this mouth_psnr_db."""
    about = {"card_id": "0123456789ab", **more, "rows": {"editor": figures(mean)}}
    (metrics / "approved.json").write_text(json.dumps(about))


def test_what_fell_below_the_approved_run_is_named(metrics: Path) -> None:
    approve(metrics, 24.5)  # within its interval
    assert summary.warnings(summary.marks(metrics)) == []
    approve(metrics, 26)
    assert summary.warnings(summary.marks(metrics)) == [
        "worse than model 0123456789ab: mouth_psnr_db was 26 (25 to 27), is 24 (23 to 25)",
    ]


def test_the_headline_of_the_stage_keeps_the_marks(
    metrics: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(summary, "METRICS", metrics)
    monkeypatch.setattr(sys, "argv", ["summary", "--headline", str(metrics / "benchmark.json")])

    def written() -> dict[str, object]:
        caplog.clear()
        summary.main()
        found: dict[str, object] = json.loads((metrics / "benchmark.json").read_text())
        assert found["editor"] == {"mouth_psnr_db": 24}
        gate = found["gate"]
        assert isinstance(gate, dict)
        return gate

    assert written() == {"against": "nothing: no run is approved yet"}
    assert "no run is approved yet" in caplog.text
    approve(metrics, 23)
    assert written() == {"against": "model 0123456789ab", "fallen": {}}
    assert not caplog.messages
    approve(metrics, 26)
    fallen = {"mouth_psnr_db": "was 26 (25 to 27), is 24 (23 to 25)"}
    assert written() == {"against": "model 0123456789ab", "fallen": fallen}
    assert "worse than model 0123456789ab: mouth_psnr_db was 26" in caplog.text
    approve(metrics, 26, benchmark_sha256="another")
    assert written() == {"against": "nothing: model 0123456789ab was measured on another benchmark"}
    assert "measured on another benchmark" in caplog.text
