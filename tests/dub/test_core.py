"""Whole dubs of real clips with an editor that reddens the mouth."""

import json
from dataclasses import replace
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from components.core.base import files
from components.core.base.errors import UserError
from components.core.media import audio, geometry, rights, video
from components.core.media.video import MediaError
from components.dub import DubOptions, credentials, dub, faces, follow, look
from components.dub.look import Look
from components.dub.model import Editor
from components.dub.output import Writer
from components.dub.report import Gap
from components.studio import camera
from components.studio.performance import poses
from components.verify import core as verify
from tests.dub.builders import CHUNK, save_pictures, tags
from tests.dub.people import SIZE_PX, film

CLIP, SPEECH = "clip08_grid_lwbsza.mpg", "audio11_latentsync1.wav"


@pytest.fixture
def intercepted(monkeypatch):
    """The pictures that were given to the encoder."""
    pictures = []
    add = Writer.add

    def remember(self, picture):
        pictures.append(picture)
        add(self, picture)

    monkeypatch.setattr(Writer, "add", remember)
    return pictures


def rgb(path):
    return [frame.rgb for frame in video.frames(path)]


def remake(path: Path, frames, fps=25) -> Path:
    video.write(path, frames, fps, crf=4, pixel_format="yuv444p")
    return path


@pytest.fixture(scope="session")
def short(tmp_path_factory):
    """20 frames of a person who talks."""
    return remake(tmp_path_factory.mktemp("short") / "short.mp4", film(0, 20).pictures)


def recorded(path: Path, pictures, **look) -> Path:
    """A clip of these pictures at 25 fps."""
    return save_pictures(path, pictures, [index * 512 for index in range(len(pictures))], Fraction(1, 12800), **look)


def mean_change(before, after):
    """How much redder the picture got, per pixel, where it got redder at all."""
    return np.clip(after[..., 0].astype(int) - before[..., 0], 0, None).mean()


@pytest.mark.media
def test_a_real_clip(media, tmp_path, tinting, intercepted):
    out, seen = tmp_path / "out.mp4", []
    source = media / CLIP
    digest = files.sha256(source)
    report = dub(
        source,
        media / SPEECH,
        out,
        DubOptions(model=tinting, consent=True),
        lambda done, total: seen.append((done, total)),
    )
    before, after = video.probe(source), video.probe(out)
    for name in ("width_px", "height_px", "fps", "frames", "duration_s", "rotation_deg", "pixel_format"):
        assert getattr(after, name) == getattr(before, name)
    assert seen == [(index, 75) for index in range(1, 76)]
    assert report.video.sha256 == digest == files.sha256(source)
    assert (report.frames, report.gaps, report.steps, report.card_id) == (75, (), 1, "test-card")
    assert report.audio_s == report.video_s == 3.0
    assert "6.60 s of the speech are cut" in report.length
    heard, expected = audio.load(out), audio.load(media / SPEECH)[: 3 * 16_000]
    assert np.corrcoef(heard[: len(expected)], expected)[0, 1] > 0.99
    assert any(mean_change(*pair) > 0.5 for pair in zip(rgb(source), rgb(out), strict=True))
    json.dumps(report.to_json(), allow_nan=False)
    assert all(value > 0 for value in report.seconds.values())


@pytest.mark.slow
@pytest.mark.media
@pytest.mark.parametrize(
    "name",
    [
        "clip01_latentsync_demo1.mp4",
        "clip02_latentsync_demo2.mp4",
        "clip04_retalk_face1.mp4",
        "clip06_retalk_face4.mp4",
        "clip08_grid_lwbsza.mpg",
        "clip09_grid_swiz3n.mpg",
        "clip10_grid_lbax4n.mpg",
        "clip11_grid_lrwp9a.mpg",
        "clip13_liveportrait_d12.mp4",
        "clip16_xportrait_driving.mp4",
    ],
)
def test_every_real_clip_is_dubbed_and_kept(media, tmp_path, tinting, speech, name, intercepted):
    options = DubOptions(model=tinting, consent=True, length="shortest")
    report = dub(media / name, speech(1.0), tmp_path / "out.mp4", options)
    before, after = video.probe(media / name), video.probe(tmp_path / "out.mp4")
    for value in ("width_px", "height_px", "rotation_deg", "pixel_format"):
        assert getattr(after, value) == getattr(before, value)
    (colours_and_aspect, _), (kept, _) = tags(media / name), tags(tmp_path / "out.mp4")
    assert kept == colours_and_aspect
    times = [frame.time_s for frame in islice(video.frames(media / name), report.frames)]
    assert [frame.time_s for frame in video.frames(tmp_path / "out.mp4")] == pytest.approx(times, abs=1e-6)
    assert (after.start_s, after.frames, after.duration_s) == pytest.approx((0, report.frames, report.video_s))
    assert before.vfr or after.fps == before.fps
    assert report.video_s == pytest.approx(1, abs=1.5 / float(before.fps))
    assert report.gaps == ()
    assert all((picture.rgb != picture.before).any() for picture in intercepted[3:])


