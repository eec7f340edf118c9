"""Shards: WebDataset tars, one sample a key, the same bytes for the same samples."""

import io
import json
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

Sample = dict[str, Any]


class ShardWriter:
    """Writes samples into `<prefix>-00000.tar`, `<prefix>-00001.tar`, ... of `per_shard` samples each."""

    def __init__(self, folder: Path, prefix: str, per_shard: int) -> None:
        if per_shard < 1:
            raise ValueError(f"a shard needs at least one sample, got per_shard={per_shard}")
        self._folder, self._prefix, self._per_shard = folder, prefix, per_shard
        self._count = 0
        self._tar: tarfile.TarFile | None = None
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob(f"{prefix}-*.tar"):
            old.unlink()

    def __enter__(self) -> "ShardWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._tar:
            self._tar.close()

    def add(self, key: str, sample: Mapping[str, Any]) -> str:
        """Appends a sample and returns the name of its shard.

        Args:
            key: without dots and slashes, because a dot ends the key in a tar's member names.
            sample: bytes by suffix; under "json" any JSON value.
        """
        if not key or "." in key or "/" in key:
            raise ValueError(f"a key must have neither dots nor slashes, got {key!r}")
        name = f"{self._prefix}-{self._count // self._per_shard:05d}.tar"
        if self._count % self._per_shard == 0:
            if self._tar:
                self._tar.close()
            self._tar = tarfile.open(self._folder / name, "w", format=tarfile.GNU_FORMAT)  # noqa: SIM115 (closed by __exit__)
        assert self._tar is not None
        for suffix in sorted(sample):
            value = sample[suffix]
            data = json.dumps(value, sort_keys=True).encode() if suffix == "json" else value
            member = tarfile.TarInfo(f"{key}.{suffix}")
            member.size = len(data)
            self._tar.addfile(member, io.BytesIO(data))
        self._count += 1
        return name


def read(folder: Path, shard: str, key: str) -> Sample:
    """One sample as {suffix: bytes}, JSON decoded.

    Raises:
        KeyError: the shard has no such key.
    """
    with tarfile.open(folder / shard) as tar:
        members = [member for member in tar if member.name.split(".", 1)[0] == key]
        if not members:
            raise KeyError(f"{key} is not in {folder / shard}")
        return dict(_decode(tar, member) for member in members)


def iterate(folder: Path) -> Iterator[tuple[str, Sample]]:
    """Every sample of every shard, in the order in which they were written."""
    for path in sorted(folder.glob("*.tar")):
        with tarfile.open(path) as tar:
            key, sample = "", Sample()
            for member in tar:
                next_key = member.name.split(".", 1)[0]
                if sample and next_key != key:
                    yield key, sample
                    sample = Sample()
                key = next_key
                suffix, value = _decode(tar, member)
                sample[suffix] = value
            if sample:
                yield key, sample


def _decode(tar: tarfile.TarFile, member: tarfile.TarInfo) -> tuple[str, Any]:
    file = tar.extractfile(member)
    assert file is not None
    data, suffix = file.read(), member.name.split(".", 1)[1]
    return suffix, json.loads(data) if suffix == "json" else data
