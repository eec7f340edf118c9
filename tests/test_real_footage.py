"""Every real clip through ingest and crop at the default settings: clips in step with their source, or a reason."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import soundfile

from components.core.base import params
from components.core.media import audio, rights, shards, video
from components.crop.core import run as crop
from components.crop.params import Params as CropParams
from components.ingest.core import run as ingest
from components.ingest.params import Params as IngestParams

pytestmark = [pytest.mark.slow, pytest.mark.media]
PARAMS = Path(__file__).resolve().parents[1] / "params.yaml"
SIZE = (40, 40)  # of thumbnails, in which a frame is told from its neighbours
FRAME_S = 0.04
MUTE = "clip16_xportrait_driving.mp4"


@dataclass(frozen=True)
class Made:
    """The folder of clips, and the tables of both stages."""

    folder: Path
    clips: pd.DataFrame
    rejects: pd.DataFrame
    crops: pd.DataFrame


@pytest.fixture(scope="module")
def made(media: Path, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Each clip as footage of a speaker of its own."""
    folder = tmp_path_factory.mktemp("real")
    for path in sorted(media.glob("clip*")):
        speaker = folder / "data/footage" / path.stem
        speaker.mkdir(parents=True)
        (speaker / path.name).symlink_to(path)
        rights.save(speaker, rights.Rights(path.stem, "see MEDIA.md", "for tests", ("train",), "others"))
    found = ingest(folder / "data", folder / "clips", params.load(IngestParams, "ingest", PARAMS), workers=1)
    cropped = crop(folder / "clips", folder / "crops", params.load(CropParams, "crop", PARAMS), workers=1)
    return Made(folder / "clips", found.clips, pd.concat([found.rejects, cropped.rejects]), cropped.crops)


def thumbnail(rgb: np.ndarray) -> np.ndarray:
    """Small and in float, so that differences do not wrap."""
    return cv2.resize(rgb, SIZE, interpolation=cv2.INTER_AREA).astype(np.float32)


def samples(made: Made, name: str) -> Iterator[dict]:
    """The pieces of a file in their order."""
    for row in made.clips[made.clips["source"].str.endswith(name)].sort_values("shot").to_dict("records"):
        yield shards.read(made.folder, row["shard"], row["clip_id"])


def test_every_clip_becomes_crops_or_has_its_reason(made: Made, media: Path) -> None:
    names = {path.name for path in media.glob("clip*")}
    assert {Path(source).name for source in made.clips["source"]} == names - {MUTE}
    assert [(Path(row.source).name, row.reason) for row in made.rejects.itertuples()] == [(MUTE, "no_audio")]
    assert set(made.crops["clip_id"]) == set(made.clips["clip_id"])
    assert made.crops["frames"].sum() > 0.95 * made.clips["frames"].sum()


@pytest.mark.parametrize("name", ["01", "02", "04", "06", "08", "09", "10", "11", "13"])
def test_pictures_and_sound_keep_the_clock_of_the_source_to_the_end(made: Made, media: Path, name: str) -> None:
    (path,) = media.glob(f"clip{name}_*")
    source = [(frame.time_s, thumbnail(frame.rgb)) for frame in video.frames(path)]
    times = np.array([time_s for time_s, _ in source])
    pieces = list(samples(made, path.name))
    stored = [thumbnail(frame) for piece in pieces for frame in video.iterate_bytes(piece["mp4"])]
    assert abs(len(stored) * FRAME_S - video.probe(path).duration_s) <= FRAME_S
    for index in [*range(0, len(stored) - 1, 20), len(stored) - 1]:
        away = np.array([np.abs(picture - stored[index]).mean() for _, picture in source])
        same = times[away <= away.min() + 0.05]  # where nobody moves, several are the same
        assert np.abs(same - index * FRAME_S).min() < FRAME_S + 1e-6, f"frame {index} shows {same} s"
    sound = np.concatenate([soundfile.read(io.BytesIO(piece["wav"]), dtype="float32")[0] for piece in pieces])
    heard = audio.load(path)[: len(sound)]
    np.testing.assert_allclose(sound[: len(heard)], heard, atol=1e-4)
    assert len(sound) == 640 * len(stored)
