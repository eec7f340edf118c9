"""Pairs are put together from crops, cut to one length, shuffled and sliced."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from components.core.base.errors import UserError
from components.core.media.crops import Crop
from components.core.media.mel import SILENCE
from components.evaluate import benchmark
from components.evaluate.benchmark import Selection, fit_mel, slice_names
from tests.evaluate.conftest import crop, speech

ALL = Selection(64, 75, -50.0, (10.0, 25.0), (10.0, 20.0))


@pytest.fixture
def sources() -> list[Crop]:
    return [crop(f"c{index}", index, speech(index)) for index in range(5)]


@pytest.fixture
def truths(sources: list[Crop]) -> list[Crop]:
    return [crop(f"{source.crop_id}--p{i}", i, speech(100 + i, 36)) for i, source in enumerate(sources)]


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """benchmark.load over crops in memory, with a row of redubs.parquet for p0 to p4."""
    table = pd.DataFrame({"pair_id": [f"p{i}" for i in range(5)], "language": "en", "yaw_deg": [0.0, -12, 5, 25, 9]})
    table.to_parquet(tmp_path / "redubs.parquet")

    def call(sources: list[Crop], truths: list[Crop], selection: Selection = ALL) -> list[benchmark.Pair]:
        by_role = {"footage": sources, "truth": truths}
        monkeypatch.setattr(benchmark.crops, "load", lambda folder, split, role: by_role[role])
        return benchmark.load(tmp_path, tmp_path, selection)

    return call


def test_pairs_join_truth_with_its_source_cut_to_one_length(load, sources: list[Crop], truths: list[Crop]):
    pairs = load(sources, truths)
    assert [pair.pair_id for pair in pairs] == [f"c{i}--p{i}" for i in range(5)]
    for pair in pairs:
        assert pair.truth is pair.speech
        assert len(pair.source.frames) == len(pair.truth.frames) == len(pair.source.mask) == 36
        assert pair.speech.mel.shape == (4 * 36, 80)
        assert len(pair.speech.samples) == 640 * 36
    assert pairs[1].slices == ("language=en", "yaw=10-20", "silence=10-25")


def test_shuffled_speech_belongs_to_another_pair(load, sources: list[Crop], truths: list[Crop]):
    pairs = load(sources, truths)
    for pair in pairs:
        assert pair.other_mel.shape == pair.speech.mel.shape
        assert not np.array_equal(pair.other_mel, pair.speech.mel)
        assert any(np.array_equal(pair.other_mel, other.speech.mel) for other in pairs)
    assert load(sources[:1], truths[:1])[0].other_mel is None


def test_fewer_pairs_are_spread_over_the_benchmark_and_frames_are_cut(load, sources: list[Crop], truths: list[Crop]):
    pairs = load(sources, truths, Selection(3, 20, -50.0, (), ()))
    assert [pair.pair_id for pair in pairs] == ["c0--p0", "c2--p2", "c4--p4"]
    assert {len(pair.source.frames) for pair in pairs} == {20}


def test_without_truth_the_next_clips_speech_drives(load, sources: list[Crop]):
    sources[1] = crop("c1", 1, speech(1, 10))
    pairs = load(sources, [])
    assert all(pair.truth is None for pair in pairs)
    assert pairs[0].speech.crop_id == "c1"
    assert pairs[0].speech.mel.shape == (4 * 40, 80)
    assert (pairs[0].speech.mel[40:] == SILENCE).all()
    assert pairs[0].slices == ("language=es", "silence=25+")  # three quarters are padding


def test_nothing_to_measure_and_lost_sources_are_user_errors(load, sources: list[Crop], truths: list[Crop]):
    with pytest.raises(UserError, match="holds no benchmark crop"):
        load([], [])
    with pytest.raises(UserError, match="c0--p0 has no source"):
        load(sources[1:], truths)
    with pytest.raises(UserError, match="c0--p9 has no row"):
        load(sources, [crop("c0--p9", 0, speech(0))])


def test_slices_name_every_column_by_its_kind():
    row = {"pair_id": "p", "language": "es", "yaw_deg": -25.0, "beard": True, "glasses": np.False_, "light": "side"}
    assert slice_names(row | {"voice": None}, (10.0, 20.0)) == (
        "language=es",
        "yaw=20+",
        "beard=yes",
        "glasses=no",
        "light=side",
    )
    assert slice_names({"yaw_deg": 10.0}, (10.0, 20.0)) == ("yaw=10-20",)
    assert slice_names({"yaw_deg": 3.0}, ()) == ("yaw=0+",)


def test_mel_is_cut_or_padded_with_silence():
    mel = np.zeros((10, 80), np.float32)
    assert fit_mel(mel, 2).shape == (8, 80)
    assert (fit_mel(mel, 4)[10:] == SILENCE).all()
