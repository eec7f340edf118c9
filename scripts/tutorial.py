"""Makes the pictures of docs/tutorial.md from the last run: `python -m scripts.tutorial`.

What a half-finished run has not made yet is left out, picture and text alike. Don't commit pictures of real people.
"""

import argparse
import io
import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.core.base import errors, files, runtime

Image = NDArray[np.uint8]
Samples = Iterator[tuple[str, dict[str, Any]]]

BEGIN, END = "<!-- pictures:begin -->", "<!-- pictures:end -->"
TILE_PX, LABEL_PX, COLUMNS = 144, 22, 7
PHASES = {
    "copy": "input", "truth": "truth", "generator": "companion", "editor-structure": "after structure",
    "editor-lip": "after lip", "editor": "after texture",
}  # fmt: skip
DIFFERENCE_GAIN = 4
JUDGED_BY = ("identity_cosine", "lip_change_px", "outside_psnr_db", "flicker_ratio", "sharpness_ratio")
COLOURS = ((0, 0, 0), (30, 110, 230))


def clips(artifacts: Path) -> list[Image]:
    """Six clips of ingest, seven moments each."""
    from components.core.media import shards, video

    samples = islice(_spread(shards.iterate(artifacts / "clips")), 6)
    return [strip(key, video.decode_bytes(sample["mp4"])) for key, sample in samples]


def crops(artifacts: Path) -> list[Image]:
    """Three crops: as they are, with the face mesh, and with the mask that hides the lower face."""
    from components.core.media import shards, video

    strips = []
    for key, sample in islice(_spread(shards.iterate(artifacts / "crops")), 3):
        frames = video.decode_bytes(sample["mp4"])
        with np.load(io.BytesIO(sample["npz"])) as arrays:
            landmarks, packed = arrays["landmarks"].astype(np.float32), arrays["mask"]
        masks = np.unpackbits(packed, axis=-1, count=frames.shape[2]).astype(bool)
        hidden = frames.copy()
        hidden[masks] = hidden[masks] // 3 + np.array([0, 60, 120], np.uint8)
        strips += [
            strip(key, frames),
            strip("face mesh", np.stack([dotted(*pair) for pair in zip(frames, landmarks, strict=True)])),
            strip("mask", hidden),
        ]
    return strips


def dotted(image: Image, landmarks: NDArray[np.float32]) -> Image:
    """The image, enlarged, with a dot at each landmark."""
    import cv2

    scale = TILE_PX / image.shape[1]
    large = cv2.resize(image, (TILE_PX, TILE_PX), interpolation=cv2.INTER_CUBIC)
    for x, y in landmarks[:, :2] * scale:
        cv2.circle(large, (round(float(x)), round(float(y))), 1, (80, 255, 80), -1, cv2.LINE_AA)
    return np.asarray(large, np.uint8)


def heard(artifacts: Path) -> list[Image]:
    """The lip opening of three people whom no expert has seen: as landmarks have it, and as the front end hears it."""
    import torch

    from components.core.media import crops
    from components.core.media.face import MEASURES
    from components.core.models.frontend import encode_clip, load_frontend

    front, measure = load_frontend(artifacts / "experts/frontend.safetensors"), MEASURES.index("opening")
    strangers = {crop.speaker: crop for crop in reversed(crops.load(artifacts / "crops", "benchmark", "footage"))}
    charts = []
    for _, crop in sorted(strangers.items())[:3]:
        seen = crop.measures[:, measure] - np.median(crop.measures[:, measure])
        standardised = encode_clip(front, torch.from_numpy(crop.mel))[:, front.config.width + measure]
        told = (standardised * front.std[measure] + front.mean[measure]).numpy()
        label = f"{crop.crop_id}: black as seen, blue as heard, r = {np.corrcoef(seen, told)[0, 1]:.2f}"
        charts.append(chart(label, (seen, told)))
    return charts


def occluders(artifacts: Path) -> list[Image]:
    """Three held-out crops with something before the mouth: what is there, and what the occluder expert finds."""
    from components.core.media import crops, occlusion
    from components.core.media.geometry import Window
    from components.core.models.occluder import load_occluder

    expert = load_occluder(artifacts / "occluders/occluder.safetensors")
    strips = []
    people = {
        crop.speaker: crop for crop in crops.load(artifacts / "crops", "benchmark", "footage") if crop.hidden.any()
    }
    for crop in list(people.values())[:3]:
        frames = np.flatnonzero(crop.hidden)
        moments = frames[np.linspace(0, len(frames) - 1, COLUMNS).round().astype(int)]
        window = Window.of(crop.frames.shape[1])
        found = occlusion.in_front(expert.probability(window.take(crop.frames)))
        for label, masks in ((crop.crop_id, window.take(crop.occluder)), ("found", found)):
            shown = window.take(crop.frames)[moments].copy()
            shown[masks[moments]] = shown[masks[moments]] // 3 + np.array([0, 120, 60], np.uint8)
            strips.append(captioned(label, shown, ()))
    return strips


