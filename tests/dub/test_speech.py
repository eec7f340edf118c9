"""What the editor hears of each frame."""

import numpy as np
import pytest

from components.core.media import audio, mel
from components.core.media.video import MediaError
from components.dub.speech import Speech


@pytest.fixture
def samples():
    return np.random.default_rng(0).normal(0, 0.1, 16_000).astype(np.float32)


@pytest.fixture
def heard(tmp_path, samples):
    audio.write_wav(tmp_path / "speech.wav", samples)
    return Speech.load(tmp_path / "speech.wav")


def test_at_25_fps_the_rows_are_those_of_training(heard, tmp_path):
    samples = audio.load(tmp_path / "speech.wav")
    rows = heard.rows(np.arange(25) / 25, 0)
    np.testing.assert_allclose(rows, mel.for_frames(samples, 25), atol=1e-6)


def test_context_is_the_real_speech_around(heard):
    rows = heard.rows(np.arange(5, 10) / 25, 6)
    np.testing.assert_array_equal(rows, heard.mel[20 - 6 : 40 + 6])


def test_at_other_rates_each_frame_hears_its_own_time(heard):
    times = np.array([0, 1, 2, 3]) / 30
    rows = heard.rows(times, 0).reshape(4, 4, 80)
    for time_s, own in zip(times, rows, strict=True):
        start = round(time_s * 100)
        np.testing.assert_array_equal(own, heard.mel[start : start + 4])


def test_outside_the_speech_is_silence(heard):
    rows = heard.rows(np.array([-1.0, 0.0, 0.96, 5.0]), 3)
    assert len(rows) == 4 * 4 + 2 * 3
    assert (rows[:7] == mel.SILENCE).all()
    assert (rows[-7:] == mel.SILENCE).all()
    np.testing.assert_array_equal(rows[7:11], heard.mel[:4])


def test_length_is_that_of_the_sound(heard):
    assert heard.duration_s == 1.0


@pytest.mark.parametrize(
    ("samples", "reason"), [(np.zeros(16_000), "silent"), (np.full(1000, 0.5), "too_short"), (np.zeros(0), "")]
)
def test_what_is_no_speech_is_refused(tmp_path, samples, reason):
    path = tmp_path / "speech.wav"
    audio.write_wav(path, samples.astype(np.float32))
    with pytest.raises(MediaError, match=r"speech\.wav") as caught:
        Speech.load(path)
    assert not reason or caught.value.reason == reason
