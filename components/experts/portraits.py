"""Faces that only sit for their picture: data/portraits, where the identity experts learn who is who."""

import hashlib
import logging
from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from components.core.base import runtime
from components.core.base.errors import UserError
from components.core.media import face, geometry

log = logging.getLogger(__name__)
Portrait = NDArray[np.uint8]
"""(l s s 3) crops of one person."""


def load(data: Path, size_px: int, workers: int) -> list[Portrait]:
    """The people of `data`/portraits in the order of their names; none where the folder is absent.

    A file holds square pictures of one person side by side. Pictures without a face are left out, and people of whom
    fewer than two are left.

    Raises:
        UserError: a file that is no picture, or not a row of squares.
    """
    paths = sorted((data / "portraits").glob("*.jpg"))
    people = runtime.map_processes(partial(_crops, size_px), paths, "portraits", workers) if paths else []
    kept = [crops for crops in people if len(crops) > 1]
    if paths:
        log.info("portraits: %d people, %d pictures", len(kept), sum(len(crops) for crops in kept))
    return kept


def digest(portraits: Sequence[Portrait]) -> str:
    """One text for what they hold."""
    content = hashlib.sha256()
    for portrait in portraits:
        content.update(portrait.tobytes())
    return content.hexdigest()


def _crops(size_px: int, path: Path) -> Portrait:
    strip = cv2.imread(str(path))
    if strip is None or strip.shape[1] % strip.shape[0]:
        got = "no picture" if strip is None else f"{strip.shape[1]} x {strip.shape[0]} px"
        raise UserError(f"{path} can't be read", got=got, expected="a JPEG of squares side by side", fix="Remove it.")
    pictures = np.split(cv2.cvtColor(strip, cv2.COLOR_BGR2RGB), strip.shape[1] // strip.shape[0], axis=1)
    found = [crop for picture in pictures if (crop := _crop(np.ascontiguousarray(picture), size_px)) is not None]
    return np.stack(found) if found else np.zeros((0, size_px, size_px, 3), np.uint8)


def _crop(picture: NDArray[np.uint8], size_px: int) -> NDArray[Any] | None:
    faces = _mesh().detect(picture)
    if not faces:
        return None
    return geometry.warp(picture, geometry.alignment(faces[0][None], size_px)[0], size_px)


@cache
def _mesh() -> face.FaceMesh:
    """The one of this process."""
    return face.FaceMesh(static=True)
