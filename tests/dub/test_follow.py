"""Following a face: which one, and the same smooth track in a stream as in the whole."""

import numpy as np
import pytest

from components.core.media import geometry, video
from components.core.media.face import LOOK_EVERY, FaceMesh
from components.dub.follow import Tracker, track
from components.dub.journal import Records
from components.dub.report import Clock
from components.dub.talk import MOST_FACES
from components.dub.timeline import Picture
from components.dub.tracks import Face, Follower
from components.studio import camera
from components.studio.performance import poses
from tests.dub.people import film

SIZE = 96


class Mesh:
    """Finds in picture i the faces that the script says."""

    def __init__(self, script):
        self.script = iter(script)

    def detect(self, rgb):
        return next(self.script)


def landmarks(x, y, scale=100.0):
    """A face-like cloud of points around (x, y): only that it is rigid matters here."""
    points = np.random.default_rng(0).uniform(-1, 1, (478, 3))
    for left, right in ((33, 263), (133, 362), (127, 356), (162, 389), (54, 284), (227, 447)):
        points[right] = points[left] = [-0.6, *points[left][1:]]
        points[right][0] = 0.6
    points[[10, 151], 1], points[[2, 94], 1] = -0.9, 0.4
    return points * scale + [x, y, 0]


def pictures(count):
    return [Picture(np.zeros((4, 4, 3), np.uint8), index / 25, 1 / 25) for index in range(count)]


def stream(script):
    return list(track(pictures(len(script)), tracker(script), Clock()))


def tracker(script, pixel_width=1.0):
    return Tracker(Mesh(script), Follower(None, alone=True), SIZE, pixel_width, Records(None, (1,), np.float64))


def whole(script):
    valid = np.array([bool(faces) for faces in script])
    transforms = np.stack([geometry.alignment(f[0][None], SIZE)[0] if f else np.eye(2, 3) for f in script])
    return geometry.smooth(transforms, valid, SIZE), geometry.runs(transforms, valid, SIZE)


def walk(count, x=200.0):
    noise = np.random.default_rng(2).normal(0, 1, (count, 2))
    return [[landmarks(x + 2 * index + dx, 150 + dy)] for index, (dx, dy) in enumerate(noise)]


@pytest.mark.parametrize(
    "script",
    [
        walk(30),
        walk(3),
        walk(8) + [[]] * 2 + walk(9),
        [[]] * 7 + walk(12) + [[]],
        walk(10) + walk(10, x=900.0),  # a cut
    ],
    ids=["walk", "short", "gap", "late", "cut"],
)
def test_a_stream_is_smoothed_as_the_whole_track(script):
    expected, run = whole(script)
    seen = stream(script)
    assert len(seen) == len(script)
    for index, one in enumerate(seen):
        assert one.picture.time_s == index / 25
        assert (one.transform is None) == (run[index] < 0)
        assert one.begins == (run[index] >= 0 and (index == 0 or run[index] != run[index - 1]))
        if one.transform is not None:
            np.testing.assert_allclose(one.transform, expected[index], atol=1e-9)


def test_no_pictures_nothing_seen():
    assert stream([]) == []


def test_it_looks_ahead_by_the_radius_and_no_further():
    taken = []

    def source():
        for picture in pictures(30):
            taken.append(picture)
            yield picture

    first = next(track(source(), tracker(walk(30)), Clock()))
    assert first.picture is taken[0]
    assert len(taken) == 1 + geometry.SMOOTH_RADIUS_FRAMES


def test_one_face_is_followed_across_a_cut():
    follower = Follower(None, alone=True)
    near, far = landmarks(200, 150), landmarks(900, 150)
    assert follower.pick([near]) is near
    assert follower.pick([]) is None
    assert follower.pick([far]) is far


def test_the_chosen_of_several_is_followed_and_no_other():
    follower = Follower(Face.of(landmarks(200, 150)), alone=False)
    chosen, other = landmarks(230, 150), landmarks(700, 150, scale=150)
    assert follower.pick([other, chosen]) is chosen
    assert follower.pick([other]) is None
    assert follower.pick([]) is None
    assert follower.pick([other, chosen]) is chosen


def turned(x, y, yaw_deg, scale=100.0):
    """The cloud of `landmarks` turned to the side."""
    angle = np.radians(yaw_deg)
    turn = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
    return (landmarks(0, 0, scale) @ turn.T) + [x, y, 0]


def test_a_face_that_turns_away_is_a_gap_with_that_reason():
    script = [[turned(200, 150, yaw)] for yaw in (0, 0, 10, 30, 70, 80, 60, 30, 0, 0)]
    seen = stream(script)
    assert [one.reason for one in seen] == [""] * 4 + ["the face is turned away"] * 3 + [""] * 3
    assert [one.begins for one in seen] == [True] + [False] * 6 + [True] + [False] * 2


def test_reasons_tell_no_face_from_another_face():
    there, elsewhere = landmarks(200, 150), landmarks(700, 150)
    script = [[there], [there], [], [elsewhere], [there]]
    follower = Follower(Face.of(there), alone=False)
    of_two = Tracker(Mesh(script), follower, SIZE, 1.0, Records(None, (1,), np.float64))
    reasons = [one.reason for one in track(pictures(5), of_two, Clock())]
    assert reasons == ["", "", "no face found", "the chosen face is not there", ""]


