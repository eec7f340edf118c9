"""The length policies, frame by frame."""

from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from components.core.base.errors import UserError
from components.core.media.video import Frame, MediaError
from components.dub import timeline as module
from components.dub.timeline import steady, timeline


def frames(times):
    return [Frame(np.full((2, 2, 3), index % 256, np.uint8), time_s) for index, time_s in enumerate(times)]


def at_25(count):
    return frames(np.arange(count) / 25)


def shown(pictures):
    return [int(picture.rgb[0, 0, 0]) for picture in pictures]


@pytest.mark.parametrize("speech_s", [0.1, 0.2, 5.0])
def test_video_policy_keeps_every_frame_at_its_time(speech_s):
    times = [0, 0.04, 0.12, 0.16, 0.3]
    pictures = list(timeline(frames(times), 25, speech_s, "video", "fail"))
    assert shown(pictures) == [0, 1, 2, 3, 4]
    assert [picture.time_s for picture in pictures] == times
    assert [picture.duration_s for picture in pictures] == pytest.approx([0.04, 0.08, 0.04, 0.14, 0.04])


def test_the_last_frame_lasts_as_the_video_does_but_not_longer_than_the_speech():
    for length, speech_s, end_s in (("video", 0.5, 4.0), ("shortest", 6.0, 4.0), ("shortest", 2.0, 2.04)):
        pictures = list(timeline(at_25(10), 25, speech_s, length, "fail", 4.0))
        assert (len(pictures), pictures[-1].end_s) == (10, pytest.approx(end_s, abs=1e-3))
    held = list(timeline(at_25(10), 25, 6.0, "speech", "hold", 4.0))
    assert (len(held), held[9].end_s, held[-1].end_s) == (60, pytest.approx(4), pytest.approx(6))


@pytest.mark.parametrize("policy", ["speech", "shortest"])
def test_a_longer_video_ends_with_the_frame_that_the_speech_ends_in(policy):
    assert len(list(timeline(at_25(50), 25, 1.0, policy, "fail"))) == 25
    assert len(list(timeline(at_25(50), 25, 1.001, policy, "fail"))) == 25
    assert len(list(timeline(at_25(50), 25, 1.01, policy, "fail"))) == 26


def test_shortest_never_extends():
    assert len(list(timeline(at_25(10), 25, 60.0, "shortest", "fail"))) == 10


def test_hold_repeats_the_last_frame():
    pictures = list(timeline(at_25(4), 25, 0.4, "speech", "hold"))
    assert shown(pictures) == [0, 1, 2, 3] + [3] * 6
    assert [picture.time_s for picture in pictures] == pytest.approx(np.arange(10) / 25)


def test_pingpong_turns_without_showing_a_turning_point_twice():
    pictures = list(timeline(at_25(4), 25, 0.56, "speech", "pingpong"))
    assert shown(pictures) == [0, 1, 2, 3, 2, 1, 0, 1, 2, 3, 2, 1, 0, 1]
    steps = [after.time_s - before.time_s for before, after in pairwise(pictures)]
    assert steps == pytest.approx([0.04] * 13)


def test_pingpong_of_a_single_frame_holds_it():
    assert shown(timeline(at_25(1), 25, 0.2, "speech", "pingpong")) == [0] * 5


def test_pingpong_remembers_only_so_much(monkeypatch):
    monkeypatch.setattr(module, "PINGPONG_BYTES", 3 * 12)
    assert shown(timeline(at_25(6), 25, 0.48, "speech", "pingpong")) == [0, 1, 2, 3, 4, 5, 4, 3, 4, 5, 4, 3]


def test_what_pingpong_remembers_counts_the_stored_pictures_too(monkeypatch):
    stored = av.VideoFrame(64, 48, "yuv420p")
    source = [Frame(np.full((48, 64, 3), index, np.uint8), index / 25, stored) for index in range(6)]
    one = 48 * 64 * 3 + sum(plane.buffer_size for plane in stored.planes)
    assert one >= 1.5 * 48 * 64 * 3
    monkeypatch.setattr(module, "PINGPONG_BYTES", 3 * one)
    assert shown(timeline(source, 25, 0.48, "speech", "pingpong")) == [0, 1, 2, 3, 4, 5, 4, 3, 4, 5, 4, 3]


@pytest.mark.parametrize("fps", [24, 25, 30, 60])
@pytest.mark.parametrize(
    ("video_s", "speech_s", "policy", "seconds"),
    [
        (8, 3, "video", 8),
        (8, 3, "speech", 3),
        (8, 3, "shortest", 3),
        (3, 8, "video", 3),
        (3, 8, "speech", 8),
        (3, 8, "shortest", 3),
        (3, 60, "speech", 60),
        (3, 60, "shortest", 3),
    ],
)
def test_five_seconds_more_or_less_and_sixty_for_three_are_frame_exact(fps, video_s, speech_s, policy, seconds):
    source = frames(np.arange(video_s * fps) / fps)
    pictures = list(timeline(source, fps, speech_s, policy, "pingpong"))
    assert len(pictures) == seconds * fps
    assert pictures[-1].end_s == pytest.approx(seconds)


def test_sixty_seconds_of_speech_for_three_of_video_are_frame_exact():
    times = np.arange(90) * 1001 / 30000
    pictures = list(timeline(frames(times), 30000 / 1001, 60.0, "speech", "pingpong"))
    assert len(pictures) == 1799  # ceil(60 * 30000 / 1001)
    assert 60 <= pictures[-1].end_s < 60 + 1 / 29


def test_fail_says_both_lengths():
    with pytest.raises(UserError, match=r"0\.40 s of video, 5\.00 s of speech"):
        list(timeline(at_25(10), 25, 5.0, "speech", "fail"))


def test_no_frames_no_pictures():
    assert list(timeline([], 25, 1.0, "speech", "hold")) == []


def test_a_jump_in_time_is_corrupt():
    assert len(list(steady(frames([0, 1, 599]), Path("clip.mp4")))) == 3
    with pytest.raises(MediaError, match=r"clip\.mp4: time jumps from 1\.0 s to 700\.0 s"):
        list(steady(frames([0, 1, 700]), Path("clip.mp4")))
