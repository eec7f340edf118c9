"""Whose lips: who talks is taken where it is clear, and never guessed where it is not."""

import cv2
import numpy as np
import pytest

from components.core.media import audio, video
from components.dub import faces
from components.dub.faces import Sight, Talk, choose, clear
from components.dub.follow import Face

HERE, THERE = Face(100, 100, 80), Face(400, 100, 80)


def talk(motion, in_step, face=HERE):
    return Talk(face, [0.0, 1.0], [0.0, 2 * motion], in_step)


@pytest.mark.parametrize(
    ("talks", "index"),
    [
        ([talk(0.1, 0.6), talk(0.005, 0.0)], 0),  # one moves with the sound, the other rests
        ([talk(0.005, 0.0), talk(0.1, 0.25)], 1),
        ([talk(0.1, 0.1), talk(0.005, 0.0)], None),  # chews
        ([talk(0.1, 0.6), talk(0.1, 0.3)], 0),  # both move, one with the sound
        ([talk(0.1, 0.6), talk(0.1, 0.5)], None),  # both could be it
        ([talk(0.1, 0.3), talk(0.1, 0.0)], None),
        ([talk(0.01, 0.9), talk(0.02, 0.0)], None),  # nobody's mouth moves
        ([talk(0.1, 0.1), talk(0.08, 0.6), talk(0.1, 0.2)], 1),
    ],
)
def test_only_a_clear_talker_is_one(talks, index):
    assert clear(talks) == index


def test_opening_in_step_with_the_loudness_is_found_at_a_small_delay():
    rng = np.random.default_rng(0)
    loudness = np.convolve(rng.normal(size=400), np.ones(15) / 15, "same").astype(np.float32)
    times = np.arange(90) / 25
    late = np.interp(times, (np.arange(400) + 6) / 100, loudness)
    other = np.convolve(rng.normal(size=90), np.ones(4) / 4, "same")
    assert faces._in_step(times, late, loudness) > 0.95
    assert faces._in_step(times, other, loudness) < 0.5
    assert faces._in_step(times, late, None) == 0
    assert faces._in_step(times[:20], late[:20], loudness) == 0  # too little to tell


def test_the_sheet_shows_every_face_with_its_number(tmp_path):
    tiles = [Sight(face, face, np.full((160, 160, 3), level, np.uint8)) for face, level in ((HERE, 60), (THERE, 120))]
    faces.write_sheet(tmp_path / "sheet.png", tiles)
    sheet = cv2.imread(str(tmp_path / "sheet.png"))
    assert sheet.shape == (160, 320, 3)
    assert (sheet[100:, :160] == 60).all()
    assert (sheet[100:, 160:] == 120).all()
    assert not (sheet[:40, 160:200] == sheet[:40, :40] + 60).all()  # 1 and 2


def pair(path, media, left, right, sound):
    """Two clips side by side, one of which is heard; None is a still of clip 08."""
    pictures = [[frame.rgb for frame in video.frames(media / name)] if name else still(media) for name in (left, right)]
    video.write(path, [np.hstack(p) for p in zip(*pictures, strict=True)], 25, crf=6, audio=audio.load(media / sound))
    return path


def still(media):
    return [next(video.frames(media / "clip08_grid_lwbsza.mpg")).rgb] * 75


@pytest.mark.media
@pytest.mark.parametrize(
    ("left", "right", "sound", "number"),
    [
        ("clip08_grid_lwbsza.mpg", "clip09_grid_swiz3n.mpg", "clip08_grid_lwbsza.mpg", 1),
        (None, "clip10_grid_lbax4n.mpg", "clip10_grid_lbax4n.mpg", 2),
    ],
)
def test_the_talking_face_of_two_is_chosen(media, tmp_path, left, right, sound, number):
    sheet = tmp_path / "sheet.png"
    choice = choose(pair(tmp_path / "pair.mp4", media, left, right, sound), None, sheet)
    assert choice.count == 2
    assert choice.why.startswith(f"number {number} of 2")
    assert (choice.face.x_px < 360) == (number == 1)
    assert not sheet.exists()
