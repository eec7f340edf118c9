"""Films hold the right tiles in step, with the sound that drove them."""

from pathlib import Path

import pytest

from components.core.media import video
from components.review import companions, films
from components.review.run import Run
from tests.review import world


def test_clips_are_shown_as_evaluate_left_them(project: Path, tmp_path: Path):
    found = films.clips(Run(project, "x", "abc"))
    assert len(found) == 4
    first = found[0]
    assert first.tiles[2:4] == ("source (companion)", "generator")
    assert first.curves["editor"][3] is None
    assert first.values["editor"]["lip_opening_r"] == pytest.approx(0.06)
    assert "mouth_ssim" not in first.values["editor"]  # not measured
    assert world.sounds_like(first.data, world.speech(first.id), tmp_path)
    assert set(first.slices) == {"language=es", "yaw=0-10", "speaker=s0"}


def test_two_runs_share_source_and_truth(project: Path, tmp_path: Path):
    other = Run(world.write(tmp_path / "b", clips=3, shift=0.2), "b", "def")
    found = films.compared_clips(Run(project, "a", "abc"), other)
    assert len(found) == 3
    assert found[0].tiles[:6] == (
        "source (companion)", "truth", "generator (A)", "generator (B)", "editor (A)", "editor (B)",
    )  # fmt: skip
    assert found[0].values["editor (B)"]["lip_opening_r"] == pytest.approx(0.26)
    assert found[0].values["editor (A)"]["lip_opening_r"] == pytest.approx(0.06)
    assert video.decode_bytes(found[0].data).shape[2] == 12 * world.SIZE
    for film in found:
        assert world.sounds_like(film.data, world.speech(film.id), tmp_path)
    assert not world.sounds_like(found[0].data, world.speech(found[1].id), tmp_path)


def test_clips_that_only_the_later_run_has_are_shown_too(project: Path, tmp_path: Path):
    new, old = Run(project, "b", "def"), Run(world.write(tmp_path / "a", clips=3, companions=2), "a", "abc")
    found = films.compared_clips(old, new)
    assert ["only in B" in film.slices for film in found] == [False, False, False, True]
    assert found[3].tiles[:4] == ("source (companion)", "truth", "generator (B)", "editor (B)")
    assert set(found[3].values) == set(found[3].tiles)
    assert world.sounds_like(found[3].data, world.speech(found[3].id), tmp_path)


def test_a_run_without_films_has_none(tmp_path: Path):
    run = Run(tmp_path, "x", "abc")
    assert films.clips(run) == companions.pairs(run, 9, 1) == films.compared_clips(run, run) == []
