"""All sections refuse values that contradict each other, with both values in the message."""

from dataclasses import replace

import pytest

from components.validate.params import ClipsParams, CropsParams, PairsParams


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"min_duration_s": 200.0}, "min_duration_s 200.0 must be below max_duration_s 120.0"),
        ({"min_speakers": 0}, "got 0"),
        ({"max_audio_offset_s": -1.0}, "got -1.0"),
    ],
)
def test_clips_params_are_checked(clips_params: ClipsParams, change: dict[str, float], message: str):
    with pytest.raises(ValueError, match=message):
        replace(clips_params, **change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"min_crops": 0}, "min_crops must be at least 1, got 0"),
        ({"max_yaw_deg": -1.0}, "max_yaw_deg must not be negative, got -1.0"),
        ({"min_face_share": 1.5}, r"min_face_share must be in \[0, 1\], got 1.5"),
        ({"min_loudness_dbfs": 0.0}, "min_loudness_dbfs 0.0 must be below max_loudness_dbfs -3.0"),
    ],
)
def test_crops_params_are_checked(crops_params: CropsParams, change: dict[str, float], message: str):
    with pytest.raises(ValueError, match=message):
        replace(crops_params, **change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"min_accepted": 0}, "got 0"),
        ({"min_identity_cosine": 1.5}, "got 1.5"),
        ({"min_sharpness_ratio": 3.0}, "min_sharpness_ratio 3.0 must be below max_sharpness_ratio 2.5"),
        ({"max_flicker_ratio": -1.0}, "got -1.0"),
    ],
)
def test_pairs_params_are_checked(pairs_params: PairsParams, change: dict[str, object], message: str):
    with pytest.raises(ValueError, match=message):
        replace(pairs_params, **change)
