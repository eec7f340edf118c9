"""Whole dubs of every kind of input: what was there is kept, and picture and sound are in step at both ends."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import cycle, islice

import av
import cv2
import numpy as np
import pytest

from components.core.media import audio, video
from components.dub import DubOptions, dub
from tests.dub.builders import SOUND_HZ, save_pictures, tags
from tests.dub.people import film

TICK = Fraction(1, 90_000)
FRAMES = 30
FLASHES = (7, FRAMES - 4)
"""Pictures in which the corner is white."""
CORNER = np.s_[:24, :24]


def steady(fps, frames=FRAMES) -> dict:
    return {"times": [round(index / fps / TICK) for index in range(frames)], "rate": fps}


AT_25 = [index * 3600 for index in range(FRAMES)]
UNEVEN = [int(pts) for pts in np.cumsum(np.random.default_rng(0).integers(1500, 7500, FRAMES))]
EDIT_LIST = {"avoid_negative_ts": "disabled", "use_editlist": "1"}
RATES = {
    "23.976": steady(Fraction(24000, 1001)),
    "24": steady(Fraction(24)),
    "29.97": steady(Fraction(30000, 1001)),
    "50": steady(Fraction(50)),
    "60": steady(Fraction(60)),
    "variable": {"times": UNEVEN},
    "variable and a long last picture": {"times": UNEVEN, "last": 90_000},
    "a last picture of .6 s": {"times": AT_25, "last": 54_000},
    "a last picture of 4 s": {"times": AT_25, "last": 360_000},
    "a last picture of 4 s in Matroska": {"times": AT_25, "last": 360_000, "suffix": ".mkv"},
    "first PTS is 1 s": {"times": [pts + 90_000 for pts in AT_25]},
    "edit list cuts the start": {"times": [pts - 5 * 3600 for pts in AT_25], "container": EDIT_LIST},
}
LOOKS = {
    "no B-frames": {"options": {"crf": "10", "bf": "0"}},
    "turned by 90": {"rotation": 90},
    "turned by 180": {"rotation": 180},
    "turned by 270": {"rotation": 270},
    "odd": {"size": (191, 187), "pixel_format": "yuv444p"},
    "odd 4:2:0": {"size": (191, 187), "codec": "libvpx-vp9", "suffix": ".webm", "options": {"deadline": "realtime"}},
    "portrait": {"size": (180, 320)},
    "4:2:2": {"pixel_format": "yuv422p"},
    "4:4:4": {"pixel_format": "yuv444p"},
    "10 bits": {"pixel_format": "yuv420p10le"},
    "10 bits 4:4:4": {"pixel_format": "yuv444p10le"},
    "full range": {"colour_range": 2},
    "BT.709": {"matrix": 1, "primaries": 1, "transfer": 1},
    "BT.601": {"matrix": 6, "primaries": 6, "transfer": 6},
    "BT.601 of PAL": {"matrix": 5, "primaries": 5, "transfer": 6},
    "BT.709 full range": {"matrix": 1, "primaries": 1, "transfer": 1, "colour_range": 2},
    "not square": {"size": (144, 192), "aspect": Fraction(4, 3)},
    "not square and turned": {"size": (192, 144), "aspect": Fraction(3, 4), "rotation": 90},
    "a sound track": {"tones": (300,)},
    "several sound tracks": {"tones": (300, 500, 700)},
}


def shown(size, flashes=FLASHES, frames=FRAMES) -> Iterator[np.ndarray]:
    """A person who talks, (width, height) as displayed; the corner is black, and white in two of the pictures."""
    (width, height), film_ = size, film(0, FRAMES).pictures
    for index, rgb in enumerate(islice(cycle([*film_, *film_[-2:0:-1]]), frames)):
        if height > 1.5 * width:  # a face keeps its shape: what a portrait has more is above and below it
            more = round((height / width - 1) * len(rgb) / 2)
            rgb = cv2.copyMakeBorder(rgb, more, more, 0, 0, cv2.BORDER_REPLICATE)
        picture = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
        picture[CORNER] = 255 * (index in flashes)
        yield picture


def recorded(path, times=AT_25, size=(192, 192), **look):
    """The clip, with the pictures stored as they have to be to be displayed upright."""
    turns = look.get("rotation", 0) // 90
    return save_pictures(path, (np.rot90(rgb, turns) for rgb in shown(size)), times, TICK, **look)


def flashes_s(frames) -> list[float]:
    """When the corner is white."""
    return [frame.time_s for frame in frames if frame.rgb[CORNER][4:20, 4:20].mean() > 128]


def clicking(path, times_s, seconds):
    """Faint noise with a burst of sound at each of these times."""
    samples = np.random.default_rng(0).normal(0, 0.01, round(seconds * SOUND_HZ)).astype(np.float32)
    for at_s in times_s:
        burst = np.s_[round(at_s * SOUND_HZ) : round(at_s * SOUND_HZ) + 480]
        samples[burst] = 0.9 * np.sin(np.arange(480) / 4)[: len(samples[burst])]
    audio.write_wav(path, samples, SOUND_HZ)
    return path


def clicks_s(path) -> np.ndarray:
    """When bursts begin."""
    heard = np.abs(audio.load(path, SOUND_HZ)) > 0.4
    starts = np.flatnonzero(heard) / SOUND_HZ
    return starts[np.diff(starts, prepend=-1) > 0.1]


def in_step(path, most_s):
    """Fails unless there are two flashes, and each has its click within so many seconds."""
    seen, heard = flashes_s(video.frames(path)), clicks_s(path)
    assert len(seen) == len(heard) == 2
    for at_s, sound_s in zip(seen, heard, strict=True):
        assert abs(at_s - sound_s) < most_s


@pytest.mark.parametrize("case", [*RATES, *LOOKS])
def test_what_is_there_is_kept_and_sound_is_in_step_at_both_ends(tmp_path, tinting, case):
    look = dict((RATES | LOOKS)[case])
    source, out = recorded(tmp_path / f"source{look.pop('suffix', '.mp4')}", **look), tmp_path / "out.mp4"
    before, pictures = video.probe(source), list(video.frames(source))
    events = flashes_s(pictures)
    speech = clicking(tmp_path / "speech.wav", events, before.duration_s)
    report = dub(source, speech, out, DubOptions(model=tinting, consent=True))
    after, made = video.probe(out), list(video.frames(out))

    for name in ("width_px", "height_px", "rotation_deg", "vfr", "frames"):
        assert getattr(after, name) == getattr(before, name), name
    assert (after.duration_s, report.video_s) == pytest.approx((before.duration_s, before.duration_s), abs=1e-4)
    assert float(after.fps) == pytest.approx(float(before.fps), rel=1e-3)
    own = before.pixel_format.replace("yuvj", "yuv")
    whole = "yuv444p" if before.width_px % 2 else own
    assert after.pixel_format.replace("yuvj", "yuv") == whole
    assert report.pixel_format == (own if own == whole else f"{whole}, from {own}")
    assert [frame.time_s for frame in made] == pytest.approx([frame.time_s for frame in pictures], abs=1e-4)
    assert after.start_s == pytest.approx(0, abs=1e-4)  # whenever the source's first picture was
    assert report.gaps == ()
    for one, other in zip(pictures, made, strict=True):
        assert np.abs(one.rgb.astype(int) - other.rgb).mean() < 4  # upright, in order, and of the same colours
    assert any((other.rgb.astype(int) - one.rgb)[..., 0].max() > 30 for one, other in zip(pictures, made, strict=True))

    (shown_before, sounds), (shown_after, sounds_after) = tags(source), tags(out)
    assert shown_after == shown_before
    assert sounds_after == max(1, sounds)  # the speech in place of the first
    assert len(events) == 2
    in_step(out, float(np.median(np.diff([frame.time_s for frame in made]))))


SOUNDS = {
    "mp3": ("speech.mp3", "libmp3lame", 44_100, "stereo"),
    "aac": ("speech.m4a", "aac", 48_000, "mono"),
    "aac without a container": ("speech.aac", "aac", 44_100, "stereo"),
    "opus": ("speech.ogg", "libopus", 48_000, "stereo"),
    "flac": ("speech.flac", "flac", 44_100, "mono"),
    "24 bits": ("speech.wav", "pcm_s24le", 48_000, "stereo"),
    "float": ("speech.wav", "pcm_f32le", 48_000, "mono"),
    "5.1": ("speech.wav", "pcm_s16le", 48_000, "5.1"),
    "5.1 aac": ("speech.m4a", "aac", 48_000, "5.1"),
    "8 kHz": ("speech.wav", "pcm_s16le", 8000, "mono"),
    "96 kHz": ("speech.flac", "flac", 96_000, "stereo"),
}


def coded(path, samples, codec, rate, layout):
    """The mono sound in every channel of a file of this kind."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, layout=layout)
        every = np.ascontiguousarray(np.repeat(samples[None], av.AudioLayout(layout).nb_channels, 0))
        chunk = av.AudioFrame.from_ndarray(every, format="fltp", layout=layout)
        chunk.sample_rate, chunk.pts, chunk.time_base = rate, 0, Fraction(1, rate)
        container.mux(stream.encode(chunk))
        container.mux(stream.encode())
    return path


