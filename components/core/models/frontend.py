"""The audio front end: what the lips do, heard from speech.

A small network trained on lip measurements of landmarks, so that it needs no labels but footage. It is the audio
encoder of generator and editor, frozen: they get its features and its predictions. The paper has Whisper there.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn

from components.core.media import MEL_BINS, MEL_PER_FRAME
from components.core.media.face import MEASURES
from components.core.media.mel import SILENCE
from components.core.models import weights

STEM = 5
"""Mel rows under the first convolution; with the second, 8 rows wide, each frame sees 4 rows more at either side."""


@dataclass(frozen=True)
class FrontEndConfig:
    """Size of the front end.

    Attributes:
        width: channels everywhere, and of the features.
        dilations: frames between the three taps of each block.
    """

    width: int
    dilations: tuple[int, ...]

    def __post_init__(self) -> None:
        if self.width < 1 or min(self.dilations, default=1) < 1:
            raise ValueError(f"width {self.width} and dilations {self.dilations} must be positive")

    @property
    def context(self) -> int:
        """Mel frames of real context that the network needs at either side."""
        return MEL_PER_FRAME * (1 + sum(self.dilations))


class FrontEnd(nn.Module):
    """Speech to features and lip measures, frame by frame.

    Only valid convolutions and per-frame operations: a frame's result depends on its own mel rows and `context` rows
    at either side and on nothing else, so chunks give what the whole clip gives.

    Measures are deviations of `face.MEASURES` from the clip's median, minus `mean`, over `std` (buffers, taken over
    the training footage): zero is the average mouth, one its standard deviation.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, config: FrontEndConfig) -> None:
        super().__init__()
        self.config = config
        self.stem = nn.Conv1d(MEL_BINS, config.width, STEM)
        self.down = nn.Conv1d(config.width, config.width, 2 * MEL_PER_FRAME, stride=MEL_PER_FRAME)
        self.blocks = nn.ModuleList(Block(config.width, dilation) for dilation in config.dilations)
        self.norm = nn.LayerNorm(config.width)
        self.head = nn.Linear(config.width, len(MEASURES))
        self.register_buffer("mean", torch.zeros(len(MEASURES)))
        self.register_buffer("std", torch.ones(len(MEASURES)))

    def forward(self, mel: Float[Tensor, "b m bins"]) -> tuple[Float[Tensor, "b f d"], Float[Tensor, "b f k"]]:
        """Features and standardised measures of f frames.

        Args:
            mel: log-mel of 4f + 2 context rows; rows context + 4i .. context + 4i + 3 are frame i's.
        """
        x = torch.nn.functional.gelu(self.stem(mel.transpose(1, 2)))  # b d (m - 4)
        x = self.down(x).transpose(1, 2)  # b (f + 2 sum of dilations) d
        for block in self.blocks:
            x = block(x)
        features = self.norm(x)
        return features, self.head(features)


class Block(nn.Module):
    """A dilated convolution of three taps and an MLP in one residual step, as linear layers.

    On CPUs bf16 speeds up linear layers only, and Muon takes matrices only.
    """

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.dilation = dilation
        self.norm = nn.LayerNorm(width)
        self.taps = nn.Linear(3 * width, 2 * width)
        self.dropout = nn.Dropout(0.0)  # a matter of training, not of the network: training sets its share
        self.out = nn.Linear(2 * width, width)

    def forward(self, x: Float[Tensor, "b f d"]) -> Float[Tensor, "b g d"]:
        """The step's result; `dilation` frames fewer at either side."""
        d = self.dilation
        h = self.norm(x)
        h = torch.cat([h[:, : -2 * d], h[:, d:-d], h[:, 2 * d :]], -1)
        update: Tensor = self.out(self.dropout(torch.nn.functional.gelu(self.taps(h))))
        return x[:, d:-d] + update


@torch.no_grad()
def encode_clip(frontend: FrontEnd, mel: Float[Tensor, "m bins"]) -> Float[Tensor, "f e"]:
    """Features and measures side by side, (f, d + k), of a whole clip's log-mel (4f, 80); beyond it is silence."""
    if len(mel) % MEL_PER_FRAME:
        raise ValueError(f"{len(mel)} mel rows are no whole number of frames of {MEL_PER_FRAME} rows")
    pad = (0, 0, frontend.config.context, frontend.config.context)
    padded = torch.nn.functional.pad(mel, pad, value=SILENCE)
    features, measures = frontend(padded[None])
    return torch.cat([features, measures], -1)[0]


def load_frontend(path: Path) -> FrontEnd:
    """The trained front end, frozen, on the CPU."""
    config, tensors = weights.load(path, FrontEndConfig)
    frontend = FrontEnd(config)
    weights.fill(frontend, tensors, path)
    weights.freeze(frontend)
    return frontend
