"""What the editor hears of each frame."""

from fractions import Fraction

import av
import numpy as np
import pytest
import soundfile

from components.core.media import audio, mel, video
from components.core.media.video import MediaError
from components.dub.look import Look
from components.dub.output import SOUND_HZ, Sound, Writer
from components.dub.speech import Speech
from components.dub.timeline import timeline
from tests.core.media.test_audio import FORMATS, encode
from tests.dub.builders import save_video


@pytest.fixture
def path(tmp_path):
    samples = np.random.default_rng(0).normal(0, 0.1, 16_000).astype(np.float32)
    audio.write_wav(tmp_path / "speech.wav", samples)
    return tmp_path / "speech.wav"


@pytest.fixture
def heard(path):
    return Speech.load(path)


@pytest.fixture
def whole(path):
    return mel.log_mel(audio.load(path))


def test_at_25_fps_the_rows_are_those_of_training(heard, path):
    rows = heard.rows(np.arange(25) / 25, 0)
    np.testing.assert_allclose(rows, mel.for_frames(audio.load(path), 25), atol=1e-5)


def test_context_is_the_real_speech_around(heard, whole):
    np.testing.assert_allclose(heard.rows(np.arange(5, 10) / 25, 6), whole[20 - 6 : 40 + 6], atol=1e-5)


def test_at_other_rates_each_frame_hears_its_own_time(heard, whole):
    times = np.array([0, 1, 2, 3]) / 30
    rows = heard.rows(times, 0).reshape(4, 4, 80)
    for time_s, own in zip(times, rows, strict=True):
        start = round(time_s * 100)
        np.testing.assert_allclose(own, whole[start : start + 4], atol=1e-5)


def test_outside_the_speech_is_silence(heard, whole):
    rows = heard.rows(np.array([-1.0, 0.0, 0.96, 5.0]), 3)
    assert len(rows) == 4 * 4 + 2 * 3
    assert (rows[:7] == mel.SILENCE).all()
    assert (rows[-7:] == mel.SILENCE).all()
    np.testing.assert_allclose(rows[7:11], whole[:4], atol=1e-5)
    assert (heard.rows(np.array([6.0, 7.0]), 3) == mel.SILENCE).all()


def test_little_of_a_long_speech_is_in_memory_and_each_part_is_heard_once():
    made = []

    def coming():
        for index in range(600):
            made.append(index)
            yield np.full((100, 80), index, np.float32)

    speech = Speech(coming(), 600.0)
    for start in range(0, 590, 3):
        rows = speech.rows(start + np.arange(100) / 25, 10)
        np.testing.assert_array_equal(rows[10:-10:100, 0], start + np.arange(4))
        assert len(speech._heard) <= 100 * (4 + 2)
        assert len(made) <= start + 6
    with pytest.raises(AssertionError, match="in order"):
        speech.rows(np.array([3.0]), 0)


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


def tones(path, channels, layout=None):
    """A file of channels that have a tone of their own each, (300 + 200 i) Hz; with a layout they have names too."""
    time = np.arange(SOUND_HZ) / SOUND_HZ
    samples = 0.3 * np.sin(2 * np.pi * np.outer(300 + 200 * np.arange(channels), time))
    if layout is None:
        soundfile.write(path, samples.T, SOUND_HZ)
        return path
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=SOUND_HZ, layout=layout)
        chunk = av.AudioFrame.from_ndarray(samples.astype(np.float32), format="fltp", layout=layout)
        chunk.sample_rate, chunk.pts, chunk.time_base = SOUND_HZ, 0, Fraction(1, SOUND_HZ)
        container.mux(stream.encode(chunk))
        container.mux(stream.encode())
    return path


@pytest.mark.parametrize(
    ("channels", "own", "layout", "said"),
    [
        (3, None, "3.0", "3.0"),
        (4, None, "4.0", "4.0"),
        (5, None, "5.0", "5.0"),
        (6, None, "5.1", "5.1"),
        (3, "3.0", "3.0", "3.0"),
        (3, "2.1", "5.1", "5.1, from 2.1"),
        (4, "quad", "5.1", "5.1, from quad"),
        (5, "5.0(side)", "5.1", "5.1, from 5.0(side)"),
        (8, None, "5.1", "5.1, from 8 channels"),
    ],
)
def test_every_channel_is_heard_in_the_result_at_its_place(tmp_path, channels, own, layout, said):
    sound = Sound.of(tones(tmp_path / "speech.wav", channels, own))
    written = np.concatenate(list(sound.blocks), 1)
    assert (sound.layout, sound.said) == (layout, said)
    assert len(written) == av.AudioLayout(layout).nb_channels
    spectrum = np.abs(np.fft.rfft(written[:, :SOUND_HZ])) / SOUND_HZ * 2
    heard = spectrum[:, 300 + 200 * np.arange(channels)]  # by channel and tone
    assert (heard.max(0) > 0.2).all()
    if channels <= 6:
        assert ((heard > 0.1).sum(0) == 1).all()  # each in one channel
        assert len(set(heard.argmax(0))) == channels  # of its own


@pytest.mark.parametrize("channels", [3, 4, 5, 6])
def test_as_many_channels_are_in_the_file(tmp_path, channels):
    film = save_video(tmp_path / "film.mp4", [index * 512 for index in range(20)], Fraction(1, 12800))
    look = Look.of(film, video.probe(film))
    with Writer(tmp_path / "out.mp4", look, Sound.of(tones(tmp_path / "speech.wav", channels))) as writer:
        for picture in timeline(video.frames(film), 25.0, 1, "video", "hold"):
            writer.add(picture)
    assert audio.channels(tmp_path / "out.mp4") == channels


@pytest.mark.parametrize(("name", "codec", "rate", "layout"), FORMATS)
def test_speech_of_any_format_is_heard_and_written_at_its_length(tmp_path, name, codec, rate, layout):
    path = encode(tmp_path / name, codec, rate, layout)
    assert Speech.load(path).duration_s == pytest.approx(1, abs=0.06)  # a coder may add what is left of its last block
    sound = Sound.of(path)
    assert sound.layout == layout
    written = np.concatenate(list(sound.blocks), 1)
    assert written.shape[0] == {"mono": 1, "stereo": 2, "5.1": 6}[layout]
    assert written.shape[1] / SOUND_HZ == pytest.approx(1, abs=0.06)
    assert np.abs(written[0]).max() > 0.3
