"""The Diffusion Transformer: one class for generator and editor, one kind of block.

Axes: b batch, f frames, c channels, h w pixels, l tokens, d width, a audio features.
"""

import math
import re
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from components.core.models.lora import AdaptedLinear, Gates


@dataclass(frozen=True)
class DiTConfig:
    """The shape of the transformer.

    Attributes:
        channels_in: channels of a target frame with everything that is channel-concatenated to it.
        channels_out: channels of the prediction.
        height, width: of a frame, in latent pixels (pixels with the `pixels` codec); multiples of `patch`.
        patch: side of a square patch; a token stands for patch x patch latent pixels of one frame.
        dim: token width d, a multiple of `heads`; d / heads must be even and at least 8.
        depth: number of blocks.
        heads: attention heads.
        mlp_ratio: hidden width of the MLP over d.
        audio_dim: features of one frame's audio (a).
        audio: how audio enters a block: `modulation` (added to the adaptive norm, per frame: cheapest, and enough at
            small scale) or `attention` (frame-wise cross-attention on `audio_tokens` tokens, as in the paper).
        audio_tokens: tokens that a frame's audio is split into for cross-attention.
    """

    channels_in: int
    channels_out: int
    height: int
    width: int
    patch: int
    dim: int
    depth: int
    heads: int
    mlp_ratio: float
    audio_dim: int
    audio: Literal["modulation", "attention"]
    audio_tokens: int

    def __post_init__(self) -> None:
        if self.height % self.patch or self.width % self.patch:
            raise ValueError(f"patch {self.patch} must divide height {self.height} and width {self.width}")
        if self.dim % self.heads or (self.dim // self.heads) % 2 or self.dim // self.heads < 8:
            raise ValueError(f"dim {self.dim} over heads {self.heads} must be even and at least 8")


class DiT(nn.Module):
    """A transformer over the tokens of a target clip and, before them on the frame axis, of clean reference frames."""

    def __init__(self, config: DiTConfig) -> None:
        super().__init__()
        self.config = config
        d, pixels = config.dim, config.patch**2
        self.embed = nn.Linear(config.channels_in * pixels, d)
        # Crops are aligned, so where a token lies says what it shows; RoPE alone tells differences of place only.
        self.place = nn.Parameter(0.02 * torch.randn(config.height * config.width // pixels, d))
        self.time = nn.Sequential(nn.Linear(TIME_WAVES, d), nn.SiLU(), nn.Linear(d, d))
        self.modulation = nn.Sequential(nn.SiLU(), nn.Linear(d, 6 * d))  # shared by all blocks, as in Wan 2.x
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.depth))
        self.norm = nn.LayerNorm(d, elementwise_affine=False)
        self.head_modulation = nn.Linear(d, 2 * d)
        self.head = nn.Linear(d, config.channels_out * pixels)
        self._initialise()

    def _initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        # adaLN-zero: every block and the head start as the identity, so the prediction starts at its base.
        for name, weight in self.named_parameters():
            if name in ZERO_AT_START or re.fullmatch(ZERO_IN_BLOCKS, name):
                nn.init.zeros_(weight)

    def compile_blocks(self) -> None:
        """Compiles the block, once for all of them: seconds, where the whole network would take minutes."""
        for block in self.blocks:
            block.compile()

    def forward(
        self,
        target: Float[Tensor, "b f c h w"],
        time: Float[Tensor, "b f"],
        audio: Float[Tensor, "b f a"],
        references: Float[Tensor, "b n f c h w"] | None = None,
        gates: Gates | None = None,
    ) -> Float[Tensor, "b f o h w"]:
        """The network's raw output on the target's frames.

        Args:
            target: noisy frames with their channel-concatenated conditions.
            time: each frame's timestep in [0, 1]; 0 marks a clean (motion) frame.
            audio: each frame's audio features.
            references: n clean videos in time with the target; each gets its own spatially shifted RoPE.
            gates: expert name -> 0 or 1 for each sample.
        """
        p, frames = self.config.patch, target.shape[1]
        rows, cols = target.shape[3] // p, target.shape[4] // p
        videos = target[:, None] if references is None else torch.cat([target[:, None], references], 1)  # (b v f c h w)
        patches = rearrange(videos, "b v f c (i p) (j q) -> b (v f) (i j) (c p q)", p=p, q=p)
        x = self.embed(patches) + self.place  # (b v*f t d): t tokens of each frame
        angles = rope_angles(videos.shape[1], frames, rows, cols, self.config.dim // self.config.heads, x.device)

        count = videos.shape[1]
        steps = torch.cat([time, time.new_zeros(time.shape[0], (count - 1) * frames)], 1)  # references are clean: t = 0
        condition = self.time(time_waves(steps))  # (b v*f d)
        shared = self.modulation(condition)  # (b v*f 6d)
        for block in self.blocks:
            x = block(x, shared, audio, angles, gates)

        shift, scale = self.head_modulation(F.silu(condition[:, :frames])).chunk(2, -1)
        output: Tensor = self.head(modulate(self.norm(x[:, :frames]), shift, scale))  # (b f t o*p*q)
        return rearrange(output, "b f (i j) (c p q) -> b f c (i p) (j q)", i=rows, j=cols, p=p, q=p)


def modulate(
    x: Float[Tensor, "b f t d"], shift: Float[Tensor, "b f d"], scale: Float[Tensor, "b f d"]
) -> Float[Tensor, "b f t d"]:
    """Adaptive normalisation: each frame's tokens take the frame's own shift and scale."""
    return x * (1 + scale[:, :, None]) + shift[:, :, None]


class Block(nn.Module):
    """Modulated self-attention over all tokens, audio on the target's tokens, modulated MLP."""

    def __init__(self, config: DiTConfig) -> None:
        super().__init__()
        d, hidden = config.dim, int(config.dim * config.mlp_ratio)
        self.offset = nn.Parameter(torch.zeros(6 * d))  # this block's own part of the shared modulation
        self.norm1 = nn.LayerNorm(d, elementwise_affine=False)
        self.attention = Attention(d, config.heads)
        self.norm2 = nn.LayerNorm(d, elementwise_affine=False)
        self.up = AdaptedLinear(d, hidden)
        self.down = AdaptedLinear(hidden, d)
        self.audio: nn.Linear | AudioAttention = (
            nn.Linear(config.audio_dim, 6 * d) if config.audio == "modulation" else AudioAttention(config)
        )

    def forward(
        self,
        x: Float[Tensor, "b f t d"],
        shared: Float[Tensor, "b f e"],
        audio: Float[Tensor, "b k a"],
        angles: Float[Tensor, "l r"],
        gates: Gates | None,
    ) -> Float[Tensor, "b f t d"]:
        modulation = shared + self.offset
        if isinstance(self.audio, nn.Linear):  # references, which follow the k target frames, carry no audio
            modulation = modulation + F.pad(self.audio(audio), (0, 0, 0, x.shape[1] - audio.shape[1]))
        shift1, scale1, gate1, shift2, scale2, gate2 = modulation.chunk(6, -1)
        x = x + gate1[:, :, None] * self.attention(modulate(self.norm1(x), shift1, scale1), angles, gates)
        if isinstance(self.audio, AudioAttention):
            x = self.audio(x, audio)
        return x + gate2[:, :, None] * self.mlp(modulate(self.norm2(x), shift2, scale2), gates)

    def mlp(self, x: Float[Tensor, "b f t d"], gates: Gates | None) -> Float[Tensor, "b f t d"]:
        y: Tensor = self.down(F.gelu(self.up(x, gates), approximate="tanh"), gates)
        return y


class RMSNorm(nn.RMSNorm):
    """RMS normalisation in the type of its input: autocast leaves the weight in float32, which has no fused kernel."""

    def forward(self, x: Float[Tensor, "b n l e"]) -> Float[Tensor, "b n l e"]:
        return F.rms_norm(x, self.normalized_shape, self.weight.to(x.dtype), self.eps)


class Attention(nn.Module):
    """Self-attention over all tokens of all frames, with RMS-normed queries and keys and rotary positions."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = AdaptedLinear(dim, 3 * dim)
        self.out = AdaptedLinear(dim, dim)
        self.norm_q, self.norm_k = RMSNorm(dim // heads), RMSNorm(dim // heads)

    def forward(
        self, x: Float[Tensor, "b f t d"], angles: Float[Tensor, "l r"], gates: Gates | None
    ) -> Float[Tensor, "b f t d"]:
        q, k, v = rearrange(self.qkv(x, gates), "b f t (three n e) -> three b n (f t) e", three=3, n=self.heads)
        q, k = rotate(self.norm_q(q), angles), rotate(self.norm_k(k), angles)
        y = attend(q, k, v)
        merged: Tensor = self.out(rearrange(y, "b n (f t) e -> b f t (n e)", f=x.shape[1]), gates)
        return merged


class AudioAttention(nn.Module):
    """Frame-wise cross-attention: a frame's tokens look at that frame's audio tokens only (paper, appendix A.3)."""

    def __init__(self, config: DiTConfig) -> None:
        super().__init__()
        self.heads, self.tokens = config.heads, config.audio_tokens
        self.norm = nn.LayerNorm(config.dim)
        self.split = nn.Linear(config.audio_dim, config.audio_tokens * config.dim)
        self.query = nn.Linear(config.dim, config.dim)
        self.key_value = nn.Linear(config.dim, 2 * config.dim)
        self.out = nn.Linear(config.dim, config.dim)

    def forward(self, x: Float[Tensor, "b f t d"], audio: Float[Tensor, "b k a"]) -> Float[Tensor, "b f t d"]:
        frames = audio.shape[1]  # the target's; what follows are references
        target = x[:, :frames]
        q = rearrange(self.query(self.norm(target)), "b f t (n e) -> (b f) n t e", n=self.heads)
        speech = rearrange(self.split(audio), "b f (s d) -> (b f) s d", s=self.tokens)
        k, v = rearrange(self.key_value(speech), "b s (two n e) -> two b n s e", two=2, n=self.heads)
        y = attend(q, k, v)
        y = self.out(rearrange(y, "(b f) n t e -> b f t (n e)", f=frames))
        return torch.cat([target + y, x[:, frames:]], 1)


def attend(
    q: Float[Tensor, "b n l e"], k: Float[Tensor, "b n m e"], v: Float[Tensor, "b n m e"]
) -> Float[Tensor, "b n l e"]:
    """Attention. On CPUs plain bf16 products take a third of the fused kernel's time (benchmarks/attention.py)."""
    if q.device.type == "cuda":
        return F.scaled_dot_product_attention(q, k, v)
    with torch.autocast("cpu", enabled=False):  # which would have the softmax in float32
        scores: Tensor = (q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)
        mixed: Tensor = scores.softmax(-1) @ v
        return mixed


TIME_WAVES = 64
ZERO_AT_START = ("modulation.1.weight", "head_modulation.weight", "head.weight")
ZERO_IN_BLOCKS = r"blocks\.\d+\.audio\.(out\.)?weight"


def time_waves(time: Float[Tensor, "b f"]) -> Float[Tensor, "b f e"]:
    """Sinusoidal embedding of timesteps in [0, 1] (scaled by 1000, periods 1 to 10,000)."""
    half = TIME_WAVES // 2
    rates = torch.exp(-math.log(10_000) / half * torch.arange(half, device=time.device, dtype=torch.float32))
    phase = 1000 * time[..., None] * rates
    return torch.cat([phase.cos(), phase.sin()], -1)


def rope_angles(
    videos: int, frames: int, rows: int, cols: int, head_dim: int, device: torch.device
) -> Float[Tensor, "l r"]:
    """Rotation angles of every token, (videos * frames * rows * cols, head_dim / 2).

    Video v's positions are (i + v rows, j + v cols, k): same time, spatially shifted (paper, appendix A.4). Of the
    rotated pairs, a third each goes to rows and columns and the rest to time.
    """
    spatial = head_dim // 6
    v, k, i, j = torch.meshgrid(*(torch.arange(n, device=device) for n in (videos, frames, rows, cols)), indexing="ij")
    parts = []
    for position, pairs in ((k, head_dim // 2 - 2 * spatial), (i + v * rows, spatial), (j + v * cols, spatial)):
        rates = 100.0 ** (-torch.arange(pairs, device=device) / pairs)  # grids here are small: short periods suffice
        parts.append(position.flatten()[:, None] * rates)
    return torch.cat(parts, -1)


def rotate(x: Float[Tensor, "b n l e"], angles: Float[Tensor, "l r"]) -> Float[Tensor, "b n l e"]:
    """Rotates the pairs (x_i, x_{i + e/2}) by the token's angles (RoPE)."""
    cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
    a, b = x.chunk(2, -1)
    return torch.cat([a * cos - b * sin, a * sin + b * cos], -1)
