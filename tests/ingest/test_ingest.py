import hashlib
import io
from collections import deque
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from components.core.base.errors import UserError
from components.core.media import audio, rights, shards, video
from components.ingest import shots, sources
from components.ingest.core import run
from components.ingest.params import Params

PARAMS = Params(
    max_side_px=240,
    crf=12,
    min_clip_s=0.5,
    max_clip_s=20.0,
    silence_dbfs=-55.0,
    cut_difference=24.0,
    face_every_frames=12,
    benchmark_share=0.3,
    clips_per_shard=2,
)
FRAMES = 20


def speaker(data: Path, name: str, permitted: tuple[str, ...] = ("train",)) -> Path:
    """A speaker's folder with rights."""
    folder = data / "footage" / name
    folder.mkdir(parents=True)
    rights.save(folder, rights.Rights(name, "CC0-1.0", "for tests", permitted, "made up", "en"))
    return folder


def voice(frames: int = FRAMES, gain: float = 0.1) -> np.ndarray:
    """Noise as loud as speech."""
    return (gain * np.random.default_rng(0).normal(size=frames * 640)).astype(np.float32)


@pytest.fixture(scope="module")
def faces(media) -> dict[str, list[np.ndarray]]:
    """The first frames of two real speakers."""
    names = {"woman": "clip08_grid_lwbsza.mpg", "man": "clip10_grid_lbax4n.mpg"}
    return {
        who: [frame.rgb for _, frame in zip(range(FRAMES), video.frames(media / name), strict=False)]
        for who, name in names.items()
    }


@pytest.fixture(scope="module")
def ingested(faces, tmp_path_factory):
    """Good footage and every kind of bad, ingested: (folder of data, folder of clips, result)."""
    data, out = tmp_path_factory.mktemp("in") / "data", tmp_path_factory.mktemp("out")
    good, bad, woman, man = speaker(data, "good"), speaker(data, "bad"), faces["woman"], faces["man"]
    video.write(good / "a.mp4", woman, 25, crf=20, audio=voice())
    video.write(good / "two shots.mp4", woman + man, 25, crf=20, audio=voice(2 * FRAMES))
    (bad / "zero.mp4").touch()
    (bad / "text.mp4").write_text("no video")
    (bad / "twice.mp4").write_bytes((good / "a.mp4").read_bytes())
    video.write(bad / "silent.mp4", woman, 25, crf=20, audio=voice(gain=1e-5))
    video.write(bad / "mute.mp4", woman, 25, crf=20)
    video.write(bad / "short.mp4", woman[:10], 25, crf=20, audio=voice(10))
    video.write(bad / "empty room.mp4", [np.full_like(woman[0], 90)] * FRAMES, 25, crf=20, audio=voice())
    whole = (good / "two shots.mp4").read_bytes()
    (bad / "truncated.mp4").write_bytes(whole[: len(whole) // 2])
    video.write(speaker(data, "shy", ("dub",)) / "a.mp4", man, 25, crf=21, audio=voice())
    (data / "footage" / "unknown").mkdir()
    video.write(data / "footage" / "unknown" / "a.mp4", man, 25, crf=22, audio=voice())
    video.write(data / "footage" / "loose.mp4", man, 25, crf=23, audio=voice())
    return data, out, run(data, out, PARAMS, workers=1)


@pytest.mark.media
def test_every_bad_file_has_its_reason_and_the_rest_goes_on(ingested) -> None:
    _, out, made = ingested
    reasons = dict(zip(made.rejects["source"], made.rejects["reason"], strict=True))
    assert reasons == {
        "footage/bad/zero.mp4": "empty",
        "footage/bad/text.mp4": "unreadable",
        "footage/bad/truncated.mp4": "unreadable",
        "footage/good/a.mp4": "duplicate",
        "footage/bad/silent.mp4": "silent",
        "footage/bad/mute.mp4": "no_audio",
        "footage/bad/short.mp4": "too_short",
        "footage/bad/empty room.mp4#0": "no_face",
        "footage/shy/a.mp4": "rights_refused",
        "footage/unknown/a.mp4": "no_rights",
        "footage/loose.mp4": "no_rights",
    }
    assert made.rejects["detail"].str.len().min() > 10
    assert list(made.clips["clip_id"]) == ["bad-twice-000", "good-two-shots-000", "good-two-shots-001"]
    pd.testing.assert_frame_equal(pd.read_parquet(out / "clips.parquet"), made.clips)
    pd.testing.assert_frame_equal(pd.read_parquet(out / "rejects.parquet"), made.rejects)
    assert made.metrics()["reasons"]["no_rights"] == 2


@pytest.mark.media
def test_shots_are_cut_where_they_change_and_keep_their_sound(ingested, faces) -> None:
    data, out, made = ingested
    rows = made.clips.set_index("clip_id")
    assert rows["frames"].tolist() == [FRAMES] * 3
    assert rows.loc["good-two-shots-001", "shard"] == "clips-00001.tar"
    sample = shards.read(out, "clips-00001.tar", "good-two-shots-001")
    frames = video.decode_bytes(sample["mp4"])
    assert frames.shape == (FRAMES, 192, 240, 3)
    small = faces["man"][0][::12, ::12].astype(int)
    assert np.abs(frames[0][::8, ::8][:24, :30].astype(int) - small[:24, :30]).mean() < 12
    (out / "sound.wav").write_bytes(sample["wav"])
    whole, part = audio.load(data / "footage/good/two shots.mp4"), audio.load(out / "sound.wav")
    assert len(part) == FRAMES * 640
    np.testing.assert_allclose(part, whole[FRAMES * 640 : 2 * FRAMES * 640], atol=1e-4)
    assert sample["json"]["speaker"] == "good"


@pytest.mark.media
def test_the_same_data_are_the_same_bytes(ingested, tmp_path) -> None:
    data, out, _ = ingested
    run(data, tmp_path, PARAMS, workers=1)
    names = sorted(path.name for path in out.glob("*.tar"))
    assert names == sorted(path.name for path in tmp_path.glob("*.tar"))
    for name in [*names, "clips.parquet", "rejects.parquet", "redubs.parquet"]:
        assert (tmp_path / name).read_bytes() == (out / name).read_bytes()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".parts")]


