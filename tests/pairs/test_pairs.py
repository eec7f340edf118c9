"""Companions: whose speech, what light, which scores."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from components.core.media.companions import plan
from components.core.models.identity import IdentityConfig, IdentityExpert
from components.core.models.sync import SyncConfig, SyncExpert
from components.core.models.synthesis import Inpainter
from components.pairs import scores
from components.pairs.core import light, run, summary
from components.pairs.params import Params, Relight
from components.pairs.scores import Companion, Judge, correlation, flicker, lip_change, psnr
from tests.core.models.test_dubber import frontend, network
from tests.talking import talking_crop

PARAMS = Params(2, 1, 1.0, 1.0, Relight(0.5, 1.25, 1.25, 0.3), 8)


def judge() -> Judge:
    torch.manual_seed(0)
    sync = SyncExpert(SyncConfig(16, 16, 4, 16, 8)).eval()
    return Judge(sync, IdentityExpert(IdentityConfig(16, 4, 8)).eval(), frontend())


def test_the_driver_is_another_clip_of_the_same_speaker() -> None:
    crops = [talking_crop(f"{name}-{n}", name) for name in ("anna", "bela") for n in range(3)]
    plans = plan(crops, 2, seed=0)
    assert len(plans) == len({p.pair_id for p in plans}) == 12
    assert all(p.driver.speaker == p.crop.speaker and p.driver.crop_id != p.crop.crop_id for p in plans)
    by_crop: dict[str, set[str]] = {}
    for p in plans:
        by_crop.setdefault(p.crop.crop_id, set()).add(p.driver.crop_id)
    assert all(len(drivers) == 2 for drivers in by_crop.values())


def test_a_speaker_with_one_clip_hears_another_part_of_it() -> None:
    (only,) = plan([talking_crop(frames=30)], 1, seed=0)
    assert 10 <= only.start <= 20
    assert only.mel().shape == (120, 80)
    assert not np.allclose(only.mel(), only.crop.mel)
    np.testing.assert_array_equal(only.mel()[-4 * only.start :], only.crop.mel[: 4 * only.start])


def test_a_shorter_driver_is_heard_again_from_its_start() -> None:
    long, short = talking_crop("a-1", "a", frames=20), talking_crop("a-2", "a", frames=8)
    driven = next(p for p in plan([long, short], 1, 0) if p.crop is long)
    assert driven.mel().shape == (80, 80)
    np.testing.assert_array_equal(driven.mel()[32:64], short.mel)


def test_every_companion_is_made_and_scored() -> None:
    crops = [talking_crop(f"anna-{n}", frames=12) for n in range(2)]
    made = list(run(crops, Inpainter(network("generator"), frontend(), {}), judge, PARAMS, 0, workers=1))
    assert len(made) == 4
    for one in made:
        assert one.frames.shape == one.plan.crop.frames.shape
        assert one.row["outside_psnr_db"] == scores.CAP_DB  # the window is all that may change
        assert -1 <= float(one.row["identity_cosine"]) <= 1
        assert np.isnan(float(one.row["lip_change_px"]))  # no face to be found in a coloured square
        assert np.isnan(one.opening).tolist() == [True] * len(one.frames)
    table = summary(pd.DataFrame([one.row for one in made]))
    assert table["pairs"] == 4
    assert "median_lip_change_px" not in table


def test_light_is_the_pair_s_own_and_its_share_is_kept() -> None:
    lights = [light(PARAMS.relight, 0, str(n)) for n in range(400)]
    assert lights == [light(PARAMS.relight, 0, str(n)) for n in range(400)]
    relit = [v for v in lights if v["relight_gain"] != 1.0]
    assert 0.4 < len(relit) / 400 < 0.6
    assert all(1 / 1.25 <= float(v["relight_gamma"]) <= 1.25 and abs(float(v["relight_slope"])) <= 0.3 for v in relit)


def test_score_closed_forms() -> None:
    flat = np.full((4, 8, 8, 3), 100, np.uint8)
    assert psnr(flat, flat) == scores.CAP_DB
    assert psnr(flat, flat + 10) == pytest.approx(10 * np.log10(255**2 / 100))
    blink = flat.copy()
    blink[1::2] += 10
    assert flicker(blink) == pytest.approx(20)
    assert flicker(flat) == 0
    assert np.isnan(correlation(np.ones(5), np.arange(5, dtype=np.float32)))


def test_lip_change_ignores_the_head() -> None:
    rng = np.random.default_rng(0)
    face = rng.uniform(20, 200, (3, 478, 3))
    turn = 1.05 * np.array([[np.cos(0.1), -np.sin(0.1)], [np.sin(0.1), np.cos(0.1)]])
    moved = face.copy()
    moved[..., :2] = face[..., :2] @ turn.T + [4, -7]
    assert lip_change(face, moved) == pytest.approx(0, abs=0.05)
    opened = face.copy()
    opened[:, list(scores.LIPS), 1] += 6
    assert lip_change(face, opened) == pytest.approx(6, abs=0.5)


def test_a_still_companion_scores_as_still() -> None:
    crop = talking_crop(frames=12)
    still = np.repeat(crop.frames[:1], 12, 0)
    make: Callable[[], Judge] = judge
    score = scores.score(make, Companion(crop, still, crop.mel)).scores
    assert score.flicker_ratio == 0
    same = scores.score(make, Companion(replace(crop), crop.frames, crop.mel)).scores
    assert same.flicker_ratio == same.sharpness_ratio == 1
    assert same.identity_cosine == pytest.approx(1)
