"""The renderer: rays meet the surface they should, the mouth is as open as it says, MediaPipe sees a face."""

import dataclasses

import cv2
import numpy as np
import pytest

from components.core.media.face import FaceMesh
from components.studio.atlas import COLUMNS, ROWS, ROWS_PER_UNIT, TOP, WHOLE, slopes
from components.studio.camera import Camera
from components.studio.eyes import Gaze
from components.studio.head import Head
from components.studio.identity import cast
from components.studio.march import Pose, march, rays
from components.studio.mouth import lips
from components.studio.performance import perform, poses
from components.studio.sculpt import Mass
from components.studio.visemes import CHANNELS

LANGUAGES = ("en-us", "de")
STILL = Pose(0, 0, 0, 0, 0, 1)


def posture(**values: float) -> np.ndarray:
    return np.array([values.get(name, 0.0) for name in CHANNELS])


def test_a_mass_is_an_ellipsoid():
    mass = Mass(0.2, 0.0, (0.7, 1.0, 0.9))
    theta, y = WHOLE.grid()
    r = mass.radius(theta, y)
    on = r > 0
    inside = (r * np.sin(theta) / 0.7) ** 2 + (r * np.cos(theta) / 0.9) ** 2 + ((y - 0.2) / 1.0) ** 2
    np.testing.assert_allclose(inside[on], 1, atol=1e-4)


def test_slopes_of_a_cone_are_its_slope():
    _theta, y = WHOLE.grid()
    around, up = slopes((1 + 0.3 * y).astype(np.float32))
    np.testing.assert_allclose(up[5:-5], 0.3, atol=1e-3)
    np.testing.assert_allclose(around[:, 5:-5], 0, atol=1e-3)


def test_rays_meet_a_cylinder_where_geometry_says():
    radius = np.full((ROWS, COLUMNS), 0.5, np.float32)
    lines = rays(STILL, 128, 40)
    hits = march(lines, radius, 1 / 40)
    assert hits.window[1].stop - hits.window[1].start < 64
    row = hits.depth[64]
    x = hits.lines.origin[0][64] + row * hits.lines.direction[0][64]
    seen = np.abs(x) < 0.45
    assert seen.sum() > 30
    np.testing.assert_allclose(np.hypot(x, row)[seen], 0.5, atol=0.01)
    assert 0.9 < hits.coverage[64].sum() / 40 < 1.2  # as wide as the cylinder
    height = TOP - (hits.row[64] + 0.5) / ROWS_PER_UNIT
    assert np.ptp(height[seen]) < 0.02  # the ray through the middle row is level
    assert np.all(np.diff(hits.theta[64][seen]) > 0)


def test_the_coverage_of_a_turned_head_has_no_holes():
    head = Head(cast(2, 0, LANGUAGES))  # long hair
    for yaw in (-30, 0, 30):
        hits = march(rays(dataclasses.replace(STILL, yaw_deg=yaw), 256, 80), head.maps.radius, 1 / 80)
        # A hole is a small island of background inside the head.
        _count, _labels, stats, _centres = cv2.connectedComponentsWithStats((hits.coverage < 0.5).astype(np.uint8))
        areas = stats[1:, cv2.CC_STAT_AREA]
        assert areas[areas < 40].sum() < 25


