"""The groups beside the benchmark: own footage, drawings, half the rate."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from components.core.media.crops import Crop
from components.evaluate import aside, benchmark, core
from components.evaluate.benchmark import Selection
from components.evaluate.params import Params
from tests.evaluate.conftest import World, crop, speech

ALL = Selection(64, 75, -50.0, (10.0, 25.0), (10.0, 20.0))


@pytest.fixture
def sources() -> list[Crop]:
    return [crop(f"c{index}", index, speech(index)) for index in range(3)]


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sources: list[Crop]):
    """aside.load over these sources with a truth each, or none, and other footage."""
    pd.DataFrame({"pair_id": [f"p{i}" for i in range(3)]}).to_parquet(tmp_path / "redubs.parquet")
    truths = [crop(f"{source.crop_id}--p{i}", i, speech(100 + i, 36)) for i, source in enumerate(sources)]

    def call(looks: int = 0, own: tuple[Crop, ...] = (), exact: bool = True) -> list[benchmark.Pair]:
        by_role = {"footage": [*own, *sources], "truth": truths if exact else []}
        monkeypatch.setattr(benchmark.crops, "load", lambda folder, split, role: by_role[role])
        return aside.load(tmp_path, tmp_path, ALL, looks)

    return call


def test_own_footage_changes_nothing_of_the_benchmark(load):
    exact = load()
    both = load(own=tuple(replace(crop(f"own{i}", 9, speech(200 + i)), speaker="me") for i in range(3)))
    assert [pair.pair_id for pair in both] == [*(pair.pair_id for pair in exact), "own0", "own1", "own2"]
    assert [pair.slices for pair in both[3:]] == [(aside.OWN,)] * 3
    assert all(np.array_equal(a.other_mel, b.other_mel) for a, b in zip(exact, both, strict=False))
    assert both[3].speech.crop_id == "own1"


def test_without_exact_re_dubs_own_footage_is_the_benchmark(load):
    pairs = load(looks=2, exact=False)
    assert len(pairs) == 3
    assert not any(aside.GROUPS.intersection(pair.slices) for pair in pairs)


def test_a_drawing_is_of_both_sides_and_flatter(load):
    pair, drawn = load(looks=1)[0], load(looks=1)[3]
    assert drawn.pair_id == "c0--p0-stylised"
    assert drawn.slices == (aside.DRAWN,)
    assert drawn.truth is drawn.speech
    for one, other in ((pair.source, drawn.source), (pair.truth, drawn.truth)):
        assert one.frames.shape == other.frames.shape
        assert not np.array_equal(one.frames, other.frames)
        assert np.array_equal(one.mel, other.mel)


def test_at_half_the_rate_every_row_holds_its_pictures(load, values: Params):
    slow = load(looks=1)[4]
    assert slow.slices == ("rate=12.5",)
    made = core.dub(slow, World()(), seed=0)
    for dubbed in made.values():
        assert np.array_equal(dubbed.frames[0:36:2], dubbed.frames[1:36:2])
    assert not np.array_equal(made["editor"].frames[0], made["editor"].frames[2])
    assert len(slow.source.frames) == len(slow.source.landmarks) == 36


def test_an_odd_number_of_frames_keeps_its_length() -> None:
    assert aside.hold(np.arange(5), 2).tolist() == [0, 0, 2, 2, 4]
    assert aside.hold(np.arange(5), 1).tolist() == [0, 1, 2, 3, 4]
