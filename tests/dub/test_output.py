"""The result's file: times, size, rotation, pixel format, colours, and the sound in step."""

from dataclasses import replace
from fractions import Fraction

import av
import numpy as np
import pytest
import soundfile

from components.core.media import audio, video
from components.dub import output
from components.dub.look import Look
from components.dub.output import SOUND_HZ, Sound, Writer
from components.dub.streams import Others
from components.dub.timeline import timeline
from tests.dub.builders import save_video

SILENCE = np.zeros((1, 0), np.float32)
AT_25 = [index * 512 for index in range(20)]
TICK = Fraction(1, 12800)


def copy(source, target, sound=SILENCE):
    """Decodes and writes again, as a dub with nothing but gaps does."""
    info = video.probe(source)
    layout = {1: "mono", 2: "stereo", 6: "5.1"}[len(sound)]
    with (
        Others(source, info.start_s) as others,
        Writer(target, Look.of(source, info), Sound(layout, iter([sound])), others) as writer,
    ):
        for picture in timeline(video.frames(source), float(info.fps), 1.0, "video", "hold"):
            writer.add(picture)
    return writer


def times(path):
    return [frame.time_s for frame in video.frames(path)]


def stream_of(path):
    container = av.open(str(path))
    return container.streams.video[0], next(container.decode(video=0))


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize(
    ("stamps", "tick"),
    [
        (AT_25, TICK),
        ([index * 1001 for index in range(30)], Fraction(1, 30000)),
        ([0, 512, 1536, 1800, 4000, 4512], TICK),  # variable rate
        ([5000 + index * 512 for index in range(9)], TICK),  # does not begin at 0
    ],
    ids=["25", "29.97", "vfr", "late"],
)
def test_times_are_kept(tmp_path, suffix, stamps, tick):
    source = save_video(tmp_path / "source.mp4", stamps, tick)
    writer = copy(source, tmp_path / f"result{suffix}")
    rounding_s = 0.001 if suffix == ".mkv" else 1e-9  # Matroska counts in milliseconds
    assert times(tmp_path / f"result{suffix}") == pytest.approx(times(source), abs=rounding_s)
    assert writer.frames == len(stamps)
    assert writer.sound_s == pytest.approx(writer.end_s, abs=1 / SOUND_HZ)


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_size_and_rotation_are_kept(tmp_path, rotation):
    source = save_video(tmp_path / "source.mp4", AT_25, TICK, rotation=rotation)
    copy(source, tmp_path / "result.mp4")
    before, after = video.probe(source), video.probe(tmp_path / "result.mp4")
    assert before.rotation_deg == rotation
    for name in ("width_px", "height_px", "rotation_deg", "fps", "frames", "duration_s", "vfr"):
        assert getattr(after, name) == getattr(before, name)
    for one, other in zip(video.frames(source), video.frames(tmp_path / "result.mp4"), strict=True):
        assert np.abs(one.rgb.astype(int) - other.rgb).mean() < 2.5


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv422p", "yuv444p", "yuv420p10le"])
def test_the_pixel_format_is_kept(tmp_path, pixel_format):
    source = save_video(tmp_path / "source.mp4", AT_25, TICK, pixel_format=pixel_format)
    copy(source, tmp_path / "result.mp4")
    assert video.probe(tmp_path / "result.mp4").pixel_format == pixel_format


@pytest.mark.parametrize(
    ("codec", "coded", "written"), [("qtrle", "rgb24", "yuv444p"), ("ffv1", "gbrp10le", "yuv444p10le")]
)
def test_rgb_is_written_in_full_chroma_and_its_depth_with_a_matrix_that_players_know(tmp_path, codec, coded, written):
    source = tmp_path / ("source.mov" if codec == "qtrle" else "source.mkv")
    save_video(source, AT_25, TICK, codec=codec, pixel_format=coded, options={})
    copy(source, tmp_path / "result.mp4")
    assert video.probe(tmp_path / "result.mp4").pixel_format == written
    assert int(stream_of(tmp_path / "result.mp4")[1].colorspace) == 1
    for before, after in zip(video.frames(source), video.frames(tmp_path / "result.mp4"), strict=True):
        assert np.abs(before.rgb.astype(int) - after.rgb).mean((0, 1)).max() < 3


