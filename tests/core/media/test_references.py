"""References: found by pose, looks and lips, never near their frame, never with a hand before the mouth."""

from dataclasses import replace

import numpy as np
import pytest

from components.core.media import references
from components.core.media.references import GAP_FRAMES, Bank, standard
from components.core.models.windows import bank
from tests.talking import talking_crop


def test_the_nearest_has_the_lips_that_are_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(references, "STEADY", 0.0)
    crop = replace(talking_crop(frames=60), pose=np.zeros((60, 3), np.float32))
    lips = standard(crop.measures)
    asked = lips[::-1]
    found = bank(crop).find(crop.frames, crop.pose, asked, 3, gap_frames=0)
    assert found.nearest.shape == (60, 3)
    assert np.abs(lips[found.nearest[:, 0]] - asked).max() == 0
    assert np.abs(lips[found.nearest[:, 2]] - asked).mean() < 0.3
    assert all(len(set(frames)) == 3 for frames in found.nearest.tolist())


def test_the_path_is_the_cheapest_of_all() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        costs, steps = rng.random((4, 3)), rng.random((3, 3))
        ways = {
            way: sum(costs[range(4), way]) + sum(steps[way[:-1], way[1:]])
            for way in map(tuple, np.indices((3,) * 4).reshape(4, -1).T.tolist())
        }
        assert tuple(references.path(costs, steps)) == min(ways, key=ways.__getitem__)
        for known in ((2,), (0, 1), (1, 1, 2), (0, 2, 0, 1)):
            going_on = {way: cost for way, cost in ways.items() if way[: len(known)] == known}
            assert tuple(references.path(costs, steps, known)) == min(going_on, key=going_on.__getitem__)


def test_where_steps_cost_nothing_each_frame_has_its_nearest_and_where_they_cost_all_the_same() -> None:
    costs, apart = np.random.default_rng(1).random((9, 5)), 1.0 - np.eye(5)
    np.testing.assert_array_equal(references.path(costs, 0 * apart), costs.argmin(1))
    np.testing.assert_array_equal(references.path(costs, 1e3 * apart), costs.sum(0).argmin())


def test_among_equal_lips_the_nearest_is_in_pose(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(references, "STEADY", 0.0)
    crop = talking_crop(frames=40)
    crop = replace(crop, measures=np.ones_like(crop.measures), pose=np.arange(40)[:, None] * np.ones((1, 3)))
    found = bank(crop).find(crop.frames, crop.pose, standard(crop.measures), 1, GAP_FRAMES)
    np.testing.assert_array_equal(np.abs(found.nearest[:, 0] - np.arange(40)), GAP_FRAMES)


def test_the_average_is_of_the_bank_and_both_move_smoothly(monkeypatch: pytest.MonkeyPatch) -> None:
    crop = talking_crop(frames=60)
    own = bank(crop)

    def find() -> references.References:
        return own.find(crop.frames, crop.pose, standard(crop.measures), 1, GAP_FRAMES)

    found = find()
    monkeypatch.setattr(references, "STEADY", 0.0)
    assert found.soft.shape == own.windows.shape
    assert (found.soft <= own.windows.max(0)).all()
    assert (found.soft >= own.windows.min(0)).all()
    shown = (found.soft, references.videos(own.windows, found)[1], references.videos(own.windows, find())[1])
    flicker = [np.abs(np.diff(video.astype(float), 2, axis=0)).mean() for video in shown]
    assert flicker == sorted(flicker)


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