def test_outside_the_window_not_a_bit_changes(short, tmp_path, tinting, intercepted, monkeypatch, speech):
    transforms = []
    patch = geometry.patch

    def remember(frame, window, transform, *more):
        transforms.append(transform)
        return patch(frame, window, transform, *more)

    monkeypatch.setattr(geometry, "patch", remember)
    dub(short, speech(9.6), tmp_path / "out.mp4", DubOptions(model=tinting, consent=True))
    window, changed = geometry.Window.of(96), 0
    for frame, picture, transform in zip(rgb(short), intercepted, transforms, strict=True):
        rows, columns = np.mgrid[: frame.shape[0], : frame.shape[1]]
        x, y = np.einsum("ij,jhw->ihw", transform[:, :2], np.stack([columns, rows])) + transform[:, 2, None, None]
        inside = (x > window.left - 1) & (x < window.right) & (y > window.top - 1) & (y < window.bottom)
        differs = (frame != picture.rgb).any(-1)
        assert not (differs & ~inside).any()
        changed += differs.sum()
    assert changed > 10_000


def test_a_model_that_copies_changes_nothing_at_all(short, tmp_path, copying, intercepted, speech):
    dub(short, speech(9.6), tmp_path / "out.mp4", DubOptions(model=copying, consent=True))
    for frame, picture in zip(rgb(short), intercepted, strict=True):
        np.testing.assert_array_equal(frame, picture.rgb)


def test_frames_without_a_face_pass_and_are_reported(tmp_path, tinting, intercepted, speech):
    frames = list(film(0, 40).pictures)
    frames[15:22] = [np.full_like(frames[0], 90)] * 7
    source = remake(tmp_path / "source.mp4", frames)
    report = dub(source, speech(9.6), tmp_path / "out.mp4", DubOptions(model=tinting, consent=True))
    (gap,) = report.gaps
    assert (gap.start_frame, gap.stop_frame, gap.reason) == (15, 22, "no face found")
    decoded = rgb(source)
    for index, (frame, picture) in enumerate(zip(decoded, intercepted, strict=True)):
        assert (frame == picture.rgb).all() or index not in range(15, 22)


def test_a_face_that_turns_away_passes_bit_for_bit_and_is_reported(tmp_path, tinting, intercepted, speech, monkeypatch):
    yaws_deg = np.interp(range(40), (8, 16, 24, 32), (0, 57, 57, 0))  # further round the mesh sees no face

    def turning(performance):
        return [replace(pose, yaw_deg=yaw) for pose, yaw in zip(poses(performance), yaws_deg, strict=True)]

    monkeypatch.setattr(camera, "poses", turning)
    source = remake(tmp_path / "source.mp4", film.__wrapped__(0, 40).pictures)
    report = dub(source, speech(9.6), tmp_path / "out.mp4", DubOptions(model=tinting, consent=True))
    away = [gap for gap in report.gaps if gap.reason == "the face is turned away"]
    assert away
    assert {10, 30}.isdisjoint(range(report.gaps[0].start_frame, report.gaps[-1].stop_frame))
    decoded = rgb(source)
    for gap in report.gaps:
        for index in range(gap.start_frame, gap.stop_frame):
            assert intercepted[index].before is None  # so the stored samples are the source's too
            np.testing.assert_array_equal(intercepted[index].rgb, decoded[index])
    assert any((picture.rgb != before).any() for picture, before in zip(intercepted, decoded, strict=True))