def test_odd_sizes_are_kept_in_full_chroma(tmp_path):
    source = save_video(tmp_path / "source.mp4", AT_25, TICK, size=(63, 47), pixel_format="yuv444p")
    copy(source, tmp_path / "result.mp4")
    after = video.probe(tmp_path / "result.mp4")
    assert (after.width_px, after.height_px, after.pixel_format) == (63, 47, "yuv444p")


@pytest.mark.parametrize(("matrix", "colour_range"), [(1, 1), (1, 2), (6, 1), (5, 2), (2, 1)])
def test_colours_and_their_tags_are_kept(tmp_path, matrix, colour_range):
    source = save_video(tmp_path / "source.mp4", AT_25, TICK, matrix=matrix, colour_range=colour_range)
    copy(source, tmp_path / "result.mp4")
    (_, one), (_, other) = stream_of(source), stream_of(tmp_path / "result.mp4")
    assert int(one.colorspace) == matrix
    assert (other.colorspace, other.color_range) == (one.colorspace, one.color_range)
    for before, after in zip(video.frames(source), video.frames(tmp_path / "result.mp4"), strict=True):
        assert np.abs(before.rgb.astype(int) - after.rgb).mean((0, 1)).max() < 3


def test_pixels_that_are_not_square_stay_so(tmp_path):
    source = save_video(tmp_path / "source.mp4", AT_25, TICK, aspect=Fraction(16, 15))
    copy(source, tmp_path / "result.mp4")
    assert stream_of(tmp_path / "result.mp4")[0].sample_aspect_ratio == Fraction(16, 15)


def test_the_sound_is_in_step_at_both_ends(tmp_path):
    """Clicks at the first and in the last half second come back where they were, and the sound ends with the video."""
    sound = np.zeros((1, 10 * SOUND_HZ), np.float32)
    clicks_s = [0.1, 0.7]
    for click_s in clicks_s:
        start = round(click_s * SOUND_HZ)
        sound[0, start : start + 240] = 0.8 * np.sin(np.arange(240) / 5)
    source = save_video(tmp_path / "source.mp4", AT_25, TICK)
    copy(source, tmp_path / "result.mp4", sound)
    heard = audio.load(tmp_path / "result.mp4", SOUND_HZ)
    assert len(heard) / SOUND_HZ == pytest.approx(0.8, abs=1024 / SOUND_HZ)
    for click_s in clicks_s:
        middle = round((click_s + 0.0025) * SOUND_HZ)
        near = np.abs(heard[middle - 2400 : middle + 2400])
        assert (near.argmax() - 2400) / SOUND_HZ == pytest.approx(0, abs=0.004)
        assert near.max() > 0.5


def test_nothing_written_is_an_error_only_where_it_went_well(tmp_path):
    source = save_video(tmp_path / "source.mp4", AT_25, TICK)
    look = Look.of(source, video.probe(source))
    with pytest.raises(KeyError), Writer(tmp_path / "result.mp4", look, Sound("mono", iter(()))):
        raise KeyError("what went wrong first")


def test_every_container_can_be_written():
    for name in output.FORMATS.values():
        assert av.ContainerFormat(name, "w").is_output


def test_pictures_too_short_for_a_sample_and_very_long_ones_have_their_sound(tmp_path):
    source = save_video(tmp_path / "source.mp4", AT_25, TICK)
    look, picture = Look.of(source, video.probe(source)), next(timeline(video.frames(source), 25.0, 1, "video", "hold"))
    sound = Sound("mono", iter([np.full((1, 100 * SOUND_HZ), 0.1, np.float32)]))
    with Writer(tmp_path / "result.mp4", look, sound) as writer:
        for start_s, seconds in ((0.0, 0.04), (0.04, 1e-6), (0.040001, 70.0)):
            writer.add(replace(picture, time_s=start_s, duration_s=seconds))
    assert writer.sound_s == pytest.approx(writer.end_s, abs=1 / SOUND_HZ)
    assert len(audio.load(tmp_path / "result.mp4")) / 16_000 == pytest.approx(70.04, abs=0.03)