def test_a_new_shot_breaks_a_track_that_does_not_jump():
    """The face of the next shot is where the last one's was: only the picture tells."""
    script = walk(24)
    shots = [Picture(np.full((90, 120, 3), 40 if i < 12 else 200, np.uint8), i / 25, 1 / 25) for i in range(24)]
    mesh = Mesh(script)
    resets = []
    mesh.reset = lambda: resets.append(1)
    follower = Tracker(mesh, Follower(None, alone=True), SIZE, 1.0, Records(None, (1,), np.float64))
    seen = list(track(shots, follower, Clock()))
    assert [index for index, one in enumerate(seen) if one.begins] == [0, 12]
    assert len(resets) == 1
    for index, part in ((0, script[:12]), (12, script[12:])):
        np.testing.assert_allclose(seen[index].transform, whole(part)[0][0], atol=1e-9)  # nothing leaks over the cut


@pytest.mark.parametrize("width", [2.0, 0.5, 16 / 15])
def test_pixels_that_are_not_square_are_made_so_for_the_crop(width):
    script = walk(12)
    square = [Picture(np.zeros((4, 30, 3), np.uint8), index / 25, 1 / 25) for index in range(12)]
    seen = list(track(square, tracker(script, width), Clock()))
    wide = round(30 * width) / 30
    to_square = np.array([[wide, 0, (wide - 1) / 2], [0, 1, 0], [0, 0, 1]])
    for one, expected in zip(seen, whole(script)[0], strict=True):
        np.testing.assert_allclose(one.transform, expected @ to_square, atol=1e-9)


def test_a_track_is_written_down_and_read_again_without_looking(tmp_path):
    script = walk(30) + [[]] * 3 + walk(70)
    cut, looked = 90, []

    class Known:
        def detect(self, rgb):
            looked.append(int(rgb[0, 0, 0]))
            return script[looked[-1]]

    def run(count):
        looked.clear()
        numbered = [Picture(np.full((4, 4, 3), index, np.uint8), index / 25, 1 / 25) for index in range(count)]
        records = Records(tmp_path / "places", Tracker.SHAPE, np.float64)
        made = list(track(numbered, Tracker(Known(), Follower(None, True), SIZE, 1.0, records), Clock()))
        records.close()
        return made, len(looked)

    first, looks = run(cut)
    assert looks == cut
    again, looks = run(len(script))
    assert looks < len(script) - cut + 60  # those to warm up, and the new ones
    for one, other in zip(first[: cut - 6], again, strict=False):
        assert (one.transform is None) == (other.transform is None)
        assert one.transform is None or (one.transform == other.transform).all()
    assert [one.reason for one in again[30:33]] == ["no face found"] * 3


REAL = [pytest.param(name, marks=pytest.mark.media) for name in ("clip08_grid_lwbsza.mpg", "clip06_retalk_face4.mp4")]


@pytest.mark.parametrize("name", ["", *REAL])
def test_the_crop_of_a_head_at_rest_moves_less_than_a_tenth_of_a_pixel(request, name):
    """The same picture again and again with a camera's noise: RMS motion of eyes and chin in the crop."""
    rng = np.random.default_rng(0)
    rgb = next(video.frames(request.getfixturevalue("media") / name)).rgb if name else film(0, 1).pictures[0]
    noisy = [(rgb + rng.normal(0, 3, rgb.shape)).clip(0, 255).astype(np.uint8) for _ in range(40)]
    places = of_the_crop(noisy)
    assert np.sqrt(np.square(places - places.mean(0)).sum(-1).mean()) < 0.1


def test_the_crop_of_a_head_that_only_talks_moves_less_than_a_tenth_of_a_pixel_from_frame_to_frame(monkeypatch):
    monkeypatch.setattr(camera, "poses", lambda performance: [poses(performance)[0]] * len(poses(performance)))
    steps = np.diff(of_the_crop(film.__wrapped__(0, 40).pictures), axis=0)
    assert np.sqrt(np.square(steps).sum(-1).mean()) < 0.1


def of_the_crop(pictures):
    """Where (f 3 2) the crop shows what is at the eyes and at the chin in the twentieth picture."""
    shown = [Picture(rgb, i / 25, 1 / 25) for i, rgb in enumerate(pictures)]
    with FaceMesh(faces=MOST_FACES) as mesh:
        real = Tracker(mesh, Follower(None, alone=True), SIZE, 1.0, Records(None, (1,), np.float64))
        found = np.stack([one.transform for one in track(shown, real, Clock())])
    points = np.array([[30, 32, 1], [66, 32, 1], [48, 86, 1]], float)
    in_frame = np.linalg.inv(np.vstack([found[20], [0, 0, 1]]))[:2] @ points.T
    return np.einsum("fij,jn->fni", found[:, :, :2], in_frame) + found[:, None, :, 2]


def test_who_comes_later_is_seen_soon_and_whoever_was_there_goes_on_as_before():
    first, second = film(0, 45).pictures, film(1, 45).pictures
    nobody = np.full_like(second[0], 90)
    both = [
        np.concatenate([a, b if 15 <= i < 30 else nobody], 1)
        for i, (a, b) in enumerate(zip(first, second, strict=True))
    ]
    with FaceMesh(faces=MOST_FACES) as mesh, FaceMesh() as alone:
        found = [mesh.detect(picture) for picture in both]
        known = np.stack([alone.detect(np.concatenate([picture, nobody], 1))[0] for picture in first])
    counts = [len(faces) for faces in found]
    assert counts[:15] == [1] * 15
    assert counts[15 + LOOK_EVERY : 30] == [2] * (15 - LOOK_EVERY)
    assert counts[31:] == [1] * 14
    left = np.stack([min(faces, key=lambda face: face[:, 0].mean()) for faces in found])
    assert np.abs(left - known)[..., :2].mean() < 0.01 * np.ptp(known[0, :, 1])
