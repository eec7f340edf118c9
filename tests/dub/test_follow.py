"""Following a face: which one, and the same smooth track in a stream as in the whole."""

import numpy as np
import pytest

from components.core.media import geometry
from components.dub.follow import Face, Follower, Tracker, track
from components.dub.journal import Records
from components.dub.report import Clock
from components.dub.timeline import Picture

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
