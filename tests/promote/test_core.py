"""Only what passed the gate and was approved is promoted; only what everybody agreed to is released."""

import hashlib
import json
import tarfile
from pathlib import Path

import pandas as pd
import pytest

from components.core.base import files, reviews
from components.core.base.errors import UserError
from components.core.media import rights
from components.core.media.rights import Rights
from components.promote import core
from components.promote.cards import Lineage

CARD = "0123456789ab"
MADE_OF = Lineage("c0de", "da7a.dir", "run1")


def interval(mean: float) -> dict[str, float]:
    return {"mean": mean, "lo": mean - 0.05, "hi": mean + 0.05, "n": 4}


def decide(project: core.Project, verdict: str, comment: str = "good <b>lips</b>\n# really") -> None:
    decision = reviews.Decision(reviews.now(), "run", "model", CARD, verdict, comment, "Ann")
    reviews.append(project.folder / "reviews/abc.jsonl", decision)


def measured(project: core.Project, mean: float, benchmark: str = "a" * 64) -> None:
    """A run whose editor has this lip_opening_r on the benchmark of this hash."""
    rows = {"editor": {"lip_opening_r": interval(mean)}}
    files.write_json(project.folder / "metrics/evaluate.json", {"benchmark_sha256": benchmark, "rows": rows})
    files.write_json(project.export / "card.json", {"card_id": CARD, "benchmark": rows})


@pytest.fixture
def project(tmp_path: Path) -> core.Project:
    """A finished run of two speakers."""
    found = core.Project(tmp_path / "project")
    measured(found, 0.5)
    files.write_text(found.export / "dubstrap.onnx", "weights")
    files.write_text(found.export / "dubstrap_sync.onnx", "weights of the sync expert")
    files.write_text(found.export / "dubstrap_occluder.onnx", "weights of the occluder expert")
    files.write_text(found.export / "MODEL_CARD.md", "# dubstrap editor\n")
    files.write_text(found.folder / "LICENSE", "Apache-2.0")
    files.write_json(
        found.folder / "metrics/validate_pairs.json", {"pairs": 8, "accepted": 7, "yield": {"review": 0.875}}
    )
    (found.folder / "artifacts/evaluate").mkdir(parents=True)
    measured_clips = [
        {"pair_id": f"c{number}", "row": row, "slices": "", "lip_opening_r": value, "seam_db": float("nan")}
        for row, values in (("editor", (0.25, 0.75)), ("copy", (0.0, 0.0)))
        for number, value in enumerate(values)
    ]
    pd.DataFrame(measured_clips).to_parquet(found.folder / "artifacts/evaluate/clips.parquet")
    rows = []
    for name, split in (("anna", "train"), ("bob", "benchmark")):
        folder = found.folder / "data/footage" / name
        folder.mkdir(parents=True)
        rights.save(folder, Rights(name, "CC0-1.0", "a | release", ("train", "publish"), "own <camera>", "en"))
        for role in ("footage", "truth"):
            about = {"split": split, "role": role, "language": "en", "duration_s": 2.5}
            rows.append({"speaker": name, "source": f"footage/{name}/clip.mp4", **about})
    (found.folder / "artifacts/clips").mkdir()
    pd.DataFrame(rows).to_parquet(found.folder / "artifacts/clips/clips.parquet")
    pd.DataFrame({"source": ["x"], "reason": ["no_face"]}).to_parquet(found.folder / "artifacts/clips/rejects.parquet")
    return found


def test_an_approved_model_is_promoted_with_its_cards(project: core.Project):
    decide(project, "reject")
    decide(project, "approve")
    assert core.promote(project, MADE_OF) == CARD
    assert {path.name for path in project.approved.iterdir()} == {
        "dubstrap.onnx", "dubstrap_sync.onnx", "dubstrap_occluder.onnx", "card.json", "MODEL_CARD.md", "DATA_CARD.md", "data_card.json",
        "LICENSE", "SHA256SUMS",
    }  # fmt: skip
    model = (project.approved / "MODEL_CARD.md").read_text()
    assert "Code `c0de`, data `da7a.dir` (data.dvc), run `run1`" in model
    assert "Approved by Ann on" in model
    assert "good &lt;b>lips&lt;/b> # really." in model
    data = (project.approved / "DATA_CARD.md").read_text()
    assert "| anna | train | en | 1 | 2.5 | CC0-1.0 | a \\| release | train, publish | own &lt;camera> |" in data
    assert "**benchmark**: 1 speakers, 1 clips, 2.5 s" in data
    assert "- no_face: 1" in data
    assert "7 of 8 made companions" in data
    assert project.baseline.exists()
    assert project.baseline_clips.read_text() == "pair_id,lip_opening_r,seam_db\nc0,0.25,\nc1,0.75,\n"


