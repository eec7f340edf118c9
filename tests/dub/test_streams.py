"""The source's other streams go along: sound tracks, subtitles, cover, chapters, tags."""

from fractions import Fraction
from itertools import pairwise

import av
import numpy as np
import pytest
from av.stream import Disposition

from components.core.media import audio, video
from components.dub import DubOptions, dub
from components.dub.look import Look
from components.dub.output import SOUND_HZ, Sound, Writer
from components.dub.streams import Others
from components.dub.timeline import timeline
from tests.dub.builders import save_pictures
from tests.dub.people import film

TICK = Fraction(1, 12800)
STYLES = b"""[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize
Style: Default,Arial,16

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""


def tone(hz, start_s=0.0, seconds=1.0):
    samples = (0.3 * np.sin(2 * np.pi * hz * np.arange(round(seconds * 48_000)) / 48_000)).astype(np.float32)
    chunk = av.AudioFrame.from_ndarray(samples[None], format="fltp", layout="mono")
    chunk.sample_rate, chunk.pts, chunk.time_base = 48_000, round(start_s * 48_000), Fraction(1, 48_000)
    return chunk


def subtitles(path):
    path.write_text("1\n00:00:00,200 --> 00:00:00,500\nHello\n\n2\n00:00:00,600 --> 00:00:00,900\nagain\n")
    return path


def rich(path, first_pts=0):
    """A second of pictures from `first_pts`, two sound tracks in step with them, subtitles, chapters and a title."""
    start_s = float(first_pts * TICK)
    with av.open(str(path), "w") as container, av.open(str(subtitles(path.with_suffix(".srt")))) as text:
        container.metadata["title"] = "An interview"
        pictures = container.add_stream("libx264", rate=25, options={"bf": "2"})
        pictures.width, pictures.height, pictures.pix_fmt = 64, 48, "yuv420p"
        pictures.time_base = pictures.codec_context.time_base = TICK
        voices = [container.add_stream("aac", rate=48_000, layout="mono") for _ in range(2)]
        voices[1].metadata["language"] = "deu"
        words = None
        if path.suffix == ".mkv":
            words = container.add_stream_from_template(text.streams.subtitles[0])
            second = {"id": 1, "start": 500, "end": 1000, "time_base": Fraction(1, 1000), "metadata": {"title": "two"}}
            container.set_chapters([second])
        for index in range(25):
            picture = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 9 * index, np.uint8), format="rgb24")
            picture.pts, picture.time_base = first_pts + index * 512, TICK
            container.mux(pictures.encode(picture))
        container.mux(pictures.encode())
        for voice, hz in zip(voices, (300, 700), strict=True):
            container.mux(voice.encode(tone(hz, start_s)))
            container.mux(voice.encode())
        for packet in text.demux() if words else ():
            if packet.size:
                packet.stream = words
                container.mux(packet)
    return path


def copied(source, target, length="video", speech_s=1.0):
    info = video.probe(source)
    sound = Sound("mono", iter([np.zeros((1, SOUND_HZ), np.float32)]))
    with Others(source, info.start_s) as others, Writer(target, Look.of(source, info), sound, others) as writer:
        for picture in timeline(video.frames(source), 25.0, speech_s, length, "hold"):
            writer.add(picture)
    return others


def pitch_hz(path, track):
    with av.open(str(path)) as container:
        stream = container.streams.audio[track]
        heard = np.concatenate([chunk.to_ndarray()[0] for chunk in container.decode(stream)])
        start_s = float(stream.start_time * stream.time_base)
    spectrum = np.abs(np.fft.rfft(heard[4800:28_800]))
    return spectrum.argmax() * 48_000 / 24_000, start_s, len(heard) / 48_000


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
def test_the_first_sound_track_is_replaced_and_the_second_kept(tmp_path, suffix):
    others = copied(rich(tmp_path / "source.mp4"), tmp_path / f"out{suffix}")
    assert others.kept == ["audio 2 (aac)"]
    hz, start_s, seconds = pitch_hz(tmp_path / f"out{suffix}", 1)
    assert hz == pytest.approx(700, abs=3)
    assert start_s == pytest.approx(0, abs=0.03)
    assert seconds == pytest.approx(1, abs=0.05)
    assert np.abs(audio.load(tmp_path / f"out{suffix}")).max() < 1e-3  # the new first track, silent here
    with av.open(str(tmp_path / f"out{suffix}")) as container:
        assert container.metadata["title"] == "An interview"
        if suffix != ".mov":  # QuickTime has numbers of its own for languages
            assert container.streams.audio[1].metadata["language"] in ("deu", "ger")


def test_subtitles_and_chapters_go_into_a_container_that_holds_them(tmp_path):
    copied(rich(tmp_path / "source.mkv"), tmp_path / "out.mkv")
    with av.open(str(tmp_path / "out.mkv")) as container:
        (words,) = container.streams.subtitles
        times = [float(p.pts * p.time_base) for p in container.demux(words) if p.size]
        assert times == pytest.approx([0.2, 0.6], abs=0.002)
        (chapter,) = container.chapters()
        assert float(chapter["start"] * chapter["time_base"]) == pytest.approx(0.5)
        assert chapter["metadata"]["title"] == "two"


def test_what_a_container_can_not_hold_is_left_out_and_said(tmp_path, caplog):
    others = copied(rich(tmp_path / "source.mkv"), tmp_path / "out.mp4")
    assert others.dropped == ["subtitle 3 (srt)"]
    assert "can not hold subtitle 3 (srt)" in caplog.text
    assert video.probe(tmp_path / "out.mp4").frames == 25


def test_a_cut_result_holds_no_more_of_the_others(tmp_path):
    copied(rich(tmp_path / "source.mp4"), tmp_path / "out.mp4", "speech", 0.4)
    assert pitch_hz(tmp_path / "out.mp4", 1)[2] == pytest.approx(0.4, abs=0.05)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_others_stay_in_step_where_time_does_not_begin_at_0(tmp_path, suffix):
    copied(rich(tmp_path / "source.mkv", first_pts=12_800), tmp_path / f"out{suffix}")
    hz, start_s, seconds = pitch_hz(tmp_path / f"out{suffix}", 1)
    assert (hz, start_s, seconds) == (pytest.approx(700, abs=3), pytest.approx(0, abs=0.03), pytest.approx(1, abs=0.05))


def test_packets_are_written_in_the_order_of_time(tmp_path):
    copied(rich(tmp_path / "source.mp4"), tmp_path / "out.mkv")
    with av.open(str(tmp_path / "out.mkv")) as container:
        times = [float(p.dts * p.time_base) for p in container.demux() if p.dts is not None]
    assert all(after - before > -0.1 for before, after in pairwise(times))


def bundled(source, path, start_s=0.0):
    """The clip with subtitles of its own container's kind at 0.2 and 0.6 s, and a cover of 32 x 32 px."""
    with av.open(str(source)) as clip, av.open(str(path), "w") as container:
        ours = {stream.index: container.add_stream_from_template(stream) for stream in clip.streams}
        words, cover = container.add_stream("mov_text"), container.add_stream("mjpeg", rate=25)
        words.codec_context.subtitle_header = STYLES
        cover.width, cover.height, cover.pix_fmt = 32, 32, "yuvj420p"
        cover.disposition = Disposition.attached_pic
        picture = av.VideoFrame.from_ndarray(np.full((32, 32, 3), 200, np.uint8), format="rgb24")
        container.mux([*cover.encode(picture.reformat(format="yuvj420p")), *cover.encode()])
        for packet in clip.demux():
            if packet.size:
                packet.stream = ours[packet.stream.index]
                container.mux(packet)
        for at_s, text in ((0.2, b"Hello"), (0.6, b"again")):
            packet = av.Packet(len(text).to_bytes(2, "big") + text)
            packet.pts = packet.dts = round(1000 * (start_s + at_s))
            packet.duration, packet.time_base, packet.stream = 300, Fraction(1, 1000), words
            container.mux(packet)
    return path


