"""What counts as in front of a face: what comes in from below or a side, a pixel more of it, softly."""

import numpy as np
import pytest

from components.core.media import occlusion

SHAPE = (24, 32)


def probability(*places: tuple[slice, slice]) -> np.ndarray:
    """(1 h w), 0.99 at these places and .1 elsewhere."""
    made = np.full((1, *SHAPE), 0.1, np.float32)
    for place in places:
        made[(0, *place)] = 0.99
    return made


BAR = (slice(14, 24), slice(14, 18))
MOUTH = (slice(8, 12), slice(10, 22))
NOSE = (slice(0, 10), slice(14, 18))


@pytest.mark.parametrize(
    "bar", [BAR, (slice(14, 24), slice(2, 5)), (slice(5, 8), slice(0, 3)), (slice(5, 8), slice(29, 32))]
)
def test_what_comes_in_stays_and_what_lies_within_or_hangs_down_is_dropped(bar) -> None:
    found = occlusion.in_front(probability(bar, MOUTH) if bar is BAR else probability(bar))
    expected = np.zeros((1, *SHAPE), bool)
    expected[(0, *bar)] = True
    np.testing.assert_array_equal(found, expected)
    assert not occlusion.occlusion(probability(MOUTH)).any()
    assert not occlusion.occlusion(probability(NOSE)).any()


def test_what_is_sure_a_frame_later_or_earlier_is_there_and_a_frame_further_is_not() -> None:
    doubtful, sure = np.minimum(probability(BAR), 0.8), probability(BAR)
    moment = np.concatenate([doubtful, doubtful, sure, doubtful, doubtful])
    assert occlusion.in_front(moment).any((1, 2)).tolist() == [False, True, True, True, False]
    elsewhere = np.minimum(probability((slice(14, 24), slice(2, 5))), 0.8)
    assert not occlusion.in_front(np.concatenate([elsewhere, sure]))[0].any()


def test_corners_connect_and_frames_do_not() -> None:
    stairs = probability((slice(21, 24), slice(3, 6)), (slice(18, 21), slice(6, 9)))
    assert occlusion.in_front(stairs).sum() == 18
    two = np.concatenate([probability(BAR), probability((slice(10, 13), slice(14, 18)))])
    assert occlusion.in_front(two).sum((1, 2)).tolist() == [40, 0]


def test_it_is_one_on_it_and_a_pixel_around_and_nothing_three_pixels_away() -> None:
    soft = occlusion.occlusion(probability(BAR))[0]
    assert soft.dtype == np.float32
    np.testing.assert_allclose(soft[13:, 13:19], 1)
    np.testing.assert_allclose(soft[18, 10:14], [0, 1 / 3, 2 / 3, 1], atol=1e-6)
    assert not soft[:11].any()
    assert not soft[:, :11].any()
    assert not soft[:, 21:].any()


def test_what_is_nowhere_sure_is_dropped_and_what_is_somewhere_stays_whole() -> None:
    doubtful = np.minimum(probability(BAR), 0.85)
    assert not occlusion.in_front(doubtful).any()
    doubtful[0, 18, 15] = 0.99
    assert occlusion.in_front(doubtful).sum() == 40
    doubtful[0, -1] = 0.2  # not even likely where it comes in
    assert not occlusion.in_front(doubtful).any()


def test_nothing_and_everything() -> None:
    assert not occlusion.occlusion(np.zeros((2, *SHAPE), np.float32)).any()
    np.testing.assert_allclose(occlusion.occlusion(np.ones((2, *SHAPE), np.float32)), 1)
    assert occlusion.occlusion(np.zeros((0, *SHAPE), np.float32)).shape == (0, *SHAPE)
