"""The ONNX editor: finding it, checking it, and running its sampler (docs/contracts.md, "The ONNX editor")."""

import base64
import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.core.base import runtime, seeds
from components.core.base.errors import UserError
from components.core.diffusion import sampler
from components.core.diffusion.guidance import Branch, Guidance, branches, guided
from components.core.media.geometry import Window

FORMAT = 2
PLACES = (Path("artifacts/export/dubstrap.onnx"), Path("models/dubstrap.onnx"))
INPUTS = {"noisy", "companion", "references", "mel", "timestep", "keep_companion", "keep_audio"}
COUNTS = ("size_px", "chunk_frames", "motion_frames", "references", "mel_context")
MOST_THREADS = 8
EXPORT_IT = "Export one with `dvc repro export`, or name one with --model."

log = logging.getLogger(__name__)
Image = NDArray[np.uint8]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Card:
    """What a model says of itself, in its metadata.

    Attributes:
        size_px: side of the crop; the model sees the window of it.
        chunk_frames: frames that it sees at once.
        motion_frames: how many of them continue the chunk before.
        references: pictures of the person that it is shown for each frame.
        mel_context: rows of mel that it hears before the first and after the last frame's own.
        steps: denoising steps that it was exported for.
        guidance: scales that it was exported for.
        shift: of the sampler's times.
        card_id: names the model card, and so the training run.
    """

    size_px: int
    chunk_frames: int
    motion_frames: int
    references: int
    mel_context: int
    steps: int
    guidance: Guidance
    shift: float
    card_id: str

    @classmethod
    def parse(cls, text: str) -> "Card":
        """The card from its JSON.

        Raises:
            ValueError: it is not what format 2 says, with what is wrong.
        """
        values = json.loads(text)
        if not isinstance(values, Mapping) or values.get("format") != FORMAT:
            found = values.get("format") if isinstance(values, Mapping) else type(values).__name__
            raise ValueError(f"format {found!r}, this dubstrap reads format {FORMAT}")
        try:
            found = cls(
                **{name: int(values[name]) for name in COUNTS},
                steps=int(values["steps"]),
                guidance=Guidance(float(values["guidance"]["reference"]), float(values["guidance"]["audio"])),
                shift=float(values["shift"]),
                card_id=str(values["card_id"]),
            )
            window = [int(edge) for edge in values["window"]]
        except (KeyError, TypeError) as error:
            raise ValueError(f"its metadata lacks {error}") from None
        known = found.window
        if window != [known.top, known.bottom, known.left, known.right]:
            raise ValueError(f"window {window}, which is not that of a crop of {found.size_px} px")
        return found

    def __post_init__(self) -> None:
        if self.mel_context < 0 or self.references < 1:
            raise ValueError(
                f"mel_context is {self.mel_context}, expected 0 or more; references {self.references}, 1 or more"
            )
        sampler.chunks(1, self.chunk_frames, self.motion_frames)  # raises where they don't fit
        sampler.timesteps(self.steps, self.shift)

    @property
    def window(self) -> Window:
        """The part of the crop that the model sees and makes."""
        return Window.of(self.size_px)


@dataclass(frozen=True)
class Sampling:
    """How the editor samples; the seed is of its noise."""

    steps: int
    guidance: Guidance
    seed: int = 0


@dataclass(frozen=True)
class Shown:
    """What the editor sees of a chunk, RGB: the source's windows (f h w 3) and their references (n f h w 3)."""

    source: Image
    references: Image


def find(path: Path | None) -> Path:
    """The model to use.

    Raises:
        UserError: there is none; it says where one was looked for and how to get one.
    """
    for place in (path,) if path else PLACES:
        if place.is_file():
            return place
    if path:
        raise UserError(f"the model {path} does not exist", fix=EXPORT_IT)
    raise UserError("no model found", expected=" or ".join(map(str, PLACES)), fix=EXPORT_IT)


