"""What people decided about pairs, benchmark clips and models: one JSON object a line in reviews/<rev>.jsonl.

The files are only ever appended to, and git keeps both sides' lines when two people's are merged (.gitattributes), so
the order of lines means nothing: the latest time decides.
"""

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from components.core.base.errors import UserError

KINDS = ("pair", "clip", "model")
VERDICTS = ("approve", "reject", "comment")
MAX_ID, MAX_COMMENT, MAX_REVIEWER = 500, 4000, 100
"""Characters; a line has to stay short enough to be written at once and read by a person."""


@dataclass(frozen=True)
class Decision:
    """One verdict of one person."""

    time: str
    """UTC, ISO 8601 with microseconds, so that the order of the texts is that of the times."""
    run: str
    """The run that was looked at: the first characters of the SHA-256 of its dvc.lock."""
    kind: str
    """What was judged, out of KINDS."""
    id: str
    """The pair_id of a training pair or of a benchmark clip, or the card_id of a model."""
    verdict: str
    """Out of VERDICTS; a comment changes nothing."""
    comment: str
    reviewer: str

    def __post_init__(self) -> None:
        for name in (field.name for field in fields(self)):
            if not isinstance(getattr(self, name), str):
                raise ValueError(f"{name} must be text, got {getattr(self, name)!r}")
        if self.kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}, got {self.kind!r}")
        if self.verdict not in VERDICTS:
            raise ValueError(f"verdict must be one of {', '.join(VERDICTS)}, got {self.verdict!r}")
        if self.verdict == "comment" and not self.comment.strip():
            raise ValueError("a comment needs words")
        for name, least, most in (("id", 1, MAX_ID), ("comment", 0, MAX_COMMENT), ("reviewer", 1, MAX_REVIEWER)):
            if not least <= len(getattr(self, name)) <= most:
                raise ValueError(f"{name} must have {least} to {most} characters, got {len(getattr(self, name))}")
        datetime.fromisoformat(self.time)


def now() -> str:
    """The time as a decision carries it."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def build(values: Any) -> Decision:
    """The decision of a JSON object; ValueError where a key or a value is not one of a decision."""
    names = [field.name for field in fields(Decision)]
    if not isinstance(values, dict) or set(values) != set(names):
        raise ValueError(f"a decision has the keys {', '.join(names)}, got {values!r:.200}")
    return Decision(**values)


def read(folder: Path) -> list[Decision]:
    """Every decision of every file, in the order of time; none where there is no such folder.

    Raises:
        UserError: a line is no decision; it names the file and the line.
    """
    found = {
        _parse(line, path, number): None for path in sorted(folder.glob("*.jsonl")) for number, line in _lines(path)
    }
    return sorted(found, key=lambda decision: decision.time)


def append(path: Path, decision: Decision) -> None:
    """Adds the decision as a line of its own in one write, on disk when this returns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    is_cut_off = path.exists() and path.read_bytes()[-1:] not in (b"", b"\n")
    line = "\n" * is_cut_off + json.dumps(asdict(decision), sort_keys=True) + "\n"
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(file, line.encode())
        os.fsync(file)
    finally:
        os.close(file)


def standing(decisions: Iterable[Decision], kind: str) -> dict[str, Decision]:
    """The decision that counts for each id of a kind: the latest approval or rejection."""
    ordered = sorted(decisions, key=lambda decision: decision.time)
    return {d.id: d for d in ordered if d.kind == kind and d.verdict != "comment"}


def rejected(folder: Path, kind: str) -> set[str]:
    """The ids of a kind that stand rejected in a folder of reviews; raises as `read`."""
    return {key for key, decision in standing(read(folder), kind).items() if decision.verdict == "reject"}


def _lines(path: Path) -> list[tuple[int, str]]:
    text = path.read_text(encoding="utf-8", errors="replace")
    return [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]


def _parse(line: str, path: Path, number: int) -> Decision:
    try:
        return build(json.loads(line))
    except ValueError as error:
        raise UserError(
            f"line {number} of {path} is no decision",
            got=str(error),
            fix="Mend or delete the line; `git log -p` shows what it was.",
        ) from None