def pairs(artifacts: Path) -> list[Image]:
    """Three training pairs: the real clip, its companion, and what differs."""
    from components.core.media import shards

    keys = [key for key, _ in islice(_spread(shards.iterate(artifacts / "pairs")), 3)]
    strips = []
    for key, (source, companion) in _films(artifacts, keys).items():
        difference = np.abs(source.astype(np.int16) - companion) * DIFFERENCE_GAIN
        strips += [strip(f"{key}: real", source), strip("companion", companion)]
        strips.append(strip(f"|difference| x{DIFFERENCE_GAIN}", np.clip(difference, 0, 255).astype(np.uint8)))
    return strips


def judged(artifacts: Path) -> list[Image]:
    """Two accepted pairs, then one for each reason of quarantine, three at most: real clip and companion."""
    import pandas as pd

    folder = artifacts / "validation/pairs"
    accepted = pd.read_parquet(folder / "accepted.parquet").drop_duplicates("speaker").head(2).assign(reason="")
    quarantined = pd.read_parquet(folder / "quarantined.parquet").drop_duplicates("reason").head(3)
    rows = {row["pair_id"]: row for row in [*accepted.to_dict("records"), *quarantined.to_dict("records")]}
    films, strips = _films(artifacts, rows), []
    for key, row in rows.items():
        state = f"quarantined for {row['reason']}" if row["reason"] else "accepted"
        measured = ", ".join(f"{name} {row[name]:.2f}" for name in JUDGED_BY if name in row)
        strips += [strip(f"{state}: {key}, real", films[key][0]), strip(f"companion: {measured}", films[key][1])]
    return strips


def _films(artifacts: Path, keys: Collection[str]) -> dict[str, tuple[Image, Image]]:
    """By pair_id the real clip and the companion, equally long."""
    from components.core.media import shards, video

    chosen = {key: sample for key, sample in shards.iterate(artifacts / "pairs") if key in keys}
    wanted = {sample["json"]["crop_id"] for sample in chosen.values()}
    crops = ((key, sample) for key, sample in shards.iterate(artifacts / "crops") if key in wanted)
    real = {key: video.decode_bytes(sample["mp4"]) for key, sample in crops}
    made = {key: video.decode_bytes(sample["mp4"]) for key, sample in chosen.items()}
    return {key: (real[chosen[key]["json"]["crop_id"]][: len(film)], film) for key, film in made.items()}


def phases(artifacts: Path) -> list[Image]:
    """Two benchmark clips: what each phase of the editor makes of them."""
    from components.core.media import players, shards

    strips = []
    for key, sample in islice(_spread(shards.iterate(artifacts / "evaluate")), 2):
        made = players.tiles(sample)
        for row, label in PHASES.items():
            if row in made:
                strips.append(strip(f"{key}: {label}" if row == "copy" else label, made[row]))
    return strips


def timesteps(artifacts: Path) -> list[Image]:
    """One held-out moment at several timesteps, phase by phase, and where the speech changes it."""
    from scripts import timesteps

    return [captioned(row.label, row.frames, row.captions) for row in timesteps.rows(artifacts)]


PICTURES: dict[str, tuple[Callable[[Path], list[Image]], str, str]] = {
    "clips": (clips, "clips/clips-00000.tar", "Clips, as `ingest` leaves them: 25 fps, one shot, one speaker."),
    "crops": (
        crops,
        "crops/crops-00000.tar",
        "Crops, the face mesh, and the mask, its jaw at the widest, so that the hole says nothing about the lips.",
    ),
    "heard": (
        heard,
        "experts/frontend.safetensors",
        "What the front end hears: the lip opening of people it was not trained on, beside that of their landmarks.",
    ),
    "occluders": (
        occluders,
        "occluders/occluder.safetensors",
        "What is before the mouth of people that the occluder expert has never seen, and what it finds there.",
    ),
    "pairs": (
        pairs,
        "pairs/pairs-00000.tar",
        "Training pairs: the companion differs from the real clip in its lips alone.",
    ),
    "judged": (
        judged,
        "validation/pairs/quarantined.parquet",
        "Companions that `validate-pairs` accepted, and those in quarantine, if there are any, with the filter's name.",
    ),
    "phases": (phases, "evaluate/players-00000.tar", "Held-out clips after each phase of the editor."),
    "timesteps": (
        timesteps,
        "editor/texture/weights.safetensors",
        "One held-out moment at several timesteps: the truth with noise, what each phase predicts from it (over the "
        "tiles: the experts that are on), and what the speech changes in the prediction. The default architecture "
        "hears by modulation, so it has no attention of lips to audio that could be shown; the last row shows where "
        "the speech goes.",
    ),
}


