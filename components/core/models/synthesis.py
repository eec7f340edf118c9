"""Dubbing crops with trained weights: chunks bridged by motion frames, guidance, experts by timestep, soft blend."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from components.core.base import seeds
from components.core.diffusion.guidance import Branch, Guidance, branches, guided
from components.core.diffusion.sampler import Chunk, chunks, sample, timesteps
from components.core.media import references
from components.core.media.crops import Crop
from components.core.media.geometry import UNITS, Window, soft_mask
from components.core.models import hardware, weights
from components.core.models.dubber import Conditions, Dubber, DubberConfig
from components.core.models.frontend import FrontEnd, encode_clip, load_frontend
from components.core.models.lora import Band, Gates, add_expert
from components.core.models.occluder import OccluderExpert, load_occluder
from components.core.models.windows import image, masks, own_references, pixels

Bands = dict[str, Band]
CLIPS_AT_ONCE = 8


@dataclass(frozen=True)
class Sampling:
    """How a clip is sampled.

    Attributes:
        steps: predictions per chunk.
        guidance_reference, guidance_audio: scales of the three-branch guidance; 1 and 1 is no guidance.
        seed: of the noise.
    """

    steps: int
    guidance_reference: float
    guidance_audio: float
    seed: int

    def guidance(self) -> Guidance:
        """The scales as the sampler's record."""
        return Guidance(self.guidance_reference, self.guidance_audio)


@dataclass(frozen=True)
class Job:
    """One clip to be made: references (n f 3 h w) in [-1, 1], audio (f a), inpaint (f 4 h w) for the generator."""

    references: Float[Tensor, "n f 3 h w"]
    audio: Float[Tensor, "f a"]
    inpaint: Float[Tensor, "f 4 h w"] | None

    @property
    def frames(self) -> int:
        return int(self.audio.shape[0])


