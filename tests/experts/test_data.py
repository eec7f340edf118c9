from collections.abc import Callable

import numpy as np
import pytest

from components.core.base.errors import UserError
from components.core.media.crops import Crop
from components.core.media.mel import SILENCE
from components.experts.data import Material, Stretches, halves, separation

People = Callable[[str, int], list[Crop]]


def test_guide_and_judge_share_no_speaker_and_leave_none_out(people: People) -> None:
    portraits = [np.full((2, 4, 4, 3), person, np.uint8) for person in range(5)]
    half = halves(Material(people("dabce", 2), portraits=portraits))
    assert {crop.speaker for crop in half.guide.crops} == {"a", "c", "e"}
    assert {crop.speaker for crop in half.judge.crops} == {"b", "d"}
    assert len(half.guide.crops) + len(half.judge.crops) == 10
    assert [int(portrait.max()) for portrait in half.guide.portraits] == [0, 2, 4]
    assert [int(portrait.max()) for portrait in half.judge.portraits] == [1, 3]


def test_three_speakers_are_too_few(people: People) -> None:
    with pytest.raises(UserError, match="3 training speakers; expected at least 4"):
        halves(Material(people("abc", 3)))


def test_sound_of_a_stretch_is_that_of_its_frames_with_context(people: People) -> None:
    crop = people("a", 1)[0]
    stretches = Stretches([crop], frames=10, context=6)
    mel = stretches.mel([(0, 0), (0, 20), (0, 60)]).numpy()
    assert mel.shape == (3, 52, 80)
    np.testing.assert_array_equal(mel[1], crop.mel[80 - 6 : 120 + 6])
    assert (mel[0, :6] == SILENCE).all()
    assert (mel[2, -6:] == SILENCE).all()


def test_a_batch_takes_each_crop_before_any_twice(people: People) -> None:
    stretches = Stretches(people("ab", 3), frames=60, context=0)
    drawn = stretches.draw(9, np.random.default_rng(0))
    assert sorted(crop for crop, _ in drawn[:6]) == [0, 1, 2, 3, 4, 5]
    assert all(0 <= start <= 10 for _, start in drawn)


def test_crops_that_are_too_short_are_left_out_unless_all_are(people: People) -> None:
    crops = people("a", 1)
    with pytest.raises(UserError, match="1 crops of at most 70 frames; expected 71 frames"):
        Stretches(crops, frames=71, context=0)


def test_separation_is_the_chance_of_the_right_order() -> None:
    assert separation(np.array([3.0, 2.0]), np.array([1.0, 0.0])) == 1
    assert separation(np.array([3.0, 0.0]), np.array([2.0, 1.0])) == 0.5