def test_the_same_seed_gives_the_same_pictures(short, tmp_path, tinting, speech):
    for name in ("one.mp4", "two.mp4"):
        dub(short, speech(9.6), tmp_path / name, DubOptions(model=tinting, consent=True, steps=2, seed=3))
    one, two = rgb(tmp_path / "one.mp4"), rgb(tmp_path / "two.mp4")
    assert all((a == b).all() for a, b in zip(one, two, strict=True))


@pytest.mark.parametrize(
    ("length", "seconds", "frames"),
    [("video", 0.5, 20), ("video", 2.0, 20), ("speech", 0.5, 13), ("speech", 2.0, 50), ("shortest", 2.0, 20)],
)
def test_length_policies(short, tmp_path, tinting, speech, length, seconds, frames):
    report = dub(short, speech(seconds), tmp_path / "out.mp4", DubOptions(model=tinting, consent=True, length=length))
    after = video.probe(tmp_path / "out.mp4")
    assert report.frames == after.frames == frames
    assert report.video_s == pytest.approx(frames / 25)
    assert len(audio.load(tmp_path / "out.mp4")) / 16_000 == pytest.approx(frames / 25, abs=0.03)
    assert ("the speech are cut" in report.length) == (seconds > report.video_s)
    assert ("the video are cut" in report.length) == (frames < 20)


@pytest.mark.parametrize(
    ("video_s", "speech_s", "length", "extend", "frames"),
    [
        (6, 1, "video", "fail", 150),
        (6, 1, "speech", "fail", 25),
        (6, 1, "shortest", "fail", 25),
        (1, 6, "video", "fail", 25),
        (1, 6, "shortest", "fail", 25),
        (1, 6, "speech", "hold", 150),
        (1, 6, "speech", "pingpong", 150),
    ],
)
def test_speech_five_seconds_shorter_or_longer(
    tmp_path, tinting, speech, intercepted, video_s, speech_s, length, extend, frames
):
    there_and_back = [*range(25), *range(23, 0, -1)]
    shown = [there_and_back[index % 48] for index in range(25 * video_s)]
    source = remake(tmp_path / "source.mp4", [film(0, 25).pictures[index] for index in shown])
    options = DubOptions(model=tinting, consent=True, length=length, extend=extend)
    report = dub(source, speech(float(speech_s)), tmp_path / "out.mp4", options)
    assert (report.frames, report.video_s, report.audio_s) == (frames, frames / 25, frames / 25)
    assert video.probe(tmp_path / "out.mp4").frames == frames
    assert len(audio.load(tmp_path / "out.mp4")) / 16_000 == pytest.approx(frames / 25, abs=0.03)
    decoded = rgb(source)
    for index, picture in enumerate(intercepted):
        going_on = {"hold": len(decoded) - 1, "pingpong": there_and_back[index % 48]}
        expected = decoded[index if index < len(decoded) else going_on[extend]]
        np.testing.assert_array_equal(picture.rgb if picture.before is None else picture.before, expected)


def test_a_video_that_may_not_go_on_is_refused_and_leaves_nothing(short, tmp_path, tinting, speech):
    options = DubOptions(model=tinting, consent=True, length="speech", extend="fail")
    with pytest.raises(UserError, match=r"0\.80 s of video, 5\.80 s of speech.*--extend hold"):
        dub(short, speech(5.8), tmp_path / "out.mp4", options)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("extend", ["hold", "pingpong"])
def test_sixty_seconds_of_speech_for_three_of_video_are_frame_exact(tmp_path, tinting, speech, intercepted, extend):
    source = remake(tmp_path / "source.mp4", film(0, 75).pictures)
    options = DubOptions(model=tinting, consent=True, length="speech", extend=extend)
    report = dub(source, speech(60.0), tmp_path / "out.mp4", options)
    assert (report.frames, report.gaps, report.video_s, report.audio_s) == (1500, (), 60.0, 60.0)
    assert video.probe(tmp_path / "out.mp4").frames == 1500
    assert len(audio.load(tmp_path / "out.mp4")) / 16_000 == pytest.approx(60, abs=0.03)
    heard, expected = (audio.load(path)[59 * 16_000 :][:15_000] for path in (tmp_path / "out.mp4", speech(60.0)))
    assert np.corrcoef(heard, expected)[0, 1] > 0.9
    assert any((picture.rgb != picture.before).any() for picture in intercepted[-25:])