@pytest.mark.media
def test_truths_are_paired_with_their_whole_source(faces, tmp_path) -> None:
    data = tmp_path / "data"
    ann, bob = speaker(data, "ann"), speaker(data, "bob")
    (data / "truth").mkdir()
    video.write(ann / "a.mp4", faces["woman"][:12] + faces["man"][:8], 25, crf=20, audio=voice())
    video.write(bob / "b.mp4", faces["man"], 25, crf=20, audio=voice())
    video.write(data / "truth" / "t.mp4", faces["woman"], 25, crf=20, audio=voice(gain=0.2))
    (data / "truth" / "pairs.csv").write_text(
        "pair_id,source,truth,language,yaw_deg,beard\n"
        "p-1,footage/ann/a.mp4,truth/t.mp4,es,12.5,none\n"
        "p-2,footage/ann/a.mp4,truth/gone.mp4,es,12.5,none\n"
        "p-3,footage/ann/gone.mp4,truth/t.mp4,es,12.5,none\n"
    )
    made = run(data, tmp_path / "out", PARAMS, workers=1)
    rows = made.clips.set_index("clip_id")
    assert sorted(rows.index) == ["ann-a", "bob-b-000", "truth-p-1"]
    assert rows["split"].to_dict() == {"ann-a": "benchmark", "bob-b-000": "train", "truth-p-1": "benchmark"}
    assert rows.loc["truth-p-1", ["role", "language", "speaker"]].tolist() == ["truth", "es", "ann"]
    assert made.redubs.to_dict("records") == [
        {"pair_id": "p-1", "source_clip_id": "ann-a", "truth_clip_id": "truth-p-1", "language": "es"}
        | {"yaw_deg": 12.5, "beard": "none", "split": "benchmark"}
    ]
    assert made.metrics()["redubs"] == {"benchmark": 1}
    assert set(made.rejects["reason"]) == {"missing"}
    assert len(made.rejects) == 2


