"""Generator and editor: one transformer with the conditions of its role.

Both predict a clip's window from noise, from the speech, and from reference videos in time with the target: the
person's own frames that look as the speech asks for (core/media/references.py). Before them the editor has the
companion (at inference the user's video); the generator has the target's own window with the lower face masked out.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from components.core.diffusion.flow import clean_from_velocity
from components.core.models.dit import DiT, DiTConfig
from components.core.models.lora import Gates

RGB = 3
CLOSED = -4.0
"""Logit of a hole that is shut: an editor that knows nothing copies its companion, but for two percent."""


@dataclass(frozen=True)
class Architecture:
    """The part of a model's shape that people choose, for generator and editor alike.

    Attributes:
        patch, dim, depth, heads, mlp_ratio, audio, audio_tokens: see `DiTConfig`.
        layout: how reference videos reach the target: `frames` (tokens on the frame axis with shifted RoPE, as in the
            paper) or `channels` (concatenated to the target's channels: fewer tokens).
        prediction: what the network's output means: `clean` (z_0, see `compose`) or `velocity`.
        chunk_frames: frames seen at once.
        motion_frames: how many of them may be given clean, to carry on from the chunk before.
        schedule_shift: of the timesteps that sampling visits; below 1 they dwell near data, so that few steps reach
            the bands of all experts (3 steps at 0.6: t = 1, .55, .23).
    """

    patch: int
    dim: int
    depth: int
    heads: int
    mlp_ratio: float
    audio: Literal["modulation", "attention"]
    audio_tokens: int
    layout: Literal["frames", "channels"]
    prediction: Literal["clean", "velocity"]
    chunk_frames: int
    motion_frames: int
    schedule_shift: float

    def __post_init__(self) -> None:
        if not 0 <= self.motion_frames < self.chunk_frames:
            raise ValueError(f"motion_frames {self.motion_frames} must be below chunk_frames {self.chunk_frames}")
        if self.schedule_shift <= 0:
            raise ValueError(f"schedule_shift {self.schedule_shift} must be positive")


@dataclass(frozen=True)
class DubberConfig:
    """Everything that rebuilds a generator or an editor.

    Attributes:
        role: which of the two.
        architecture: its shape.
        size_px: side of the crop whose window (height, width) is modelled.
        references: reference videos; the editor's first one is the companion.
        audio_dim: features of a frame's audio.
    """

    role: Literal["generator", "editor"]
    architecture: Architecture
    size_px: int
    height: int
    width: int
    references: int
    audio_dim: int

    def dit(self) -> DiTConfig:
        """The transformer's own config."""
        a = self.architecture
        return DiTConfig(
            channels_in=len(self.inputs()),
            channels_out=len(self.outputs()),
            height=self.height,
            width=self.width,
            patch=a.patch,
            dim=a.dim,
            depth=a.depth,
            heads=a.heads,
            mlp_ratio=a.mlp_ratio,
            audio_dim=self.audio_dim,
            audio=a.audio,
            audio_tokens=a.audio_tokens,
        )

    def own(self) -> int:
        """How many of the references are the person's own frames."""
        return self.references - (self.role == "editor")

    def inputs(self) -> list[str]:
        """What each channel of the transformer's input is; `source` is the companion, or the window around the hole."""
        companion = _rgb("source") if self.role == "editor" else []
        window = [*_rgb("source"), "hole"] if self.role == "generator" else []
        own = [name for number in range(self.own()) for name in _rgb(f"reference {number}")]
        stacked = companion + own if self.architecture.layout == "channels" else []
        return stacked + window + _rgb("noisy")

    def outputs(self) -> list[str]:
        """What each channel of the transformer's output is, see `compose`."""
        if self.architecture.prediction == "velocity":
            return _rgb("velocity")
        shares = [f"share of reference {number}" for number in range(1, self.own())]
        return _rgb("painted") + shares + (["hole"] if self.role == "editor" else [])


def _rgb(name: str) -> list[str]:
    return [f"{name} {colour}" for colour in ("red", "green", "blue")]


@dataclass(frozen=True)
class Conditions:
    """What a prediction is conditioned on; pixels in [-1, 1].

    Attributes:
        references: (b n f 3 h w) videos in time with the target.
        audio: (b f a) features of the front end.
        inpaint: (b f 4 h w) for the generator: the window with the masked part set to 0, and the mask (1 = to be made).
        keep_reference, keep_audio: (b,) 1 or 0: whether the condition is given or dropped (for guidance).
    """

    references: Float[Tensor, "b n f 3 h w"]
    audio: Float[Tensor, "b f a"]
    inpaint: Float[Tensor, "b f 4 h w"] | None
    keep_reference: Float[Tensor, "b"]
    keep_audio: Float[Tensor, "b"]


@dataclass(frozen=True)
class Made:
    """What the network made of its input.

    Attributes:
        clean: (b f 3 h w) the prediction of z_0.
        hole: (b f 1 h w) logits of the hole that the editor found; None where the network finds none.
    """

    clean: Float[Tensor, "b f 3 h w"]
    hole: Float[Tensor, "b f 1 h w"] | None


class Dubber(nn.Module):
    """The network of either role; its output is always the prediction of z_0."""

    def __init__(self, config: DubberConfig) -> None:
        super().__init__()
        self.config = config
        self.dit = DiT(config.dit())
        self.null_audio = nn.Parameter(torch.zeros(config.audio_dim))
        if "hole" in config.outputs():  # crops are aligned, so where the hole mostly is can be known beforehand
            self.hole = nn.Parameter(torch.full((config.height, config.width), CLOSED))

    def forward(
        self,
        noisy: Float[Tensor, "b f 3 h w"],
        time: Float[Tensor, "b f"],
        given: Conditions,
        gates: Gates | None = None,
    ) -> Float[Tensor, "b f 3 h w"]:
        """The prediction of z_0; `time` is 0 on frames that `noisy` holds clean."""
        return self.make(noisy, time, given, gates).clean

    def make(
        self,
        noisy: Float[Tensor, "b f 3 h w"],
        time: Float[Tensor, "b f"],
        given: Conditions,
        gates: Gates | None = None,
    ) -> Made:
        """`forward`, with the hole."""
        references = given.references * given.keep_reference[:, None, None, None, None, None]
        heard = given.keep_audio[:, None, None]
        audio = heard * given.audio + (1 - heard) * self.null_audio
        output = self.dit(self._target(noisy, references, given), time, audio, self._on_frames(references), gates)
        if self.config.architecture.prediction == "velocity":
            return Made(clean_from_velocity(noisy, output, time), None)
        if given.inpaint is not None:
            return Made(compose(references, output, given.inpaint), None)
        hole = (output[:, :, -1:] + self.hole).float()
        return Made(compose(references, torch.cat([output[:, :, :-1], hole], 2), None), hole)

    def _target(self, noisy: Tensor, references: Tensor, given: Conditions) -> Float[Tensor, "b f c h w"]:
        parts = [noisy]
        if given.inpaint is not None:
            parts.insert(0, given.inpaint)
        if self.config.architecture.layout == "channels":
            parts = [*references.unbind(1), *parts]
        return torch.cat(parts, 2)

    def _on_frames(self, references: Tensor) -> Float[Tensor, "b n f c h w"] | None:
        if self.config.architecture.layout == "channels":
            return None
        padding = self.dit.config.channels_in - RGB  # zero where the target has its conditions
        empty = references.new_zeros(*references.shape[:3], padding, *references.shape[4:])
        return torch.cat([empty, references], 3)


def compose(
    references: Float[Tensor, "b n f 3 h w"],
    output: Float[Tensor, "b f c h w"],
    inpaint: Float[Tensor, "b f 4 h w"] | None,
) -> Float[Tensor, "b f 3 h w"]:
    """z_0: what is visible, and in the hole the person's own frames, mixed and painted over.

    The generator is told the hole. The editor finds it: its output's last channel says, pixel by pixel, how far to
    leave the companion, which is not among the frames that fill the hole, so that its lips do not shine through. The
    shares after the three colours move the first of those frames towards each of the others, to take sharp texture as
    it is.
    """
    output = output.float()
    if inpaint is None:
        visible, own = references[:, 0], references[:, min(1, references.shape[1] - 1) :]
        hole = torch.sigmoid(output[:, :, -1:])
        output = output[:, :, :-1]
    else:
        own, visible, hole = references, inpaint[:, :, :RGB], inpaint[:, :, RGB:]
    painted, shares = output[:, :, :RGB], output[:, :, RGB:].transpose(1, 2)[:, :, :, None]  # shares: b n-1 f 1 h w
    made: Tensor = own[:, 0] + (shares * (own[:, 1:] - own[:, :1])).sum(1) + painted
    return visible * (1 - hole) + made * hole
