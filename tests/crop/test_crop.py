import io
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import soundfile

from components.core.base.errors import UserError
from components.core.media import crops, face, geometry, quality, shards, video
from components.core.media.face import MEASURES
from components.core.media.hands import Hands
from components.crop import sheet
from components.crop.core import run
from components.crop.params import Params
from components.studio.camera import Camera, Shot
from components.studio.identity import cast
from components.studio.performance import perform
from components.studio.visemes import CHANNELS

PARAMS = Params(size_px=96, crf=6, min_frames=8, min_face_px=32, silence_dbfs=-50.0, hands=False, crops_per_shard=2)
FRAMES = 30
GAP = slice(12, 15)


def sample(frames: list[np.ndarray], samples: np.ndarray) -> dict[str, bytes]:
    """What ingest stores of a clip."""
    picture, sound = io.BytesIO(), io.BytesIO()
    video.write(picture, frames, 25, crf=8)
    soundfile.write(sound, samples, 16000, format="WAV", subtype="PCM_16")
    return {"mp4": picture.getvalue(), "wav": sound.getvalue(), "json": {}}


def store(folder: Path, clips: dict[str, dict[str, bytes]], truths: dict[str, str] | None = None) -> Path:
    """A folder as ingest leaves it; `truths` maps a truth clip to its source."""
    rows = []
    with shards.ShardWriter(folder, "clips", 8) as writer:
        for clip_id, parts in clips.items():
            role = "truth" if truths and clip_id in truths else "footage"
            about = {"clip_id": clip_id, "speaker": clip_id[:3], "split": "benchmark", "role": role, "language": "en"}
            rows.append(about | {"shard": writer.add(clip_id, parts)})
    pairs = [{"pair_id": f"p-{t}", "source_clip_id": s, "truth_clip_id": t} for t, s in (truths or {}).items()]
    pd.DataFrame(rows).to_parquet(folder / "clips.parquet")
    columns = ["pair_id", "source_clip_id", "truth_clip_id"]
    pd.DataFrame(pairs, columns=columns).to_parquet(folder / "redubs.parquet")
    return folder


@pytest.fixture(scope="module")
def woman(media) -> list[np.ndarray]:
    source = video.frames(media / "clip08_grid_lwbsza.mpg")
    return [frame.rgb for index, frame in zip(range(50), source, strict=False) if index >= 20]


@pytest.fixture(scope="module")
def cropped(woman, tmp_path_factory):
    """A clip with a gap, its truth (mouth painted over, shorter), an empty room and a tiny face, cropped."""
    sound = (0.1 * np.random.default_rng(0).normal(size=FRAMES * 640)).astype(np.float32)
    sound[:3200] = 0
    gap = list(woman)
    gap[GAP] = [np.zeros_like(woman[0])] * 3
    dubbed = [frame.copy() for frame in woman[:26]]
    for frame in dubbed:
        frame[188:200, 150:190] = (120, 30, 40)
    small = [np.pad(frame[::6, ::6], ((60, 60), (60, 60), (0, 0)), constant_values=60)[:168, :180] for frame in woman]
    clips = {
        "ann": sample(gap, sound),
        "box": sample([np.full_like(woman[0], 90)] * FRAMES, sound),
        "far": sample(small, sound),
        "tru": sample(dubbed, sound[::-1]),
    }
    folder = store(tmp_path_factory.mktemp("clips"), clips, {"tru": "ann"})
    out = tmp_path_factory.mktemp("crops")
    return folder, out, run(folder, out, PARAMS, workers=1)


@pytest.mark.media
def test_a_crop_is_a_run_without_gaps_and_the_rest_has_its_reason(cropped) -> None:
    _, out, made = cropped
    rows = made.crops.set_index("crop_id")
    assert rows["frames"].to_dict() == {"ann-00": 12, "ann-00--p-tru": 12, "ann-01": 15, "ann-01--p-tru": 11}
    assert rows["role"].tolist() == ["footage", "truth", "footage", "truth"]
    assert rows.loc["ann-00", "face_share"] == pytest.approx(27 / 30)
    assert rows.loc["ann-00", "silence_share"] == pytest.approx(5 / 12)
    assert rows["shard"].tolist() == ["crops-00000.tar"] * 2 + ["crops-00001.tar"] * 2
    assert made.rejects["reason"].tolist() == ["no_face", "no_face"]
    assert made.rejects["source"].tolist() == ["box", "far"]
    pd.testing.assert_frame_equal(pd.read_parquet(out / "crops.parquet"), made.crops)
    assert made.metrics()["splits"]["benchmark_truth"]["crops"] == 2


