import io
import pickle
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.core.media import audio, video
from components.core.media.video import Frame, MediaError


def shaded(count: int, step: int = 3, height: int = 48, width: int = 64) -> list[np.ndarray]:
    """Smooth pictures whose brightness tells their number."""
    x = np.linspace(0, 40, width)[None, :, None] * np.ones((height, 1, 3))
    return [(x + np.array([20 + step * index, 60, 100])).astype(np.uint8) for index in range(count)]


def encode(path: Path, frames, stamps_ms, *, rotation: int = 0, pixel_format: str = "yuv420p", **options) -> Path:
    """A video with a timestamp of its own for each frame."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(options.pop("codec", "libx264"), rate=1000, options={"crf": "10"})
        stream.width, stream.height, stream.pix_fmt = frames[0].shape[1], frames[0].shape[0], pixel_format
        stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
        if rotation:
            stream.set_display_rotation(rotation)
        for rgb, stamp in zip(frames, stamps_ms, strict=True):
            picture = av.VideoFrame.from_ndarray(rgb, format="rgb24")
            picture.pts, picture.time_base = stamp, Fraction(1, 1000)
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return path


def test_what_is_written_is_read_again(tmp_path) -> None:
    pictures = shaded(30)
    assert video.write(tmp_path / "a.mp4", pictures, 25, crf=2, pixel_format="yuv444p") == 30
    info = video.probe(tmp_path / "a.mp4")
    assert (info.width_px, info.height_px, info.fps, info.frames, info.vfr) == (64, 48, 25, 30, False)
    assert (info.duration_s, info.start_s, info.has_audio, info.rotation_deg) == (1.2, 0, False, 0)
    found = list(video.frames(tmp_path / "a.mp4"))
    np.testing.assert_allclose([frame.time_s for frame in found], np.arange(30) / 25, atol=1e-4)
    error = np.abs(np.stack([frame.rgb for frame in found]).astype(int) - np.stack(pictures))
    assert error.max() <= 4
    np.testing.assert_array_equal(video.decode_bytes((tmp_path / "a.mp4").read_bytes()), [f.rgb for f in found])


def test_the_same_frames_are_the_same_bytes() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (30, 96, 96, 3), dtype=np.uint8) // 4
    made = set()
    for _ in range(4):
        buffer = io.BytesIO()
        video.write(buffer, iter(noise), 25, crf=6, pixel_format="yuv444p", audio=np.zeros(16000, np.float32))
        made.add(buffer.getvalue())
    assert len(made) == 1


def test_sound_goes_along(tmp_path) -> None:
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(16000) / 16000).astype(np.float32)
    video.write(tmp_path / "a.mp4", shaded(25), 25, crf=20, audio=tone)
    sound = audio.load(tmp_path / "a.mp4")
    assert video.probe(tmp_path / "a.mp4").has_audio
    assert np.corrcoef(sound[2000:14000], tone[2000:14000])[0, 1] > 0.99


def test_an_odd_size_and_no_frames_are_errors(tmp_path) -> None:
    with pytest.raises(ValueError, match="33x47"):
        video.write(tmp_path / "a.mp4", [np.zeros((47, 33, 3), np.uint8)], 25, crf=20)
    with pytest.raises(ValueError, match="at least one frame"):
        video.write(tmp_path / "a.mp4", [], 25, crf=20)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuvj420p", "yuv444p", "yuv420p10le", "yuv422p"])
def test_any_pixel_format_and_range_has_the_same_colours(tmp_path, pixel_format) -> None:
    path = encode(tmp_path / "a.mkv", shaded(5), range(0, 200, 40), pixel_format=pixel_format)
    found = next(video.frames(path)).rgb
    assert np.abs(found.astype(int) - shaded(1)[0]).max() <= 5


@pytest.mark.parametrize(("rotation", "turns"), [(0, 0), (90, 1), (180, 2), (-90, 3)])
def test_rotation_is_applied(tmp_path, rotation, turns) -> None:
    path = encode(tmp_path / "a.mp4", shaded(3), [0, 40, 80], rotation=rotation)
    found, info = next(video.frames(path)).rgb, video.probe(path)
    expected = np.rot90(shaded(1)[0], turns)
    assert found.shape == expected.shape == (info.height_px, info.width_px, 3)
    assert info.rotation_deg == -rotation % 360
    assert np.abs(found.astype(int) - expected).max() <= 6


def test_an_uneven_rate_and_a_late_start_are_seen_and_resampled_by_time(tmp_path) -> None:
    stamps = [500, 540, 580, 700, 740, 1000, 1040, 1080, 1120]
    path = encode(tmp_path / "a.mkv", shaded(9, 20), stamps)
    info, found = video.probe(path), list(video.frames(path))
    assert info.vfr
    assert info.start_s == pytest.approx(0.5)
    np.testing.assert_allclose([frame.time_s for frame in found], (np.array(stamps) - 500) / 1000, atol=1e-6)
    steady = list(video.resample(found, 25, 0, info.duration_s))
    assert len(steady) == 16
    shown = [round((float(picture[0, 0, 0]) - 20) / 20) for picture in steady]
    nearest = [min(range(9), key=lambda i: (abs(found[i].time_s - k / 25), i)) for k in range(16)]
    assert shown == nearest


@pytest.mark.parametrize(("ticks", "seconds"), [(600, 0.6), (4000, 4.0), (700_000, video.LONGEST_S)])
def test_the_last_picture_is_shown_as_long_as_its_packet_says(tmp_path, ticks, seconds) -> None:
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"bf": "2"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        encoded = [stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")) for rgb in shaded(20)]
        for packet in [*chain(*encoded), *stream.encode()]:
            packet.duration = ticks // 40 if packet.pts == 19 else 1
            container.mux(packet)
    info = video.probe(path)
    assert (info.duration_s, info.fps, info.vfr) == (pytest.approx(0.76 + seconds), 25, False)


def test_a_stream_without_timestamps_runs_at_its_nominal_rate(tmp_path) -> None:
    path = tmp_path / "a.h264"
    with av.open(str(path), "w", format="h264") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for rgb in shaded(20):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
        container.mux(stream.encode())
    times = [frame.time_s for frame in video.frames(path)]
    assert len(times) == 20
    np.testing.assert_allclose(np.diff(times), 0.04, atol=1e-3)
    assert video.probe(path).duration_s == pytest.approx(0.8, abs=0.05)


@pytest.mark.parametrize(("first", "shown"), [(0, 20), (-5, 15), (7, 20)], ids=["none", "cuts the start", "waits"])
def test_an_edit_list_is_obeyed_with_b_frames(tmp_path, first, shown) -> None:
    """MP4 writes an edit list where time does not begin at 0, and one that skips what lies before 0."""
    path, tick = tmp_path / "a.mp4", Fraction(1, 12800)
    with av.open(str(path), "w", options={"avoid_negative_ts": "disabled", "use_editlist": "1"}) as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "4", "bf": "2"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.time_base = stream.codec_context.time_base = tick
        for index, rgb in enumerate(shaded(20, 6)):
            picture = av.VideoFrame.from_ndarray(rgb, format="rgb24")
            picture.pts, picture.time_base = (first + index) * 512, tick
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    info, found = video.probe(path), list(video.frames(path))
    assert (info.frames, info.fps, info.duration_s) == (shown, 25, pytest.approx(shown / 25))
    np.testing.assert_allclose([frame.time_s for frame in found], np.arange(shown) / 25, atol=1e-6)
    levels = [frame.rgb[..., 0].mean() - shaded(20, 6)[20 - shown + i][..., 0].mean() for i, frame in enumerate(found)]
    assert np.abs(levels).max() < 3  # a step is 6


STEPS = st.lists(st.floats(0.005, 0.4), min_size=1, max_size=30)


@given(STEPS, st.sampled_from([12, 25, 30, 50]), st.floats(0, 1))
def test_resampling_keeps_order_and_shows_the_nearest_frame(steps, fps, start_s) -> None:
    times = np.concatenate([[0], np.cumsum(steps)])
    source = [Frame(np.full((1, 1, 3), index, np.uint8), float(time)) for index, time in enumerate(times)]
    end_s = float(times[-1]) + start_s
    shown = [int(picture[0, 0, 0]) for picture in video.resample(source, fps, start_s, end_s)]
    assert len(shown) == round((end_s - start_s) * fps)
    assert shown == sorted(shown)
    for index, number in enumerate(shown):
        distance = np.abs(times - (start_s + index / fps))
        assert distance[number] <= distance.min() + 2e-6


def bad_files(folder: Path) -> dict[str, Path]:
    """Files that can't be used, by the reason that is expected."""
    video.write(folder / "whole.mp4", shaded(50), 25, crf=1)
    data = (folder / "whole.mp4").read_bytes()
    (folder / "cut.mp4").write_bytes(data[: len(data) // 2])
    (folder / "text.mp4").write_text("no video at all, " * 50)
    (folder / "zero.mp4").touch()
    audio.write_wav(folder / "sound.wav", np.zeros(1600, np.float32))
    return {
        "missing": folder / "nothing.mp4",
        "empty": folder / "zero.mp4",
        "unreadable": folder / "text.mp4",
        "no_video": folder / "sound.wav",
    }


@pytest.mark.parametrize("reason", ["missing", "empty", "unreadable", "no_video"])
@pytest.mark.parametrize("use", [video.probe, lambda path: list(video.frames(path))])
def test_what_cannot_be_used_says_why(tmp_path, reason, use) -> None:
    with pytest.raises(MediaError) as caught:
        use(bad_files(tmp_path)[reason])
    assert caught.value.reason == reason
    assert str(caught.value).startswith(bad_files(tmp_path)[reason].name)


def test_a_file_that_ends_too_early_is_unreadable(tmp_path) -> None:
    bad_files(tmp_path)
    with pytest.raises(MediaError) as caught:
        video.probe(tmp_path / "cut.mp4")
    assert caught.value.reason == "unreadable"
    path = encode(
        tmp_path / "a.mkv",
        [np.random.default_rng(i).integers(0, 255, (48, 64, 3), np.uint8) for i in range(90)],
        range(0, 3600, 40),
    )
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])
    assert video.probe(path).duration_s < 3.6  # Matroska is made to be cut