class Synthesizer:
    """Weights, front end and bands that together turn jobs into windows."""

    def __init__(self, model: Dubber, frontend: FrontEnd, bands: Bands) -> None:
        self.model = model.eval()
        self.frontend = frontend
        self.bands = bands
        self.device = next((p.device for p in model.parameters()), torch.device("cpu"))

    def dub(self, crop: Crop, mel: NDArray[np.float32], options: Sampling) -> NDArray[np.uint8]:
        """The crop's first frames (f h w 3) speaking the mel (4f, 80); all of the crop gives references."""
        return next(self.dub_all([(crop, mel)], options))

    def dub_all(
        self, wanted: Sequence[tuple[Crop, NDArray[np.float32]]], options: Sampling
    ) -> Iterator[NDArray[np.uint8]]:
        """`dub` for many clips, several at a time, in order."""
        for first in range(0, len(wanted), CLIPS_AT_ONCE):
            group = wanted[first : first + CLIPS_AT_ONCE]
            jobs = [self.job(crop, mel) for crop, mel in group]
            for (crop, _), window in zip(group, self.windows(jobs, options), strict=True):
                yield self.blend(crop.part(0, len(window)), image(window))

    def job(self, crop: Crop, mel: NDArray[np.float32]) -> Job:
        """The conditions of this role for a crop and new speech."""
        return self.job_of(crop, encode_clip(self.frontend, torch.from_numpy(mel)))

    def job_of(self, crop: Crop, heard: Float[Tensor, "f a"]) -> Job:
        """The conditions of this role for a crop and what the front end has heard, or someone else in its place."""
        found = own_references(crop, heard.numpy(), self.references, 0)
        windows = Window.of(crop.frames.shape[1]).take(crop.frames)
        return self.shown(crop.part(0, len(heard)), pixels(references.videos(windows, found)), heard)

    @property
    def references(self) -> int:
        """How many of the model's reference videos are the person's own frames."""
        return self.model.config.references

    def shown(self, crop: Crop, own: Float[Tensor, "n f 3 h w"], heard: Float[Tensor, "f a"]) -> Job:
        """The job of this role."""
        raise NotImplementedError

    def blend(self, crop: Crop, window: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The crop with the window softly put in; outside the mask it is the crop's, bit for bit."""
        place = Window.of(crop.frames.shape[1])
        alpha = self.alpha(crop)[..., None]
        result = crop.frames.copy()
        mixed = place.take(crop.frames) * (1 - alpha) + window * alpha
        place.take(result)[:] = np.where(alpha > 0, np.rint(mixed), place.take(crop.frames)).astype(np.uint8)
        return result

    def alpha(self, crop: Crop) -> NDArray[np.float32]:
        """Weight (f or 1, h, w) of the made window."""
        return soft_mask(crop.frames.shape[1])[None]

    @torch.inference_mode()
    def windows(self, jobs: Sequence[Job], options: Sampling) -> list[Float[Tensor, "f 3 h w"]]:
        """The made windows of several clips; each clip's chunks one after the other, the clips side by side."""
        architecture = self.model.config.architecture
        plans = [chunks(job.frames, architecture.chunk_frames, architecture.motion_frames) for job in jobs]
        results = [
            torch.zeros(plan[-1].stop, 3, *job.references.shape[-2:]) for job, plan in zip(jobs, plans, strict=True)
        ]
        for turn in range(max(map(len, plans))):
            active = [number for number, plan in enumerate(plans) if turn < len(plan)]
            pieces = [_Piece(jobs[n], plans[n][turn], results[n]) for n in active]
            made = self._chunk(pieces, options)
            for number, piece, window in zip(active, pieces, made, strict=True):
                results[number][piece.chunk.fresh] = window[piece.chunk.motion :]
        return [result[: job.frames] for result, job in zip(results, jobs, strict=True)]

    def _chunk(self, pieces: Sequence["_Piece"], options: Sampling) -> Float[Tensor, "b f 3 h w"]:
        given = _stack(pieces, self.device)
        done = torch.stack([piece.done[piece.chunk.start : piece.chunk.stop] for piece in pieces])
        frames = torch.arange(done.shape[1])
        fresh = (frames >= torch.tensor([piece.chunk.motion for piece in pieces])[:, None]).float()  # (b f)
        guidance, device = options.guidance(), given.audio.device

        def predict(noisy: Tensor, t: float) -> Tensor:
            mask = fresh[..., None, None, None]
            inputs = (noisy * mask + done * (1 - mask)).to(device)
            return self.guided(inputs, fresh.to(device) * t, given, guidance.at(t), t).float().cpu()

        # One noise for every frame, chunk and clip: what the noise paints then stands still, where it would flicker.
        draw = torch.Generator().manual_seed(seeds.derive(options.seed, "noise"))
        noise = torch.randn(done.shape[2:], generator=draw).expand(done.shape)
        return sample(predict, noise, timesteps(options.steps, self.model.config.architecture.schedule_shift))  # type: ignore[no-any-return]

    def guided(self, noisy: Tensor, time: Tensor, given: Conditions, guidance: Guidance, t: float) -> Tensor:
        """The guided prediction of z_0 with the experts whose band holds t."""
        count = len(noisy)
        level = torch.full((count,), t, device=noisy.device)
        gates: Gates = {name: band.gate(level) for name, band in self.bands.items()}
        made: dict[Branch, Tensor] = {}
        for branch in branches(guidance):
            keep = {"keep_reference": float(branch.keep_companion), "keep_audio": float(branch.keep_audio)}
            flags = {name: torch.full((count,), value, device=noisy.device) for name, value in keep.items()}
            with torch.autocast(noisy.device.type, torch.bfloat16, enabled=hardware.bf16()):
                made[branch] = self.model(noisy, time, replace(given, **flags), gates)
        null, reference, full = (made.get(branch) for branch in Branch)
        return guided(null, reference, full, guidance.reference, guidance.audio)  # type: ignore[no-any-return]


class Editor(Synthesizer):
    """Mask-free: sees the whole window of the video that is to be dubbed.

    Args:
        model, frontend, bands: see `Synthesizer`.
        occluder: finds what is before the face, which then stays as it is; None where there is none.
    """

    def __init__(self, model: Dubber, frontend: FrontEnd, bands: Bands, occluder: OccluderExpert | None = None) -> None:
        super().__init__(model, frontend, bands)
        self.occluder = occluder

    @property
    def references(self) -> int:
        return self.model.config.references - 1

    def shown(self, crop: Crop, own: Float[Tensor, "n f 3 h w"], heard: Float[Tensor, "f a"]) -> Job:
        source = pixels(Window.of(crop.frames.shape[1]).take(crop.frames))
        return Job(torch.cat([source[None], own]), heard, None)

    def alpha(self, crop: Crop) -> NDArray[np.float32]:
        soft = super().alpha(crop)
        if self.occluder is None:
            return soft
        return soft * (1 - self.occluder.occlusion(Window.of(crop.frames.shape[1]).take(crop.frames)))


class Inpainter(Synthesizer):
    """The generator: sees the window with the lower face masked out."""

    def shown(self, crop: Crop, own: Float[Tensor, "n f 3 h w"], heard: Float[Tensor, "f a"]) -> Job:
        window = Window.of(crop.frames.shape[1])
        rgb, hole = window.take(crop.frames), masks(window.take(crop.mask))
        return Job(own, heard, torch.cat([pixels(rgb) * (1 - hole), hole], 1))

    def alpha(self, crop: Crop) -> NDArray[np.float32]:
        """The mask, feathered over a third of a unit so that no line shows, inside the window's own soft mask."""
        size = crop.frames.shape[1]
        hole = Window.of(size).take(crop.mask).astype(np.float32)
        feathered = np.stack([cv2.GaussianBlur(mask, (0, 0), size / UNITS / 3) for mask in hole])
        return np.asarray(feathered * soft_mask(size))


@dataclass(frozen=True)
class _Piece:
    """A chunk of a job, and the clip's windows made so far (f 3 h w)."""

    job: Job
    chunk: Chunk
    done: Tensor

    def cut(self, values: Tensor, axis: int = 0) -> Tensor:
        """The chunk's frames of a sequence; beyond its end the last one repeats."""
        index = torch.arange(self.chunk.start, self.chunk.stop).clamp(max=values.shape[axis] - 1)
        return values.index_select(axis, index)


def _stack(pieces: Sequence[_Piece], device: torch.device) -> Conditions:
    ones = torch.ones(len(pieces), device=device)
    inpaints = [piece.cut(piece.job.inpaint) for piece in pieces if piece.job.inpaint is not None]
    return Conditions(
        references=torch.stack([piece.cut(piece.job.references, 1) for piece in pieces]).to(device),
        audio=torch.stack([piece.cut(piece.job.audio) for piece in pieces]).to(device),
        inpaint=torch.stack(inpaints).to(device) if inpaints else None,
        keep_reference=ones,
        keep_audio=ones,
    )


def load_dubber(path: Path) -> Dubber:
    """The network that `weights.save` wrote, in evaluation mode, on the accelerator where there is one."""
    config, tensors = weights.load(path, DubberConfig)
    model = Dubber(config)
    weights.fill(model, tensors, path)
    return weights.freeze(model).to(hardware.device())  # type: ignore[return-value]


def load_generator(folder: Path, experts: Path) -> Inpainter:
    """The generator of artifacts/generator with the front end of artifacts/experts."""
    return Inpainter(load_dubber(folder / "generator.safetensors"), load_frontend(experts / "frontend.safetensors"), {})


@dataclass(frozen=True)
class ExpertConfig:
    """A LoRA expert on disk: its rank and the band of timesteps in which it is on."""

    rank: int
    band: Band


def load_editor(
    folder: Path, experts: Path, phases: tuple[str, ...] = ("lip", "texture"), occluders: Path | None = None
) -> Editor:
    """The editor of artifacts/editor with the experts named, each in its own band.

    Args:
        folder: holds structure/, and lip/ and texture/ where asked for, each with weights.safetensors.
        experts: artifacts/experts, for the front end.
        phases: () is the structure phase alone.
        occluders: artifacts/occluders; None leaves what is before the face to the editor.
    """
    model, bands = load_dubber(folder / "structure" / "weights.safetensors"), {}
    for phase in phases:
        path = folder / phase / "weights.safetensors"
        config, tensors = weights.load(path, ExpertConfig)
        add_expert(model, phase, config.rank)
        weights.fill(model, {**model.state_dict(), **tensors}, path)
        bands[phase] = config.band
    weights.freeze(model).to(hardware.device())
    occluder = load_occluder(occluders / "occluder.safetensors") if occluders else None
    return Editor(model, load_frontend(experts / "frontend.safetensors"), bands, occluder)
