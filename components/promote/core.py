"""Decides whether a model may become the approved one, and writes it, its cards and its release."""

import csv
import gzip
import io
import json
import shutil
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

from components.core.base import files, gate, reviews
from components.core.base.errors import UserError
from components.core.base.reviews import Decision
from components.promote import cards
from components.promote.cards import Data, Lineage

MODELS = ("dubstrap.onnx", "dubstrap_sync.onnx", "dubstrap_occluder.onnx")
SUMS, FACTS = "SHA256SUMS", "data_card.json"
EPOCH = 0
"""The time in a release, so that the same model gives the same archive."""


@dataclass(frozen=True)
class Project:
    """Where everything lies in a project's folder."""

    folder: Path

    @property
    def export(self) -> Path:
        return self.folder / "artifacts" / "export"

    @property
    def approved(self) -> Path:
        return self.folder / "models" / "approved"

    @property
    def baseline(self) -> Path:
        return self.folder / "metrics" / "approved.json"

    @property
    def baseline_clips(self) -> Path:
        return self.folder / "metrics" / "approved.csv"

    def read(self, path: Path, stage: str) -> dict[str, Any]:
        """A JSON file of a stage; a UserError names the stage where it is not there or not whole."""
        try:
            values: dict[str, Any] = json.loads(path.read_text())
        except FileNotFoundError:
            raise UserError(f"{path} does not exist", fix=f"Run `dvc repro {stage}`.") from None
        except json.JSONDecodeError as error:
            raise UserError(f"{path} is not JSON", got=str(error), fix=f"Run `dvc repro --force {stage}`.") from None
        return values


def promote(project: Project, lineage: Lineage) -> str:
    """Makes the exported model the approved one and returns its card_id.

    Raises:
        UserError: a file is missing, the export is of another run, the benchmark is not the approved run's, the gate is
            not passed, nobody approved the model, or somebody's rights can't be read.
    """
    card = project.read(project.export / "card.json", "export")
    evaluation = project.read(project.folder / "metrics" / "evaluate.json", "evaluate")
    _require_same_run(card, evaluation)
    approved = json.loads(project.baseline.read_text()) if project.baseline.is_file() else {}
    _require_same_benchmark(evaluation, approved)
    _require_gate(evaluation, approved)
    approval = _approval(project.folder / "reviews", card["card_id"])
    data, clips = cards.collect(project.folder), _clips(project.folder / "artifacts" / "evaluate" / "clips.parquet")
    _write(project, cards.model(project.export / "MODEL_CARD.md", lineage, approval), data)
    files.write_json(project.baseline, {"card_id": card["card_id"], **evaluation})
    files.write_text(project.baseline_clips, clips)
    return str(card["card_id"])