def test_held_frames_still_speak(short, tmp_path, tinting, speech, intercepted):
    options = DubOptions(model=tinting, consent=True, length="speech", extend="hold")
    dub(short, speech(1.2), tmp_path / "out.mp4", options)
    held = [picture.rgb for picture in intercepted[20:]]
    assert len(held) == 10
    assert any((one != other).any() for one, other in pairwise(held))


def test_several_faces_are_listed_and_the_chosen_one_is_dubbed(tmp_path, tinting, speech, intercepted):
    both = [np.hstack(pair) for pair in zip(film(0, 16).pictures, film(1, 16).pictures, strict=True)]
    source, sound = remake(tmp_path / "both.mp4", both), speech(1.0)
    with pytest.raises(UserError, match=r"2 faces \(1: .* 2: .*--face N.*out\.faces\.png"):
        dub(source, sound, tmp_path / "out.mp4", DubOptions(model=tinting, consent=True))
    assert not (tmp_path / "out.mp4").exists()
    assert cv2.imread(str(tmp_path / "out.faces.png")).shape == (160, 320, 3)
    with pytest.raises(UserError, match="no face 3"):
        dub(source, sound, tmp_path / "out.mp4", DubOptions(model=tinting, consent=True, face=3))
    for face in (1, 2):
        intercepted.clear()
        out = tmp_path / f"out{face}.mp4"
        report = dub(source, sound, out, DubOptions(model=tinting, consent=True, face=face))
        assert report.gaps == ()
        changed = np.any([a != b.rgb for a, b in zip(rgb(source), intercepted, strict=True)], axis=(0, 3))
        assert changed[:, :SIZE_PX].any() == (face == 1)
        assert changed[:, SIZE_PX:].any() == (face == 2)


@pytest.mark.media
@pytest.mark.parametrize("name", ["clip04_retalk_face1.mp4", "clip16_xportrait_driving.mp4"])
def test_variable_and_low_rates_keep_every_time(media, tmp_path, tinting, speech, name):
    options = DubOptions(model=tinting, consent=True, length="shortest")
    report = dub(media / name, speech(1.5), tmp_path / "out.mp4", options)
    before, after = ([frame.time_s for frame in video.frames(path)] for path in (media / name, tmp_path / "out.mp4"))
    assert after == pytest.approx([time_s for time_s in before if time_s < 1.499], abs=1e-6)
    assert report.audio_s == pytest.approx(report.video_s, abs=1e-4)


def test_a_gap_is_the_source_sample_for_sample_even_in_ten_bits(tmp_path, tinting, speech, monkeypatch):
    frames = list(film(0, 24).pictures)
    frames[10:18] = [np.full_like(frames[0], 90)] * 8
    source = recorded(tmp_path / "source.mp4", frames, pixel_format="yuv420p10le")
    written, stored = [], Look.stored
    monkeypatch.setattr(Look, "stored", lambda self, picture: written.append(stored(self, picture)) or written[-1])
    report = dub(source, speech(2.0), tmp_path / "out.mp4", DubOptions(model=tinting, consent=True))
    assert video.probe(tmp_path / "out.mp4").pixel_format == "yuv420p10le"
    (gap,) = report.gaps
    pairs = zip(written, (frame.stored for frame in video.frames(source)), strict=True)
    same = [all(map(np.array_equal, look._planes(a), look._planes(b))) for a, b in pairs]
    assert all(same[gap.start_frame : gap.stop_frame])
    assert not all(same[: gap.start_frame])
    assert not all(same[gap.stop_frame :])


def test_pixels_that_are_not_square_give_a_crop_that_is(tmp_path, tinting, monkeypatch, speech):
    """The face of a squeezed clip is as wide in the crop as that of the clip itself."""
    crops = []
    warp = geometry.warp
    monkeypatch.setattr(geometry, "warp", lambda *args: crops.append(warp(*args)) or crops[-1])
    frames = film(0, 12).pictures
    squeezed = [cv2.resize(frame, (96, 192), interpolation=cv2.INTER_AREA) for frame in frames]
    found = []
    for name, pictures, aspect in (("plain.mp4", frames, None), ("squeezed.mp4", squeezed, Fraction(2))):
        crops.clear()
        recorded(tmp_path / name, pictures, **({"aspect": aspect} if aspect else {}))
        dub(tmp_path / name, speech(9.6), tmp_path / "out.mp4", DubOptions(tinting, consent=True, overwrite=True))
        found.append(crops[0].astype(int))
    assert np.abs(found[0] - found[1]).mean() < 7  # a squeezed face would differ by 20


