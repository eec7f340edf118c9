"""One held-out moment at several timesteps: what each phase of the editor makes of it, and what the speech changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.core.base import seeds

Image = NDArray[np.uint8]

TIMES = (1.0, 0.8, 0.6, 0.45, 0.3, 0.15, 0.05)
PHASES = {"after structure": (), "after lip": ("lip",), "after texture": ("lip", "texture")}
GAIN = 4


@dataclass(frozen=True)
class Row:
    """Whole crops (t h w 3), one at each of TIMES, and what is written over each."""

    label: str
    frames: Image
    captions: Sequence[str]


@dataclass(frozen=True)
class Moment:
    """A held-out clip, the exact re-dub of it, and the frames first .. last - 1 of both, a chunk of the editor's."""

    source: Any
    truth: Any
    first: int
    last: int

    @classmethod
    def widest(cls, source: Any, truth: Any, chunk_frames: int) -> "Moment":
        """The chunk that ends where the truth's mouth is open widest, which is where phases have most to do."""
        last = chunk_frames + int(np.argmax(truth.measures[chunk_frames - 1 :, 0]))
        return cls(source, truth, last - chunk_frames, last)


def rows(artifacts: Path) -> list[Row]:
    """The truth with noise, the prediction of it by each phase, and |with speech - without|, brightened."""
    from components.core.media import crops
    from components.core.models.synthesis import load_editor

    editors = {name: load_editor(artifacts / "editor", artifacts / "experts", on) for name, on in PHASES.items()}
    truth = crops.load(artifacts / "crops", "benchmark", "truth")[0]
    named = truth.crop_id.rpartition("--")[0]
    source = next(c for c in crops.load(artifacts / "crops", "benchmark", "footage") if c.crop_id == named)
    last = editors["after texture"]
    moment = Moment.widest(source, truth, last.model.config.architecture.chunk_frames)
    found = [Row(f"{truth.crop_id}: truth with noise", noised(moment), [f"t = {t:g}" for t in TIMES])]
    for name, editor in editors.items():
        captions = [", ".join(k for k, band in editor.bands.items() if band.low <= t <= band.high) for t in TIMES]
        found.append(Row(name, _shown(moment, predictions(editor, moment, True)), captions))
    heard, deaf = (_shown(moment, predictions(last, moment, speech)).astype(np.int16) for speech in (True, False))
    changed = np.clip(GAIN * np.abs(heard - deaf), 0, 255).astype(np.uint8)
    return [*found, Row(f"|with speech - without| x{GAIN}", changed, [""] * len(TIMES))]


def noised(moment: Moment) -> Image:
    """The truth's last frame of the moment with its window noised to each of TIMES."""
    return _shown(moment, [values[:, -1] for values in (_noisy(moment, t) for t in TIMES)])


def predictions(editor: Any, moment: Moment, speech: bool) -> list[Any]:
    """The editor's prediction (1 3 h w) of the truth's last frame from each noised truth, its experts in their bands.

    Its motion frames are clean, as when it dubs. Without `speech` the audio is dropped, as now and then in training.
    """
    import torch

    from components.core.diffusion.guidance import Guidance
    from components.core.models import hardware
    from components.core.models.dubber import Conditions

    job, device, one = editor.job(moment.source, moment.truth.mel), hardware.device(), torch.ones(1)
    frames = slice(moment.first, moment.last)
    references, audio = job.references[None, :, frames].to(device), job.audio[None, frames].to(device)
    given = Conditions(references, audio, None, one, one)  # what is kept of them, the guidance says
    fresh = torch.arange(moment.last - moment.first) >= editor.model.config.architecture.motion_frames
    found = []
    for t in TIMES:
        noisy = torch.where(fresh[None, :, None, None, None], _noisy(moment, t), _noisy(moment, 0.0))
        with torch.inference_mode():
            guidance = Guidance(1.0, float(speech))
            made = editor.guided(noisy.to(device), (fresh * t)[None].to(device), given, guidance, t)
        found.append(made[:, -1].float().cpu())
    return found


def _noisy(moment: Moment, t: float) -> Any:
    """The truth's windows (1 f 3 h w) at t, one noise for all of them, as when the editor dubs."""
    import torch

    from components.core.media.geometry import Window
    from components.core.models.windows import pixels

    frames = moment.truth.frames[moment.first : moment.last]
    clean = pixels(Window.of(frames.shape[1]).take(frames))[None]
    draw = torch.Generator().manual_seed(seeds.derive(0, "timesteps"))
    return (1 - t) * clean + t * torch.randn(clean.shape[2:], generator=draw)


def _shown(moment: Moment, windows: Sequence[Any]) -> Image:
    """The truth's last frame (t h w 3) with each window in its place."""
    from components.core.media.geometry import Window
    from components.core.models.windows import image

    frame = moment.truth.frames[moment.last - 1]
    shown = np.repeat(frame[None], len(windows), axis=0)
    Window.of(frame.shape[0]).take(shown)[:] = np.concatenate([image(window) for window in windows])
    return shown
