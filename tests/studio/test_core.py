"""The data set: layout, rights, truth, and equal bytes for equal seeds."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from components.core.base import files
from components.core.base.errors import UserError
from components.core.media import audio, video
from components.studio.core import LIPS, PAIR_COLUMNS, run
from components.studio.params import Params
from components.studio.plan import plan

TINY = Params(
    speakers=2,
    clips=1,
    clip_s=1.0,
    benchmark_speakers=1,
    pairs=1,
    pair_s=1.0,
    size_px=64,
    crf=12,
    room_noise_dbfs=-62,
    languages=("en-us", "es"),
    recital_minutes=0.5,
    train_pairs=1,
    portraits=2,
)


def hashes(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): files.sha256(path) for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    out = tmp_path_factory.mktemp("studio") / "data"
    run(TINY, 0, out, workers=1)
    return out


def test_two_renders_of_one_seed_are_equal_byte_by_byte(data, tmp_path):
    run(TINY, 0, tmp_path / "again", workers=2)
    assert hashes(data) == hashes(tmp_path / "again")


def test_the_layout_is_that_of_the_contract(data):
    assert sorted(hashes(data)) == [
        "footage/speaker00/clip00.mp4",
        "footage/speaker00/rights.yaml",
        "footage/speaker01/clip00.mp4",
        "footage/speaker01/rights.yaml",
        "footage/speaker02/clip00.mp4",
        "footage/speaker02/rights.yaml",
        "portraits/person0000.jpg",
        "portraits/person0001.jpg",
        *[f"recitals/{language}.{suffix}" for language in ("en-us", "es") for suffix in ("flac", "npz")],
        *[f for f in sorted(hashes(data)) if f.startswith("speech/")],
        "truth/lips.npz",
        "truth/occluders.npz",
        "truth/pairs.csv",
        "truth/speaker00-00.mp4",
        "truth/speaker02-00.mp4",
    ]
    assert not [path for path in data.parent.iterdir() if path != data]  # no temporary folder is left


def test_rights_permit_training_and_dubbing(data):
    rights = yaml.safe_load((data / "footage/speaker00/rights.yaml").read_text())
    assert rights["licence"] == "CC0-1.0"
    assert {"train", "dub"} <= set(rights["permitted"])
    assert rights["speaker"] == "speaker00"


def test_clips_have_the_rate_size_length_and_sound_they_should(data):
    info = video.probe(data / "footage/speaker00/clip00.mp4")
    assert (info.width_px, info.height_px, float(info.fps), info.frames) == (64, 64, 25.0, 25)
    assert abs(info.audio_offset_s) < 0.001
    samples = audio.load(data / "footage/speaker00/clip00.mp4")
    assert audio.loudness_dbfs(samples) > -35


def test_a_truth_pair_differs_in_speech_and_nowhere_else(data):
    with (data / "truth/pairs.csv").open() as file:
        pairs = list(csv.DictReader(file))
    assert list(pairs[0]) == PAIR_COLUMNS
    first, second = (
        np.stack([frame.rgb for frame in video.frames(data / pairs[0][name])]).astype(int)
        for name in ("source", "truth")
    )
    difference = np.abs(first - second).mean((0, 3))
    assert difference[:16].mean() < 1.0  # hair and room: coding noise only
    assert difference[34:50, 20:44].max() > 6  # the mouth moves otherwise
    lips = np.load(data / "truth/lips.npz")
    source, truth = (lips[Path(pairs[0][name]).with_suffix("").as_posix()] for name in ("source", "truth"))
    assert source.shape == truth.shape == (25, len(LIPS))
    assert np.abs(source[:, 0] - truth[:, 0]).max() > 0.01
    np.testing.assert_array_equal(source[:, 3] > 0, truth[:, 3] > 0)


def test_the_driving_speech_is_the_sound_of_the_truth(data):
    wav = next(data.glob("speech/*/speaker02-00.wav"))
    driving, heard = audio.load(wav), audio.load(data / "truth/speaker02-00.mp4")
    length = min(len(driving), len(heard))
    assert np.corrcoef(driving[:length], heard[:length])[0, 1] > 0.95


def test_held_out_people_and_words_are_disjoint():
    script = plan(replace(TINY, speakers=4, clips=2, benchmark_speakers=2, pairs=4, train_pairs=8), 0)
    held_out = {pair.source.speaker.name for pair in script.pairs if pair.source.line.use == "benchmark"}
    assert held_out == {"speaker04", "speaker05"}
    for take in script.takes():
        assert take.line.use == ("benchmark" if take.speaker.name in held_out else "train")
    assert len({take.path for take in script.takes()}) == len(script.takes()) == 4 * 2 + 2 * 4 + 8


def test_more_clips_do_not_change_those_that_were_there():
    more = replace(TINY, pairs=3)
    assert plan(more, 0).footage[:3] == plan(TINY, 0).footage


def test_what_is_the_users_is_not_touched(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UserError, match="not empty"):
        run(TINY, 0, tmp_path, workers=1)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    with pytest.raises(UserError, match="not empty"):
        run(TINY, 0, tmp_path / "mine.txt", workers=1)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("speakers", 0),
        ("clip_s", 0.5),
        ("pairs", 0),
        ("size_px", 30),
        ("crf", 40),
        ("recital_minutes", 0.3),
        ("train_pairs", 3),
        ("pair_s", 2.0),
        ("portraits", -1),
        ("room_noise_dbfs", 0.0),
    ],
)
def test_a_wrong_param_is_named_with_its_value(key, value):
    with pytest.raises(ValueError, match=f"{key}={value}"):
        replace(TINY, **{key: value})


def test_an_unknown_language_is_named():
    with pytest.raises(ValueError, match="klingon"):
        replace(TINY, languages=("klingon",))