@pytest.mark.parametrize("face", [1, 2])
def test_of_two_who_are_shown_in_turns_only_the_chosen_one_is_dubbed(
    tmp_path, tinting, monkeypatch, speech, intercepted, face
):
    one, other = film(0, 40).pictures, film(1, 20).pictures
    source, runs = remake(tmp_path / "source.mp4", [*one[:20], *other, *one[20:]]), []
    seen = follow.Tracker.smoothed

    def remember(self, picture, near):
        runs.append(seen(self, picture, near))
        return runs[-1]

    monkeypatch.setattr(follow.Tracker, "smoothed", remember)
    with pytest.raises(UserError, match="not clear which of them talks"):
        dub(source, speech(9.6), tmp_path / "out.mp4", DubOptions(model=tinting, consent=True))
    report = dub(source, speech(9.6), tmp_path / "out.mp4", DubOptions(model=tinting, consent=True, face=face))
    turns = [slice(0, 20), slice(20, 40), slice(40, 60)]
    dubbed = [face == 1, face == 2, face == 1]
    assert [index for index, one in enumerate(runs) if one.begins] == ([0, 40] if face == 1 else [20])
    others = [turn for turn, his in zip(turns, dubbed, strict=True) if not his]
    assert report.gaps == tuple(Gap(turn.start, turn.stop, "the chosen face is not there") for turn in others)
    assert [(one.id, one.start_frame, one.stop_frame, one.dubbed) for one in report.tracks] == [
        (number, turn.start, turn.stop, his) for number, (turn, his) in enumerate(zip(turns, dubbed, strict=True), 1)
    ]
    same = [(a == b.rgb).all() for a, b in zip(rgb(source), intercepted, strict=True)]
    for turn, his in zip(turns, dubbed, strict=True):
        assert not any(same[turn][5::5]) if his else all(same[turn])


def test_who_comes_in_later_is_not_dubbed(tmp_path, tinting, monkeypatch, speech, intercepted):
    """She is alone in the seconds that are surveyed; he comes in, and she leaves."""
    monkeypatch.setattr(faces, "SURVEY_S", 0.6)
    she, he = film(0, 40).pictures, film(1, 40).pictures
    wall = np.full_like(she[0], 90)
    there = [(True, False)] * 18 + [(True, True)] * 10 + [(False, True)] * 12
    pairs = zip(she, he, there, strict=True)
    pictures = [np.hstack([a if left else wall, b if right else wall]) for a, b, (left, right) in pairs]
    source = remake(tmp_path / "source.mp4", pictures)
    report = dub(source, speech(9.6), tmp_path / "out.mp4", DubOptions(model=tinting, consent=True))
    assert report.face == "the only one"
    assert report.gaps == (Gap(28, 40, "the chosen face is not there"),)
    assert [one.dubbed for one in report.tracks] == [True, False]
    changed = [(a != b.rgb).any((0, 2)) for a, b in zip(rgb(source), intercepted, strict=True)]
    assert not np.any([columns[192:] for columns in changed])
    assert all(columns[:192].any() == (index < 28) for index, columns in enumerate(changed) if index % 5 == 4)


def test_no_consent_no_dub(short, tmp_path, tinting, speech):
    options = DubOptions(model=tinting)
    source = tmp_path / "clip.mp4"
    source.write_bytes(short.read_bytes())
    with pytest.raises(MediaError, match=r"clip\.mp4 has no rights\.yaml .*--i-have-consent"):
        dub(source, speech(9.6), tmp_path / "out.mp4", options)
    assert not (tmp_path / "out.mp4").exists()
    stated = dub(source, speech(9.6), tmp_path / "out.mp4", replace(options, consent=True))
    assert "stated by the user" in stated.consent
    rights.save(tmp_path, rights.Rights("Anna", "CC0-1.0", "signed on paper", ("dub",), "shot for this", "en"))
    allowed = dub(source, speech(9.6), tmp_path / "out.mp4", replace(options, overwrite=True))
    assert allowed.consent == "rights.yaml: Anna, CC0-1.0, signed on paper"
    rights.save(tmp_path, rights.Rights("Anna", "CC0-1.0", "signed on paper", ("train",), "shot for this", "en"))
    with pytest.raises(MediaError, match="permits train of Anna's footage"):
        dub(source, speech(9.6), tmp_path / "out.mp4", replace(options, overwrite=True, consent=True))


