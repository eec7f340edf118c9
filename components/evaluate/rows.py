"""The rows of the benchmark: who dubs a clip, and with whose speech. The only place that knows the models' API."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from components.core.base.seeds import rng
from components.core.media.crops import Crop
from components.evaluate.benchmark import Mel
from components.evaluate.metrics import Floats, Frames, Landmarks
from components.evaluate.params import SamplingParams

ROWS = ("truth", "shuffled", "copy", "generator", "editor-structure", "editor-lip", "editor")
EXPORTED = "onnx"
"""The row of the exported editor, which a run of its own measures."""
PHASES = {"editor-structure": (), "editor-lip": ("lip",), "editor": ("lip", "texture")}
MEASURED_PX = 256
"""Crops are brought to this size before the face mesh reads them, and `lmd_px` is in its pixels."""

Dub = Callable[[Crop, Mel, int], Frames]
Sync = Callable[[Frames, Mel], tuple[float, float]]
Embed = Callable[[Frames], Floats]
Read = Callable[[Frames], Floats]
Find = Callable[[Frames], Landmarks]


@dataclass(frozen=True)
class Bench:
    """Everything that makes or judges a row.

    Attributes:
        dub: by row name, (crop, mel, seed) -> the dubbed crop's frames.
        sync: (frames, mel) -> the judge's confidence and distance; None where the judge is absent.
        embed: frames -> the judge's unit vectors, one a frame; None where the judge is absent.
        read: frames -> what the judge reads of the lips, `face.MEASURES` (f k); None where the judge is absent.
        find: frames -> landmarks (f 478 3) in pixels of a 256 px crop, NaN in frames without a face.
    """

    dub: Mapping[str, Dub]
    sync: Sync | None
    embed: Embed | None
    read: Read | None
    find: Find


@dataclass(frozen=True)
class Loader:
    """Makes the Bench from the stages' folders; small enough to be sent to worker processes.

    Without `occluders` editors also paint over what is before the face.
    """

    generator: Path
    editor: Path
    experts: Path
    occluders: Path | None
    generator_sampling: SamplingParams
    editor_sampling: SamplingParams
    threads: int

    def __call__(self) -> Bench:
        import torch

        from components.core.models.synthesis import load_editor, load_generator

        # A spin barrier between more threads than cores costs a factor of ten, so every process says its share.
        torch.set_num_threads(self.threads)
        inpainter = load_generator(self.generator, self.experts)
        dub: dict[str, Dub] = {"generator": partial(_dub, inpainter, self.generator_sampling)}
        for row, phases in PHASES.items():
            editor = load_editor(self.editor, self.experts, phases, self.occluders)
            dub[row] = partial(_dub, editor, self.editor_sampling)
        return Bench(dub, *_judges(self.experts), find_landmarks)


@dataclass(frozen=True)
class ExportedLoader:
    """Makes the Bench of the exported file, whose row is EXPORTED; `editor` holds the weights that it was made of."""

    file: Path
    editor: Path
    experts: Path
    occluders: Path | None
    sampling: SamplingParams
    threads: int

    def __call__(self) -> Bench:
        import torch

        from components.core.models.onnx_editor import OnnxEditor
        from components.core.models.synthesis import load_editor

        torch.set_num_threads(self.threads)
        source = load_editor(self.editor, self.experts, PHASES["editor"], self.occluders)
        editor = OnnxEditor(self.file, source, self.threads)
        return Bench({EXPORTED: partial(_dub, editor, self.sampling)}, *_judges(self.experts), find_landmarks)


def _dub(model: Any, params: SamplingParams, crop: Crop, mel: Mel, seed: int) -> Frames:
    from components.core.models.synthesis import Sampling

    options = Sampling(params.steps, params.guidance_reference, params.guidance_audio, seed)
    frames: Frames = model.dub(crop, mel, options)
    return frames


def _judges(experts: Path) -> tuple[Sync | None, Embed | None, Read | None]:
    """The judges of sync, identity and lips, which no training has seen; None for one that is not there."""
    from components.core.models.identity import load_identity
    from components.core.models.lips import load_lips
    from components.core.models.sync import load_sync, sync_scores

    paths = [experts / f"judge_{name}.safetensors" for name in ("sync", "identity", "lips")]
    embed: Embed | None = load_identity(paths[1]).embed if paths[1].exists() else None
    read: Read | None = load_lips(paths[2]).read if paths[2].exists() else None
    if not paths[0].exists():
        return None, embed, read
    expert = load_sync(paths[0])

    def sync(frames: Frames, mel: Mel) -> tuple[float, float]:
        scores = sync_scores(expert, frames, mel)
        return float(scores.confidence), float(scores.distance)

    return sync, embed, read


def find_landmarks(frames: Frames) -> Landmarks:
    """The face mesh of every frame, read at 256 px, where its lips have an error of about half a pixel."""
    from components.core.media.face import FaceMesh

    found = np.full((len(frames), 478, 3), np.nan)
    with FaceMesh() as mesh:
        for index, image in enumerate(frames):
            faces = mesh.detect(cv2.resize(image, (MEASURED_PX, MEASURED_PX), interpolation=cv2.INTER_CUBIC))
            if faces:
                found[index] = faces[0]
    return found


def filmed_again(frames: Frames, seed: int) -> Frames:
    """A clip moved by half a pixel each way, with fresh camera noise (2 levels).

    What is measured on it against what is measured on the clip itself is the best value that any dub of it could
    reach: the truth row's lip metrics are this ceiling, and not a trivial 1.
    """
    noise, move = rng(seed, "second look"), np.array([[1, 0, 0.5], [0, 1, 0.5]])
    size = (frames.shape[2], frames.shape[1])
    looks = [
        cv2.warpAffine(image, move, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        + noise.normal(0, 2, image.shape)
        for image in frames
    ]
    return np.asarray(np.clip(np.stack(looks), 0, 255).round(), np.uint8)


def second_look(again: Frames, find: Find) -> Landmarks:
    """The landmarks of a clip that was filmed again, moved back."""
    back = 0.5 * MEASURED_PX / again.shape[1]
    return np.asarray(find(again) - [back, back, 0])
