import dataclasses

import pytest
import torch

from components.core.media.mel import SILENCE
from components.experts import augment
from components.experts.augment import PictureAugment, SpeechAugment

STILL = PictureAugment(shift=0, zoom=0, turn_deg=0, light=0, noise=0, blur=0)
QUIET = SpeechAugment(gain_db=0, tilt_db=0, shift_bands=0, stretch=0, noise_db=-80)


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(3)


def test_speech_without_augmentation_is_itself() -> None:
    mel = torch.rand(2, 9, 80) * 2 - 1
    torch.testing.assert_close(augment.speech(mel, QUIET, seeded()), mel, atol=1e-5, rtol=0)


def test_gain_is_in_decibels_and_silence_stays_silence() -> None:
    mel = torch.zeros(64, 2, 80)
    mel[:, 1] = SILENCE
    louder = augment.speech(mel, dataclasses.replace(QUIET, gain_db=5.0), seeded())
    assert louder[:, 0].abs().max() <= 0.1 + 1e-6  # 5 dB of the 50 a unit has
    assert louder[:, 0].abs().max() > 0.08
    assert (louder[:, 1] == SILENCE).all()


def test_noise_fills_silence_and_leaves_loud_sound_alone() -> None:
    mel = torch.cat([torch.full((8, 50, 80), SILENCE), torch.full((8, 50, 80), 0.5)], 1)
    noisy = augment.speech(mel, dataclasses.replace(QUIET, noise_db=-40.0), seeded())
    assert noisy[:, :50].mean() > SILENCE + 0.1
    assert (noisy[:, 50:] - 0.5).abs().max() < 0.01


def test_bands_shift_and_rows_do_not() -> None:
    mel = torch.full((16, 30, 80), SILENCE)
    mel[:, 10, 40] = 1.0
    moved = augment.speech(mel, dataclasses.replace(QUIET, shift_bands=5.0), seeded())
    loud = (moved > SILENCE + 1e-3).nonzero()
    assert set(loud[:, 1].tolist()) == {10}
    assert len(set(loud[:, 2].tolist())) > 3
    assert loud[:, 2].min() >= 34
    assert loud[:, 2].max() <= 46


def test_picture_without_augmentation_is_itself_or_mirrored() -> None:
    frames = torch.rand(16, 2, 3, 12, 16)
    found = augment.picture(frames, STILL, seeded())
    kept = [torch.allclose(a, b, atol=1e-5) for a, b in zip(found, frames, strict=True)]
    mirrored = [torch.allclose(a, b.flip(-1), atol=1e-5) for a, b in zip(found, frames, strict=True)]
    assert all(a != b for a, b in zip(kept, mirrored, strict=True))
    assert 0 < sum(kept) < 16


def test_all_frames_of_a_clip_vary_alike_and_clips_differ() -> None:
    by = PictureAugment(shift=0.1, zoom=0.1, turn_deg=10, light=0.3, noise=0, blur=0.5)
    frames = torch.rand(1, 1, 3, 12, 16).expand(4, 3, -1, -1, -1)
    found = augment.picture(frames, by, seeded())
    torch.testing.assert_close(found[:, 0], found[:, 2])
    assert (found[0, 0] - found[1, 0]).abs().mean() > 0.02
    assert found.abs().max() <= 1


def test_a_turn_keeps_shapes_at_any_aspect() -> None:
    by = dataclasses.replace(STILL, turn_deg=30.0)
    rows, columns = torch.meshgrid(torch.arange(60) - 29.5, torch.arange(100) - 49.5, indexing="ij")
    disc = ((rows**2 + columns**2) < 15**2).float() * 2 - 1
    found = augment.picture(disc.expand(8, 1, 3, 60, 100), by, seeded())
    torch.testing.assert_close(found[:, 0, 0].mean(0) > 0, disc > 0, atol=0, rtol=0)


@pytest.mark.parametrize("change", [{"noise_db": -90.0}, {"stretch": 0.6}, {"gain_db": -1.0}])
def test_impossible_speech_is_refused(change: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=str(next(iter(change.values())))):
        dataclasses.replace(QUIET, **change)


@pytest.mark.parametrize("change", [{"shift": 0.7}, {"blur": 1.5}, {"noise": -0.1}])
def test_impossible_pictures_are_refused(change: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=str(next(iter(change.values())))):
        dataclasses.replace(STILL, **change)
