"""One run as its files tell it. Whatever a half-finished run lacks is absent here, and the page says so."""

import csv
import hashlib
import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow.parquet
import yaml
from pyarrow import ArrowInvalid

from components.core.base import params
from components.core.base.errors import UserError
from components.core.media import shards

Row = dict[str, Any]
ID_LENGTH = 12
PARTS = {"evaluate": {"mp4", "json"}, "pairs": {"mp4", "json"}, "crops": {"mp4", "wav", "npz"}}
"""The folders of artifacts/ whose shards a review reads, and what it needs of a sample."""


@dataclass(frozen=True)
class Run:
    """A run in a folder: the workspace or a revision's checkout.

    Attributes:
        folder: of the project.
        title: how the page calls it.
        rev: the commit, short; names the file of its reviews.
        is_workspace: whether what it lacks can be made here, and has not just been lost from DVC's cache.
    """

    folder: Path
    title: str
    rev: str
    is_workspace: bool = True

    def check(self) -> "Run":
        """Itself; a UserError where no stage of the pipeline has left anything to look at."""
        if not any(
            (self.folder / name).is_dir() and any((self.folder / name).iterdir()) for name in ("metrics", "artifacts")
        ):
            raise UserError(
                f"{self.title} holds no run",
                got="neither metrics/ nor artifacts/",
                expected="the project's folder, or a revision in which the pipeline ran",
                fix="Run `make repro` first, or name another revision with --rev.",
            )
        return self

    @cached_property
    def id(self) -> str:
        """The same for the same results: the first characters of the SHA-256 of dvc.lock."""
        return self._hash("dvc.lock")

    def metrics(self, stage: str) -> Row:
        """metrics/<stage>.json; empty where it is absent or was cut off while written."""
        return self._json(f"metrics/{stage}.json")

    @property
    def card(self) -> Row:
        """The exported model's card; empty before export."""
        return self._json("artifacts/export/card.json")

    def table(self, name: str) -> list[Row]:
        """The rows of artifacts/<name>.parquet; none where it is absent or broken."""
        try:
            rows: list[Row] = pyarrow.parquet.read_table(self.folder / "artifacts" / f"{name}.parquet").to_pylist()
        except (FileNotFoundError, ArrowInvalid):
            return []
        return rows

    def samples(self, folder: str) -> Iterator[tuple[str, shards.Sample]]:
        """(key, sample) of every whole sample in the shards of artifacts/<folder>, up to the first of `cut_off`."""
        try:
            for key, sample in shards.iterate(self.folder / "artifacts" / folder):
                if PARTS[folder] <= sample.keys():
                    yield key, sample
        except tarfile.ReadError:
            return

    def cut_off(self, folder: str) -> list[str]:
        """The names of the shards of artifacts/<folder> that were cut off while written."""
        return [path.name for path in sorted((self.folder / "artifacts" / folder).glob("*.tar")) if _is_cut_off(path)]

    def approved_clips(self) -> list[Row]:
        """The approved run's benchmark clips as `dubstrap promote` kept them; none before the first promotion."""
        path = self.folder / "metrics" / "approved.csv"
        rows = _csv(path) if path.is_file() else []
        return [{name: float(text) for name, text in row.items() if name != "pair_id" and text} for row in rows]

    def losses(self) -> dict[str, list[Row]]:
        """plots/*.csv of the stages that train, as rows of text, by the file's stem."""
        found = {path.stem: _csv(path) for path in sorted((self.folder / "plots").glob("*.csv"))}
        kept = {name: [row for row in rows if row.get("step") and row.get("loss")] for name, rows in found.items()}
        return {name: rows for name, rows in kept.items() if rows}

    def stages(self) -> dict[str, Row]:
        """What dvc.lock says of each stage that has run."""
        return dict(self._yaml("dvc.lock").get("stages", {}))

    def unfinished(self) -> list[str]:
        """The stages of dvc.yaml that dvc.lock does not know."""
        return [name for name in self._yaml("dvc.yaml").get("stages", {}) if name not in self.stages()]

    def stale(self) -> list[str]:
        """The stages that read what was made anew since, and those that read what these left."""
        stages = self.stages()
        made = {out["path"]: (name, out.get("md5")) for name, one in stages.items() for out in one.get("outs", [])}

        def is_stale(name: str) -> bool:
            return any(is_anew(dep["path"], dep.get("md5")) for dep in stages[name].get("deps", []))

        def is_anew(path: str, read_md5: str | None) -> bool:
            out = next((str(one) for one in (Path(path), *Path(path).parents) if str(one) in made), None)
            if out is None:
                return False
            maker, md5 = made[out]
            if out != path:  # one file of a folder: dvc.lock knows the folder's hash only
                md5 = self._md5(path)
            return md5 not in (None, read_md5) or is_stale(maker)

        return [name for name in stages if is_stale(name)]

    def data_hash(self) -> str:
        """The hash of data/ that the run used, from data.dvc; "-" where DVC does not track it."""
        outs = self._yaml("data.dvc").get("outs") or [{}]
        return str(outs[0].get("md5", "-"))

    def params(self) -> dict[str, Any]:
        """params.yaml as {"editor.lip.rank": 8}."""
        return dict(params.leaves(self._yaml("params.yaml")))

    def params_hash(self) -> str:
        """The first characters of the SHA-256 of params.yaml."""
        return self._hash("params.yaml")

    def _hash(self, name: str) -> str:
        path = self.folder / name
        return hashlib.sha256(path.read_bytes() if path.is_file() else b"").hexdigest()[:ID_LENGTH]

    def _md5(self, name: str) -> str | None:
        path = self.folder / name
        return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest() if path.is_file() else None

    def _json(self, name: str) -> Row:
        try:
            values = json.loads((self.folder / name).read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return {}
        return values if isinstance(values, dict) else {}

    def _yaml(self, name: str) -> Row:
        try:
            values = yaml.safe_load((self.folder / name).read_text())
        except (FileNotFoundError, yaml.YAMLError):
            return {}
        return values if isinstance(values, dict) else {}


def _is_cut_off(path: Path) -> bool:
    """Whether a tar lacks its end; a whole one is filled up to full records, and every member ends within it."""
    if path.stat().st_size % tarfile.RECORDSIZE:
        return True
    try:
        with tarfile.open(path) as tar:
            tar.getmembers()
    except tarfile.ReadError:
        return True
    return False


def _csv(path: Path) -> list[Row]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))
