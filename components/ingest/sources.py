"""What there is in data/: footage with its rights, and the benchmark's exact re-dubs."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from components.core.base import files
from components.core.base.errors import UserError
from components.core.media import rights
from components.core.media.video import MediaError

SUFFIXES = frozenset(
    ".mp4 .m4v .mov .mkv .webm .avi .mpg .mpeg .ts .mts .m2ts .wmv .flv .ogv .3gp .mxf".split()  # noqa: SIM905
)
PAIR_COLUMNS = ("pair_id", "source", "truth", "language")
SPLITS = {"benchmark", "train"}


@dataclass(frozen=True)
class Source:
    """One file that may become clips."""

    path: Path
    name: str
    """Relative to data/, with slashes."""
    key: str
    """Begins the ids of its clips; unique, without dots and slashes."""
    speaker: str
    split: str
    role: str
    language: str
    licence: str
    sha256: str
    whole: bool
    """Not to be cut: a performance of which there is an exact re-dub."""


@dataclass(frozen=True)
class Reject:
    """A file or a piece of one that can't train, and why."""

    source: str
    reason: str
    detail: str


@dataclass(frozen=True)
class Found:
    """All of data/."""

    sources: list[Source]
    rejects: list[Reject]
    pairs: pd.DataFrame


def find(data: Path, benchmark_share: float) -> Found:
    """Every video under data/footage and every truth that data/truth/pairs.csv names, in order of their names.

    Raises:
        UserError: there is no footage, or pairs.csv lacks a column.
    """
    footage = sorted(path for path in (data / "footage").rglob("*") if path.suffix.lower() in SUFFIXES)
    if not footage:
        raise UserError(
            f"{data / 'footage'} holds no video",
            expected="footage/<speaker>/<clip>.mp4 (or mov, mkv, mpg, ...)",
            fix="Put one folder per speaker there, or render the embedded footage: `dubstrap studio --out data`.",
        )
    pairs = read_pairs(data / "truth" / "pairs.csv")
    held_out = held_out_speakers({_speaker(data, path) for path in footage}, pairs, benchmark_share)
    keys = _keys([path.relative_to(data) for path in footage])
    sources: list[Source] = []
    rejects: list[Reject] = []
    for path, key in zip(footage, keys, strict=True):
        name, speaker = path.relative_to(data).as_posix(), _speaker(data, path)
        try:
            known = {source.sha256: source.name for source in sources}
            agreed, digest = _permitted(data, path), _digest(path, known)
        except MediaError as error:
            rejects.append(Reject(name, error.reason, error.detail))
            continue
        split, whole = "benchmark" if speaker in held_out else "train", name in set(pairs["source"])
        sources.append(
            Source(path, name, key, speaker, split, "footage", agreed.language, agreed.licence, digest, whole)
        )
    truths, missing = _truths(data, pairs, sources)
    return Found(sources + truths, rejects + missing, pairs)


def read_pairs(path: Path) -> pd.DataFrame:
    """pairs.csv, or a table without rows where there is none; without a column `split` all are the benchmark's."""
    if not path.is_file():
        return pd.DataFrame({column: pd.Series(dtype="str") for column in (*PAIR_COLUMNS, "split")})
    table = pd.read_csv(path, dtype={column: "str" for column in PAIR_COLUMNS}, keep_default_na=False)
    lacking = [column for column in PAIR_COLUMNS if column not in table]
    if lacking:
        raise UserError(f"{path} lacks the column {', '.join(lacking)}", got=", ".join(table.columns))
    unusable = [name for name in table["pair_id"] if not re.fullmatch(r"\w+(-\w+)*", name)]
    if unusable or table["pair_id"].duplicated().any():
        expected = "unique ids of letters, digits, _ and single -"
        raise UserError(f"{path} has unusable pair ids", got=", ".join(unusable) or "duplicates", expected=expected)
    if "split" not in table:
        table["split"] = "benchmark"
    if set(table["split"]) - SPLITS:
        raise UserError(
            f"{path} has an unknown split", got=", ".join(set(table["split"])), expected="benchmark or train"
        )
    return table.sort_values("pair_id", ignore_index=True)


def held_out_speakers(speakers: Iterable[str], pairs: pd.DataFrame, share: float) -> set[str]:
    """The benchmark's speakers: those of its pairs, and about `share` of those who are in no pair at all.

    The latter are chosen by a hash of the name, so that new footage moves nobody; at least one if there are two, never
    all of them.
    """
    paired = {split: {Path(source).parts[1] for source in rows} for split, rows in pairs.groupby("split")["source"]}
    own = set(speakers) - set().union(*paired.values())
    ranked = sorted(own, key=lambda name: hashlib.sha256(name.encode()).hexdigest())
    drawn = [name for name in ranked if int(hashlib.sha256(name.encode()).hexdigest()[:8], 16) < share * 2**32]
    at_least = 1 if share > 0 and len(ranked) > 1 else 0
    return paired.get("benchmark", set()) | set(ranked[: max(0, min(max(len(drawn), at_least), len(ranked) - 1))])


def _speaker(data: Path, path: Path) -> str:
    return path.relative_to(data / "footage").parts[0]


def _permitted(data: Path, path: Path) -> rights.Rights:
    folder = data / "footage" / _speaker(data, path)
    if folder == path:
        raise MediaError("no_rights", f"{path.name} is in nobody's folder: move it to footage/<speaker>/")
    agreed = rights.load(folder)
    if "train" not in agreed.permitted:
        allowed = ", ".join(agreed.permitted) or "nothing"
        raise MediaError("rights_refused", f"{folder / rights.NAME} permits {allowed}, not train")
    return agreed


def _digest(path: Path, known: dict[str, str]) -> str:
    if path.stat().st_size == 0:
        raise MediaError("empty", f"{path.name}: the file has no bytes")
    digest = files.sha256(path)
    if digest in known:
        raise MediaError("duplicate", f"{path.name} has the same bytes as {known[digest]}")
    return digest


def _keys(paths: Sequence[Path]) -> list[str]:
    """A readable unique key per path: speaker and stem, with a digest of the path where two would be equal."""
    plain = ["-".join(_slug(part) for part in path.with_suffix("").parts[1:]) for path in paths]
    digests = [hashlib.sha256(path.as_posix().encode()).hexdigest()[:8] for path in paths]
    return [key if plain.count(key) == 1 else f"{key}-{digest}" for key, digest in zip(plain, digests, strict=True)]


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_]+", "-", text).strip("-") or "x"


def _truths(data: Path, pairs: pd.DataFrame, sources: Sequence[Source]) -> tuple[list[Source], list[Reject]]:
    """The truth file of every pair whose source is there; its rights are the source's."""
    by_name = {source.name: source for source in sources}
    truths: list[Source] = []
    rejects: list[Reject] = []
    for row in pairs.to_dict("records"):
        path, source = data / row["truth"], by_name.get(row["source"])
        if source is None:
            rejects.append(Reject(row["truth"], "missing", f"its source {row['source']} is not there or was rejected"))
        elif not path.is_file():
            rejects.append(Reject(row["truth"], "missing", f"pair {row['pair_id']} names a file that is not there"))
        else:
            key = f"truth-{_slug(row['pair_id'])}"
            about = (source.speaker, source.split, "truth", row["language"], source.licence)
            truths.append(Source(path, row["truth"], key, *about, files.sha256(path), True))
    return truths, rejects
