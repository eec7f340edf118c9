"""Whose lips: who talks is taken where it is clear, and never guessed where it is not."""

from itertools import chain

import cv2
import numpy as np
import pytest

from components.core.base.errors import UserError
from components.core.media import audio, video
from components.dub import faces
from components.dub.faces import Shot, Sight, choose
from components.dub.sync import SyncExpert
from components.dub.tracks import Face
from tests.dub.builders import save_sync
from tests.dub.people import film
from tests.dub.test_follow import landmarks

HERE, THERE = Face(100, 100, 80), Face(400, 100, 80)


def test_the_sheet_shows_every_face_with_its_number(tmp_path):
    portraits = [np.full((160, 160, 3), level, np.uint8) for level in (60, 120)]
    tiles = [Sight(Shot(), 0.0, face, face, tile) for face, tile in zip((HERE, THERE), portraits, strict=True)]
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


def said(opening):
    """Noise that is as loud as the lips are open, at 25 fps."""
    count = len(opening) * 640
    loud = np.interp(np.arange(count) / 640, np.arange(len(opening)), opening)
    return (0.2 * loud * np.random.default_rng(0).normal(size=count)).astype(np.float32)


@pytest.mark.parametrize(("talker", "before"), [(0, 0), (1, 175)])
def test_the_one_whose_lips_go_with_the_sound_is_chosen(tmp_path, talker, before):
    """Two people of the studio, whose mouths both move, perhaps after 7 s of a wall; one of them is heard."""
    both = [film(number, 75, words=number) for number in (0, 1)]
    pictures = [np.hstack(two) for two in zip(*(one.pictures for one in both), strict=True)]
    wall = [np.full_like(pictures[0], 30)] * before
    voice = said([*[0.5] * before, *both[talker].opening])
    video.write(tmp_path / "both.mp4", [*wall, *pictures], 25, crf=6, audio=voice)
    choice = choose(tmp_path / "both.mp4", None, tmp_path / "sheet.png", 1.0, tmp_path / "dubstrap.onnx")
    assert choice.why == f"number {talker + 1} of 2: its mouth moves with the sound (loudness)"
    assert (choice.face.x_px > 192) == (talker == 1)
    assert choice.since_frame == before


@pytest.mark.parametrize("heard", [True, False])
def test_people_who_are_shown_in_turns_are_several(tmp_path, heard):
    """Framed alike, a second each; the lips of the one who comes second may go with the sound."""
    first, second = film(0, 50), film(1, 50, words=1)
    turns = [first.pictures[:25], second.pictures[:25], first.pictures[25:], second.pictures[25:]]
    rest = np.roll(first.opening, 11)
    loud = np.concatenate([rest[:25], second.opening[:25], rest[25:], second.opening[25:]])
    voice = said(loud if heard else np.ones(100))
    video.write(tmp_path / "turns.mp4", chain(*turns), 25, crf=6, audio=voice)
    given = (tmp_path / "turns.mp4", None, tmp_path / "sheet.png", 1.0, tmp_path / "dubstrap.onnx")
    if heard:
        choice = choose(*given)
        assert (choice.count, choice.since_frame) == (2, 25)
        assert "its mouth moves with the sound" in choice.why
    else:
        with pytest.raises(UserError, match=r"2 faces .* at 0\.0 s.* at 1\.1 s.*not clear which"):
            choose(*given)
        assert cv2.imread(str(tmp_path / "sheet.png")).shape == (160, 320, 3)


def sights(*people):
    """Sights as a survey has them: each a colour, a shot and the numbers of pictures."""
    made = []
    for colour, shot, pictures in people:
        made.append(Sight(shot, 0.0, HERE, HERE, np.zeros((160, 160, 3), np.uint8), pictures=set(pictures)))
        made[-1].looks.learn(np.full((300, 300, 3), colour, np.uint8), landmarks(150, 150))
    return made


def test_who_stays_for_a_turn_is_no_passer_by():
    one, two = Shot(pictures=12), Shot(300, 3.0, 12)
    anna, ben, chris = (200, 150, 120), (90, 60, 50), (40, 90, 180)
    seen = sights((anna, one, range(12)), (ben, one, range(4)), (ben, two, range(12, 24)), (anna, two, range(20, 24)))
    assert [len(known.pictures) for known in faces._people(seen, 24)] == [12, 12]
    order = [anna, ben, anna, chris]
    seen = sights(*((colour, Shot(pictures=6), range(6 * i, 6 * i + 6)) for i, colour in enumerate(order)))
    assert [len(known.pictures) for known in faces._people(seen, 24)] == [12, 6, 6]
    assert [len(known.pictures) for known in faces._people(seen, 60)] == [12]  # the others are cut to once


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
    path = pair(tmp_path / "pair.mp4", media, left, right, sound)
    choice = choose(path, None, sheet, 1.0, tmp_path / "dubstrap.onnx")
    assert choice.count == 2
    assert choice.why == f"number {number} of 2: its mouth moves with the sound (loudness)"
    assert (choice.face.x_px < 360) == (number == 1)
    assert not sheet.exists()


@pytest.mark.media
def test_the_sync_expert_beside_the_editor_has_the_word(media, tmp_path, monkeypatch):
    """Loudness says that the left one talks; this expert finds agreement in the darker one, on the right."""

    def agree(self, windows, rows):
        seen.append((len(windows), len(rows)))
        return np.eye(len(windows) - 4) * (windows.mean() < 100)

    seen, clips = [], ("clip08_grid_lwbsza.mpg", "clip09_grid_swiz3n.mpg")
    path = pair(tmp_path / "pair.mp4", media, *clips, clips[0])
    save_sync(tmp_path / "dubstrap_sync.onnx")
    monkeypatch.setattr(SyncExpert, "cosines", agree)
    choice = choose(path, None, tmp_path / "sheet.png", 1.0, tmp_path / "dubstrap.onnx")
    assert choice.why == "number 2 of 2: its mouth moves with the sound (sync expert)"
    assert choice.face.x_px > 360
    assert seen == [(75, 4 * 75 + 4)] * 2
    monkeypatch.setattr(SyncExpert, "cosines", lambda self, windows, rows: np.zeros((71, 71)))
    unsure = choose(path, None, tmp_path / "sheet.png", 1.0, tmp_path / "dubstrap.onnx")
    assert unsure.why == "number 1 of 2: its mouth moves with the sound (loudness)"