def test_the_result_carries_credentials_that_hold(short, tmp_path, tinting, speech):
    report = dub(short, speech(9.6), tmp_path / "out.mp4", DubOptions(model=tinting, consent=True))
    found = verify.run(tmp_path / "out.mp4")
    assert found.signer == report.credentials == credentials.TEST_NAME
    assert found.about["source_sha256"] == files.sha256(short)
    assert found.about["speech_sha256"] == files.sha256(speech(9.6))
    assert found.about["model_card"] == "test-card"
    assert found.parents == ("short.mp4",)


def test_a_matroska_result_has_its_credentials_beside_it(short, tmp_path, tinting, speech):
    out, options = tmp_path / "out.mkv", DubOptions(model=tinting, consent=True)
    report = dub(short, speech(9.6), out, options)
    assert report.credentials == f"{credentials.TEST_NAME}, in out.c2pa"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.c2pa", "out.mkv"]
    assert verify.run(out).about["source_sha256"] == files.sha256(short)
    out.unlink()
    with pytest.raises(UserError, match=r"out\.c2pa already exists"):
        dub(short, speech(9.6), out, options)
    dub(short, speech(9.6), out, replace(options, overwrite=True))
    assert verify.run(out).parents == ("short.mp4",)


@pytest.mark.parametrize("stop", [1, 13, 40])
def test_an_interrupted_dub_goes_on_where_it_was(tmp_path, tinting, monkeypatch, stop, speech):
    options = DubOptions(model=tinting, consent=True, resume=True, steps=2)
    source, calls = remake(tmp_path / "source.mp4", film(0, 60).pictures), []
    edit = Editor.edit
    monkeypatch.setattr(Editor, "edit", lambda self, *args: calls.append(1) or edit(self, *args))

    def interrupt(done, total):
        if done == stop:
            raise KeyboardInterrupt

    whole = dub(source, speech(9.6), tmp_path / "whole.mp4", replace(options, resume=False))
    every = len(calls)
    with pytest.raises(KeyboardInterrupt):
        dub(source, speech(9.6), tmp_path / "out.mp4", options, interrupt)
    assert [path.name for path in tmp_path.iterdir() if "out" in path.name] == ["out.mp4.resume"]
    first = len(calls) - every
    report = dub(source, speech(9.6), tmp_path / "out.mp4", options)
    assert len(calls) - every - first <= every - stop // CHUNK
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".") or path.suffix == ".resume"]
    assert (report.frames, report.gaps) == (whole.frames, whole.gaps)
    for a, b in zip(rgb(tmp_path / "out.mp4"), rgb(tmp_path / "whole.mp4"), strict=True):
        assert np.abs(a.astype(int) - b).mean() < 0.5


def test_a_failure_on_the_way_leaves_nothing(short, tmp_path, tinting, speech):
    def stop(done, total):
        if done == CHUNK:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        dub(short, speech(9.6), tmp_path / "out.mp4", DubOptions(model=tinting, consent=True), stop)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_said_and_leaves_nothing(short, tmp_path, tinting, monkeypatch, speech):
    def full(self, picture):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Writer, "add", full)
    with pytest.raises(UserError, match=r"can not write .*out\.mp4; got No space left"):
        dub(short, speech(9.6), tmp_path / "out.mp4", DubOptions(model=tinting, consent=True))
    assert list(tmp_path.iterdir()) == []


def test_options_say_what_is_wrong():
    for changes in ({"steps": 0}, {"guidance": -1.0}, {"face": 0}, {"length": "long"}, {"extend": "loop"}):
        with pytest.raises(UserError, match="--" + next(iter(changes))):
            replace(DubOptions(), **changes)
