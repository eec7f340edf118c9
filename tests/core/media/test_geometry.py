import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.core.media import geometry
from components.core.media.geometry import Window

SIZE = 96
RNG = np.random.default_rng(0)
PICTURE = RNG.integers(0, 256, (240, 320, 3), dtype=np.uint8)


@given(st.integers(1, 64))
def test_the_window_is_the_lower_face_of_any_crop(unit: int) -> None:
    window = Window.of(12 * unit)
    assert (window.top, window.bottom, window.left, window.right) == (5 * unit, 11 * unit, 2 * unit, 10 * unit)
    frames = np.zeros((2, 12 * unit, 12 * unit, 3), np.uint8)
    assert window.take(frames).shape == (2, window.height, window.width, 3) == (2, 6 * unit, 8 * unit, 3)


@pytest.mark.parametrize("size_px", [0, -12, 100])
def test_a_size_that_is_no_multiple_of_twelve_is_an_error(size_px: int) -> None:
    with pytest.raises(ValueError, match=str(size_px)):
        Window.of(size_px)


def test_taking_the_window_of_another_size_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"\(48, 48\).*96"):
        Window.of(96).take(np.zeros((1, 48, 48, 3)))


@pytest.mark.parametrize(("yaw", "roll", "scale"), [(0, 0, 100), (30, 0, 40), (-30, 15, 250), (10, -40, 90)])
def test_the_crop_has_level_eyes_at_a_third_and_one_scale_at_any_turn(face_at, yaw, roll, scale) -> None:
    landmarks = face_at(scale, (200, 150), yaw, roll)[None]
    transform = geometry.alignment(landmarks, SIZE)
    eyes = geometry.apply(transform, landmarks)[0, [33, 133, 362, 263]]
    np.testing.assert_allclose(eyes.mean(0)[:2], [SIZE / 2 - 0.5, SIZE / 3 - 0.5], atol=1e-6)
    assert np.ptp(eyes[:, 1]) < 1e-6
    zoom = np.sqrt(np.linalg.det(transform[0, :, :2]))
    assert zoom == pytest.approx(geometry.HEAD_SCALE_UNITS * SIZE / 12 / scale)


def test_speech_does_not_move_the_crop(face_at) -> None:
    shut, wide = face_at(opening=0.0), face_at(opening=0.4)
    assert not np.allclose(shut, wide)
    np.testing.assert_array_equal(*(geometry.alignment(one[None], SIZE) for one in (shut, wide)))


def path_of(count: int, step: float = 0.5) -> np.ndarray:
    """Transforms of a face that moves and grows evenly."""
    time = np.arange(count)[:, None, None]
    return np.array([[0.5, 0.1, 3], [-0.1, 0.5, 4]]) + time * np.array([[0.001, 0, step], [0, 0.001, -step]])


def test_smoothing_leaves_constant_motion_as_it_is_even_at_the_ends() -> None:
    path = path_of(30)
    np.testing.assert_allclose(geometry.smooth(path, np.ones(30, bool), SIZE), path, atol=1e-9)


def test_smoothing_takes_jitter_and_adds_no_lag() -> None:
    path, noise = path_of(200), np.random.default_rng(0).normal(0, 0.5, (200, 2, 3)) * [[0, 0, 1], [0, 0, 1]]
    error = (geometry.smooth(path + noise, np.ones(200, bool), SIZE) - path)[10:-10, :, 2]
    assert np.std(error) < 0.55 * np.std(noise[10:-10, :, 2])
    assert abs(error.mean()) < 0.1


def test_smoothing_keeps_gaps_and_never_mixes_runs() -> None:
    path, valid = path_of(40), np.ones(40, bool)
    valid[18:21] = False
    path[18:21] = np.nan
    path[30:, :, 2] += 80  # a cut
    assert geometry.runs(path, valid, SIZE).tolist() == [0] * 18 + [-1] * 3 + [1] * 9 + [2] * 10
    smooth = geometry.smooth(path, valid, SIZE)
    assert np.isnan(smooth[18:21]).all()
    np.testing.assert_allclose(smooth[valid], path[valid], atol=1e-9)


def test_a_lone_frame_is_its_own_smoothing() -> None:
    path = path_of(3)
    np.testing.assert_allclose(geometry.smooth(path, np.array([False, True, False]), SIZE), path)


def test_a_stream_with_look_ahead_smooths_like_the_whole() -> None:
    path = path_of(60) + np.random.default_rng(1).normal(0, 0.3, (60, 2, 3)) * [[0, 0, 1], [0, 0, 1]]
    valid = np.ones(60, bool)
    valid[25] = False
    whole, radius = geometry.smooth(path, valid, SIZE), geometry.SMOOTH_RADIUS_FRAMES
    for frame in range(radius, 60 - radius):
        near = slice(frame - radius, frame + radius + 1)
        np.testing.assert_allclose(geometry.smooth(path[near], valid[near], SIZE)[radius], whole[frame], atol=1e-12)


