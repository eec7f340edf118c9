from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from components.core.media import audio, video
from components.core.media.video import MediaError

TONE = (0.5 * np.sin(2 * np.pi * 300 * np.arange(16000) / 16000)).astype(np.float32)


def mux(path: Path, video_start_ms: int, pieces: list[tuple[int, np.ndarray]]) -> Path:
    """A second of grey video from `video_start_ms`, and pieces of sound at times of their own."""
    with av.open(str(path), "w") as container:
        pictures = container.add_stream("mpeg4", rate=25)
        pictures.width, pictures.height, pictures.pix_fmt = 32, 32, "yuv420p"
        pictures.codec_context.time_base = Fraction(1, 1000)
        sound = container.add_stream("pcm_s16le", rate=16000, layout="mono")
        for index in range(25):
            picture = av.VideoFrame.from_ndarray(np.full((32, 32, 3), 90, np.uint8), format="rgb24")
            picture.pts, picture.time_base = video_start_ms + 40 * index, Fraction(1, 1000)
            container.mux(pictures.encode(picture))
        container.mux(pictures.encode())
        for start_ms, samples in pieces:
            chunk = av.AudioFrame.from_ndarray((samples * 32767).astype(np.int16)[None], format="s16", layout="mono")
            chunk.sample_rate, chunk.pts, chunk.time_base = 16000, start_ms * 16, Fraction(1, 16000)
            container.mux(sound.encode(chunk))
        container.mux(sound.encode())
    return path


@pytest.mark.parametrize(("video_ms", "sound_ms"), [(0, 0), (0, 200), (500, 700), (300, 100)])
def test_sound_is_placed_on_the_videos_clock(tmp_path, video_ms, sound_ms) -> None:
    path = mux(tmp_path / "a.mkv", video_ms, [(sound_ms, TONE)])
    shift = (sound_ms - video_ms) * 16
    expected = np.concatenate([np.zeros(max(0, shift), np.float32), TONE[max(0, -shift) :]])
    found = audio.load(path)
    assert len(found) == len(expected)
    np.testing.assert_allclose(found, expected, atol=1e-3)
    assert video.probe(path).audio_offset_s == pytest.approx((sound_ms - video_ms) / 1000, abs=1e-3)


def test_a_gap_in_the_middle_is_silence(tmp_path) -> None:
    found = audio.load(mux(tmp_path / "a.mkv", 0, [(0, TONE[:4000]), (600, TONE[:4000])]))
    assert np.abs(found[4200:9400]).max() == 0
    np.testing.assert_allclose(found[9600:13600], TONE[:4000], atol=1e-3)


@pytest.mark.parametrize(
    ("rate", "channels", "subtype"), [(48000, 2, "PCM_24"), (22050, 1, "PCM_16"), (24000, 1, "FLOAT")]
)
def test_any_rate_and_layout_becomes_mono_at_16_khz(tmp_path, rate, channels, subtype) -> None:
    tone = 0.5 * np.sin(2 * np.pi * 300 * np.arange(rate) / rate)
    soundfile.write(tmp_path / "a.wav", np.stack([tone] * channels, 1), rate, subtype=subtype)
    found = audio.load(tmp_path / "a.wav")
    assert abs(len(found) - 16000) <= 2
    assert found.dtype == np.float32
    np.testing.assert_allclose(found[200:15800], TONE[200:15800], atol=0.01)


