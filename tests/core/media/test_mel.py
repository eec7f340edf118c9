import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from components.core.media import RATE_HZ, mel

NOISE = np.random.default_rng(0).normal(0, 0.1, RATE_HZ).astype(np.float32)


def test_silence_has_its_value_and_everything_else_lies_above() -> None:
    assert (mel.log_mel(np.zeros(3200, np.float32)) == mel.SILENCE).all()
    assert mel.log_mel(NOISE).min() > mel.SILENCE


@pytest.mark.parametrize("hz", [100.0, 440.0, 1000.0, 3000.0, 7000.0])
def test_a_tone_peaks_in_the_filter_around_it(hz: float) -> None:
    tone = np.sin(2 * np.pi * hz * np.arange(RATE_HZ) / RATE_HZ)
    loudest = mel.log_mel(tone)[50].argmax()
    # The centre of the slaney filter b is that of mel(b + 1) / 81 of the whole scale.
    centres = np.array(
        [(mel.filters()[b] * np.linspace(0, 8000, 257)).sum() / mel.filters()[b].sum() for b in range(80)]
    )
    assert abs(centres[loudest] - hz) <= np.diff(centres)[min(loudest, 78)] / 2 + 16


def test_filters_have_unit_area_and_overlap_to_a_flat_response() -> None:
    bank, width = mel.filters(), RATE_HZ / 2 / 256
    np.testing.assert_allclose(bank.sum(1).reshape(8, 10).mean(1) * width, 1, atol=0.03)
    assert bank.argmax(1).tolist() == sorted(bank.argmax(1).tolist())


def test_it_is_the_short_time_fourier_transform_of_torch() -> None:
    window = torch.hann_window(400, periodic=True, dtype=torch.float64)
    sound = torch.from_numpy(NOISE).double()
    spectrum = torch.stft(sound, 512, 160, 400, window, center=True, pad_mode="constant", return_complex=True)
    decibels = 10 * torch.log10(torch.from_numpy(mel.filters()) @ spectrum.abs() ** 2)
    np.testing.assert_allclose(mel.log_mel(NOISE), ((decibels + 30) / 50).T.numpy()[:100], atol=1e-5)


def test_a_full_scale_tone_is_near_one() -> None:
    tone = np.sin(2 * np.pi * 500 * np.arange(RATE_HZ) / RATE_HZ)
    assert 0.8 < mel.log_mel(tone).max() < 1.2


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 40), st.integers(0, 20_000))
def test_each_video_frame_has_exactly_four_rows(frames: int, samples: int) -> None:
    rows = mel.for_frames(NOISE[:samples], frames)
    assert rows.shape == (4 * frames, 80)
    silent_from = samples // 160 + 3
    assert (rows[silent_from:] == mel.SILENCE).all()


def test_frame_i_is_centred_on_ten_i_milliseconds() -> None:
    click = np.zeros(RATE_HZ, np.float32)
    click[160 * 37] = 1
    assert mel.log_mel(click).mean(1).argmax() == 37


def test_blocks_leave_no_trace(monkeypatch) -> None:
    whole = mel.log_mel(NOISE)
    monkeypatch.setattr(mel, "BLOCK", 7)
    np.testing.assert_array_equal(mel.log_mel(NOISE), whole)


def test_no_sound_is_no_frames() -> None:
    assert mel.log_mel(np.zeros(0, np.float32)).shape == (0, 80)


@pytest.mark.parametrize("sizes", [[48_000], [1] * 500, [7919] * 9, [159, 161, 33_333, 0, 5], []])
def test_a_stream_has_the_rows_of_the_whole(sizes) -> None:
    samples = np.random.default_rng(0).normal(0, 0.1, sum(sizes)).astype(np.float32)
    blocks = np.split(samples, np.cumsum(sizes)[:-1]) if sizes else []
    rows = np.concatenate([np.zeros((0, 80)), *mel.stream(blocks)])
    np.testing.assert_allclose(rows, mel.log_mel(samples), atol=1e-5)