@pytest.mark.media
@pytest.mark.parametrize(
    ("name", "frames"),
    [("clip04_retalk_face1.mp4", 152), ("clip06_retalk_face4.mp4", 166), ("clip09_grid_swiz3n.mpg", 75)],
)
def test_real_footage_of_any_rate_becomes_clips_in_sync(media, tmp_path, name, frames) -> None:
    (speaker(tmp_path, "ann") / name).write_bytes((media / name).read_bytes())
    made = run(tmp_path, tmp_path / "out", replace(PARAMS, max_side_px=96), workers=1)
    (row,) = made.clips.to_dict("records")
    sample = shards.read(tmp_path / "out", row["shard"], row["clip_id"])
    assert row["frames"] == len(video.decode_bytes(sample["mp4"])) == frames
    assert row["vfr"] == ("clip04" in name)
    (last_s,) = deque((frame.time_s for frame in video.frames(media / name)), maxlen=1)
    assert abs(last_s - (frames - 1) / 25) <= 0.04


@pytest.mark.media
def test_occluders_stay_on_their_frames_through_rate_size_and_cuts(faces, tmp_path) -> None:
    """A white square is painted into the frames and into the masks: it is found in both at the same place."""
    frames, masks = [frame.copy() for frame in faces["woman"] + faces["man"]], np.zeros((40, 288, 360), bool)
    for index, frame in enumerate(frames):
        left = 8 + 8 * (index % 20)
        masks[index, 8:40, left : left + 32] = True
        frame[masks[index]] = 255
    folder = speaker(tmp_path, "ann")
    video.write(folder / "a.mp4", frames, 20, crf=12, audio=voice(50))
    video.write(folder / "b.mp4", faces["man"], 25, crf=12, audio=voice())
    (tmp_path / "truth").mkdir()
    store = tmp_path / "truth" / "occluders.npz"
    np.savez_compressed(store, **{"footage/ann/a": np.packbits(masks, axis=-1)})
    made = run(tmp_path, tmp_path / "out", PARAMS, workers=1)
    rows = made.clips.set_index("clip_id")
    assert rows["frames"].to_dict() == {"ann-a-000": 25, "ann-a-001": 25, "ann-b-000": 20}
    for clip_id in ("ann-a-000", "ann-a-001"):
        sample = shards.read(tmp_path / "out", rows.loc[clip_id, "shard"], clip_id)
        seen = video.decode_bytes(sample["mp4"])[:, :30].min(-1) > 235
        with np.load(io.BytesIO(sample["npz"])) as arrays:
            stored = np.unpackbits(arrays["occluder"], axis=-1, count=240).astype(bool)
        assert stored.shape == (25, 192, 240)
        for picture, mask in zip(seen, stored[:, :30], strict=True):
            assert (picture & mask).sum() / (picture | mask).sum() > 0.8
    assert "npz" not in shards.read(tmp_path / "out", rows.loc["ann-b-000", "shard"], "ann-b-000")
    np.savez_compressed(store, **{"footage/ann/a": np.packbits(masks[1:], axis=-1)})
    with pytest.raises(UserError, match="does not fit footage/ann/a"):
        run(tmp_path, tmp_path / "out", PARAMS, workers=1)


@pytest.mark.media
def test_real_footage_without_sound_is_rejected(media, tmp_path) -> None:
    name = "clip16_xportrait_driving.mp4"
    (speaker(tmp_path, "ann") / name).write_bytes((media / name).read_bytes())
    with pytest.raises(UserError, match="1 no_audio"):
        run(tmp_path, tmp_path / "out", PARAMS, workers=1)


