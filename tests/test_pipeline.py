"""The whole pipeline at scale=smoke in a clone of its own: it runs once, and after a change only what it must."""

import json
import os
import shlex
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from components.core.base import reviews
from components.core.media import video
from flows import graph

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[1]
ROWS = {"truth", "shuffled", "copy", "generator", "editor-structure", "editor-lip", "editor"}


def call(folder: Path, *command: str) -> str:
    """Runs a command of this environment there and returns what it printed; shows it all if it fails."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(folder)}
    done = subprocess.run(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert done.returncode == 0, f"{' '.join(command)} in {folder}:\n{done.stdout[-8000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project as it would be committed now, with its smoke-scale data rendered and its pipeline run once."""
    folder = tmp_path_factory.mktemp("clone") / "dubstrap"
    listed = call(ROOT, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    for name in ("dvc.lock", "data.dvc", "metrics/approved.json", "metrics/approved.csv"):  # of the default scale
        (folder / name).unlink(missing_ok=True)
    call(folder, "git", "init", "--quiet")
    call(folder, "python", "-m", "flows.params", "scale=smoke")
    call(folder, "python", "-m", "components.studio", "--out", "data")
    call(folder, "dvc", "add", "--quiet", "data")
    call(folder, "dvc", "repro")
    return folder


def load(path: Path) -> Any:
    """A JSON file."""
    return json.loads(path.read_text())


def test_every_declared_file_is_there(clone: Path) -> None:
    stages = yaml.safe_load((clone / "dvc.yaml").read_text())["stages"]
    assert len(stages) == 15
    for stage in stages.values():
        for entry in [*stage["outs"], *stage.get("metrics", []), *stage.get("plots", [])]:
            assert (clone / (entry if isinstance(entry, str) else next(iter(entry)))).exists(), entry
    for name in ("dubstrap.onnx", "dubstrap_sync.onnx", "dubstrap_occluder.onnx"):
        assert (clone / "artifacts/export" / name).stat().st_size > 0
    assert not list(clone.glob("artifacts/**/*.ckpt")), "a finished stage leaves no checkpoint behind"


def test_the_benchmark_keeps_its_contract(clone: Path) -> None:
    evaluation = load(clone / "metrics/evaluate.json")
    assert set(evaluation["rows"]) == ROWS
    assert {"slices", "not_measured"} <= set(evaluation)
    for row, metrics in evaluation["rows"].items():
        for metric, value in metrics.items():
            assert {"mean", "lo", "hi", "n"} <= set(value), f"{row}.{metric}"
            assert value["lo"] <= value["mean"] <= value["hi"]
            assert metric not in evaluation["not_measured"]
    assert {"mouth_psnr_db", "lip_opening_r"} <= set(evaluation["rows"]["editor"])
    assert evaluation["rows"]["truth"]["lip_opening_r"]["mean"] > evaluation["rows"]["copy"]["lip_opening_r"]["mean"]


def test_the_exported_editor_is_measured_as_the_editor_is(clone: Path) -> None:
    editor, onnx = (
        load(clone / f"metrics/{name}.json")["rows"][row] for name, row in (("evaluate", "editor"), ("onnx", "onnx"))
    )
    assert set(onnx) == set(editor)
    assert onnx["mouth_psnr_db"]["mean"] == pytest.approx(editor["mouth_psnr_db"]["mean"], abs=0.2)  # torch has bf16


def test_the_summary_shows_every_method(clone: Path) -> None:
    shown = call(clone, "python", "-m", "flows.summary")
    assert all(row in shown for row in (*ROWS, "onnx"))
    assert "artifacts/export/dubstrap.onnx" in shown


def test_the_exported_editor_dubs_a_studio_clip(clone: Path) -> None:
    source = sorted(clone.glob("data/footage/*/*.mp4"))[-1]
    speech = sorted(clone.glob("data/speech/*/*.wav"))[0]
    call(clone, "dubstrap", "dub", str(source), str(speech), "-o", "out.mp4", "--report", "report.json")
    before, after = video.probe(source), video.probe(clone / "out.mp4")
    assert (after.width_px, after.height_px, after.fps) == (before.width_px, before.height_px, before.fps)
    assert after.frames == before.frames
    assert after.has_audio
    card = load(clone / "artifacts/export/card.json")["card_id"]
    assert card in (clone / "report.json").read_text()


def test_the_review_holds_the_runs_clips_pairs_and_reports(clone: Path, tmp_path: Path) -> None:
    out = tmp_path / "review"
    call(clone, "dubstrap", "review", "--out", str(out))
    page = (out / "index.html").read_text()
    about = json.loads(page.partition('<script id="about" type="application/json">')[2].partition("</script>")[0])
    shown = {(item["kind"], item["id"]) for item in about["items"]}
    benchmark, companions = (
        set(pd.read_parquet(clone / f"artifacts/{name}.parquet")["pair_id"])
        for name in ("evaluate/clips", "pairs/pairs")
    )
    assert shown == {("clip", key) for key in benchmark} | {("pair", key) for key in companions}
    assert all((out / item["film"]).stat().st_size > 0 for item in about["items"])
    for report in ("clips_docs/index.html", "pairs_docs/index.html", "drift.html", "MODEL_CARD.md"):
        assert f'href="{report}"' in page
        assert (out / report).stat().st_size > 0


def test_a_second_run_does_nothing(clone: Path) -> None:
    assert "Running stage" not in call(clone, "dvc", "repro")


def test_the_flow_finds_everything_up_to_date(clone: Path) -> None:
    before = (clone / "dvc.lock").read_text()
    shown = call(clone, "python", "-m", "flows.pipeline", "--scale", "smoke")
    assert "Running stage" not in shown
    assert shown.count("Finished in state Completed()") == 15 + 1 + 1  # the stages, data.dvc, the flow
    assert (clone / "dvc.lock").read_text() == before


@pytest.mark.parametrize(
    ("override", "stale"),
    [
        ("editor.lip.rank=2", ["editor-lip", "evaluate", "export", "evaluate-onnx"]),
        ("occluders.batch=3", ["occluders", "evaluate", "export", "evaluate-onnx"]),
        ("validate.clips.min_clips=3", ["validate-clips"]),
        ("evaluate.sample_pairs=2", ["evaluate", "export", "evaluate-onnx"]),
        ("studio.speakers=5", []),
    ],
)
def test_a_param_makes_stale_what_depends_on_it(clone: Path, override: str, stale: list[str]) -> None:
    call(clone, "python", "-m", "flows.params", "scale=smoke", override)
    found = set(json.loads(call(clone, "dvc", "status", "--json")))  # those that read the param themselves
    call(clone, "python", "-m", "flows.params", "scale=smoke")
    for stage in graph.read(clone):
        if found & set(stage.after):
            found.add(stage.name)
    assert [stage.name for stage in graph.read(clone) if stage.name in found] == stale


def test_the_gate_marks_what_fell_below_an_approved_run(clone: Path) -> None:
    """By the stage's own last command; the benchmark need not run again for it."""
    approved, benchmark = (clone / f"metrics/{name}.json" for name in ("approved", "benchmark"))
    before = benchmark.read_text()
    better = load(clone / "metrics/evaluate.json")
    mean = better["rows"]["editor"]["mouth_psnr_db"]["mean"]
    better["rows"]["editor"]["mouth_psnr_db"] |= {"lo": mean + 1, "mean": mean + 2, "hi": mean + 3}
    approved.write_text(json.dumps({**better, "card_id": "better"}))
    stage = yaml.safe_load((clone / "dvc.yaml").read_text())["stages"]["evaluate"]
    shown = call(clone, *shlex.split(stage["cmd"][-1]))
    gate = load(benchmark)["gate"]
    approved.unlink()
    benchmark.write_text(before)
    assert (gate["against"], list(gate["fallen"])) == ("model better", ["mouth_psnr_db"])
    assert "worse than model better: mouth_psnr_db was" in shown


def test_an_approved_model_is_promoted_and_released(clone: Path) -> None:
    """The last test, for a decision makes the validation of pairs stale."""
    card = load(clone / "artifacts/export/card.json")["card_id"]
    decision = reviews.Decision(reviews.now(), "run", "model", card, "approve", "it runs", "Ann")
    reviews.append(clone / "reviews/smoke.jsonl", decision)
    call(clone, "dubstrap", "promote")
    assert load(clone / "metrics/approved.json")["card_id"] == card
    call(clone, "make", "release", "--old-file=.venv/.ready")  # which need not be there: the environment is ours
    with tarfile.open(clone / f"dist/dubstrap-{card}.tar.gz") as archive:
        names = {Path(name).name for name in archive.getnames()}
    assert {f"dubstrap{which}.onnx" for which in ("", "_sync", "_occluder")} <= names
    assert {"MODEL_CARD.md", "DATA_CARD.md", "LICENSE", "SHA256SUMS"} <= names