@pytest.mark.media
def test_the_loader_gives_all_arrays_of_one_length(cropped) -> None:
    _, out, _ = cropped
    found = crops.load(out, split="benchmark", role="footage")
    assert [one.crop_id for one in found] == ["ann-00", "ann-01"]
    assert crops.load(out, split="train") == []
    for one in found:
        count = len(one.frames)
        assert one.frames.shape == (count, 96, 96, 3)
        assert one.mel.shape == (4 * count, 80)
        assert one.samples.shape == (640 * count,)
        assert one.mask.shape == (count, 96, 96)
        assert one.measures.shape == (count, len(MEASURES))
        assert one.landmarks.shape == (count, 478, 3)
        assert 0.1 < one.mask.mean() < 0.4
        assert np.isfinite(one.landmarks).all()
        assert abs(one.landmarks[:, 13, 0].mean() - 47.5) < 6
        assert (one.mel[:2] == -1).all() == (one.crop_id == "ann-00")


@pytest.mark.media
def test_a_truth_lies_pixel_by_pixel_on_its_source(cropped) -> None:
    _, out, _ = cropped
    source, truth = crops.load(out, role="footage")[0], crops.load(out, role="truth")[0]
    assert truth.crop_id == f"{source.crop_id}--p-tru"
    np.testing.assert_array_equal(truth.pose, source.pose)
    np.testing.assert_array_equal(truth.mask, source.mask)
    upper = np.abs(truth.frames[:, :48].astype(int) - source.frames[:, :48])
    assert upper.mean() < 2
    assert np.abs(truth.frames[:, 48:].astype(int) - source.frames[:, 48:]).max() > 30


@pytest.mark.media
def test_stored_transforms_lead_from_the_clip_to_the_crop(cropped) -> None:
    folder, out, made = cropped
    shard = made.crops.set_index("crop_id").loc["ann-01", "shard"]
    stored = shards.read(out, shard, "ann-01")
    with np.load(io.BytesIO(stored["npz"])) as arrays:
        transforms, valid = arrays["transforms"], arrays["valid"]
    assert valid.all()
    clip = video.decode_bytes(shards.read(folder, "clips-00000.tar", "ann")["mp4"])[GAP.stop]
    again = geometry.warp(clip, transforms[0], 96)
    assert np.abs(again.astype(int) - video.decode_bytes(stored["mp4"])[0]).mean() < 2


@pytest.mark.media
@pytest.mark.slow
def test_the_same_clips_are_the_same_bytes_with_any_number_of_workers(cropped, tmp_path) -> None:
    folder, out, _ = cropped
    run(folder, tmp_path, PARAMS, workers=2)
    names = sorted(path.name for path in out.iterdir())
    assert names == sorted(path.name for path in tmp_path.iterdir())
    for name in names:
        assert (tmp_path / name).read_bytes() == (out / name).read_bytes(), name


@pytest.mark.media
def test_the_sheet_shows_every_crop(cropped) -> None:
    found = crops.load(cropped[1])
    picture = sheet.draw(found)
    assert picture.shape == (len(found) * 192, 6 * 192, 3)
    for colour in (sheet.GREEN, sheet.YELLOW, sheet.RED):
        assert (picture == colour).all(-1).any()


@pytest.fixture(scope="module")
def passing(tmp_path_factory):
    """A studio clip before whose mouth a microphone passes, and its truth, cropped: (shots of both, folder)."""
    speaker = cast(0, 0, ("en-us",))
    performance = replace(perform(0, "y", 0, 50, 25), occluder="microphone")
    clips, films = {}, {}
    for name, jaw in (("ann", 0.1), ("tru", 0.9)):
        postures = np.tile([jaw if channel == "jaw" else 0.0 for channel in CHANNELS], (50, 1))
        films[name] = list(Camera(speaker, 192).film(performance, postures))
        clips[name] = sample([shot.frame for shot in films[name]], np.full(50 * 640, 0.1, np.float32))
        bits = np.packbits([shot.occluder for shot in films[name]], axis=-1)
        clips[name] |= {"npz": crops.encode_arrays(occluder=bits), "json": {"width_px": 192}}
    folder = store(tmp_path_factory.mktemp("clips"), clips, {"tru": "ann"})
    out = tmp_path_factory.mktemp("crops")
    return films, out, run(folder, out, PARAMS, workers=1)


