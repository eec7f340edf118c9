"""Whose lips: who talks is taken where it is clear, and never guessed where it is not."""

import cv2
import numpy as np
import pytest

from components.core.media import audio, video
from components.dub import faces
from components.dub.faces import Sight, choose
from components.dub.sync import SyncExpert
from components.dub.tracks import Face
from tests.dub.builders import save_sync
from tests.dub.people import film

HERE, THERE = Face(100, 100, 80), Face(400, 100, 80)


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


@pytest.mark.parametrize("talker", [0, 1])
def test_the_one_whose_lips_go_with_the_sound_is_chosen(tmp_path, talker):
    """Two people of the studio, whose mouths both move; the sound is as loud as one of them is open."""
    both = [film(number, 75, words=number) for number in (0, 1)]
    loud = np.interp(np.arange(48_000) / 16_000, np.arange(75) / 25, both[talker].opening)
    voice = (0.2 * loud * np.random.default_rng(0).normal(size=48_000)).astype(np.float32)
    pictures = (np.hstack(two) for two in zip(*(one.pictures for one in both), strict=True))
    video.write(tmp_path / "both.mp4", pictures, 25, crf=6, audio=voice)
    choice = choose(tmp_path / "both.mp4", None, tmp_path / "sheet.png", 1.0, tmp_path / "dubstrap.onnx")
    assert choice.why == f"number {talker + 1} of 2: its mouth moves with the sound (loudness)"
    assert (choice.face.x_px > 192) == (talker == 1)


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
