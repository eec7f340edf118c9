"""Pasting: a round trip, colours matched to the surroundings, and a seam that is measured."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from components.core.media import geometry, occlusion
from components.core.media.face import FaceMesh
from components.dub.blend import Blender
from components.dub.edit import Edited
from components.dub.timeline import Picture
from tests.dub.people import film

SIZE = 96
ROWS, COLS = np.mgrid[:240, :320]
SKIN = np.stack([120 + 40 * np.sin(ROWS / 30 + c) + 30 * np.cos(COLS / 40 - c) for c in range(3)], -1)


def frame(mouth):
    """A smooth picture, `mouth` grey levels brighter around (160, 130)."""
    bump = np.exp(-(((ROWS - 130) / 5) ** 2) - ((COLS - 160) / 8) ** 2)
    return np.clip(SKIN + mouth * bump[..., None], 0, 255).astype(np.uint8)


def transform(zoom, roll_deg, centre=(160.0, 130.0)):
    """Puts the centre in the middle of the window."""
    turn = np.radians(roll_deg)
    linear = zoom * np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    return np.hstack([linear, (np.array([47.5, 63.5]) - linear @ centre)[:, None]])


def window(rgb, to_crop):
    return geometry.Window.of(SIZE).take(geometry.warp(rgb, to_crop, SIZE)[None])[0]


def edited(before, made, to_crop):
    return Edited(Picture(before, 0.0, 0.04), to_crop, window(before, to_crop), made)


@pytest.mark.parametrize("mouth", [0, -60, 60])
@pytest.mark.parametrize(("zoom", "roll"), [(1.0, 0.0), (0.9, 17.0), (0.7, -30.0), (1.4, 5.0)])
def test_crop_and_paste_is_a_round_trip(zoom, roll, mouth):
    """The window of another picture, pasted, gives that picture inside the mask: 45 dB, and without edit every bit."""
    before, after, to_crop = frame(0), frame(mouth), transform(zoom, roll)
    result = Blender(SIZE).paste(edited(before, window(after, to_crop), to_crop)).rgb
    rows, columns, _ = geometry.patch(before, window(before, to_crop), to_crop, geometry.soft_mask(SIZE))
    outside = np.ones(before.shape[:2], bool)
    outside[rows, columns] = False
    np.testing.assert_array_equal(result[outside], before[outside])
    if not mouth:
        return np.testing.assert_array_equal(result, before)
    inside = np.zeros(before.shape[:2], bool)
    inside[rows, columns] = True
    error = np.square(result[inside].astype(float) - after[inside]).mean()
    assert 10 * np.log10(255**2 / error) >= 45
    assert np.abs(result.astype(int) - before).max() > 40


def test_a_shift_of_colour_is_taken_back_and_an_edit_is_not():
    before, to_crop = frame(0), transform(1.0, 0.0)
    right = window(frame(60), to_crop)
    tinted = np.clip(right.astype(int) + np.array([9, -4, 6]), 0, 255).astype(np.uint8)
    blender = Blender(SIZE)
    np.testing.assert_allclose(blender.matched(tinted, window(before, to_crop)).astype(int), right, atol=2)
    np.testing.assert_array_equal(blender.matched(right, window(before, to_crop)), right)


def test_the_seam_is_zero_without_an_edit_and_rises_with_a_step():
    before, to_crop = frame(0), transform(1.0, 0.0)
    same, stepped = Blender(SIZE), Blender(SIZE)
    assert same.seam_db is None
    source = window(before, to_crop)
    same.paste(edited(before, source, to_crop))
    assert same.seam_db == pytest.approx(0, abs=1e-6)
    checks = np.where((np.indices(source.shape[:2]).sum(0) // 4 % 2)[..., None], 40, -40)  # no median takes this back
    stepped.paste(edited(before, np.clip(source + checks, 0, 255).astype(np.uint8), to_crop))
    assert stepped.seam_db > 3


def test_a_gap_passes_as_it_is():
    picture = Picture(frame(0), 0.0, 0.04)
    assert Blender(SIZE).paste(Edited(picture, reason="no face found")) is picture


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("lighter", [0, -8, 8])
def test_a_studio_face_comes_back_where_the_mask_is(number, lighter):
    """45 dB over the pixels that the mask covers, every bit elsewhere, and without an edit every bit.

    An edit that changes more than CHANGE_SCALE takes the source's grain away, as it should.
    """
    before = film(number, 1).pictures[0]
    with FaceMesh(static=True) as mesh:
        to_crop = geometry.alignment(mesh.detect(before)[0][None], SIZE)[0]
    place, zoom = geometry.Window.of(SIZE), np.sqrt(np.linalg.det(to_crop[:, :2]))
    to_window = to_crop - [[0, 0, place.left], [0, 0, place.top]]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    covered = cv2.warpAffine(geometry.soft_mask(SIZE), to_window, before.shape[1::-1], flags=flags) > 0
    rows, columns = np.mgrid[: before.shape[0], : before.shape[1]]
    x, y = cv2.invertAffineTransform(to_crop) @ [48, 64, 1]
    bump = np.exp(-((zoom * (rows - y) / 5) ** 2) - (zoom * (columns - x) / 8) ** 2)
    after = np.clip(before + lighter * bump[..., None], 0, 255).astype(np.uint8)
    result = Blender(SIZE).paste(edited(before, window(after, to_crop), to_crop)).rgb
    np.testing.assert_array_equal(result[~covered], before[~covered])
    assert covered.sum() > 3000
    assert psnr_db(result, after, covered) >= 45
    assert (result != before).any() == (lighter != 0)


def psnr_db(one, other, where):
    return 10 * np.log10(255**2 / max(1e-9, np.square(one[where].astype(float) - other[where]).mean()))


@pytest.mark.parametrize(("number", "occluder"), [(0, "hand"), (1, "microphone")])
def test_what_is_before_the_mouth_survives(number, occluder):
    """The exact re-dub, which the studio can film, pasted into the source: the truth comes out, hand or microphone too.

    Near the lips the paste gives up the source's own detail, and that must not be the occluder's.
    """
    said, other = (film(number, 16, words, occluder) for words in (0, 1))
    blender, mask, checked = Blender(SIZE), geometry.soft_mask(SIZE), 0
    with FaceMesh() as mesh:
        for before, after, hand in zip(said.pictures, other.pictures, said.occluder, strict=True):
            to_crop = geometry.alignment(mesh.detect(before)[0][None], SIZE)[0]
            result = blender.paste(edited(before, window(after, to_crop), to_crop)).rgb
            rows, columns, _ = geometry.patch(before, window(before, to_crop), to_crop, mask)
            inside = np.zeros(hand.shape, bool)
            inside[rows, columns] = True
            core = inside & cv2.erode(hand.astype(np.uint8), np.ones((5, 5))).astype(bool)
            if core.sum() < 200 or psnr_db(before, after, inside) > 34:
                continue  # it is not there yet, or the lips are much the same: what is left then is taken back
            checked += 1
            assert psnr_db(result, after, inside) > psnr_db(before, after, inside) + 5
            assert psnr_db(result, after, core) > 36
    assert checked >= 5


def test_an_edit_that_paints_over_a_microphone_does_not_touch_it_where_it_is_found():
    """A green window: the microphone keeps every bit, and what is clear of it turns green."""

    said, checked = film(1, 16, 0, "microphone"), 0
    blender, place = Blender(SIZE), geometry.Window.of(SIZE)
    with FaceMesh() as mesh:
        for before, front in zip(said.pictures, said.occluder, strict=True):
            to_crop = geometry.alignment(mesh.detect(before)[0][None], SIZE)[0]
            exact = place.take(cv2.warpAffine(front.astype(np.uint8), to_crop, (SIZE, SIZE))[None]) > 0
            source = window(before, to_crop)
            green = np.full_like(source, (0, 255, 0))
            painted = edited(before, green, to_crop)
            result = blender.paste(replace(painted, hidden=occlusion.soften(exact)[0])).rgb
            core = cv2.erode(front.astype(np.uint8), np.ones((3, 3))).astype(bool)
            np.testing.assert_array_equal(result[core], before[core])
            checked += exact.sum() > 100
            assert (result != before).any()
            bare = Blender(SIZE).paste(painted).rgb
            assert exact.sum() < 100 or (bare[core] != before[core]).any()
    assert checked >= 5
