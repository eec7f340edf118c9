"""Films hold the right tiles in step, with the sound that drove them."""

from pathlib import Path

import numpy as np
import pytest

from components.core.media import video
from components.review import films
from components.review.run import Run
from tests.review import world


def test_clips_are_shown_as_evaluate_left_them(project: Path):
    found = films.clips(Run(project, "x", "abc"))
    assert len(found) == 4
    first = found[0]
    assert first.tiles[2:4] == ("source", "companion (generator)")
    assert first.curves["editor"][3] is None
    assert first.values["editor"]["lip_opening_r"] == pytest.approx(0.06)
    assert "mouth_ssim" not in first.values["editor"]  # not measured
    assert set(first.slices) == {"language=es", "yaw=0-10", "speaker=s0"}


def test_pairs_show_the_real_clip_beside_its_companion(project: Path):
    found = films.pairs(Run(project, "x", "abc"), most=500, workers=1)
    assert [film.reason for film in found] == ["", "", "", "", "no_flicker", "review"]
    first = found[0]
    picture = video.decode_bytes(first.data)
    assert picture.shape == (world.FRAMES, world.SIZE, 2 * world.SIZE, 3)
    levels = picture[:, world.SIZE // 2, [world.SIZE // 2, 3 * world.SIZE // 2], 1].astype(int)
    assert np.abs(levels - [[world.grey(f)] * 2 for f in range(world.FRAMES)]).max() <= 4
    assert set(first.curves) == {"real", "companion", "the speech's own lips"}
    assert first.curves["companion"][:3] == [None, pytest.approx(0.21), pytest.approx(0.22)]
    assert "relight_gain" not in first.values["companion"]


def test_quarantine_comes_first_where_not_all_fit(project: Path):
    found = films.pairs(Run(project, "x", "abc"), most=3, workers=1)
    assert sorted(film.reason for film in found) == ["", "no_flicker", "review"]


def test_two_runs_share_source_and_truth(project: Path, tmp_path: Path):
    other = Run(world.write(tmp_path / "b", clips=3, shift=0.2), "b", "def")
    found = films.compared_clips(Run(project, "a", "abc"), other)
    assert len(found) == 3
    assert found[0].tiles[:6] == (
        "source", "truth", "companion (generator) (A)", "companion (generator) (B)", "editor (A)", "editor (B)",
    )  # fmt: skip
    assert found[0].values["editor (B)"]["lip_opening_r"] == pytest.approx(0.26)
    assert found[0].values["editor (A)"]["lip_opening_r"] == pytest.approx(0.06)
    assert video.decode_bytes(found[0].data).shape[2] == 12 * world.SIZE


def test_a_run_without_films_has_none(tmp_path: Path):
    run = Run(tmp_path, "x", "abc")
    assert films.clips(run) == films.pairs(run, 9, 1) == films.compared_clips(run, run) == []