def test_no_usable_clip_is_an_error_with_the_counts(tmp_path) -> None:
    folder = speaker(tmp_path, "ann")
    for name in "abc":
        (folder / f"{name}.mp4").touch()
    (folder / "d.mov").write_text("text")
    with pytest.raises(UserError, match="3 empty, 1 unreadable") as caught:
        run(tmp_path, tmp_path / "out", PARAMS, workers=1)
    assert "footage/ann/a.mp4" in str(caught.value)


def test_no_footage_is_an_error_that_says_where_to_put_it(tmp_path) -> None:
    with pytest.raises(UserError, match="footage/<speaker>"):
        run(tmp_path, tmp_path / "out", PARAMS, workers=1)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("pair_id,source\n", "truth, language"),
        ("pair_id,source,truth,language\na.b,x,y,en\n", "a.b"),
        ("pair_id,source,truth,language\na,x,y,en\na,x,z,en\n", "duplicates"),
        ("pair_id,split,source,truth,language\na,dev,x,y,en\n", "unknown split; got dev"),
    ],
)
def test_a_bad_list_of_pairs_says_what_is_wrong(tmp_path, text, says) -> None:
    (tmp_path / "pairs.csv").write_text(text)
    with pytest.raises(UserError, match=says):
        sources.read_pairs(tmp_path / "pairs.csv")


def test_pairs_to_train_on_hold_no_speaker_out() -> None:
    pairs = pd.DataFrame(
        {"source": ["footage/ann/a.mp4", "footage/bob/b.mp4"], "split": ["train", "benchmark"]}, dtype="str"
    )
    assert sources.held_out_speakers({"ann", "bob"}, pairs, 0.5) == {"bob"}
    assert sources.held_out_speakers({"ann", "bob", "eve"}, pairs, 0.5) == {"bob"}, "one of one's own is to train on"
    assert len(sources.held_out_speakers({"ann", "bob", "eve", "kim"}, pairs, 0.5) - {"bob"}) == 1
    assert "bob" not in sources.held_out_speakers({"ann", "bob"}, pairs[:0], 0.0)


def test_held_out_speakers_stay_when_others_come() -> None:
    none = sources.read_pairs(Path("nowhere"))
    many = {f"speaker{index}" for index in range(200)}
    held_out = sources.held_out_speakers(many, none, 0.2)
    assert 20 < len(held_out) < 60
    half = {name for name in many if hashlib.sha256(name.encode()).digest()[0] % 2}
    assert sources.held_out_speakers(half, none, 0.2) == held_out & half
    assert len(sources.held_out_speakers({"a", "b"}, none, 0.01)) == 1
    assert sources.held_out_speakers({"a"}, none, 0.9) == set()
    assert sources.held_out_speakers(many, none, 0) == set()


def plain(*levels: int) -> list[np.ndarray]:
    return [np.full((40, 40, 3), level, np.uint8) for level in levels]


@pytest.mark.parametrize(
    ("levels", "pieces"),
    [
        ([10] * 5 + [90] * 5, [0] * 5 + [1] * 5),
        ([10, 40, 70, 100, 130, 160], [0, 1, 1, 1, 1, 1]),  # a fade is motion once it is known
        ([10, 10, 30, 30, 10, 10], [0] * 6),
    ],
)
def test_shots_end_where_a_change_stands_out(levels, pieces) -> None:
    assert [piece for piece, _ in shots.number(plain(*levels), 24, 100)] == pieces


def test_long_shots_are_cut_into_pieces() -> None:
    assert [piece for piece, _ in shots.number(plain(*[9] * 10), 24, 4)] == [0] * 4 + [1] * 4 + [2] * 2


@pytest.mark.parametrize(
    "change", [{"max_side_px": 3}, {"min_clip_s": 30.0}, {"benchmark_share": 1.0}, {"silence_dbfs": 1.0}]
)
def test_params_name_the_value_that_cannot_be(change) -> None:
    with pytest.raises(ValueError, match=str(next(iter(change.values())))):
        Params(**{**vars(PARAMS), **change})
