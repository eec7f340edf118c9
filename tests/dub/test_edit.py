"""Editing a stream in chunks: the same plan as for a whole clip, and every picture once and in order."""

import json

import numpy as np
import pytest

from components.core.diffusion import sampler
from components.core.diffusion.guidance import Guidance
from components.core.media import occlusion
from components.core.media.geometry import Window
from components.core.media.references import References
from components.dub.edit import AHEAD_FRAMES, Dubber, Model
from components.dub.follow import Seen
from components.dub.journal import Records
from components.dub.model import Card, Sampling
from components.dub.report import Clock
from components.dub.speech import Speech
from components.dub.timeline import Picture
from tests.dub.builders import CHUNK, MOTION, card

SAMPLING = Sampling(1, Guidance(1.0, 1.0), seed=7)
NOTHING = Records(None, (1,), np.uint8)
WINDOW = (Window.of(96).height, Window.of(96).width, 3)
TO_CROP = np.array([[1.0, 0, 0], [0, 1, 0]])


class Recorder:
    """An editor that brightens by 1 what is no motion frame, and writes down what it was given."""

    card = Card.parse(json.dumps(card()))

    def __init__(self):
        self.calls = []

    def edit(self, shown, mel, motion, sampling):
        source = shown.source
        self.calls.append((source[:, 0, 0, 0].tolist(), mel, motion[:, 0, 0, 0].tolist(), shown.references))
        return np.concatenate([motion, source[len(motion) :] + 1])


class Mirror:
    """References that say whose frames they are of, the picture, the pose and the time, and are numbered as found."""

    def __init__(self):
        self.asked = []

    def find(self, crops, pose, times_s, chosen):
        self.asked.append((crops[:, 0, 0, 0].tolist(), [int(one[0]) for one in chosen]))
        return References(
            np.stack([crops[:, 0, 0, 0], pose[:, 0], times_s * 25], 1), 100 + crops[:, 0, 0, :1].astype(int)
        )

    def show(self, found):
        return found.soft.T


def seen(script):
    """Picture i shows the number i; x is a gap, c a cut, f any other face."""
    for index, mark in enumerate(script):
        picture = Picture(np.full((96, 96, 3), index, np.uint8), index / 25, 1 / 25)
        begins = mark != "x" and (index == 0 or mark == "c" or script[index - 1] == "x")
        yield Seen(picture, None if mark == "x" else TO_CROP, begins, np.full(3, index))


class Doubtful:
    """Doubts that something comes in from the left, but is sure of it in some pictures, and remembers what it said."""

    def __init__(self, sure):
        self.sure, self.said = sure, []

    def probability(self, windows):
        found = np.zeros(windows.shape[:3], np.float32)
        found[:, 10:20, :30] = 0.99 if int(windows[0, 0, 0, 0]) in self.sure else 0.8
        self.said += list(found)
        return found


def dub(script, editor, records=NOTHING, mirror=None, occluder=None):
    speech = Speech([np.arange(4000, dtype=np.float32)[:, None].repeat(80, 1)], 40.0)
    model = Model(editor, mirror or Mirror(), occluder)
    return list(Dubber(model, speech, SAMPLING, Clock(), records).edit(seen(script)))


@pytest.mark.parametrize("frames", [1, 3, 7, 8, 9, 13, 14, 15, 20, 31])
def test_a_run_is_edited_by_the_plan_of_the_sampler(frames):
    editor = Recorder()
    edited = dub("f" * frames, editor)
    assert [one.picture.rgb[0, 0, 0] for one in edited] == list(range(frames))
    assert [one.window[0, 0, 0] for one in edited] == list(range(1, frames + 1))
    plan = sampler.chunks(frames, CHUNK, MOTION)
    for chunk, (source, _, motion, _) in zip(plan, editor.calls, strict=True):
        shown = range(chunk.start, chunk.stop)
        assert source == [min(index, frames - 1) for index in shown]
        assert motion == [index + 1 for index in shown][: max(0, chunk.motion - 1)]


