"""The source's other streams go along: sound tracks, subtitles, cover, chapters, tags."""

from fractions import Fraction
from itertools import pairwise

import av
import numpy as np
import pytest

from components.core.media import audio, video
from components.dub.look import Look
from components.dub.output import SOUND_HZ, Sound, Writer
from components.dub.streams import Others
from components.dub.timeline import timeline

TICK = Fraction(1, 12800)


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
