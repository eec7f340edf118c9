"""Pairs are shown with the speech that drove the companion, from where it really began."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from components.core.media import FPS, RATE_HZ, video
from components.core.media.companions import plan
from components.review import companions
from components.review.run import Run
from tests.review import world


def test_pairs_show_the_real_clip_beside_its_companion(project: Path, tmp_path: Path):
    found = companions.pairs(Run(project, "x", "abc"), most=500, workers=1)
    assert [film.reason for film in found] == ["", "", "", "", "no_flicker", "review"]
    first = found[0]
    picture = video.decode_bytes(first.data)
    assert picture.shape == (world.FRAMES, world.SIZE, 2 * world.SIZE, 3)
    levels = picture[:, world.SIZE // 2, [world.SIZE // 2, 3 * world.SIZE // 2], 1].astype(int)
    assert np.abs(levels - [[world.grey(f)] * 2 for f in range(world.FRAMES)]).max() <= 4
    assert set(first.curves) == {"real", "companion", "the speech's own lips"}
    assert first.curves["companion"][:3] == [None, pytest.approx(0.21), pytest.approx(0.22)]
    assert "relight_gain" not in first.values["companion"]
    assert first.id == "speaker0-clip0--0"
    assert world.sounds_like(first.data, world.speech("speaker0-clip1"), tmp_path)


def test_every_pair_in_quarantine_is_shown_and_before_others(project: Path):
    run = Run(project, "x", "abc")
    assert sorted(film.reason for film in companions.pairs(run, most=3, workers=1)) == ["", "no_flicker", "review"]
    assert sorted(film.reason for film in companions.pairs(run, most=1, workers=1)) == ["no_flicker", "review"]


@pytest.mark.parametrize(("clips", "per_crop"), [(2, 3), (1, 2)])
def test_speech_begins_where_the_pairs_stage_began_it(tmp_path: Path, clips: int, per_crop: int):
    keys = [f"speaker0-clip{number}" for number in range(clips)]
    crops = [SimpleNamespace(crop_id=key, speaker="speaker0", frames=range(world.FRAMES)) for key in keys]
    plans = {p.pair_id: p for p in plan(crops, per_crop, seed=0)}
    run = Run(world.write(tmp_path / "project", clips=1, companions=clips, per_crop=per_crop), "x", "abc")
    assert companions.starts(run) == {(p.pair_id, p.driver.crop_id): p.start for p in plans.values()}
    assert any(p.start for p in plans.values())
    for film in companions.pairs(run, most=500, workers=1):
        p = plans[film.id]
        speech = np.roll(world.speech(p.driver.crop_id), -p.start * RATE_HZ // FPS)
        assert world.sounds_like(film.data, speech, tmp_path)
        assert film.curves["the speech's own lips"][0] == pytest.approx(film.curves["real"][p.start], abs=1e-3)


def test_without_the_table_of_crops_pairs_are_silent(tmp_path: Path):
    folder = world.write(tmp_path / "project", clips=1, companions=2)
    (folder / "artifacts/crops/crops.parquet").unlink()
    found = companions.pairs(Run(folder, "x", "abc"), most=500, workers=1)
    assert [set(film.curves) for film in found] == [{"real", "companion"}] * 2