@pytest.mark.parametrize("sure", range(0, 20, 2))
def test_what_is_before_a_face_is_found_as_in_the_whole_run_wherever_chunks_end(sure):
    doubtful = Doubtful({sure})
    edited = dub("f" * 20, Recorder(), occluder=doubtful)
    expected = occlusion.occlusion(np.stack(doubtful.said))
    assert expected.any((1, 2)).sum() == min(3, 2 + sure)
    np.testing.assert_array_equal(np.stack([one.hidden for one in edited]), expected)


def test_what_is_found_before_a_cut_says_nothing_of_after_it():
    edited = dub("f" * 4 + "c" + "f" * 5, Recorder(), occluder=Doubtful({3}))
    assert [index for index, one in enumerate(edited) if one.hidden.any()] == [2, 3]


def test_each_chunk_hears_its_own_time():
    editor = Recorder()
    dub("f" * 14, editor)
    context = Recorder.card.mel_context
    for start, (_, mel, _, _) in zip((0, 6), editor.calls, strict=True):
        inside = mel[context : context + 4 * CHUNK, 0]
        np.testing.assert_array_equal(inside, np.arange(4 * start, 4 * (start + CHUNK)))


def test_gaps_pass_and_nothing_carries_over_them_or_over_a_cut():
    editor = Recorder()
    script = "f" * 10 + "xx" + "f" * 4 + "c" + "f" * 9
    edited = dub(script, editor)
    assert [one.picture.rgb[0, 0, 0] for one in edited] == list(range(len(script)))
    assert [index for index, one in enumerate(edited) if one.window is None] == [10, 11]
    first = [(source[0], len(motion)) for source, _, motion, _ in editor.calls]
    assert first == [(0, 0), (2, 5), (12, 0), (16, 0), (18, 5)]
    assert editor.calls[2][0] == [12, 13, 14, 15, 15, 15, 15, 15]


def test_references_are_of_the_frames_that_are_edited():
    editor = Recorder()
    dub("f" * 14, editor)
    for start, (*_, references) in zip((0, 6), editor.calls, strict=True):
        np.testing.assert_allclose(references, np.tile(np.arange(start, start + CHUNK), (3, 1)))


def test_references_go_on_from_those_before_and_see_a_little_ahead():
    mirror = Mirror()
    dub("f" * 20, Recorder(), mirror=mirror)
    assert mirror.asked == [
        (list(range(0, 10)), []),
        (list(range(6, 16)), [106, 107]),
        (list(range(12, 20)), [112, 113]),
    ]


class Moody(Recorder):
    """Makes each chunk darker than the one before."""

    def edit(self, shown, mel, motion, sampling):
        super().edit(shown, mel, motion, sampling)
        fresh = np.full_like(shown.source[len(motion) :], 100 - 10 * len(self.calls))
        return np.concatenate([motion, fresh])


def test_a_border_is_the_mean_of_what_both_chunks_made():
    values = [one.window[0, 0, 0] for one in dub("f" * 20, Moody())]
    assert values == [90] * 7 + [85] + [80] * 5 + [75] + [70] * 6


@pytest.mark.parametrize("kept", [0, 8, 10, 15, 22])
def test_what_an_earlier_run_made_is_not_made_again(tmp_path, kept):
    first, path = Moody(), tmp_path / "made"
    whole = dub("f" * 20, first, Records(path, WINDOW, np.uint8))
    size = int(np.prod(WINDOW))
    assert path.stat().st_size == (8 + 7 + 7) * size
    path.write_bytes(path.read_bytes()[: kept * size])
    again = Moody()
    again.calls += first.calls[: sum(kept >= end for end in (8, 15, 22))]
    resumed = dub("f" * 20, again, Records(path, WINDOW, np.uint8))
    assert len(again.calls) == 3
    np.testing.assert_array_equal([one.window for one in resumed], [one.window for one in whole])


def test_it_holds_no_more_than_a_chunk_and_what_it_looks_ahead():
    taken = []

    def source():
        for one in seen("f" * 30):
            taken.append(one)
            yield one

    speech = Speech([np.zeros((40, 80), np.float32)], 0.4)
    next(Dubber(Model(Recorder(), Mirror()), speech, SAMPLING, Clock(), NOTHING).edit(source()))
    assert len(taken) == CHUNK + AHEAD_FRAMES
