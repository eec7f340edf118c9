"""Tables as ingest, crop and pairs write them, and the params of the default scale."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from components.core.base import params
from components.validate.params import ClipsParams, CropsParams, PairsParams

DEFAULT = Path("configs/validate/default.yaml")


@pytest.fixture
def clips_params() -> ClipsParams:
    return params.build(ClipsParams, yaml.safe_load(DEFAULT.read_text())["clips"], "validate.clips", DEFAULT)


@pytest.fixture
def crops_params() -> CropsParams:
    return params.build(CropsParams, yaml.safe_load(DEFAULT.read_text())["crops"], "validate.crops", DEFAULT)


@pytest.fixture
def pairs_params() -> PairsParams:
    return params.build(PairsParams, yaml.safe_load(DEFAULT.read_text())["pairs"], "validate.pairs", DEFAULT)


@pytest.fixture
def clips() -> pd.DataFrame:
    """Twelve good clips of four speakers, the last of them the benchmark's."""
    return pd.DataFrame(
        [
            {
                "clip_id": f"clip{i:02}",
                "speaker": f"speaker{i // 3}",
                "source": f"footage/speaker{i // 3}/{i}.mp4",
                "split": "benchmark" if i >= 9 else "train",
                "role": "footage",
                "language": "en",
                "shot": 0,
                "frames": 150,
                "duration_s": 6.0,
                "fps_in": 30.0,
                "width_px": 256,
                "height_px": 256,
                "vfr": False,
                "rotation_deg": 0,
                "audio_offset_s": 0.0,
                "loudness_dbfs": -20.0,
                "licence": "CC0-1.0",
                "sha256": f"{i:064x}",
                "shard": "clips-00000.tar",
            }
            for i in range(12)
        ]
    )


@pytest.fixture
def cropped() -> pd.DataFrame:
    """Twelve good crops of four speakers, the last of them the benchmark's."""
    return pd.DataFrame(
        [
            {
                "crop_id": f"clip{i:02}-00",
                "clip_id": f"clip{i:02}",
                "speaker": f"speaker{i // 3}",
                "split": "benchmark" if i >= 9 else "train",
                "role": "footage",
                "language": "en",
                "frames": 150,
                "size_px": 96,
                "face_share": 1.0,
                "yaw_mean_deg": -5.0,
                "yaw_max_deg": 20.0,
                "sharpness": 11.0,
                "loudness_dbfs": -20.0,
                "mouth_motion": 0.08,
                "silence_share": 0.1,
                "occluded_share": 0.0,
                "shard": "crops-00000.tar",
            }
            for i in range(12)
        ]
    )


@pytest.fixture
def pairs() -> pd.DataFrame:
    """Thirty good companions."""
    count = 30
    return pd.DataFrame(
        {
            "pair_id": [f"pair{i:02}" for i in range(count)],
            "crop_id": [f"crop{i:02}" for i in range(count)],
            "driving_crop_id": [f"crop{(i + 1) % count:02}" for i in range(count)],
            "speaker": [f"speaker{i // 10}" for i in range(count)],
            "frames": 75,
            "shard": "pairs-00000.tar",
            "identity_cosine": 0.9,
            "lip_change_px": 3.0,
            "outside_psnr_db": 45.0,
            "flicker_ratio": 1.0,
            "sharpness_ratio": 0.8,
            "sync_confidence": 0.5,
            "opening_r": 0.8,
            "sharpness": np.linspace(8, 12, count),
            "mouth_motion": np.linspace(1.5, 2.5, count),
        }
    )


@pytest.fixture
def crops() -> pd.DataFrame:
    """Forty real crops whose columns are distributed like the companions', and some of the benchmark that are not."""
    real = {
        "split": "train",
        "role": "footage",
        "sharpness": np.linspace(8, 12, 40),
        "mouth_motion": np.linspace(1.5, 2.5, 40),
    }
    held_out = {"split": "benchmark", "role": "footage", "sharpness": [99.0] * 9, "mouth_motion": [99.0] * 9}
    return pd.concat([pd.DataFrame(real), pd.DataFrame(held_out)], ignore_index=True)