@pytest.fixture(scope="module")
def flashing(tmp_path_factory):
    """A clip at 25 fps."""
    return recorded(tmp_path_factory.mktemp("flashing") / "source.mp4")


@pytest.mark.parametrize("kind", SOUNDS)
def test_speech_of_every_kind_is_in_step_at_both_ends(tmp_path, tinting, flashing, kind):
    """What a coder delays the sound by is known, and taken back."""
    name, codec, rate, layout = SOUNDS[kind]
    clicks = clicking(tmp_path / "clicks.wav", flashes_s(video.frames(flashing)), FRAMES / 25)
    speech = coded(tmp_path / name, audio.load(clicks, rate), codec, rate, layout)
    report = dub(flashing, speech, tmp_path / "out.mp4", DubOptions(model=tinting, consent=True))
    assert report.audio_s == report.video_s == FRAMES / 25
    in_step(tmp_path / "out.mp4", 1 / 25)


LONG = {
    "23.976": steady(Fraction(24000, 1001), 800),
    "29.97": steady(Fraction(30000, 1001), 800),
    "50": steady(Fraction(50), 800),
    "variable": {"times": [int(pts) for pts in np.cumsum(np.random.default_rng(1).integers(1500, 7500, 650))]},
}
"""A rate that is wrong by .1 %, as 24 is for 23.976, is wrong by .8 pictures after 800 of them."""