def test_a_mask_leaves_out_exactly_what_is_before_the_face(passing) -> None:
    films, out, made = passing
    found = crops.load(out, role="footage")
    truths = crops.load(out, role="truth")
    assert sum(len(one.frames) for one in found) > 30
    shares = made.crops.set_index("crop_id")["occluded_share"]
    for one, dubbed in zip(found, truths, strict=True):
        stored = shards.read(out, made.crops.set_index("crop_id").loc[one.crop_id, "shard"], one.crop_id)
        with np.load(io.BytesIO(stored["npz"])) as arrays:
            transforms = arrays["transforms"]
        assert not (one.mask & one.occluder).any()
        np.testing.assert_array_equal(one.occluder, dubbed.occluder)
        np.testing.assert_array_equal(one.mask, dubbed.mask)
        whole = face.lower_face_mask(one.landmarks, 96)
        assert shares[one.crop_id] == pytest.approx((whole & one.occluder).any((1, 2)).mean(), abs=0.05)
        truth = _true(films["ann"], one, transforms)
        assert (one.mask & truth).sum() <= 0.01 * truth.sum()
        grown = np.stack([cv2.dilate(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0 for mask in truth])
        assert (one.occluder & grown).sum() / (one.occluder | grown).sum() > 0.9
    assert shares.max() > 0.2


def _true(shots: list[Shot], one: crops.Crop, transforms: np.ndarray) -> np.ndarray:
    """The rendered occluder in all frames of the crop, warped by nearest neighbour."""
    first = min(
        range(len(shots) - len(transforms) + 1),
        key=lambda start: np.abs(
            geometry.warp(shots[start].frame, transforms[0], 96).astype(int) - one.frames[0]
        ).mean(),
    )
    truth = [
        cv2.warpAffine(shot.occluder.astype(np.uint8), transform, (96, 96), flags=cv2.INTER_NEAREST, borderMode=1) > 0
        for shot, transform in zip(shots[first:], transforms, strict=False)
    ]
    return np.stack(truth)


@pytest.mark.media
def test_a_real_hand_is_found_and_a_face_is_none(media) -> None:
    finder, areas = Hands(), {}
    for name in ("clip01_latentsync_demo1.mp4", "clip10_grid_lbax4n.mpg"):
        finder.reset()
        source = (frame.rgb for frame, _ in zip(video.frames(media / name), range(10), strict=False))
        areas[name[:6]] = np.mean([finder.mask(frame).mean() for frame in source])
    assert 0.001 < areas["clip01"] < 0.05
    assert areas["clip10"] == 0


@pytest.mark.media
def test_nothing_before_the_face_takes_nothing_from_the_mask(cropped) -> None:
    _, out, made = cropped
    assert (made.crops["occluded_share"] == 0).all()
    for one in crops.load(out, role="footage"):
        assert not one.occluder.any()


def test_clips_without_a_face_are_an_error_with_the_counts(tmp_path) -> None:
    grey = sample([np.full((96, 96, 3), 90, np.uint8)] * 10, np.zeros(6400, np.float32))
    folder = store(tmp_path / "clips", {"one": grey, "two": grey})
    with pytest.raises(UserError, match="2 no_face") as caught:
        run(folder, tmp_path / "out", PARAMS, workers=1)
    assert "one" in str(caught.value)


def test_no_clips_and_no_crops_say_what_to_run(tmp_path) -> None:
    with pytest.raises(UserError, match="dvc repro ingest"):
        run(tmp_path, tmp_path / "out", PARAMS, workers=1)
    with pytest.raises(UserError, match="dvc repro crop"):
        crops.load(tmp_path)


def test_sharpness_falls_with_blur_and_motion_with_stillness() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (3, 48, 48, 3), dtype=np.uint8)
    flat = np.full_like(noise, 90)
    assert quality.sharpness(noise) > 20 > quality.sharpness(flat) == 0
    lips = np.zeros((10, 6), np.float32)
    assert quality.mouth_motion(lips) == 0
    lips[::2, 0] = 0.2
    assert quality.mouth_motion(lips) == pytest.approx(0.1)
    assert quality.mouth_motion(np.full((3, 6), np.nan, np.float32)) == 0


def test_silence_is_counted_by_frames() -> None:
    sound = np.concatenate([np.zeros(640 * 3), np.full(640, 0.1)]).astype(np.float32)
    assert quality.silence_share(sound, -50) == 0.75
    assert quality.silence_share(sound[:0], -50) == 1


@pytest.mark.parametrize("change", [{"size_px": 100}, {"min_frames": 1}, {"silence_dbfs": 3.0}, {"crf": 99}])
def test_params_name_the_value_that_cannot_be(change) -> None:
    with pytest.raises(ValueError, match=str(next(iter(change.values())))):
        replace(PARAMS, **change)