def _clips(table: Path) -> str:
    """CSV of the gated row's figures clip by clip: later runs' distributions are compared with them."""
    if not table.is_file():
        raise UserError(f"{table} does not exist", fix="Run `dvc repro evaluate`.")
    read = pyarrow.parquet.read_table(table)
    names = [field.name for field in read.schema if pyarrow.types.is_floating(field.type)]
    text = io.StringIO()
    writer = csv.DictWriter(text, ["pair_id", *names], extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for row in read.to_pylist():
        if row["row"] == gate.GATED_ROW:
            writer.writerow({name: "" if value != value else value for name, value in row.items()})
    return text.getvalue()


def release(project: Project, out: Path) -> Path:
    """Packs the approved model into `out`/dubstrap-<card_id>.tar.gz, the same bytes for the same model.

    Raises:
        UserError: there is no approved model, one of its files has changed, or somebody has not agreed to publication.
    """
    folder = project.approved
    if not (folder / SUMS).is_file():
        raise UserError(f"no approved model in {folder}", fix="Run `dubstrap promote` first.")
    _require_unchanged(folder)
    facts = json.loads((folder / FACTS).read_text())
    trained_on = {name: about for name, about in facts["speakers"].items() if about["split"] == "train"}
    refused = [name for name, about in trained_on.items() if "publish" not in about["permitted"]]
    if refused:
        raise UserError(
            "the model can't be released",
            got=f"{len(refused)} speakers who have not agreed to publication: {', '.join(refused[:5])}",
            expected="publish among the permitted uses in every rights.yaml",
            fix="Ask them (`dubstrap rights`), or train without their footage.",
        )
    name = f"dubstrap-{json.loads((folder / 'card.json').read_text())['card_id']}"
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{name}.tar.gz"
    with (
        files.replacing(path) as temporary,
        temporary.open("wb") as raw,
        gzip.GzipFile("", "wb", fileobj=raw, mtime=EPOCH) as packed,
        tarfile.open(fileobj=packed, mode="w") as tar,
    ):
        for file in sorted(folder.iterdir()):
            tar.add(file, f"{name}/{file.name}", filter=_anonymous)
    files.write_text(out / f"{name}.tar.gz.sha256", f"{files.sha256(path)}  {path.name}\n")
    return path


def _require_same_run(card: Mapping[str, Any], evaluation: Mapping[str, Any]) -> None:
    ours, theirs = card["benchmark"].get(gate.GATED_ROW, {}), evaluation.get("rows", {}).get(gate.GATED_ROW, {})
    if not ours or any(theirs.get(metric) != value for metric, value in ours.items()):
        raise UserError(
            "the exported model was not measured by this run",
            got="other figures in artifacts/export/card.json than in metrics/evaluate.json",
            fix="Run `dvc repro`.",
        )


def _require_same_benchmark(evaluation: Mapping[str, Any], approved: Mapping[str, Any]) -> None:
    ours, theirs = (values.get("benchmark_sha256", "no hash") for values in (evaluation, approved))
    if approved and ours != theirs:
        raise UserError(
            "the benchmark is not the one that the approved run was measured on, so the gate can't compare them",
            got=f"{ours[:12]} (benchmark_sha256 of metrics/evaluate.json)",
            expected=f"{theirs[:12]} (of metrics/approved.json)",
            fix="Measure on that one; or, if it was meant, delete metrics/approved.json in a commit that says why.",
        )


def _require_gate(evaluation: Mapping[str, Any], approved: Mapping[str, Any]) -> None:
    worse = gate.regressions(evaluation, approved)
    if worse:
        raise UserError(
            "the regression gate is not passed",
            got="; ".join(f"{r.metric} was {r.was}, is {r.now}" for r in worse),
            expected="no metric of the editor below the approved run's interval",
            fix="Train better; or, where the fall is meant, delete metrics/approved.json in a commit that says why.",
        )


def _approval(folder: Path, card_id: str) -> Decision:
    decision = reviews.standing(reviews.read(folder), "model").get(card_id)
    if decision is None or decision.verdict != "approve":
        said = f"rejected by {decision.reviewer}: {decision.comment}" if decision else "no decision"
        raise UserError(
            f"nobody has approved model {card_id}",
            got=said,
            fix="Judge it in `dubstrap review --serve`, then try again.",
        )
    return decision


def _write(project: Project, model_card: str, data: Data) -> None:
    """Fills models/approved as a whole or not at all."""
    project.approved.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".approved-", dir=project.approved.parent) as parent:
        folder = Path(parent) / "approved"
        folder.mkdir()
        exported = [project.export / name for name in (*MODELS, "card.json")]
        for source in (*exported, project.folder / "LICENSE"):
            shutil.copy(source, folder / source.name)
        files.write_text(folder / "MODEL_CARD.md", model_card)
        files.write_text(folder / "DATA_CARD.md", cards.markdown(data))
        files.write_json(folder / FACTS, cards.facts(data))
        sums = [f"{files.sha256(path)}  {path.name}\n" for path in sorted(folder.iterdir())]
        files.write_text(folder / SUMS, "".join(sums))
        if project.approved.exists():
            project.approved.rename(Path(parent) / "before")
        folder.rename(project.approved)


def _require_unchanged(folder: Path) -> None:
    for line in (folder / SUMS).read_text().splitlines():
        expected, _, name = line.partition("  ")
        if not (folder / name).is_file() or files.sha256(folder / name) != expected:
            raise UserError(f"{folder / name} is not what was approved", fix="Run `dubstrap promote` again.")


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mtime, member.mode = EPOCH, 0o644
    return member
