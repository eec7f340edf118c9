"""Portraits: faces are cropped as clips are, pictures without one are left out."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from components.core.base.errors import UserError
from components.experts import portraits
from components.studio import portraits as studio
from tests.studio.test_core import TINY


def test_people_come_as_crops_and_empty_pictures_do_not(tmp_path: Path) -> None:
    folder = tmp_path / "portraits"
    studio.write(folder, replace(TINY, size_px=192, portraits=2), 0, workers=1)
    strip = cv2.imread(str(folder / "person0000.jpg"))
    assert strip.shape == (192, 6 * 192, 3)
    strip[:, :192] = 127
    cv2.imwrite(str(folder / "person0000.jpg"), strip)
    cv2.imwrite(str(folder / "person0002.jpg"), np.full_like(strip, 127))
    first, second = portraits.load(tmp_path, 48, workers=1)
    assert first.shape == (5, 48, 48, 3)
    assert second.shape == (6, 48, 48, 3)
    assert np.abs(second[0].astype(float) - second[1]).mean() > 5  # another light, pose and place
    assert portraits.digest([first, second]) != portraits.digest([second, first])


def test_no_folder_is_nobody(tmp_path: Path) -> None:
    assert portraits.load(tmp_path, 48, workers=1) == []


@pytest.mark.parametrize("content", [b"no picture", None])
def test_a_file_that_is_no_row_of_squares_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "portraits" / "person0000.jpg"
    path.parent.mkdir()
    if content is None:
        cv2.imwrite(str(path), np.zeros((40, 70, 3), np.uint8))
    else:
        path.write_bytes(content)
    with pytest.raises(UserError, match=r"person0000\.jpg can't be read"):
        portraits.load(tmp_path, 48, workers=1)
