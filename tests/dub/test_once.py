"""The beginning of a video is looked at once, though bank and track both need it; and the track is none the worse."""

from itertools import islice

import numpy as np
import pytest

from components.core.media import video
from components.core.media.face import FaceMesh
from components.dub import likeness
from components.dub.faces import Choice
from components.dub.follow import Follower, Once, Tracker
from components.dub.journal import Records

SIZE = 96


class Mesh:
    """Finds in a picture the number that it shows, and remembers what it did."""

    def __init__(self):
        self.did = []

    def detect(self, rgb):
        self.did.append(int(rgb[0, 0, 0]))
        return [rgb[0]]

    def reset(self):
        self.did.append("reset")


def picture(number):
    return np.full((1, 1, 3), number, np.uint8)


def look(once, numbers, cut=None):
    found = []
    for number in numbers:
        if number == cut:
            once.reset()
        found.append(int(once.detect(picture(number))[0][0, 0]))
    return found


def test_the_second_look_is_the_first_one_and_goes_on_where_that_ended():
    mesh = Mesh()
    once = Once(mesh, most=9)
    assert look(once, range(5), cut=3) == [0, 1, 2, 3, 4]
    once.again(knows=True)
    assert look(once, range(7), cut=3) == list(range(7))
    assert mesh.did == [0, 1, 2, "reset", 3, 4, 5, 6]


def test_a_cut_after_what_is_known_reaches_the_mesh():
    mesh = Mesh()
    once = Once(mesh, most=9)
    look(once, range(3))
    once.again(knows=True)
    look(once, range(5), cut=3)
    assert mesh.did == [0, 1, 2, "reset", 3, 4]


@pytest.mark.parametrize(("most", "knows"), [(2, True), (9, False)])
def test_it_looks_again_where_it_may_not_remember(most, knows):
    mesh = Mesh()
    once = Once(mesh, most)
    look(once, range(3))
    once.again(knows)
    assert look(once, range(4)) == [0, 1, 2, 3]
    assert mesh.did == [0, 1, 2, "reset", 0, 1, 2, 3]


@pytest.mark.media
def test_a_real_track_is_that_of_a_new_mesh(media, tmp_path, monkeypatch):
    """Her, him and her again, cut within the beginning; the bank is of her alone."""
    she, he = (
        [frame.rgb for frame in islice(video.frames(media / name), 16)]
        for name in ("clip08_grid_lwbsza.mpg", "clip10_grid_lbax4n.mpg")
    )
    source = tmp_path / "source.mp4"
    video.write(source, [*she[:6], *he[:14], *she[6:]], 25, crf=4, pixel_format="yuv444p")
    monkeypatch.setattr(likeness, "BANK_FRAMES", 8)

    def places(mesh):
        records = Records(None, Tracker.SHAPE, np.float64)
        tracker = Tracker(mesh, Follower(None, alone=True), SIZE, 1.0, records)
        return [tracker.place(frame.rgb) for frame in video.frames(source)]

    with FaceMesh() as mesh, FaceMesh() as other:
        once = Once(mesh, most=99)
        bank = likeness.collect(source, Choice(None, 1, "the only one"), once, SIZE, 1.0)
        once.again(knows=True)
        found, expected = places(once), places(other)
    assert len(bank.windows) == 8
    assert [place.cut for place in found] == [index in (6, 20) for index in range(30)]
    for one, another in zip(found, expected, strict=True):
        assert one.code == another.code
        np.testing.assert_array_equal(one.transform, another.transform)
        np.testing.assert_array_equal(one.pose, another.pose)
