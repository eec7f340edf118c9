"""Faces over time: their ids, and who is taken for the chosen one again after gaps and cuts."""

import numpy as np
import pytest

from components.dub import report
from components.dub.tracks import ALIKE, KEPT_FRAMES, Face, Follower, Looks
from tests.dub.test_follow import landmarks

ANNA, BEN = (200, 150, 120), (90, 60, 50)
"""Colours of two people's skin and hair."""
HERE, THERE = (150, 150), (450, 150)


def shown(*people):
    """A picture (h w 3) and the landmarks of people, each a colour and a place."""
    rgb, faces = np.zeros((300, 600, 3), np.uint8), []
    for colour, (x, y) in people:
        rgb[:, x - 150 : x + 150] = colour
        faces.append(landmarks(x, y))
    return rgb, faces


def shade(colour, step):
    """The colour a little lighter."""
    return tuple(level + step for level in colour)


@pytest.fixture
def follower():
    """Follows Anna, who has been here in one picture."""
    rgb, faces = shown((ANNA, HERE))
    looks = Looks()
    looks.learn(rgb, faces[0])
    made = Follower(Face.of(faces[0]), looks=looks)
    assert made.pick(faces, rgb) is faces[0]
    return made


def picked(follower, *people, cut=False):
    """The index of whom it picks, or None."""
    rgb, faces = shown(*people)
    found = follower.pick(faces, rgb, cut)
    return next((index for index, one in enumerate(faces) if one is found), None)


def test_who_comes_later_is_not_followed_even_when_the_chosen_one_leaves(follower):
    assert [picked(follower, (BEN, THERE), (ANNA, HERE)) for _ in range(3)] == [1, 1, 1]
    gone = KEPT_FRAMES + 3
    assert [picked(follower, (BEN, THERE)) for _ in range(gone)] == [None] * gone
    assert [picked(follower, (BEN, HERE)) for _ in range(gone)] == [None] * gone  # at Anna's place, long after her
    assert picked(follower, (ANNA, THERE), (BEN, HERE)) == 0


def test_after_a_cut_the_one_that_looks_like_the_chosen_one_is_taken_and_no_other(follower):
    assert picked(follower, (BEN, HERE), cut=True) is None
    assert picked(follower, (BEN, HERE)) is None
    assert picked(follower, (shade(ANNA, 3), THERE), cut=True) == 0
    assert picked(follower, (shade(ANNA, 30), THERE)) == 0  # within a shot it is followed by its place
    found = report.tracks(follower.tracks)
    assert [(one.id, one.start_frame, one.stop_frame, one.dubbed) for one in found] == [(3, 3, 5, True)]


def test_another_light_or_two_who_look_alike_are_nobody(follower):
    assert picked(follower, (shade(ANNA, 40), HERE), cut=True) is None
    assert picked(follower, (ANNA, HERE), (shade(ANNA, 2), THERE), cut=True) is None
    assert picked(follower, (ANNA, HERE), (BEN, THERE), cut=True) == 0


def test_the_chosen_one_that_leaps_within_a_shot_is_a_further_track_of_it(follower):
    before = follower.tracks[0]
    assert picked(follower, (ANNA, THERE)) == 0
    assert [one.dubbed for one in report.tracks([before, *follower.tracks])] == [True, True]
    assert picked(follower, (BEN, HERE)) is None


def test_before_anything_is_learned_the_place_decides():
    follower = Follower(Face.of(landmarks(*HERE)))
    assert picked(follower, (BEN, THERE), (ANNA, HERE)) == 1
    assert picked(follower, (ANNA, THERE), cut=True) is None
    assert picked(follower, (ANNA, HERE), cut=True) == 0


def test_whoever_is_there_before_its_shot_is_not_the_chosen_one():
    follower = Follower(Face.of(landmarks(*HERE)), since_frame=2)
    assert [picked(follower, (ANNA, HERE)) for _ in range(2)] == [None, None]
    assert picked(follower, (BEN, HERE), cut=True) == 0


def test_a_face_that_is_found_twice_is_one(follower):
    rgb, (anna,) = shown((ANNA, HERE))
    again = landmarks(152, 150, scale=80.0)
    assert follower.pick([again, anna], rgb) is anna  # of the size that it had
    assert follower.pick([anna, again], rgb, cut=True) is anna


def test_a_gap_is_bridged_at_its_place(follower):
    assert [picked(follower) for _ in range(KEPT_FRAMES)] == [None] * KEPT_FRAMES
    assert picked(follower, (BEN, THERE), (shade(ANNA, 40), HERE)) == 1
    assert {track.number for track in follower.tracks} == {1, 2}


def test_without_anybody_at_first_the_largest_that_comes_is_followed():
    follower = Follower(None)
    assert picked(follower) is None
    assert picked(follower, (BEN, THERE), (ANNA, HERE)) == 0
    assert picked(follower, (ANNA, HERE), (BEN, THERE)) == 1


def test_the_reasons_say_what_was_compared(follower):
    picked(follower, (ANNA, HERE), (BEN, THERE))
    assert [track.reason for track in follower.tracks] == ["the chosen face", "beside or before the chosen face"]
    picked(follower, (BEN, HERE), cut=True)
    assert follower.tracks[0].reason.startswith("not clearly the chosen face: colours differ by ")
    assert follower.tracks[0].difference > ALIKE
    picked(follower, (shade(ANNA, 3), HERE), cut=True)
    assert follower.tracks[0].reason.startswith("like the chosen face: colours differ by ")


def test_a_follower_goes_on_where_another_was(follower):
    script = [
        [(BEN, THERE), (ANNA, HERE)],
        [(BEN, THERE)],
        [],
        [(ANNA, HERE), (BEN, THERE)],
        [(BEN, HERE)],
        [(shade(ANNA, 3), HERE)],
    ]
    other = Follower(follower._face, looks=follower._looks)
    other.restore(follower.state())
    for number, people in enumerate(script):
        first = picked(follower, *people, cut=number >= 4)
        if number < 3:  # these the other was told of
            other.restore(follower.state())
        else:
            assert picked(other, *people, cut=number >= 4) == first
        assert other.tracks == follower.tracks


def test_glimpses_of_others_are_not_reported(follower):
    picked(follower, (ANNA, HERE), (BEN, THERE))
    assert [one.id for one in report.tracks(follower.tracks)] == [1]
    for _ in range(report.GLIMPSE_FRAMES):
        picked(follower, (ANNA, HERE), (BEN, THERE))
    assert [(one.id, one.dubbed) for one in report.tracks(follower.tracks)] == [(1, True), (2, False)]
