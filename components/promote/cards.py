"""The data card, and what promotion adds to the model card."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet

from components.core.base.errors import UserError
from components.core.base.reviews import Decision
from components.core.media import rights
from components.core.media.rights import Rights
from components.core.media.video import MediaError


@dataclass(frozen=True)
class Lineage:
    """What the model was made of: the commit of the code, and DVC's hashes of data/ and of the whole run."""

    code: str
    data: str
    run: str


@dataclass(frozen=True)
class Speaker:
    """One person's footage in the run."""

    split: str
    language: str
    clips: int
    seconds: float
    rights: Rights


@dataclass(frozen=True)
class Data:
    """What the run was fed with and what it kept.

    Attributes:
        speakers: by name.
        rejects: reason -> how many files were turned away.
        pairs: metrics/validate_pairs.json; empty where it is absent.
    """

    speakers: Mapping[str, Speaker]
    rejects: Mapping[str, int]
    pairs: Mapping[str, Any]


def collect(project: Path) -> Data:
    """Reads the tables of ingest and crop, everybody's rights, and what validation kept.

    Raises:
        UserError: the clips are missing, or a speaker has no readable rights.yaml.
    """
    rows: dict[str, list[dict[str, Any]]] = {}
    for row in _table(project / "artifacts/clips/clips.parquet"):
        if row["role"] == "footage":
            rows.setdefault(row["speaker"], []).append(row)
    if not rows:
        raise UserError(f"no footage in {project / 'artifacts/clips'}", fix="Run `dvc repro ingest`.")
    rejects = Counter(
        row["reason"] for name in ("clips", "crops") for row in _table(project / f"artifacts/{name}/rejects.parquet")
    )
    validation = project / "metrics/validate_pairs.json"
    pairs = json.loads(validation.read_text()) if validation.is_file() else {}
    return Data({name: _speaker(project, clips) for name, clips in sorted(rows.items())}, dict(rejects), pairs)


def _speaker(project: Path, clips: Sequence[Mapping[str, Any]]) -> Speaker:
    folder = (project / "data" / clips[0]["source"]).parent
    try:
        agreed = rights.load(folder)
    except MediaError as error:
        raise UserError(f"the rights of {folder.name} can't be read", got=error.detail) from None
    seconds = round(sum(float(clip["duration_s"]) for clip in clips), 1)
    return Speaker(clips[0]["split"], clips[0]["language"], len(clips), seconds, agreed)


def facts(data: Data) -> dict[str, Any]:
    """The data card as JSON values, with what a release has to know."""
    speakers = {
        name: {**asdict(speaker.rights), "permitted": list(speaker.rights.permitted), "split": speaker.split}
        for name, speaker in data.speakers.items()
    }
    return {"speakers": speakers, "rejects": dict(data.rejects)}


def markdown(data: Data) -> str:
    """The data card for people."""
    lines = [
        "# Data card",
        "",
        "What the model beside this file was trained on (`train`) and measured on (`benchmark`); nobody is in both.",
        "",
        "| speaker | split | language | clips | seconds | licence | consent | permitted | source |",
        "|---" * 9 + "|",
    ]
    for name, one in data.speakers.items():
        about = one.rights
        cells = (name, one.split, one.language, one.clips, one.seconds, about.licence, about.consent)
        lines.append(_line(*cells, ", ".join(about.permitted), about.source))
    for split in ("train", "benchmark"):
        group = [one for one in data.speakers.values() if one.split == split]
        seconds = sum(one.seconds for one in group)
        languages = ", ".join(sorted({one.language for one in group}))
        clips = sum(one.clips for one in group)
        lines += [
            "",
            f"**{split}**: {len(group)} speakers, {clips} clips, {seconds:.1f} s, languages {languages or 'none'}.",
        ]
    lines += ["", "## Turned away", ""]
    lines += [f"- {reason}: {count}" for reason, count in sorted(data.rejects.items())] or ["Nothing was."]
    if data.pairs:
        kept, total = data.pairs.get("accepted"), data.pairs.get("pairs")
        lines += ["", "## Companions", "", f"{kept} of {total} made companions were accepted as training pairs."]
        lines += [f"- {name}: {share:.0%} passed" for name, share in data.pairs.get("yield", {}).items()]
    lines += [
        "",
        "## Limits",
        "",
        "Speakers, languages and light that are not in the table above were not seen. The companions are made by a",
        "model and carry its faults; validation looks at measures, people at what they choose to (`dubstrap review`).",
        "",
    ]
    return "\n".join(lines)


def model(exported: Path, lineage: Lineage, approval: Decision) -> str:
    """The exported model card with its lineage and approval."""
    try:
        text = exported.read_text()
    except FileNotFoundError:
        raise UserError(f"{exported} does not exist", fix="Run `dvc repro export`.") from None
    words = f": {_plain(approval.comment)}" if approval.comment.strip() else ""
    return (
        text.rstrip()
        + "\n\n"
        + "\n".join(
            [
                "## Lineage",
                f"Code `{lineage.code}`, data `{lineage.data}` (data.dvc), run `{lineage.run}` (dvc.lock).",
                "Footage and rights: DATA_CARD.md.",
                "",
                "## Approval",
                f"Approved by {_plain(approval.reviewer)} on {approval.time[:10]}{words}.",
                "",
            ]
        )
    )


def _line(*cells: object) -> str:
    return "| " + " | ".join(_plain(str(cell)) for cell in cells) + " |"


def _plain(text: str) -> str:
    """The text on one line, harmless in Markdown and HTML."""
    return " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|").replace("`", "'")


def _table(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        return []
    rows: list[dict[str, Any]] = pyarrow.parquet.read_table(path).to_pylist()
    return rows
