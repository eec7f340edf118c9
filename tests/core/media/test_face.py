import numpy as np
import pytest

from components.core.media import face, geometry, head, video
from components.core.media.track import of_landmarks, track

LIPS_AND_JAW = [
    *(0, 11, 12, 13, 14, 15, 16, 17, 18, 61, 78, 185, 291, 308, 310, 312, 317, 375, 402, 405),
    *(32, 132, 136, 148, 149, 150, 152, 172, 175, 176, 199, 200, 208, 262, 361, 365, 377, 378, 379, 397, 400, 428),
]


def test_head_coordinates_and_back(face_at) -> None:
    landmarks = face_at(80, (10, 20), 25, -12)[None]
    heads = head.fit(landmarks)
    points = heads.to_head(landmarks)
    np.testing.assert_allclose(heads.to_image(points[0])[0], landmarks[0], atol=1e-9)
    np.testing.assert_allclose(points, head.fit(face_at()[None]).to_head(face_at()[None]), atol=1e-9)


@pytest.mark.parametrize(("yaw", "roll"), [(0, 0), (28, 0), (-20, 0), (0, 35)])
def test_pose_is_the_turn(face_at, yaw, roll) -> None:
    found = face.pose(face_at(yaw_deg=yaw, roll_deg=roll)[None])[0]
    np.testing.assert_allclose([found[0], found[2]], [yaw, roll], atol=1e-3)


def test_yaw_is_positive_for_a_face_that_looks_to_the_images_right(face_at) -> None:
    right_side_farther = face_at(yaw_deg=20)
    assert right_side_farther[263, 2] > right_side_farther[33, 2]
    assert face.pose(right_side_farther[None])[0, 0] > 0


@pytest.mark.parametrize(("scale", "yaw", "roll"), [(40, 0, 0), (100, 30, 0), (300, -15, 25)])
def test_measures_are_those_of_the_mouth_at_any_size_and_turn(face_at, scale, yaw, roll) -> None:
    lips = face.measures(face_at(scale, (5, 9), yaw, roll, opening=0.2)[None])[0]
    assert lips[0] == pytest.approx(0.2 / head.EYES, rel=1e-4)
    assert lips[1] == pytest.approx(0.4 / head.EYES, rel=1e-4)


def test_the_mask_gives_away_nothing_about_lips_or_jaw(face_at) -> None:
    landmarks = face_at(46, (48, 32), 12, 5)[None]
    moved = landmarks.copy()
    moved[:, LIPS_AND_JAW] += np.random.default_rng(0).normal(0, 9, (len(LIPS_AND_JAW), 3))
    mask = face.lower_face_mask(landmarks, 96)
    assert mask.any()
    np.testing.assert_array_equal(face.lower_face_mask(moved, 96), mask)


def test_the_mask_turns_with_the_head(face_at) -> None:
    straight, turned = (face.lower_face_mask(face_at(46, (48, 32), yaw)[None], 96)[0] for yaw in (0, 30))
    assert (straight != turned).sum() > 100


@pytest.mark.media
@pytest.mark.parametrize(
    "name", ["clip01_latentsync_demo1.mp4", "clip08_grid_lwbsza.mpg", "clip13_liveportrait_d12.mp4"]
)
def test_real_faces_lie_in_the_crop_as_promised(media, name) -> None:
    frames = [frame.rgb for _, frame in zip(range(16), video.frames(media / name), strict=False)]
    with face.FaceMesh() as mesh:
        found = track(frames, mesh, 120)
    assert found.valid.all()
    points = geometry.apply(found.transforms, found.landmarks) / 10
    assert np.abs(points[:, [33, 263], 1] - 4).max() < 0.8
    assert np.abs(points[:, 14, 0] - 6).max() < 1.2
    assert np.abs(points[:, 14, 1] - 8).max() < 1.3
    assert points[:, 152, 1].max() < 11.2
    window = np.array([[2, 5], [10, 11.2]])
    lower_face = points[:, [2, 61, 291, 17, 152], :2]
    assert ((window[0] < lower_face) & (lower_face < window[1])).all()
    masks = face.lower_face_mask(points * 10, 120)
    for mask, lips in zip(masks, (points * 10)[:, [13, 14, 61, 291, 17], :2].round().astype(int), strict=True):
        assert mask[lips[:, 1], lips[:, 0]].all()


@pytest.mark.media
def test_gaps_are_explicit_and_tracking_goes_on_after_them(media) -> None:
    frames = [frame.rgb for _, frame in zip(range(24), video.frames(media / "clip09_grid_swiz3n.mpg"), strict=False)]
    frames[10:14] = [np.zeros_like(frames[0])] * 4
    with face.FaceMesh() as mesh:
        found = track(iter(frames), mesh, 48)
        again = track(iter(frames), mesh, 48)
    assert np.flatnonzero(~found.valid).tolist() == [10, 11, 12, 13]
    assert np.isnan(found.transforms[10:14]).all()
    np.testing.assert_array_equal(found.landmarks, again.landmarks)


def test_a_video_without_frames_or_faces_has_an_empty_track() -> None:
    assert of_landmarks(np.zeros((0, 478, 3)), 48).valid.shape == (0,)
    assert not of_landmarks(np.full((5, 478, 3), np.nan), 48).valid.any()


def test_no_face_is_no_landmarks_and_no_noise(capfd) -> None:
    with face.FaceMesh(static=True) as mesh:
        assert mesh.detect(np.full((90, 120, 3), 90, np.uint8)) == []
    assert capfd.readouterr().err == ""


@pytest.mark.media
@pytest.mark.parametrize("share", [0.1, 0.05, 0.03])
def test_small_faces_are_found_where_they_are(media, share) -> None:
    frame = next(video.frames(media / "clip01_latentsync_demo1.mp4")).rgb[600:1300, 200:900]
    with face.FaceMesh(static=True) as mesh:
        near = mesh.detect(frame)[0]
        side = round(head.fit(near[None]).scale_px[0] / share)
        canvas = np.full((side, side, 3), 110, np.uint8)
        canvas[side // 2 - 350 : side // 2 + 350, side // 2 - 350 : side // 2 + 350] = frame
        (far,) = mesh.detect(canvas)
    error = far[:, :2] - near[:, :2] - (side // 2 - 350)
    assert np.abs(error).mean() < 0.04 * head.fit(near[None]).scale_px[0]
