"""What people look at: the right rows, sizes, labels and sound."""

from pathlib import Path

import numpy as np
import pytest

from components.core.media import audio, video
from components.evaluate import core, samples
from tests.evaluate.conftest import FRAMES


@pytest.fixture
def sample(evaluation: core.Evaluation) -> core.Sample:
    return evaluation.samples[0]


def test_a_sample_is_a_sheet_and_a_video_with_its_speech(sample: core.Sample, tmp_path: Path):
    samples.write(sample, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"c0--p0.png", "c0--p0.mp4"}
    info = video.probe(tmp_path / "c0--p0.mp4")
    assert (info.width_px, info.height_px) == (4 * samples.TILE_PX, samples.TILE_PX)
    assert len(list(video.frames(tmp_path / "c0--p0.mp4"))) == FRAMES
    assert np.abs(audio.load(tmp_path / "c0--p0.mp4")).max() > 0.05


def test_the_sheet_has_crops_mouths_and_differences(sample: core.Sample):
    frames = {row: sample.frames[row] for row in samples.SHOWN}
    sheet = samples.contact_sheet(frames)
    assert sheet.shape == (4 * 192 + 4 * 144 + 3 * 144, 192 * 7, 3)
    editor_difference = sheet[-144:, 200:]
    assert editor_difference.max() == 0  # this editor is perfect
    assert sheet[-3 * 144 : -2 * 144, 200:].max() > 100  # the source has other lips


def test_without_truth_there_is_no_difference(sample: core.Sample):
    frames = {row: sample.frames[row] for row in ("copy", "editor")}
    assert samples.contact_sheet(frames).shape[0] == 2 * 192 + 2 * 144
    assert samples.side_by_side(frames)[0].shape == (192, 2 * 192, 3)