def test_nothing_is_promoted_without_the_clips_that_later_runs_are_compared_with(project: core.Project):
    decide(project, "approve")
    (project.folder / "artifacts/evaluate/clips.parquet").unlink()
    with pytest.raises(UserError, match=r"clips.parquet does not exist.*dvc repro evaluate"):
        core.promote(project, MADE_OF)
    assert not project.baseline.exists()
    assert not project.approved.exists()


def test_nobody_approved(project: core.Project):
    with pytest.raises(UserError, match=rf"approved model {CARD}; got no decision.*review --serve"):
        core.promote(project, MADE_OF)
    decide(project, "approve")
    decide(project, "reject", "grey teeth")
    with pytest.raises(UserError, match="rejected by Ann: grey teeth"):
        core.promote(project, MADE_OF)
    assert not project.approved.exists()


def test_the_gate_compares_with_the_last_promoted_run(project: core.Project):
    decide(project, "approve")
    core.promote(project, MADE_OF)
    measured(project, 0.46)
    core.promote(project, MADE_OF)  # within the interval
    before = project.baseline.read_text()
    measured(project, 0.3)
    with pytest.raises(UserError, match=r"lip_opening_r was 0.46 \(0.41 to 0.51\), is 0.3"):
        core.promote(project, MADE_OF)
    assert project.baseline.read_text() == before


def test_runs_on_two_benchmarks_are_not_compared(project: core.Project):
    decide(project, "approve")
    core.promote(project, MADE_OF)
    assert json.loads(project.baseline.read_text())["benchmark_sha256"] == "a" * 64
    measured(project, 0.9, "b" * 64)
    with pytest.raises(UserError, match=r"got b{12} .*expected a{12} .*delete metrics/approved.json") as error:
        core.promote(project, MADE_OF)
    assert "the gate can't compare them" in str(error.value)
    project.baseline.unlink()
    core.promote(project, MADE_OF)
    assert json.loads(project.baseline.read_text())["benchmark_sha256"] == "b" * 64


def test_an_export_of_another_run_or_none(project: core.Project):
    decide(project, "approve")
    files.write_json(project.folder / "metrics/evaluate.json", {"rows": {"editor": {"lip_opening_r": interval(0.9)}}})
    with pytest.raises(UserError, match="not measured by this run"):
        core.promote(project, MADE_OF)
    (project.folder / "metrics/evaluate.json").write_text("{")
    with pytest.raises(UserError, match=r"is not JSON.*dvc repro --force evaluate"):
        core.promote(project, MADE_OF)
    (project.export / "card.json").unlink()
    with pytest.raises(UserError, match=r"card.json does not exist.*dvc repro export"):
        core.promote(project, MADE_OF)


def test_rights_have_to_be_there(project: core.Project):
    decide(project, "approve")
    (project.folder / "data/footage/anna/rights.yaml").unlink()
    with pytest.raises(UserError, match=r"rights of anna.*dubstrap rights"):
        core.promote(project, MADE_OF)
    assert not project.baseline.exists()


def test_a_release_holds_everything_and_repeats(project: core.Project, tmp_path: Path):
    decide(project, "approve")
    core.promote(project, MADE_OF)
    first = core.release(project, tmp_path / "dist")
    once = first.read_bytes()
    assert core.release(project, tmp_path / "dist").read_bytes() == once
    with tarfile.open(first) as tar:
        names = {Path(member.name).name for member in tar}
        assert all(member.name.startswith(f"dubstrap-{CARD}/") for member in tar)
    assert {
        "dubstrap.onnx",
        "dubstrap_sync.onnx",
        "dubstrap_occluder.onnx",
        "card.json",
        "MODEL_CARD.md",
        "DATA_CARD.md",
        "LICENSE",
        "SHA256SUMS",
    } <= names
    assert (tmp_path / f"dist/dubstrap-{CARD}.tar.gz.sha256").read_text().startswith(hashlib.sha256(once).hexdigest())


def test_no_release_without_promotion_rights_or_the_same_files(project: core.Project, tmp_path: Path):
    with pytest.raises(UserError, match=r"no approved model.*dubstrap promote"):
        core.release(project, tmp_path)
    decide(project, "approve")
    rights.save(project.folder / "data/footage/anna", Rights("anna", "private", "yes", ("train",), "own", "en"))
    core.promote(project, MADE_OF)
    with pytest.raises(UserError, match="1 speakers who have not agreed to publication: anna"):
        core.release(project, tmp_path)
    (project.approved / "dubstrap.onnx").write_text("other weights")
    with pytest.raises(UserError, match="is not what was approved"):
        core.release(project, tmp_path)
    assert not list(tmp_path.glob("*.tar.gz"))
