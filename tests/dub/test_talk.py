"""Who talks: the one whose lips go with the sound, by the sync expert or by loudness; nobody where it is not clear."""

import numpy as np
import pytest

from components.core.media import mel
from components.dub import talk
from components.dub.sync import SyncExpert
from components.dub.talk import EXPERT, LOUDNESS, Talk, clear, talker
from tests.dub.builders import save_sync


def one(motion, score, judge=LOUDNESS):
    return Talk([0, 25], [0.0, 2 * motion], [], {judge: score})


@pytest.mark.parametrize(
    ("talks", "index"),
    [
        ([one(0.1, 0.6), one(0.005, 0.0)], 0),  # one moves with the sound, the other rests
        ([one(0.005, 0.0), one(0.1, 0.25)], 1),
        ([one(0.1, 0.1), one(0.005, 0.0)], None),  # chews
        ([one(0.1, 0.6), one(0.1, 0.3)], 0),  # both move, one with the sound
        ([one(0.1, 0.6), one(0.1, 0.5)], None),  # both could be it
        ([one(0.1, 0.3), one(0.1, 0.0)], None),
        ([one(0.01, 0.9), one(0.02, 0.0)], None),  # nobody's mouth moves
        ([one(0.1, 0.1), one(0.08, 0.6), one(0.1, 0.2)], 1),
    ],
)
def test_only_a_clear_talker_is_one(talks, index):
    assert clear(talks, LOUDNESS) == index


@pytest.mark.parametrize(
    ("expert", "loudness", "found"),
    [
        ((0.4, 0.05), (0.2, 0.6), (0, EXPERT)),  # the expert is sure
        ((0.1, 0.05), (0.2, 0.6), (1, LOUDNESS)),  # it is not
        ((0.4, 0.35), (0.5, 0.4), None),  # nobody is
        (None, (0.6, 0.1), (0, LOUDNESS)),  # there is no expert
    ],
)
def test_the_expert_is_asked_first_and_loudness_where_it_is_not_sure(expert, loudness, found):
    scores = [{LOUDNESS: value} for value in loudness]
    for score, value in zip(scores, expert or (), strict=False):
        score[EXPERT] = value
    assert talker([Talk([0, 25], [0.0, 0.2], [], score) for score in scores]) == found


def test_opening_in_step_with_the_loudness_is_found_at_a_small_delay():
    rng = np.random.default_rng(0)
    loudness = np.convolve(rng.normal(size=400), np.ones(15) / 15, "same").astype(np.float32)
    rows = np.repeat(loudness[:, None], 80, 1)
    frames = list(range(90))
    late = np.interp(np.arange(90) * 4 + 6, np.arange(400), loudness)
    other = np.convolve(rng.normal(size=90), np.ones(4) / 4, "same")
    assert talk.with_loudness(Talk(frames, list(late)), rows) > 0.9
    assert talk.with_loudness(Talk(frames, list(other)), rows) < 0.5
    assert talk.with_loudness(Talk(frames[:20], list(late[:20])), rows) == 0  # too little to tell


@pytest.fixture(scope="module")
def expert(tmp_path_factory):
    """It sees how bright a lower face is and hears how loud the sound is: alike where both are as much."""
    return SyncExpert(save_sync(tmp_path_factory.mktemp("sync") / "dubstrap_sync.onnx"))


def shown(expert, rows, frames, lag=0):
    """Windows as bright as the sound is loud `lag` frames later."""
    window = expert.card.window
    loud = (rows.mean(1).reshape(-1, 4).mean(1) + 1) / 2
    bright = [255 * loud[np.clip(number + lag, 0, len(loud) - 1)] for number in frames]
    return [np.full((window.height, window.width, 3), round(level), np.uint8) for level in bright]


@pytest.mark.parametrize(("lag", "agrees"), [(0, True), (3, True), (-3, True), (8, False), (-12, False)])
def test_the_expert_finds_lips_that_go_with_the_sound(expert, lag, agrees):
    rows = np.repeat(np.random.default_rng(1).uniform(-1, 1, 120), 4)[:, None].repeat(80, 1).astype(np.float32)
    frames = list(range(15, 95))
    score = talk.in_sync(Talk(frames, [], shown(expert, rows, frames, lag)), rows, expert)
    assert (score > 0.1) == agrees


def test_stretches_of_frames_are_judged_each_by_its_own_sound(expert):
    rows = np.repeat(np.random.default_rng(2).uniform(-1, 1, 200), 4)[:, None].repeat(80, 1).astype(np.float32)
    whole = list(range(150))
    parts = [*range(40), *range(45, 90), *range(100, 150), 155]
    scores = [talk.in_sync(Talk(some, [], shown(expert, rows, some)), rows, expert) for some in (whole, parts)]
    assert scores[1] == pytest.approx(scores[0], abs=0.05)
    few = [*range(30), *range(35, 50)]
    assert talk.in_sync(Talk(few, [], shown(expert, rows, few)), rows, expert) == 0  # too little to tell


def test_what_is_seen_after_the_end_of_the_sound_is_silence(expert):
    rows = np.repeat(np.random.default_rng(3).uniform(-1, 1, 60), 4)[:, None].repeat(80, 1).astype(np.float32)
    frames = list(range(100))
    after = np.concatenate([rows, np.full((160, 80), mel.SILENCE, np.float32)])
    assert talk.in_sync(Talk(frames, [], shown(expert, after, frames)), rows, expert) > 0.1


def test_runs():
    assert talk.runs([]) == []
    assert [(run.start, run.stop) for run in talk.runs([3, 4, 5, 7, 8, 20])] == [(0, 3), (3, 5), (5, 6)]