def encode(path: Path, codec: str, rate: int, layout: str, seconds: float = 1.0) -> Path:
    """A tone of 300 Hz in the first two channels; FFmpeg picks the container by the suffix."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, layout=layout)
        tone = 0.5 * np.sin(2 * np.pi * 300 * np.arange(round(seconds * rate)) / rate)
        channels = av.AudioLayout(layout).nb_channels
        samples = np.ascontiguousarray(np.stack([tone * (index < 2) for index in range(channels)]), np.float32)
        chunk = av.AudioFrame.from_ndarray(samples, format="fltp", layout=layout)
        chunk.sample_rate, chunk.pts, chunk.time_base = rate, 0, Fraction(1, rate)
        container.mux(stream.encode(chunk))
        container.mux(stream.encode())
    return path


FORMATS = [
    ("a.wav", "pcm_s16le", 8000, "mono"),
    ("a.wav", "pcm_s24le", 96_000, "stereo"),
    ("a.wav", "pcm_s32le", 44_100, "mono"),
    ("a.wav", "pcm_f32le", 48_000, "5.1"),
    ("a.mp3", "libmp3lame", 44_100, "stereo"),
    ("a.m4a", "aac", 48_000, "5.1"),
    ("a.m4a", "aac", 22_050, "mono"),
    ("a.ogg", "libopus", 48_000, "stereo"),
    ("a.flac", "flac", 96_000, "stereo"),
    ("a.flac", "flac", 8000, "mono"),
]


@pytest.mark.parametrize(("name", "codec", "rate", "layout"), FORMATS)
def test_any_codec_rate_and_layout_is_the_same_sound_at_the_same_time(tmp_path, name, codec, rate, layout) -> None:
    found = audio.load(encode(tmp_path / name, codec, rate, layout))
    assert abs(len(found) - 16_000) <= 16_000 * 0.06  # a coder may add what is left of its last block
    inner = found[1600:14_400]
    error = np.abs(inner - TONE[1600:14_400] * np.abs(inner).max() / 0.5).max()
    assert error < 0.05  # in phase: a shift of 1 ms would be 0.9
    assert np.abs(inner).max() > 0.3


def test_speech_in_the_centre_of_surround_sound_is_heard(tmp_path) -> None:
    samples = np.zeros((48_000, 6), np.float32)
    samples[:, 2] = 0.5 * np.sin(2 * np.pi * 300 * np.arange(48_000) / 48_000)
    soundfile.write(tmp_path / "a.wav", samples, 48_000)
    assert audio.loudness_dbfs(audio.load(tmp_path / "a.wav")) > -20  # a tone of this height alone has -9


def test_a_stream_keeps_the_channels_and_holds_little(tmp_path) -> None:
    path = encode(tmp_path / "a.wav", "pcm_s16le", 44_100, "stereo", 20.0)
    blocks = list(audio.stream(path, 48_000, "stereo"))
    assert {len(block) for block in blocks} == {2}
    assert sum(block.shape[1] for block in blocks) == pytest.approx(20 * 48_000, abs=2)
    assert max(block.shape[1] for block in blocks) <= 48_000
    mono = np.concatenate([block[0] for block in audio.stream(path)])
    np.testing.assert_array_equal(mono, audio.load(path))


def test_sound_that_overlaps_is_heard_once_and_a_corrupt_time_is_refused(tmp_path) -> None:
    found = audio.load(mux(tmp_path / "a.mkv", 0, [(0, TONE[:8000]), (250, TONE[:8000])]))
    np.testing.assert_allclose(found[:8000], TONE[:8000], atol=1e-3)
    assert len(found) == 12_000
    with pytest.raises(MediaError, match="time jumps to 900 s"):
        audio.load(mux(tmp_path / "b.mkv", 0, [(0, TONE), (900_000, TONE)]))


def test_a_wav_is_read_as_it_was_written(tmp_path) -> None:
    audio.write_wav(tmp_path / "a.wav", TONE)
    np.testing.assert_allclose(audio.load(tmp_path / "a.wav"), TONE, atol=1e-4)


def test_loudness_of_a_tone_is_three_decibels_under_its_peak() -> None:
    assert audio.loudness_dbfs(TONE) == pytest.approx(-6.02 - 3.01, abs=0.01)
    assert audio.loudness_dbfs(np.zeros(100, np.float32)) == audio.loudness_dbfs(np.zeros(0, np.float32)) == -120


def test_a_video_without_sound_says_so(tmp_path) -> None:
    video.write(tmp_path / "a.mp4", [np.zeros((32, 32, 3), np.uint8)] * 5, 25, crf=30)
    with pytest.raises(MediaError) as caught:
        audio.load(tmp_path / "a.mp4")
    assert caught.value.reason == "no_audio"


@pytest.mark.media
@pytest.mark.parametrize(
    ("name", "seconds", "dbfs"),
    [
        ("audio04_japanese.wav", 9.09, -11.4),  # the list is 3 dB louder where there are two equal channels
        ("audio09_mandarin_f32.wav", 3.48, -22.8),
        ("audio10_cosyvoice_cross.wav", 13.75, -19.2),
        ("audio11_latentsync1.wav", 9.6, -17.3),
        ("audio14_mp3_speech.mp3", 32.88, -18.9),
        ("clip06_retalk_face4.mp4", 6.6, -35.6),
        ("clip08_grid_lwbsza.mpg", 2.98, -17.9),
    ],
)
def test_real_sound_has_the_length_and_loudness_of_its_list(media, name, seconds, dbfs) -> None:
    samples = audio.load(media / name)
    assert len(samples) / 16000 == pytest.approx(seconds, abs=0.02)
    assert audio.loudness_dbfs(samples) == pytest.approx(dbfs, abs=0.5)
