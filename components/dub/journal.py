"""What is finished of a dub, on disk, so that an interrupted one can go on: `--resume`."""

import errno
import json
import logging
import os
import shutil
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from components.core.base import files
from components.core.base.errors import UserError

SUFFIX = ".resume"
MARK = "made-by-dubstrap"
"""A file of this name is in every folder that a journal made; it touches no other."""
log = logging.getLogger(__name__)


class Records:
    """Arrays of one shape in a file: those of an earlier run are read first, then new ones are added.

    Args:
        path: the file, or None to keep nothing.
        shape: of each record.
        dtype: of each record.
    """

    def __init__(self, path: Path | None, shape: tuple[int, ...], dtype: type[np.generic]) -> None:
        self._shape, self._dtype = shape, np.dtype(dtype)
        self._bytes = int(np.prod(shape)) * self._dtype.itemsize
        self._file: BinaryIO | None = None
        self.left = 0
        if path:
            path.touch()
            self.left = path.stat().st_size // self._bytes
            self._file = path.open("r+b", buffering=0)

    def next(self) -> NDArray[Any] | None:
        """The next record of the earlier run, None where it ended."""
        if self._file is None or not self.left:
            return None
        self.left -= 1
        return np.frombuffer(self._file.read(self._bytes), self._dtype).reshape(self._shape)

    def add(self, record: NDArray[Any]) -> None:
        """Writes a record; whatever of the earlier run has not been read is given up."""
        if self._file is None:
            return
        if self._file.tell() != self._end():
            self._file.truncate()
            self.left = 0
        if self._file.write(np.ascontiguousarray(record, self._dtype).tobytes()) != self._bytes:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))  # the rest of it would be taken for the next one

    def _end(self) -> int:
        assert self._file is not None
        place = self._file.tell()
        end = self._file.seek(0, 2)
        self._file.seek(place)
        return end

    def close(self) -> None:
        """Closes the file."""
        if self._file:
            self._file.close()


class Journal:
    """The folder `OUT.resume` beside the result, for as long as it is not whole.

    Args:
        folder: the folder, or None to keep nothing.
        job: everything that decides the result; an earlier run of another job is thrown away.

    Raises:
        UserError: it can not be written, or is there and was not made by a journal.
    """

    def __init__(self, folder: Path | None, job: dict[str, Any]) -> None:
        self._folder = folder
        self._open: list[Records] = []
        if folder is None:
            return
        try:
            self._begin(folder, job)
        except OSError as error:
            raise UserError(f"can not write {folder}", got=error.strerror or str(error)) from error

    @staticmethod
    def _begin(folder: Path, job: dict[str, Any]) -> None:
        ours = (folder / MARK).is_file()
        if ours and not _same(folder / "job.json", job):
            log.warning("%s is of another dub: begun anew", folder)
            shutil.rmtree(folder)
            ours = False
        if not ours:
            folder.mkdir()
            (folder / MARK).touch()
        files.write_json(folder / "job.json", job)

    def records(self, name: str, shape: tuple[int, ...], dtype: type[np.generic]) -> Records:
        """The records of that name."""
        self._open.append(Records(self._folder / name if self._folder else None, shape, dtype))
        return self._open[-1]

    def close(self) -> None:
        """Closes the files and keeps them."""
        for records in self._open:
            records.close()

    def remove(self) -> None:
        """Removes the folder: the result is whole."""
        self.close()
        if self._folder:
            shutil.rmtree(self._folder)


def _same(path: Path, job: dict[str, Any]) -> bool:
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(known == json.loads(json.dumps(job)))
