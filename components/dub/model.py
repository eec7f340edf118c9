"""The ONNX editor: finding it, checking it, and running its sampler (docs/contracts.md, "The ONNX editor")."""

import base64
import io
import logging
import os
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.core.base import runtime, seeds
from components.core.base.errors import UserError
from components.core.diffusion import sampler
from components.core.diffusion.guidance import Branch, Guidance, branches, guided
from components.core.media import MEL_PER_FRAME
from components.dub.card import Card

PLACES = (Path("artifacts/export/dubstrap.onnx"), Path("models/dubstrap.onnx"))
INPUTS = {"noisy", "companion", "references", "mel", "timestep", "keep_companion", "keep_audio"}
MOST_THREADS = 8
EXPORT_IT = "Export one with `dvc repro export`, or name one with --model."

log = logging.getLogger(__name__)
Image = NDArray[np.uint8]
Floats = NDArray[np.float32]


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
        shapes, texts = described(self._session, path)
        if "dubstrap" not in texts or set(shapes) != INPUTS:
            raise UserError(f"{path} is no dubstrap editor", got=f"inputs {', '.join(sorted(shapes))}", fix=EXPORT_IT)
        try:
            self.card = Card.parse(texts["dubstrap"])
            self.card.check(shapes)
            frontend = base64.b64decode(texts.get("frontend", ""), validate=True)
        except (ValueError, RecursionError) as error:
            raise UserError(f"{path} does not fit this version", got=str(error), fix=EXPORT_IT) from None
        self._frontend = _open(path, frontend)
        lost = _wants_cuda() and self.provider != "CUDA"
        why = f" (CUDA is there but did not load: {_preloaded() or 'the runtime says why above'})" if lost else ""
        log.info("editor %s on %s%s", path, self.provider, why)

    @cached_property
    def provider(self) -> str:
        """What it runs on: "CUDA" or "CPU"."""
        return str(self._session.get_providers()[0]).removesuffix("ExecutionProvider")

    def lips(self, mel: Floats) -> Floats:
        """The lip measures (f, k) that the front end hears in mel (4 f + 2 mel_context, 80)."""
        lips = self._run(self._frontend, {"mel": mel[None]})
        self._check(lips, (1, (len(mel) - 2 * self.card.mel_context) // MEL_PER_FRAME, *lips.shape[2:3]))
        heard: Floats = lips[0]
        return heard

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
        self._check(clean, feed["noisy"].shape)
        made = dict(zip(needed, np.split(clean, len(needed)), strict=True))
        null, reference, full = (made.get(branch) for branch in Branch)
        return np.asarray(guided(null, reference, full, guidance.reference, guidance.audio), np.float32)

    def _run(self, session: Any, feed: dict[str, Floats]) -> Floats:
        try:
            found: Floats = session.run(None, feed)[0]
        except _runtime_errors() as error:
            raise UserError(f"the model {self.path} failed", got=str(error), fix=EXPORT_IT) from None
        return found

    def _check(self, made: Floats, shape: tuple[int, ...]) -> None:
        """A damaged model may run and make something else.

        Raises:
            UserError: it does.
        """
        if made.shape != shape or not np.isfinite(made).all():
            got = f"an output of shape {made.shape}" if made.shape != shape else "an output that is not finite"
            raise UserError(
                f"the model {self.path} failed", got=got, expected=f"numbers of shape {shape}", fix=EXPORT_IT
            )


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
    if _wants_cuda():
        _preloaded()
        wanted.insert(0, "CUDAExecutionProvider")
    try:
        session = onnxruntime.InferenceSession(content, options, providers=wanted)
    except _runtime_errors() as error:
        raise UserError(f"{path} is not an ONNX model", got=str(error).partition("\n")[0], fix=EXPORT_IT) from None
    return session


def described(session: Any, path: Path) -> tuple[dict[str, list[Any]], dict[str, str]]:
    """What the model at `path` says of itself: its inputs' shapes by name, in their order, and its metadata.

    Raises:
        UserError: it is no text.
    """
    try:
        shapes = {value.name: value.shape for value in session.get_inputs()}
        return shapes, dict(session.get_modelmeta().custom_metadata_map)
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is damaged", got=str(error), expected="UTF-8 in its metadata", fix=EXPORT_IT) from None


def _wants_cuda() -> bool:
    import onnxruntime

    return "CUDAExecutionProvider" in onnxruntime.get_available_providers() and _has_gpu()


@cache
def _preloaded() -> str:
    """Loads CUDA's libraries from where pip puts them, where no loader looks; the first that is missing, else ""."""
    import onnxruntime

    with redirect_stdout(io.StringIO()) as said:
        onnxruntime.preload_dlls()
    missing = said.getvalue().partition("\n")[0]
    if missing:
        onnxruntime.set_default_logger_severity(4)  # it would say so too, at every session
    return missing


def _has_gpu() -> bool:
    # onnxruntime-gpu lists CUDA on machines without a GPU too, and complains loudly when it is then asked for.
    return Path("/dev/nvidia0").exists() or Path("/dev/dxg").exists()


def _runtime_errors() -> tuple[type[Exception], ...]:
    """The runtime's own, none of which is another's child, and those of Python that it raises."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    own = [kind for kind in vars(state).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    return (*own, RuntimeError, ValueError, MemoryError)


def _to_model(images: Image) -> Floats:
    """(1, f, 3, h, w) in [-1, 1] from (f, h, w, 3) RGB."""
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2)[None], np.float32) / 127.5 - 1


def _to_image(clean: Floats) -> Image:
    scaled: Image = np.clip(np.rint((clean[0] + 1) * 127.5), 0, 255).astype(np.uint8)
    return scaled.transpose(0, 2, 3, 1)
