"""Many dubs from a table: `dubstrap dub --batch jobs.csv`."""

import csv
import logging
from collections.abc import Iterator, Set
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from components.core.base import files
from components.core.base.errors import UserError
from components.dub import report
from components.dub.core import run
from components.dub.options import DubOptions

NEEDED, OPTIONAL = ("video", "speech", "out"), ("face", "length", "extend", "report")
RESULT = (*NEEDED, "status", "frames", "gap_frames", "seconds", "message")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Line:
    """One dub of the table: its files and options, and where its report goes."""

    video: Path
    speech: Path
    out: Path
    options: DubOptions
    report: Path | None


def read(path: Path, options: DubOptions) -> list[Line]:
    """The dubs of a table; paths in it are relative to its folder.

    Raises:
        UserError: the file can't be read, a column is missing or unknown, or a value is wrong, naming its line.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            rows, columns = list(reader), tuple(reader.fieldnames or ())
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"can not read {path}", got=str(error), expected="a CSV file") from error
    wrong = [name for name in NEEDED if name not in columns] + [c for c in columns if c not in (*NEEDED, *OPTIONAL)]
    if wrong:
        expected = f"{', '.join(NEEDED)}, and any of {', '.join(OPTIONAL)}"
        raise UserError(f"{path} has other columns than expected", got=", ".join(columns), expected=expected)
    return [_line(path, number, row, options) for number, row in enumerate(rows, 2)]


def dub_all(lines: list[Line], result: Path) -> int:
    """Dubs one after the other, past every failure; writes a table of what became of each and returns the failures.

    Raises:
        UserError: the table can not be written.
        KeyboardInterrupt: with what is finished by then, in words.
    """
    rows = list[dict[str, str]]()
    _save(result, rows)
    taken = {result, *(path for line in lines for path in (line.video, line.speech, line.out))}
    try:
        for number, line in enumerate(lines, 1):
            log.info("%d of %d: %s", number, len(lines), line.out)
            rows.append(_became(line, taken))
            _save(result, rows)  # after each, so that nothing that ends this loses what is done
    except KeyboardInterrupt:
        _save(result, rows)
        done = f"{len(rows)} of {len(lines)} lines are done, and {result} says what became of them"
        raise KeyboardInterrupt(done) from None
    return sum(row["status"] == "failed" for row in rows)


def _became(line: Line, taken: Set[Path]) -> dict[str, str]:
    """The row of the result table, once the line is dubbed or has failed; its report is none of the files `taken`."""
    row = {name: str(getattr(line, name)) for name in NEEDED}
    try:
        if line.report:
            report.check(line.report, taken)
        done = run(line.video, line.speech, line.out, line.options)
        if line.report:
            done.save(line.report)
    except UserError as error:
        log.error("failed: %s", error)
        return row | {"status": "failed", "message": str(error)}
    except Exception as error:  # a fault of ours, in one line; the others are dubbed, and the log says where it was
        log.exception("failed")
        return row | {"status": "failed", "message": " ".join(f"{type(error).__name__}: {error}".split())}
    gaps = sum(gap.stop_frame - gap.start_frame for gap in done.gaps)
    row |= {"status": "dubbed", "frames": str(done.frames), "gap_frames": str(gaps)}
    return row | {"seconds": f"{done.wall_s:.1f}", "message": done.length}


def _line(path: Path, number: int, row: dict[str, str], options: DubOptions) -> Line:
    values = {name: (row.get(name) or "").strip() for name in (*NEEDED, *OPTIONAL)}
    empty = [name for name in NEEDED if not values[name]]
    if empty:
        raise UserError(f"{path}, line {number}: {', '.join(empty)} is empty")
    changes: dict[str, Any] = {name: values[name] for name in ("length", "extend") if values[name]}
    try:
        if values["face"]:
            changes["face"] = int(values["face"])
        chosen = replace(options, **changes)
    except (ValueError, UserError) as error:
        raise UserError(f"{path}, line {number}", got=str(error)) from error
    video, speech, out = (path.parent / values[name] for name in NEEDED)
    report_path = path.parent / values["report"] if values["report"] else None
    if report_path == path:
        raise UserError(f"{path}, line {number}: its report is this table")
    return Line(video, speech, out, chosen, report_path)


def _save(path: Path, rows: list[dict[str, str]]) -> None:
    try:
        files.write_text(path, "".join(_csv(rows)))
    except OSError as error:
        raise UserError(f"can not write {path}", got=error.strerror or str(error)) from error


class _Lines(list[str]):
    """What a csv.writer writes, line by line."""

    write = list.append


def _csv(rows: list[dict[str, str]]) -> Iterator[str]:
    lines = _Lines()
    writer = csv.DictWriter(lines, RESULT, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    yield from lines