def strip(label: str, frames: Image) -> Image:
    """Moments of a clip side by side, under a label."""
    return captioned(label, frames[np.linspace(0, len(frames) - 1, COLUMNS + 2).round().astype(int)[1:-1]], ())


def captioned(label: str, frames: Image, captions: Sequence[str]) -> Image:
    """All frames side by side, under a label and, where there are any, captions of their own."""
    import cv2

    height_px = TILE_PX * frames.shape[1] // frames.shape[2]
    tiles = [cv2.resize(frame, (TILE_PX, height_px), interpolation=cv2.INTER_CUBIC) for frame in frames]
    titles = [_title(len(tiles) * TILE_PX, label)]
    if any(captions):
        titles.append(np.concatenate([_title(TILE_PX, caption) for caption in captions], 1))
    return np.concatenate([*titles, np.concatenate(tiles, 1)])


def chart(label: str, curves: Sequence[NDArray[Any]]) -> Image:
    """Curves (f,) over time in COLOURS, in one scale, under a label."""
    import cv2

    plot = np.full((TILE_PX, COLUMNS * TILE_PX, 3), 255, np.uint8)
    low, high = min(float(curve.min()) for curve in curves), max(float(curve.max()) for curve in curves)
    for curve, colour in zip(curves, COLOURS, strict=True):
        x = np.linspace(0, plot.shape[1] - 1, len(curve))
        y = 4 + (TILE_PX - 8) * (high - curve) / max(high - low, 1e-9)
        cv2.polylines(plot, [np.stack([x, y], 1).round().astype(np.int32)], False, colour, 2, cv2.LINE_AA)
    return np.concatenate([_title(plot.shape[1], label), plot])


def _title(width_px: int, text: str) -> Image:
    import cv2

    title = np.full((LABEL_PX, width_px, 3), 255, np.uint8)
    cv2.putText(title, text, (4, LABEL_PX - 7), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 1, cv2.LINE_AA)
    return title


def _spread(samples: Samples) -> Samples:
    """The first sample of each speaker, so that a picture shows several people."""
    seen = set()
    for key, sample in samples:
        speaker = sample["json"].get("speaker")
        if speaker not in seen:
            seen.add(speaker)
            yield key, sample


def text(made: Sequence[str], images: Path, page: Path) -> str:
    """Markdown that shows the pictures."""
    folder = images.resolve().relative_to(page.resolve().parent)
    return "\n\n".join(f"![{PICTURES[name][2]}]({folder / name}.jpg)\n*{PICTURES[name][2]}*" for name in made)


def exported(folder: Path) -> str:
    """Markdown: the files that `export` leaves, and what goes into each graph and comes out."""
    import onnx

    def shapes(values: Any) -> str:
        tensors = {value.name: value.type.tensor_type.shape.dim for value in values}
        return ", ".join(f"{k} ({' '.join(d.dim_param or str(d.dim_value) for d in v)})" for k, v in tensors.items())

    lines = ["What `export` leaves:", "", "| file | MB | in | out |", "|---|---|---|---|"]
    for path in sorted(folder.iterdir()):
        graph = onnx.load(path).graph if path.suffix == ".onnx" else None
        ends = (shapes(graph.input), shapes(graph.output)) if graph else ("-", "-")
        lines.append(f"| {path.name} | {path.stat().st_size / 1e6:.2g} | {' | '.join(ends)} |")
    return "\n".join(lines)


@errors.shell
def main() -> None:
    """Reads the arguments, makes the pictures, and puts them into the page."""
    runtime.start()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"), help="folder of the stages' outs")
    parser.add_argument(
        "--page", type=Path, default=Path("docs/tutorial.md"), help="gets the pictures between its markers"
    )
    parser.add_argument("--images", type=Path, default=Path("docs/images/tutorial"), help="folder for the pictures")
    args = parser.parse_args()

    import cv2

    made = [name for name, (_, needed, _) in PICTURES.items() if (args.artifacts / needed).is_file()]
    for name in made:
        with files.replacing(args.images / f"{name}.jpg") as path:
            picture = np.concatenate(PICTURES[name][0](args.artifacts))
            cv2.imwrite(str(path), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    missing = [name for name in PICTURES if name not in made]
    logging.getLogger(__name__).info("made %s%s", ", ".join(made), f"; no {', '.join(missing)} yet" if missing else "")
    before, begin, rest = args.page.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise errors.UserError(f"{args.page} has no place for the pictures", expected=f"{BEGIN} and {END}")
    content = text(made, args.images, args.page)
    if (args.artifacts / "export/card.json").is_file():
        content += f"\n\n{exported(args.artifacts / 'export')}"
    files.write_text(args.page, f"{before}{BEGIN}\n{content}\n{END}{after}")


if __name__ == "__main__":
    main()