@pytest.mark.slow
@pytest.mark.parametrize("rate", LONG)
def test_pictures_and_sound_do_not_drift_apart(tmp_path, tinting, rate):
    frames = len(LONG[rate]["times"])
    pictures = shown((192, 192), flashes=(7, frames - 4), frames=frames)
    source = save_pictures(tmp_path / "source.mp4", pictures, time_base=TICK, **LONG[rate])
    before, out = video.probe(source), tmp_path / "out.mp4"
    assert before.vfr == (rate == "variable")
    speech = clicking(tmp_path / "speech.wav", flashes_s(video.frames(source)), before.duration_s)
    report = dub(source, speech, out, DubOptions(model=tinting, consent=True))
    assert (report.frames, report.gaps) == (frames, ())
    in_step(out, 0.5 / float(before.fps))


def test_the_generated_clips_are_what_they_are_called(tmp_path):
    """B-frames, an edit list that cuts, a late first PTS, an uneven rate and colours' tags are really in the files."""
    with av.open(str(recorded(tmp_path / "plain.mp4"))) as container:
        kinds = {frame.pict_type for frame in container.decode(video=0)}
    assert kinds >= {av.video.frame.PictureType.B, av.video.frame.PictureType.P}
    assert video.probe(recorded(tmp_path / "cut.mp4", **RATES["edit list cuts the start"])).frames == FRAMES - 5
    assert video.probe(recorded(tmp_path / "late.mp4", **RATES["first PTS is 1 s"])).start_s == 1
    assert video.probe(recorded(tmp_path / "uneven.mp4", **RATES["variable"])).vfr
    held = video.probe(recorded(tmp_path / "held.mp4", **RATES["a last picture of 4 s"]))
    assert (held.duration_s, held.fps) == (pytest.approx(29 / 25 + 4), 25)
    for index, name in enumerate(name for name in LOOKS if name.startswith("BT.")):
        look = LOOKS[name]
        (*colour, _), _ = tags(recorded(tmp_path / f"colour{index}.mp4", **look))
        assert colour == [look["matrix"], look.get("colour_range") == 2, look["primaries"], look["transfer"]], name