def test_errors_pass_between_processes() -> None:
    copy = pickle.loads(pickle.dumps(MediaError("silent", "quiet")))
    assert (copy.reason, str(copy)) == ("silent", "quiet")


@pytest.mark.media
@pytest.mark.parametrize(
    ("name", "size", "fps", "frames", "vfr"),
    [
        ("clip01_latentsync_demo1.mp4", (1080, 1920), 25, 250, False),
        ("clip02_latentsync_demo2.mp4", (1080, 1920), 25, 502, False),
        ("clip04_retalk_face1.mp4", (700, 700), 22.131, 135, True),
        ("clip06_retalk_face4.mp4", (700, 700), 30, 199, False),
        ("clip08_grid_lwbsza.mpg", (360, 288), 25, 75, False),
        ("clip09_grid_swiz3n.mpg", (360, 288), 25, 75, False),
        ("clip10_grid_lbax4n.mpg", (360, 288), 25, 75, False),
        ("clip11_grid_lrwp9a.mpg", (360, 288), 25, 75, False),
        ("clip13_liveportrait_d12.mp4", (512, 512), 25, 183, False),
        ("clip16_xportrait_driving.mp4", (512, 512), 11.988, 60, False),
    ],
)
def test_real_clips_are_what_their_list_says(media, name, size, fps, frames, vfr) -> None:
    info = video.probe(media / name)
    assert (info.width_px, info.height_px) == size
    assert float(info.fps) == pytest.approx(fps, abs=0.02)
    assert (info.frames, info.vfr) == (frames, vfr)
    assert info.has_audio == ("clip16" not in name)