class Editor:
    """An ONNX session and its card.

    Raises:
        UserError: the file is no model, or one that this version can not run.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._session = _open(path, str(path))
        texts = self._session.get_modelmeta().custom_metadata_map
        text = texts.get("dubstrap")
        names = {value.name for value in self._session.get_inputs()}
        if text is None or names != INPUTS:
            raise UserError(f"{path} is no dubstrap editor", got=f"inputs {', '.join(sorted(names))}", fix=EXPORT_IT)
        try:
            self.card = Card.parse(text)
        except ValueError as error:
            raise UserError(f"{path} does not fit this version", got=str(error), fix=EXPORT_IT) from None
        self._frontend = _open(path, base64.b64decode(texts.get("frontend", "")))
        log.info("editor %s on %s", path, self.provider)

    @cached_property
    def provider(self) -> str:
        """What it runs on: "CUDA" or "CPU"."""
        return str(self._session.get_providers()[0]).removesuffix("ExecutionProvider")

    def lips(self, mel: Floats) -> Floats:
        """The lip measures (f, k) that the front end hears in mel (4 f + 2 mel_context, 80)."""
        lips: Floats = self._run(self._frontend, {"mel": mel[None]})[0]
        return lips

    def edit(self, shown: Shown, mel: Floats, motion: Image, sampling: Sampling) -> Image:
        """The windows with new lips, (f, h, w, 3) RGB.

        Args:
            shown: the source and the references.
            mel: (4 f + 2 mel_context, 80) of the new speech.
            motion: (m, h, w, 3) results for the first m frames, which are kept; m may be 0.
            sampling: steps, guidance and seed.
        """
        companion, held = _to_model(shown.source), _to_model(motion)
        references = np.concatenate([_to_model(video)[:, None] for video in shown.references], 1)

        def predict(noisy: Floats, t: float) -> Floats:
            noisy[:, : len(motion)] = held
            time = np.full((1, len(shown.source)), t, np.float32)
            time[:, : len(motion)] = 0
            inputs = {
                "noisy": noisy,
                "companion": companion,
                "references": references,
                "mel": mel[None],
                "timestep": time,
            }
            return self._guided(inputs, sampling.guidance.at(t))

        # One noise for every frame and chunk: what it paints then stands still, where it would flicker.
        one = seeds.rng(sampling.seed, "dub").standard_normal(companion.shape[2:], np.float32)
        noise = np.broadcast_to(one, companion.shape).copy()
        clean = sampler.sample(predict, noise, sampler.timesteps(sampling.steps, self.card.shift))
        edited = _to_image(clean)
        edited[: len(motion)] = motion
        return edited

    def _guided(self, inputs: dict[str, Floats], guidance: Guidance) -> Floats:
        needed = branches(guidance)
        feed = {name: np.repeat(value, len(needed), axis=0) for name, value in inputs.items()}
        feed["keep_companion"] = np.array([branch.keep_companion for branch in needed], np.float32)
        feed["keep_audio"] = np.array([branch.keep_audio for branch in needed], np.float32)
        clean = self._run(self._session, feed)
        made = dict(zip(needed, np.split(clean, len(needed)), strict=True))
        null, reference, full = (made.get(branch) for branch in Branch)
        return np.asarray(guided(null, reference, full, guidance.reference, guidance.audio), np.float32)

    def _run(self, session: Any, feed: dict[str, Floats]) -> Floats:
        try:
            found: Floats = session.run(None, feed)[0]
        except _runtime_errors() as error:
            raise UserError(f"the model {self.path} failed", got=str(error), fix=EXPORT_IT) from None
        return found


def threads() -> int:
    """Of the editor on a CPU: one core is left to the stages that run beside it."""
    return min(MOST_THREADS, max(1, runtime.cores() - 1))


def _open(path: Path, content: str | bytes) -> Any:
    """A session of the model in `content`: a file's name, or the bytes of a model that lies in the file `path`."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", runtime.OFFLINE["ORT_DISABLE_TELEMETRY"])
    import onnxruntime  # after the setting: it reports usage as soon as it is imported

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads()
    # A thread that waits does not spin on a core of the other stages.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4  # what goes wrong is raised, and said once by us
    wanted = ["CPUExecutionProvider"]
    if "CUDAExecutionProvider" in onnxruntime.get_available_providers() and _has_gpu():
        wanted.insert(0, "CUDAExecutionProvider")
    try:
        session = onnxruntime.InferenceSession(content, options, providers=wanted)
    except _runtime_errors() as error:
        raise UserError(f"{path} is not an ONNX model", got=str(error).splitlines()[0], fix=EXPORT_IT) from None
    return session


def _has_gpu() -> bool:
    # onnxruntime-gpu lists CUDA on machines without a GPU too, and complains loudly when it is then asked for.
    return Path("/dev/nvidia0").exists() or Path("/dev/dxg").exists()


def _runtime_errors() -> tuple[type[Exception], ...]:
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    names = (
        "Fail",
        "InvalidArgument",
        "InvalidGraph",
        "InvalidProtobuf",
        "NoModel",
        "NotImplemented",
        "RuntimeException",
    )
    return tuple(getattr(state, name) for name in names)


def _to_model(images: Image) -> Floats:
    """(1, f, 3, h, w) in [-1, 1] from (f, h, w, 3) RGB."""
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2)[None], np.float32) / 127.5 - 1


def _to_image(clean: Floats) -> Image:
    scaled: Image = np.clip(np.rint((clean[0] + 1) * 127.5), 0, 255).astype(np.uint8)
    return scaled.transpose(0, 2, 3, 1)