@pytest.mark.parametrize(("layout", "channels"), [("mono", 1), ("stereo", 2), ("5.1", 6)])
def test_the_speech_keeps_its_channels(tmp_path, layout, channels):
    time_s = np.arange(SOUND_HZ) / SOUND_HZ
    tones = np.stack([0.2 * np.sin(2 * np.pi * (200 + 150 * c) * time_s) for c in range(channels)]).astype(np.float32)
    source = save_video(tmp_path / "source.mp4", [index * 512 for index in range(25)], TICK)
    copy(source, tmp_path / "result.mp4", tones)
    with av.open(str(tmp_path / "result.mp4")) as container:
        heard = np.concatenate([chunk.to_ndarray() for chunk in container.decode(audio=0)], 1)
    assert len(heard) == channels
    for number, channel in enumerate(heard):
        if number != 3:  # the channel of low frequencies has only those
            peak_hz = np.abs(np.fft.rfft(channel[4800:28_800])).argmax() * 2
            assert peak_hz == pytest.approx(200 + 150 * number, abs=4)


@pytest.mark.parametrize(("channels", "layout"), [(1, "mono"), (2, "stereo"), (6, "5.1")])
def test_the_layout_is_that_of_the_file(tmp_path, channels, layout):
    soundfile.write(tmp_path / "a.wav", np.full((4800, channels), 0.1), 48_000)
    assert Sound.of(tmp_path / "a.wav").layout == layout


RATES = {
    "23.976": [round(index * 1001 / 24000 * 90_000) for index in range(96)],
    "24": [index * 3750 for index in range(96)],
    "25": [index * 3600 for index in range(100)],
    "29.97": [index * 3003 for index in range(120)],
    "50": [index * 1800 for index in range(200)],
    "60": [index * 1500 for index in range(240)],
    "vfr": list(np.cumsum(np.random.default_rng(0).integers(1500, 7500, 90))),
}


def flashes(path, stamps):
    """A dark clip with white pictures at 0.5 s and half a second before its end; B-frames; returns their times."""
    times_s = (np.array(stamps) - stamps[0]) / 90_000
    bright = [int(np.abs(times_s - at).argmin()) for at in (0.5, times_s[-1] - 0.5)]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"bf": "2", "crf": "18"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, 90_000)
        for index, pts in enumerate(stamps):
            level = 235 if index in bright else 20
            picture = av.VideoFrame.from_ndarray(np.full((48, 64, 3), level, np.uint8), format="rgb24")
            picture.pts, picture.time_base = int(pts), Fraction(1, 90_000)
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return [float(times_s[index]) for index in bright]


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize("late", [0, 45_000], ids=["", "late"])
@pytest.mark.parametrize("rate", RATES)
def test_picture_and_sound_are_in_step_at_both_ends(tmp_path, rate, late, suffix):
    """A flash and a click at the same time come back at the same time, within a frame, at the start and at the end."""
    stamps = [pts + late for pts in RATES[rate]]
    events = flashes(tmp_path / "source.mp4", stamps)
    sound = np.zeros((1, 6 * SOUND_HZ), np.float32)
    for at_s in events:
        sound[0, round(at_s * SOUND_HZ) : round(at_s * SOUND_HZ) + 200] = 0.9
    copy(tmp_path / "source.mp4", tmp_path / f"result{suffix}", sound)
    seen = [frame.time_s for frame in video.frames(tmp_path / f"result{suffix}") if frame.rgb.mean() > 120]
    heard = np.abs(audio.load(tmp_path / f"result{suffix}", SOUND_HZ)) > 0.4
    edges = np.flatnonzero(heard & ~np.roll(heard, 500)) / SOUND_HZ
    frame_s = float(np.median(np.diff(stamps))) / 90_000
    assert len(seen) == 2
    for at_s in seen:
        assert np.abs(edges - at_s).min() < frame_s