@pytest.mark.media
@pytest.mark.parametrize("name", ["clip04_retalk_face1.mp4", "clip06_retalk_face4.mp4", "clip16_xportrait_driving.mp4"])
def test_real_clips_keep_sync_to_one_frame_at_the_end(media, name) -> None:
    info = video.probe(media / name)
    source = [(frame.time_s, frame.rgb[::8, ::8]) for frame in video.frames(media / name)]
    steady = list(video.resample((Frame(rgb, time_s) for time_s, rgb in source), 25, 0, info.duration_s))
    assert abs(len(steady) / 25 - info.duration_s) <= 0.02
    if info.has_audio:
        assert abs(len(steady) / 25 - len(audio.load(media / name)) / 16000) < 0.1
    for index in (len(steady) // 2, len(steady) - 1):
        shown_s = next(time_s for time_s, rgb in source if rgb is steady[index])
        assert abs(shown_s - index / 25) <= 0.04


def test_a_picture_of_another_size_in_the_middle_is_unreadable(tmp_path) -> None:
    """Two streams of VP8 one after the other, as a damaged header makes them."""
    packets = []
    for width in (64, 96):
        path = tmp_path / f"{width}.webm"
        pictures = shaded(4, width=width)
        encode(path, pictures, range(0, 160, 40), codec="libvpx")
        with av.open(str(path)) as container:
            packets.append([bytes(packet) for packet in container.demux(video=0) if packet.size])
    with av.open(str(tmp_path / "64.webm")) as source, av.open(str(tmp_path / "a.webm"), "w") as container:
        stream = container.add_stream_from_template(source.streams.video[0])
        for index, data in enumerate(packets[0] + packets[1]):
            packet = av.Packet(data)
            packet.pts = packet.dts = index * 40
            packet.time_base, packet.stream, packet.is_keyframe = Fraction(1, 1000), stream, index % 4 == 0
            container.mux(packet)
    with pytest.raises(MediaError, match=r"a\.webm: a picture of 96x48 after 64x48"):
        list(video.frames(tmp_path / "a.webm"))


def test_a_video_with_flipped_bits_that_still_decodes_is_unreadable(tmp_path) -> None:
    path, rng = tmp_path / "flipped.mp4", np.random.default_rng(0)
    pictures = [rng.integers(0, 256, (64, 96, 3), dtype=np.uint8) for _ in range(60)]
    video.write(path, iter(pictures), 25, crf=18)
    assert len(list(video.frames(path))) == 60
    data = bytearray(path.read_bytes())
    for place in range(len(data) // 3, 2 * len(data) // 3, 5000):
        data[place] ^= 1 << int(rng.integers(8))
    path.write_bytes(data)
    with pytest.raises(MediaError, match=r"\d+ of 60 frames are damaged") as refused:
        list(video.frames(path))
    assert refused.value.reason == "unreadable"