def said_s(container):
    """What subtitles say, and when."""
    (words,) = container.streams.subtitles
    return [(round(float(p.pts * p.time_base), 2), bytes(p)[2:]) for p in container.demux(words) if p.size > 2]


@pytest.mark.parametrize("first_pts", [0, 12_800])
def test_subtitles_a_cover_and_a_second_sound_track_come_through_a_dub(tmp_path, tinting, speech, first_pts):
    times, start_s = [first_pts + index * 512 for index in range(25)], float(first_pts * TICK)
    plain = save_pictures(tmp_path / "plain.mp4", film(0, 25).pictures, times, TICK, tones=(300, 700))
    source, out = bundled(plain, tmp_path / "source.mp4", start_s), tmp_path / "out.mp4"
    report = dub(source, speech(1.0), out, DubOptions(model=tinting, consent=True))
    assert report.other_streams == ("audio 2 (aac)", "subtitle 3 (mov_text)", "video 4 (mjpeg)")
    assert report.dropped_streams == ()
    hz, start_s, _ = pitch_hz(out, 1)
    assert (hz, start_s) == (pytest.approx(700, abs=3), pytest.approx(0, abs=0.03))
    with av.open(str(out)) as container:
        assert said_s(container) == [(0.2, b"Hello"), (0.6, b"again")]
        (cover,) = [stream for stream in container.streams.video if stream.disposition & Disposition.attached_pic]
        assert (cover.width, cover.height) == (32, 32)
    with av.open(str(source)) as before, av.open(str(out)) as after:
        covers = [[bytes(p) for p in c.demux(c.streams.video[1]) if p.size] for c in (before, after)]
    assert covers[0] == covers[1]
    assert len(covers[0]) == 1


def test_a_cover_is_no_second_video_in_matroska(tmp_path):
    plain = save_pictures(tmp_path / "plain.mp4", film(0, 25).pictures, [512 * index for index in range(25)], TICK)
    others = copied(bundled(plain, tmp_path / "source.mp4"), tmp_path / "out.mkv")
    assert others.dropped == ["subtitle 1 (mov_text)", "video 2 (mjpeg)"]
    with av.open(str(tmp_path / "out.mkv")) as container:
        assert len(container.streams.video) == 1
