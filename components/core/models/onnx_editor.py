"""The exported graph behind the synthesizer's interface, so that it is measured by what measures the editor."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from einops import rearrange
from numpy.typing import NDArray
from torch import Tensor, nn

from components.core.media import MEL_BINS, MEL_PER_FRAME, mel
from components.core.media.crops import Crop
from components.core.models.dubber import Conditions, DubberConfig
from components.core.models.lora import Gates
from components.core.models.synthesis import Editor, Job


class OnnxEditor(Editor):
    """An editor whose predictions come from the ONNX file.

    Args:
        path: the file.
        editor: the torch editor it was made of, for its config, front end and occluder expert.
        threads: of onnxruntime.
    """

    def __init__(self, path: Path, editor: Editor, threads: int) -> None:
        session = _Session(path, editor, threads)
        super().__init__(session, editor.frontend, {}, editor.occluder)  # type: ignore[arg-type]

    def job(self, crop: Crop, sound: NDArray[np.float32]) -> Job:
        """The crop's conditions; each frame's audio is its mel rows with the context around them, flat."""
        context = self.frontend.config.context
        padded = np.pad(sound, ((context, context), (0, 0)), constant_values=mel.SILENCE)
        frames = np.arange(len(sound) // MEL_PER_FRAME)
        rows = np.arange(MEL_PER_FRAME + 2 * context) + MEL_PER_FRAME * frames[:, None]
        return replace(super().job(crop, sound), audio=torch.from_numpy(padded[rows]).flatten(1))


class _Session(nn.Module):
    """Takes what `Dubber` takes, with raw mel as the audio."""

    config: DubberConfig

    def __init__(self, path: Path, editor: Editor, threads: int) -> None:
        super().__init__()
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self.config, self.context = editor.model.config, editor.frontend.config.context

    def forward(self, noisy: Tensor, time: Tensor, given: Conditions, gates: Gates | None = None) -> Tensor:
        windows = rearrange(given.audio, "b f (m n) -> b f m n", n=MEL_BINS)
        before, after = windows[:, 0, : self.context], windows[:, -1, -self.context :]
        own = windows[:, :, self.context : -self.context].flatten(1, 2)
        values = {
            "noisy": noisy,
            "companion": given.references[:, 0],
            "references": given.references[:, 1:],
            "mel": torch.cat([before, own, after], 1),
            "timestep": time,
            "keep_companion": given.keep_reference,
            "keep_audio": given.keep_audio,
        }
        feed = {name: value.float().contiguous().numpy() for name, value in values.items()}
        return torch.from_numpy(self.session.run(["clean"], feed)[0])