@pytest.mark.parametrize("jaw", [0.0, 0.5, 1.0])
def test_lips_are_as_open_as_the_posture_says(jaw):
    speaker = cast(0, 0, LANGUAGES)
    mouth = lips(posture(jaw=jaw), speaker)
    head = Head(speaker)
    maps = head.at(mouth, Gaze(0, 0, 0))
    middle = maps.colour[:, COLUMNS // 2, :3].sum(1)
    y = TOP - (np.arange(ROWS) + 0.5) / ROWS_PER_UNIT
    near = (y < -0.45) & (y > -0.95)
    shut = head.at(lips(posture(), speaker), Gaze(0, 0, 0)).colour[:, COLUMNS // 2, :3].sum(1)
    changed = near & (np.abs(middle - shut) > 0.02)
    assert mouth.opening == pytest.approx(max(0.29 * jaw - 0.014, 0), abs=1e-6)
    assert changed.any() == (jaw > 0)


def test_lips_press_bite_and_round():
    speaker = cast(1, 0, LANGUAGES)
    rest, wide, pursed = (lips(posture(**v), speaker) for v in ({}, {"spread": 1.0}, {"round": 1.0}))
    assert pursed.half_width < rest.half_width < wide.half_width
    assert pursed.forward > rest.forward
    assert lips(posture(jaw=1, press=1), speaker).opening == 0
    bitten = lips(posture(jaw=0.5, bite=1), speaker)
    assert bitten.opening < 0.5 * lips(posture(jaw=0.5), speaker).opening


def test_a_head_does_not_remember_the_frames_before():
    head = Head(cast(1, 0, LANGUAGES))
    gaze = Gaze(0.0, 0.0, 0.0)
    rounded = lips(posture(jaw=0.3, round=1.0), head.speaker)
    first = {name: value.copy() for name, value in vars(head.at(rounded, gaze)).items()}
    for jaw in (0.9, 0.0, 0.5):
        head.at(lips(posture(jaw=jaw, round=0.5), head.speaker), gaze)
    again = vars(head.at(rounded, gaze))
    for name, value in first.items():
        np.testing.assert_array_equal(again[name], value, err_msg=name)


def test_heads_stay_within_thirty_degrees_and_move():
    for number in range(8):
        turned = poses(perform(0, f"clip{number}", number, 150, 25))
        yaw = np.array([pose.yaw_deg for pose in turned])
        assert np.abs(yaw).max() <= 30
        assert yaw.std() > 0.5
        assert np.abs(np.diff(yaw)).max() < 3


def test_the_cast_is_varied():
    people = [cast(number, 0, LANGUAGES) for number in range(26)]
    assert len({p.hair for p in people}) >= 8
    assert len({p.beard for p in people}) == 5
    assert sum(p.glasses is not None for p in people) >= 4
    assert len({p.voice.variant for p in people}) >= 6
    tones = sorted(sum(p.skin) for p in people)
    assert tones[-1] > 2.2
    assert tones[0] < 1.1
    assert cast(3, 0, LANGUAGES) == cast(3, 0, LANGUAGES) != cast(3, 1, LANGUAGES)


def test_mediapipe_finds_the_face_and_its_mouth():
    speaker = cast(0, 0, LANGUAGES)
    performance = dataclasses.replace(perform(0, "x", 0, 8, 25), occluder="none")
    gaps = {}
    for name, jaw in (("shut", 0.0), ("open", 1.0)):
        frames = [shot.frame for shot in Camera(speaker, 256).film(performance, np.tile(posture(jaw=jaw), (8, 1)))]
        with FaceMesh() as mesh:
            found = [mesh.detect(frame) for frame in frames]
        assert all(found)
        gaps[name] = np.linalg.norm(found[-1][0][13] - found[-1][0][14])
    assert gaps["open"] > gaps["shut"] + 8


def test_an_occluder_hides_the_mouth_for_a_while():
    speaker = cast(0, 0, LANGUAGES)
    performance = dataclasses.replace(perform(0, "y", 3, 75, 25), occluder="hand")
    hidden = [shot.hidden for shot in Camera(speaker, 64).film(performance, np.tile(posture(), (75, 1)))]
    assert max(hidden) > 0.3
    assert hidden[0] == 0
    free = [
        s.hidden
        for s in Camera(speaker, 64).film(
            dataclasses.replace(performance, occluder="none", frames=2), np.tile(posture(), (2, 1))
        )
    ]
    assert free == [0, 0]


@pytest.mark.parametrize("kind", ["hand", "microphone"])
def test_an_occluder_is_where_it_changes_the_picture(kind):
    speaker = cast(0, 0, LANGUAGES)
    performance = dataclasses.replace(perform(0, "y", 3, 50, 25), occluder=kind, noise=0.0)
    free = Camera(speaker, 64).film(dataclasses.replace(performance, occluder="none"), np.tile(posture(), (50, 1)))
    for shot, bare in zip(Camera(speaker, 64).film(performance, np.tile(posture(), (50, 1))), free, strict=True):
        changed = np.abs(shot.frame.astype(int) - bare.frame).max(-1) > 0
        assert not bare.occluder.any()
        near = cv2.dilate(shot.occluder.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        assert changed[~near].mean() < 0.005  # the faint edge where it enters the picture
        if shot.occluder.any():
            assert changed[shot.occluder].mean() > 0.9
