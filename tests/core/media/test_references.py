"""References: found by pose, looks and lips, never near their frame, never with a hand before the mouth."""

from dataclasses import replace

import numpy as np
import pytest

from components.core.media import references
from components.core.media.references import GAP_FRAMES, Bank, standard
from components.core.models.windows import bank
from tests.talking import talking_crop


def test_the_nearest_has_the_lips_that_are_wanted() -> None:
    crop = replace(talking_crop(frames=60), pose=np.zeros((60, 3), np.float32))
    lips = standard(crop.measures)
    asked = lips[::-1]
    found = bank(crop).find(crop.frames, crop.pose, asked, 3, gap_frames=0)
    assert found.nearest.shape == (60, 3)
    assert np.abs(lips[found.nearest[:, 0]] - asked).max() == 0
    assert np.abs(lips[found.nearest[:, 2]] - asked).mean() < 0.3


def test_among_equal_lips_the_nearest_is_in_pose() -> None:
    crop = talking_crop(frames=40)
    crop = replace(crop, measures=np.ones_like(crop.measures), pose=np.arange(40)[:, None] * np.ones((1, 3)))
    found = bank(crop).find(crop.frames, crop.pose, standard(crop.measures), 1, GAP_FRAMES)
    np.testing.assert_array_equal(np.abs(found.nearest[:, 0] - np.arange(40)), GAP_FRAMES)


def test_the_average_is_of_the_bank_and_moves_smoothly() -> None:
    crop = talking_crop(frames=60)
    own = bank(crop)
    found = own.find(crop.frames, crop.pose, standard(crop.measures), 1, GAP_FRAMES)
    assert found.soft.shape == own.windows.shape
    assert (found.soft <= own.windows.max(0)).all()
    assert (found.soft >= own.windows.min(0)).all()
    nearest = references.videos(own.windows, found)[1]
    flicker = [np.abs(np.diff(video.astype(float), 2, axis=0)).mean() for video in (found.soft, nearest)]
    assert flicker[0] < flicker[1]


def test_frames_near_the_one_to_be_made_are_left_out_where_there_are_others() -> None:
    for frames in (40, 4, 1):
        crop = talking_crop(frames=frames)
        found = bank(crop).find(crop.frames, crop.pose, standard(crop.measures), 8, GAP_FRAMES)
        assert found.nearest.shape == (frames, 8)
        if frames == 40:
            assert (np.abs(found.nearest - np.arange(frames)[:, None]) >= GAP_FRAMES).all()


def test_a_hidden_mouth_is_no_reference() -> None:
    crop = talking_crop(frames=40)
    occluder = np.zeros_like(crop.mask)
    occluder[10:30, 30:34, 20:26] = True
    found = bank(replace(crop, occluder=occluder)).find(
        crop.frames, crop.pose, standard(crop.measures), 3, gap_frames=0
    )
    assert not np.isin(found.nearest, np.arange(10, 30)).any()


def test_frames_that_the_bank_has_not_seen_find_theirs() -> None:
    crop = talking_crop(frames=40)
    hidden = np.zeros(20, bool)
    seen = Bank.of(crop.frames[:20], crop.pose[:20], crop.measures[:20], hidden)
    found = seen.find(crop.frames[20:], crop.pose[20:], standard(crop.measures)[20:], 2, gap_frames=0)
    assert found.nearest.shape == (20, 2)
    assert found.nearest.max() < 20


def test_standard_lips_know_no_scale() -> None:
    lips = np.random.default_rng(0).normal(size=(50, 6))
    np.testing.assert_allclose(standard(3 * lips + 7), standard(lips), rtol=1e-4, atol=1e-5)
    assert standard(np.ones((5, 6))) == pytest.approx(0)
