"""Who of two talks: which clips are put side by side, and how what was found is counted."""

from pathlib import Path

import numpy as np

from components.core.media import audio, video
from scripts import who_talks
from scripts.who_talks import Found


def test_pairs_are_of_different_people():
    clips = [Path(f"{person}/{number}.mp4") for person in ("anna", "bob") for number in (1, 2)]
    found = who_talks.pairs(clips, 10)
    assert found
    assert all(one.parent != other.parent for one, other in found)
    assert len(set(found)) == len(found) == 4
    assert who_talks.pairs(clips, 3) == found[:3]
    assert len(who_talks.pairs([Path(f"{number}.mp4") for number in range(4)], 10)) == 6


def test_two_clips_lie_side_by_side_for_as_long_as_both_with_the_sound_of_one(tmp_path):
    for name, level, frames, hz in (("a", 40, 30, 300), ("b", 200, 20, 700)):
        tone = (0.3 * np.sin(2 * np.pi * hz * np.arange(32_000) / 16_000)).astype(np.float32)
        pictures = [np.full((64, 48, 3), level, np.uint8)] * frames
        video.write(tmp_path / f"{name}.mp4", pictures, 25, crf=10, audio=tone)
    pair = (tmp_path / "a.mp4", tmp_path / "b.mp4")
    for heard, hz in enumerate((300, 700)):
        path = who_talks.beside(tmp_path / "pair.mp4", pair, heard)
        shown = [frame.rgb for frame in video.frames(path)]
        assert len(shown) == 20
        assert shown[0].shape == (480, 720, 3)
        assert abs(int(shown[0][100, 50, 0]) - 40) < 4
        assert abs(int(shown[0][100, 600, 0]) - 200) < 4
        assert abs(np.abs(np.fft.rfft(audio.load(path)[1000:9000])).argmax() * 2 - hz) < 5


def test_verdicts_are_counted_by_set_and_judge():
    found = [
        Found("sync expert", 0, (), 0),
        Found("sync expert", 1, (), 0),
        Found("sync expert", 1, (), None),
        Found("loudness", 1, (), 1),
    ]
    text = who_talks.table({"studio": found})
    assert "| studio | sync expert | 3 | 1 | 1 | 1 |" in text
    assert "| studio | loudness | 1 | 1 | 0 | 0 |" in text
