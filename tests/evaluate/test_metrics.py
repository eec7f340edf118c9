"""Every metric against a closed form."""

import cv2
import numpy as np
import pytest

from components.core.media import RATE_HZ
from components.evaluate import metrics

RNG = np.random.default_rng(0)
SHAPE = (12, 48, 48)
ALL = np.ones(SHAPE, bool)
NONE = np.zeros(SHAPE, bool)


def noise(level: float = 40.0) -> np.ndarray:
    return np.clip(128 + level * RNG.standard_normal((*SHAPE, 3)), 0, 255).astype(np.uint8)


def flat(value: int) -> np.ndarray:
    return np.full((*SHAPE, 3), value, np.uint8)


def test_psnr_of_a_constant_error_is_its_closed_form():
    assert metrics.psnr_db(flat(100), flat(110), ALL) == pytest.approx(20 * np.log10(255 / 10), abs=1e-4)


def test_psnr_is_capped_for_identical_clips_and_sees_only_the_region():
    half = ALL.copy()
    half[:, 24:] = False
    changed = flat(100)
    changed[:, 24:] = 0
    assert metrics.psnr_db(changed, flat(100), half) == metrics.PSNR_CAP_DB
    assert metrics.psnr_db(changed, flat(100), ALL) < 15


def test_empty_regions_have_no_value():
    clip = flat(1)
    assert np.isnan(metrics.psnr_db(clip, clip, NONE))
    assert np.isnan(metrics.ssim(clip, clip, NONE))
    assert np.isnan(metrics.sharpness(clip, NONE))
    assert np.isnan(metrics.seam(clip, NONE))
    assert np.isnan(metrics.flicker(clip, metrics.still_pixels(clip, NONE)))


def test_ssim_is_one_for_itself_and_the_luminance_term_for_flat_clips():
    clip = noise()
    assert metrics.ssim(clip, clip, ALL) == pytest.approx(1, abs=1e-4)
    c1 = (0.01 * 255) ** 2
    assert metrics.ssim(flat(100), flat(150), ALL) == pytest.approx((2 * 100 * 150 + c1) / (100**2 + 150**2 + c1))
    assert metrics.ssim(clip, noise(), ALL) < 0.2


def test_lip_distance_is_the_length_of_the_shift_and_skips_lost_faces():
    landmarks = RNG.normal(size=(5, 478, 3))
    moved = landmarks + np.array([3, 4, 7])
    moved[2] = np.nan
    assert metrics.lip_distance_px(moved, landmarks) == pytest.approx(5)
    assert np.isnan(metrics.lip_distance_px(np.full_like(landmarks, np.nan), landmarks))


def test_correlation_of_lines_noise_gaps_and_stillness():
    t = np.arange(50.0)
    assert metrics.correlation(2 * t + 1, t) == pytest.approx(1)
    assert metrics.correlation(-t, t) == pytest.approx(-1)
    gappy = t.copy()
    gappy[5:30] = np.nan
    assert metrics.correlation(gappy, t) == pytest.approx(1)
    assert metrics.correlation(np.ones(50), t) == 0  # a mouth that does not move at all is wrong, not unknown
    assert np.isnan(metrics.correlation(t, np.ones(50)))
    assert np.isnan(metrics.correlation(t[:7], t[:7]))


def test_sharpness_falls_with_blur_and_scales_with_contrast():
    clip = noise()
    soft = np.stack([cv2.GaussianBlur(image, (0, 0), 1.5) for image in clip])
    assert metrics.sharpness(soft, ALL) < 0.5 * metrics.sharpness(clip, ALL)
    lower = (128 + (clip.astype(float) - 128) / 2).round().astype(np.uint8)
    assert metrics.sharpness(lower, ALL) == pytest.approx(metrics.sharpness(clip, ALL) / 2, rel=0.02)
    assert metrics.sharpness(flat(9), ALL) == pytest.approx(0, abs=1e-3)


def test_flicker_of_an_alternating_level_is_four_times_its_amplitude_and_of_a_ramp_nothing():
    alternating, ramp = flat(100), flat(100)
    alternating[::2] += 2
    alternating[1::2] -= 2
    ramp += np.arange(SHAPE[0], dtype=np.uint8)[:, None, None, None]
    still = np.ones((SHAPE[0] - 2, *SHAPE[1:]), bool)
    assert metrics.flicker(alternating, still) == pytest.approx(8, abs=1e-3)
    assert metrics.flicker(ramp, still) == pytest.approx(0, abs=1e-3)


def test_still_pixels_leave_out_what_moves():
    clip = flat(100)
    clip[:, :, 28:] = (np.arange(SHAPE[0]) * 20 % 250)[:, None, None, None]
    still = metrics.still_pixels(clip, ALL)
    assert still[:, :, :16].all()
    assert not still[:, :, 34:].any()


def test_seam_is_the_median_gradient_of_a_step_along_the_border():
    region = np.zeros(SHAPE, bool)
    region[:, 12:36, 12:36] = True
    pasted = flat(100)
    pasted[region] = 140
    ring = metrics.border(region)
    assert metrics.seam(flat(100), ring) == 0.25  # the floor
    assert metrics.seam(pasted, ring) == pytest.approx(20, abs=0.5)  # a step of 40 over the two pixels of the ring
    assert metrics.ratio_db(20, 2) == pytest.approx(20)


def test_border_is_two_pixels_wide():
    region = np.zeros((1, 9, 9), bool)
    region[:, 3:6, 3:6] = True
    assert metrics.border(region).sum() == 25 - 1


def test_silence_excludes_the_edges_of_a_pause():
    step = RATE_HZ // 25
    samples = 0.1 * np.sin(np.arange(20 * step) * 0.3)
    samples[5 * step : 14 * step] = 0
    silent = metrics.silent_frames(samples, 20, -50)
    assert np.flatnonzero(silent).tolist() == [7, 8, 9, 10, 11]


def test_silence_of_speech_that_ends_early_is_padded():
    silent = metrics.silent_frames(np.zeros(10), 6, -50)
    assert silent.all()


def test_lip_motion_ignores_the_head_and_counts_only_chosen_frames():
    landmarks = np.zeros((6, 478, 3))
    landmarks += np.arange(6)[:, None, None]  # the whole head moves
    frames = np.ones(6, bool)
    assert metrics.lip_motion_px(landmarks, frames) == pytest.approx(0)
    lips = np.array(metrics.LIPS)
    landmarks[3:, lips[:20], 1] += 2  # half of the points move by 2: each by 1 about the common centre, in one step
    assert metrics.lip_motion_px(landmarks, frames) == pytest.approx(1 / 5)
    frames[3] = False
    assert metrics.lip_motion_px(landmarks, frames) == pytest.approx(0)
    assert np.isnan(metrics.lip_motion_px(landmarks, np.zeros(6, bool)))


def test_identity_cosine_is_to_the_mean_direction():
    reference = np.array([[1.0, 0], [0, 1.0]])
    assert metrics.identity_cosine(np.array([[1.0, 0]]), reference) == pytest.approx(np.sqrt(0.5))


def test_frame_cosine_is_frame_by_frame():
    one, other = np.array([[1.0, 0], [0, 1]]), np.array([[1.0, 0], [0.6, 0.8]])
    assert metrics.frame_cosine(one, one) == 1
    assert metrics.frame_cosine(one, other) == pytest.approx(0.9)


def test_ratio_has_no_value_over_nothing():
    assert metrics.ratio(1, 2) == 0.5
    assert np.isnan(metrics.ratio(1, 0))
