"""A tiny finished run on disk: four benchmark clips, six pairs of which two are in quarantine, all files of the stages.

A film's tile shows its frame's number as its grey level, so that a test can read which frame is on the screen.
"""

import io
import itertools
import tarfile
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
import yaml

from components.core.base import files
from components.core.media import FPS, RATE_HZ, audio, crops, shards, video

SIZE, FRAMES = 48, 20
ROWS = ("truth", "shuffled", "copy", "generator", "editor-structure", "editor-lip", "editor")
HOSTILE = "<img src=x onerror=alert(1)>'\"&\u2028{{7*7}}</script>"
METRICS = ("mouth_psnr_db", "lip_opening_r", "sharpness_ratio", "success_rate")


def grey(frame: int) -> int:
    """The level that stands for a frame."""
    return 30 + 10 * frame


def film(tiles: int, frames: int = FRAMES) -> np.ndarray:
    """(f, SIZE, SIZE * tiles, 3)."""
    levels = np.array([grey(frame) for frame in range(frames)], np.uint8)
    return np.broadcast_to(levels[:, None, None, None], (frames, SIZE, SIZE * tiles, 3)).copy()


def speech(key: str, frames: int = FRAMES) -> np.ndarray:
    """A rising tone (n,), which is like that of no other key and like itself at no other time."""
    time_s = np.arange(frames * RATE_HZ // FPS) / RATE_HZ
    base_hz = 300 + zlib.crc32(key.encode()) % 400
    return (0.3 * np.sin(2 * np.pi * (base_hz + 500 * time_s) * time_s)).astype(np.float32)


def sounds_like(film: bytes, expected: np.ndarray, folder: Path) -> bool:
    """Whether a film's sound is the expected one, at every moment."""
    (folder / "film.mp4").write_bytes(film)
    heard = audio.load(folder / "film.mp4")
    assert abs(len(heard) - len(expected)) < RATE_HZ // 10, (len(heard), len(expected))
    both = min(len(heard), len(expected))
    return bool(np.corrcoef(heard[:both], expected[:both])[0, 1] > 0.9)


def mp4(frames: np.ndarray, sound: np.ndarray | None = None) -> bytes:
    buffer = io.BytesIO()
    video.write(buffer, frames, FPS, crf=4, audio=sound)
    return buffer.getvalue()


def interval(mean: float) -> dict[str, float]:
    return {"mean": mean, "lo": mean - 0.05, "hi": mean + 0.05, "n": 4}


def evaluate(folder: Path, clips: int, shift: float) -> None:
    """What the evaluate stage leaves; `shift` moves the editor's figures."""
    lines = []
    with shards.ShardWriter(folder / "artifacts/evaluate", "players", 64) as writer:
        for number in range(clips):
            key = f"speaker{number}-clip--pair{number}"
            slices = [f"language={'en' if number % 2 else 'es'}", "yaw=0-10"]
            opening = {
                row: [0.1 + 0.01 * frame * (1 + place) for frame in range(FRAMES)] for place, row in enumerate(ROWS)
            }
            opening["editor"][3] = None
            about = {
                "rows": ROWS,
                "width_px": SIZE,
                "frames": FRAMES,
                "fps": FPS,
                "slices": slices,
                "speaker": f"s{number}",
            }
            writer.add(key, {"mp4": mp4(film(len(ROWS)), speech(key)), "json": {**about, "opening": opening}})
            for place, row in enumerate(ROWS):
                values = {metric: 0.1 * number + 0.01 * place + shift for metric in METRICS} | {
                    "mouth_ssim": float("nan")
                }
                lines.append({"pair_id": key, "row": row, "slices": "|".join(slices), **values})
    pd.DataFrame(lines).to_parquet(folder / "artifacts/evaluate/clips.parquet")
    rows = {row: {metric: interval(0.5 + shift) for metric in METRICS} for row in ROWS}
    evaluation = {"rows": rows, "slices": {"language=en": rows}, "not_measured": {"mouth_ssim": f"no reason {HOSTILE}"}}
    files.write_json(folder / "metrics/evaluate.json", evaluation)


def crop(key: str, speaker: str, frames: int) -> shards.Sample:
    wav = io.BytesIO()
    soundfile.write(wav, speech(key, frames), RATE_HZ, format="WAV")
    arrays = crops.encode_arrays(
        landmarks=np.zeros((frames, 478, 3), np.float16),
        transforms=np.zeros((frames, 2, 3), np.float32),
        valid=np.ones(frames, bool),
        measures=np.linspace(0, 1, frames * 6, dtype=np.float32).reshape(frames, 6),
        pose=np.zeros((frames, 3), np.float32),
        mask=np.zeros((frames, SIZE, SIZE // 8), np.uint8),
        occluder=np.zeros((frames, SIZE, SIZE // 8), np.uint8),
    )
    about = {"crop_id": key, "speaker": speaker, "language": "en"}
    return {"mp4": mp4(film(1, frames)), "wav": wav.getvalue(), "npz": arrays, "json": about}


def pairs(folder: Path, count: int, per_crop: int) -> None:
    """What crop, pairs and validate-pairs leave of `count` clips; the last two pairs are in quarantine."""
    keys = [f"speaker{number // 2}-clip{number % 2}" for number in range(count)]
    with shards.ShardWriter(folder / "artifacts/crops", "crops", 64) as writer:
        for key in keys:
            writer.add(key, crop(key, key.partition("-")[0], FRAMES))
    about = {"split": "train", "role": "footage", "frames": FRAMES}
    pd.DataFrame([{"crop_id": key, "speaker": key.partition("-")[0], **about} for key in keys]).to_parquet(
        folder / "artifacts/crops/crops.parquet"
    )
    rows = []
    with shards.ShardWriter(folder / "artifacts/pairs", "pairs", 64) as writer:
        for number, again in itertools.product(range(count), range(per_crop)):
            key = keys[number]
            ids = {
                "pair_id": f"{key}--{again}",
                "crop_id": key,
                "driving_crop_id": keys[min(number ^ 1, count - 1)],
                "speaker": key.partition("-")[0],
            }
            row = {
                **ids,
                "frames": FRAMES,
                "flicker_ratio": 1.0 + number,
                "opening_r": 0.1 * number,
                "relight_gain": 1.0,
            }
            opening = [None, *(0.2 + 0.01 * frame for frame in range(1, FRAMES))]
            shard = writer.add(ids["pair_id"], {"mp4": mp4(film(1)), "json": {**row, "opening": opening}})
            rows.append({**row, "shard": shard})
    table = pd.DataFrame(rows)
    out = folder / "artifacts/validation/pairs"
    (out / "data_docs").mkdir(parents=True)
    (out / "data_docs/index.html").write_text("<!DOCTYPE html><title>docs</title>")
    (out / "drift.html").write_text("<!DOCTYPE html><title>drift</title>")
    table.to_parquet(folder / "artifacts/pairs/pairs.parquet")
    table[:-2].to_parquet(out / "accepted.parquet")
    table[-2:].assign(reason=["no_flicker", "review"]).to_parquet(out / "quarantined.parquet")
    count = len(table)
    figures = {"pairs": count, "accepted": count - 2, "yield": {"no_flicker": 1 - 1 / count, "review": 1 - 1 / count}}
    drift = {"drifted_share": 0.5, "score": {"sharpness": 0.3}}
    files.write_json(folder / "metrics/validate_pairs.json", {**figures, "quarantined": 2, "drift": drift})


def cut(shard: Path, whole: int) -> None:
    """Cuts a shard off within the film that follows `whole` samples."""
    with tarfile.open(shard) as tar:
        film = next(itertools.islice((member for member in tar if member.name.endswith(".mp4")), whole, None))
    shard.write_bytes(shard.read_bytes()[: film.offset_data + film.size // 2])


def write(folder: Path, clips: int = 4, companions: int = 6, shift: float = 0.0, per_crop: int = 1) -> Path:
    """The whole run; returns its folder."""
    evaluate(folder, clips, shift)
    pairs(folder, companions, per_crop)
    files.write_json(folder / "metrics/ingest.json", {"clips": 9, "rejected": 1})
    files.write_json(
        folder / "metrics/export.json",
        {"parity": {"seconds_per_second": 1.2, "megabytes": 20.9, "max_abs_error": 7e-7}},
    )
    (folder / "artifacts/clips").mkdir()
    rejects = [{"source": f"footage/{HOSTILE}.mp4", "reason": "no_face", "detail": HOSTILE}]
    pd.DataFrame(rejects).to_parquet(folder / "artifacts/clips/rejects.parquet")
    files.write_json(folder / "artifacts/export/card.json", {"card_id": "0123456789ab"})
    curve = "".join(f"{step},{1 / step:.3f}\n" for step in range(1, 9))
    files.write_text(folder / "plots/generator.csv", "step,loss\n" + curve)
    stages = {
        "evaluate": {
            "deps": [{"path": "artifacts/crops", "md5": "abc"}, {"path": "components/evaluate", "md5": "c0de.dir"}],
            "outs": [{"path": "artifacts/evaluate", "md5": "def"}],
        }
    }
    files.write_text(folder / "dvc.lock", yaml.safe_dump({"schema": "2.0", "stages": stages}))
    files.write_text(folder / "dvc.yaml", yaml.safe_dump({"stages": {"evaluate": {"cmd": "true"}}}))
    runs = {"columns": ["lip_opening_r"], "method": "wasserstein", "threshold": 0.3, "max_share": 0.5}
    values = {"seed": 0, "editor": {"lip": {"rank": 8 + shift}}, "validate": {"runs": runs}}
    files.write_text(folder / "params.yaml", yaml.safe_dump(values))
    files.write_text(folder / "data.dvc", yaml.safe_dump({"outs": [{"path": "data", "md5": "0a1b.dir"}]}))
    return folder
