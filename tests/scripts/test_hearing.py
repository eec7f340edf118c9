"""What trials change in a sound, and that hearing is measured as the table says."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from components.core.base import seeds
from components.core.media.mel import SILENCE
from components.experts.data import Material, Recital
from scripts import hearing, sounds
from tests.talking import talking_crop

RNG = seeds.rng(0, "test_hearing")
MEL = np.cumsum(RNG.normal(size=(400, 80)), 0).astype(np.float32) / 80
QUANTILES = np.quantile(RNG.normal(-0.3, 0.2, size=(4000, 80)), sounds.RANKS, axis=0)


def test_levels_take_away_loudness_microphone_and_range():
    slope = np.linspace(0.5, 1.5, 80)
    expected = sounds.levelled(MEL, QUANTILES)
    np.testing.assert_allclose(sounds.levelled(MEL * slope + slope - 0.3, QUANTILES), expected, atol=1e-4)
    np.testing.assert_allclose(np.quantile(expected, sounds.RANKS, axis=0), QUANTILES, atol=0.02)
    assert np.corrcoef(expected[:, 7], MEL[:, 7])[0, 1] > 0.8


def test_digital_silence_stays_one_level():
    quiet = np.concatenate([MEL, np.full((100, 80), SILENCE - 2, np.float32)])
    assert np.ptp(sounds.levelled(quiet, QUANTILES)[400:], axis=0).max() == 0


def test_few_bands_hide_harmonics_and_keep_power():
    comb = np.where(np.arange(80) % 5 == 0, 0.2, -0.6).astype(np.float32)[None].repeat(8, 0)
    coarse = sounds.blurred(comb, 16)
    assert np.ptp(coarse) < 1e-6
    assert coarse[0, 0] == pytest.approx(0.2 - np.log10(5) / 5, abs=0.01)  # a fifth of the power: 7 dB less
    np.testing.assert_allclose(sounds.blurred(comb, 80), comb, atol=1e-6)


def test_distortion_is_another_each_time_and_moves_nothing():
    click = np.full((200, 80), SILENCE, np.float32)
    click[100:105] = 0.0
    one, other = (sounds.distorted(click, seeds.rng(seed, "distortion")) for seed in (1, 2))
    assert one.min() >= SILENCE
    assert np.abs(one - other).mean() > 0.01
    for found in (one, other):
        assert 100 <= found.mean(1).argmax() < 105


def test_another_pace_keeps_sound_and_lips_in_step():
    lips = np.sin(np.arange(100) / 7)[:, None].astype(np.float32)
    recital = Recital(np.repeat(lips, 4, 0).repeat(80, 1), lips)
    slow = sounds.stretched(recital, 1.25)
    assert (slow.mel.shape, slow.tracks.shape) == ((500, 80), (125, 1))
    assert np.corrcoef(slow.mel.reshape(125, -1).mean(1), slow.tracks[:, 0])[0, 1] > 0.999


def test_a_trial_changes_what_it_says():
    crop = talking_crop(frames=30)
    recital = Recital(MEL, np.zeros((100, 7), np.float32))
    material = Material([crop], [recital])
    same = sounds.material_of(sounds.Trial(), material, QUANTILES, 0)
    np.testing.assert_allclose(same.recitals[0].mel, MEL.clip(SILENCE), atol=1e-5)
    np.testing.assert_allclose(same.crops[0].mel, crop.mel, atol=1e-5)
    other = sounds.material_of(sounds.Trial(True, True, 16), material, QUANTILES, 0)
    assert len(other.recitals[0].mel) == 4 * len(other.recitals[0].tracks) != len(MEL)
    assert other.crops[0].mel.shape == crop.mel.shape
    assert np.abs(other.crops[0].mel - crop.mel).mean() > 0.05
    again = sounds.material_of(sounds.Trial(True, True, 16), material, QUANTILES, 0)
    np.testing.assert_array_equal(again.recitals[0].mel, other.recitals[0].mel)


@pytest.mark.parametrize("lag", [-5, 0, 4])
def test_a_lag_is_found_and_taken_away(lag: int):
    sound = RNG.normal(size=200)
    lips = np.roll(sound, lag)
    assert hearing.best_lag(sound, lips) == lag
    assert hearing.r_at(sound, lips, lag) == pytest.approx(1)


def test_columns_are_means_over_the_clips_that_they_name():
    crops = [talking_crop(name, speaker=name, frames=60) for name in ("clip01", "clip04")]
    heard = [-crops[0].measures[:, 0], crops[1].measures[:, 0]]
    found = hearing.columns(crops, heard)
    assert found["real"] == pytest.approx(0, abs=1e-6)
    assert found["in_sync"] == pytest.approx(1)
    assert found["in_sync_with_loudness"] > 0.8


def test_an_oracle_never_sees_who_it_is_asked_about():
    """Each speaker's lips do the opposite of all others': only the speaker's own landmarks can tell."""
    crops = [talking_crop(f"clip0{n}", speaker=str(n), frames=100) for n in range(2)]
    crops[1] = replace(crops[1], measures=-crops[1].measures)
    see = hearing.partial(hearing.surroundings, sounds.Trial(), QUANTILES)
    found = hearing.oracles(crops, see)
    assert found["other people's landmarks"]["real"] < -0.5
    assert found["own first 70 %, on the last 30 %"]["real"] > 0.5


def test_the_table_holds_every_line():
    text = hearing.text({"loudness": {"real": 0.25, "studio": 0.5}, "recipe": {"in_sync": 0.75}})
    assert "| loudness | 0.25 | - | - | - | - | 0.50 |" in text
    assert "| recipe | - | 0.75 |" in text


def test_trials_train(monkeypatch: pytest.MonkeyPatch, tmp_path):
    from pathlib import Path

    monkeypatch.chdir(Path(__file__).resolve().parents[2])
    crops = [talking_crop(f"{name}-1", speaker=name, frames=40) for name in "ab"]
    recital = Recital(np.tile(MEL, (2, 1)), RNG.normal(size=(200, 7)).astype(np.float32))
    trial = sounds.TRIALS["levels, distortion, 16 bands, small"]
    material = sounds.material_of(trial, Material(crops, [recital]), QUANTILES, 0)
    args = SimpleNamespace(steps=30, out=tmp_path)
    front = hearing.trained("levels, distortion, 16 bands, small", material, args, 0)
    assert front.config.width == 48
    ear = hearing.Ear(front, trial, QUANTILES)
    assert ear.opening(crops[0]).shape == (40,)
    assert ear.features(crops[0]).shape == (40, 48)