def test_warping_by_the_identity_is_exact() -> None:
    np.testing.assert_array_equal(geometry.warp(PICTURE, np.eye(2, 3), SIZE), PICTURE[:SIZE, :SIZE])


def test_a_small_crop_of_a_large_frame_does_not_alias() -> None:
    stripes = np.zeros((480, 480, 3), np.uint8)
    stripes[:, ::2] = 255
    crop = geometry.warp(stripes, np.array([[0.2, 0, -0.4], [0, 0.2, -0.4]]), SIZE)
    assert np.abs(crop.astype(float) - 127.5).max() < 30


SHIFTS = st.floats(-30, 150)


@settings(max_examples=20, deadline=None)
@given(st.floats(0.15, 3), st.floats(-0.5, 0.5), SHIFTS, SHIFTS)
def test_pasting_an_unchanged_window_changes_nothing(zoom, roll, x, y) -> None:
    transform = zoom * np.array([[np.cos(roll), np.sin(roll), -x], [-np.sin(roll), np.cos(roll), -y]])
    window = Window.of(48).take(geometry.warp(PICTURE, transform, 48)[None])[0]
    np.testing.assert_array_equal(geometry.paste(PICTURE, window, transform, geometry.soft_mask(48)), PICTURE)


@settings(max_examples=20, deadline=None)
@given(st.floats(0.15, 3), st.floats(-0.5, 0.5))
def test_pasting_touches_only_the_window(zoom, roll) -> None:
    linear = zoom * np.array([[np.cos(roll), np.sin(roll)], [-np.sin(roll), np.cos(roll)]])
    transform = np.column_stack([linear, 24 - linear @ [160, 120]])
    window = Window.of(48)
    edit = np.full((window.height, window.width, 3), 255, np.uint8)
    before = PICTURE.copy()
    result = geometry.paste(PICTURE, edit, transform, geometry.soft_mask(48))
    np.testing.assert_array_equal(PICTURE, before)
    rows, columns = np.nonzero((result != PICTURE).any(-1))
    x, y = transform @ [columns, rows, np.ones_like(rows)]
    assert len(x)
    reach = 0.71 * zoom  # half the diagonal of a pixel of the frame, in pixels of the crop
    assert window.left - 0.5 - reach < x.min() < x.max() < window.right - 0.5 + reach
    assert window.top - 0.5 - reach < y.min() < y.max() < window.bottom - 0.5 + reach


def test_a_large_edit_arrives_as_it_is_where_the_mask_is_one() -> None:
    window, mask = Window.of(SIZE), geometry.soft_mask(SIZE)
    frame = np.full((SIZE, SIZE, 3), 60, np.uint8)
    edit = np.full((window.height, window.width, 3), 200, np.uint8)
    result = window.take(geometry.paste(frame, edit, np.eye(2, 3), mask)[None])[0]
    np.testing.assert_array_equal(result[mask == 1], edit[mask == 1])


def test_the_sources_old_detail_gives_way_where_the_edit_is_large() -> None:
    size, window = 48, Window.of(48)
    teeth = np.full((480, 480, 3), 100, np.uint8)
    teeth[::8] = 250  # detail that the crop is too small for
    transform = np.array([[0.1, 0, -0.45], [0, 0.1, -0.45]])
    edit = np.full((window.height, window.width, 3), 20, np.uint8)
    middle = geometry.paste(teeth, edit, transform, geometry.soft_mask(size))[300:340, 200:280]
    assert np.abs(middle.astype(int) - 20).max() <= 2


def test_a_face_outside_the_frame_is_no_error() -> None:
    away = np.array([[1.0, 0, 1000], [0, 1, 1000]])
    edit = np.zeros((24, 32, 3), np.uint8)
    np.testing.assert_array_equal(geometry.paste(PICTURE, edit, away, geometry.soft_mask(48)), PICTURE)


@pytest.mark.parametrize("size_px", [48, 96, 192])
def test_the_soft_mask_is_zero_at_the_border_and_one_inside(size_px: int) -> None:
    mask, window = geometry.soft_mask(size_px), Window.of(size_px)
    assert mask.shape == (window.height, window.width)
    assert not mask[[0, -1]].any()
    assert not mask[:, [0, -1]].any()
    unit = size_px // 12
    assert (mask[unit : -unit // 2 - 1, unit : -unit - 1] == 1).all()
