"""The sync expert: do these lips say this sound? (SyncNet family: Chung and Zisserman, 2016; Prajwal et al., 2020.)

Two towers, one for the lower face and one for the sound, give unit embeddings of 5-frame windows that agree where
lips and sound belong together.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from einops import rearrange
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor, nn

from components.core.media import MEL_BINS, MEL_PER_FRAME
from components.core.media.geometry import Window
from components.core.models import weights
from components.core.models.layers import conv

FRAMES = 5
"""Frames of a window."""
MARGIN = 2
"""Mel rows beyond the window at either side: 24 rows in all."""


@dataclass(frozen=True)
class SyncConfig:
    """Size of the sync expert.

    Attributes:
        height_px, width_px: the lower face is resized to this, a multiple of 8 each.
        channels: of the picture's first layer; the two after it double it.
        width: of a frame's features in either tower.
        embedding: numbers of a window's embedding.
    """

    height_px: int
    width_px: int
    channels: int
    width: int
    embedding: int

    def __post_init__(self) -> None:
        if self.height_px % 8 or self.width_px % 8 or min(self.height_px, self.width_px) < 8:
            raise ValueError(f"height_px {self.height_px} and width_px {self.width_px} must be multiples of 8")
        if min(self.channels, self.width, self.embedding) < 1:
            raise ValueError(f"channels {self.channels}, width {self.width}, embedding {self.embedding} below 1")


@dataclass(frozen=True)
class SyncScores:
    """How well picture and sound of a clip agree. Distances are Euclidean between unit embeddings, 0 to 2.

    The distance at an offset is the mean over the clip's windows, each against the sound so many frames later.

    Attributes:
        confidence: median over offsets minus minimum of the distance (LSE-C); higher is better.
        distance: minimum over offsets of the distance (LSE-D); lower is better.
        offset_frames: the offset of that minimum; positive where the sound comes late.
        similarity: mean cosine at offset 0, -1 to 1.
    """

    confidence: float
    distance: float
    offset_frames: int
    similarity: float


class SyncExpert(nn.Module):
    """A tower each for picture and sound: features per frame, then one embedding per window of 5 frames."""

    def __init__(self, config: SyncConfig) -> None:
        super().__init__()
        self.config = config
        c = config.channels
        self.picture = nn.Sequential(
            *conv(3, c, 5),
            *conv(c, 2 * c, 3),
            *conv(2 * c, 4 * c, 3),
            nn.Flatten(),
            nn.Linear(4 * c * (config.height_px // 8) * (config.width_px // 8), config.width),
        )
        self.sound = nn.Sequential(
            nn.Conv1d(MEL_BINS, config.width, 2 * MARGIN + 1),
            nn.GELU(),
            nn.Conv1d(config.width, config.width, MEL_PER_FRAME, stride=MEL_PER_FRAME),
        )
        self.picture_window, self.sound_window = WindowHead(config), WindowHead(config)

    def visual(self, windows: Float[Tensor, "b 5 3 h w"]) -> Float[Tensor, "b e"]:
        """Unit embeddings of windows of the lower face, RGB in [-1, 1]."""
        return self.visual_track(windows)[:, 0]

    def audio(self, mel: Float[Tensor, "b 24 bins"]) -> Float[Tensor, "b e"]:
        """Unit embeddings of the log-mel under such windows and 2 rows more at either side."""
        return self.audio_track(mel)[:, 0]

    def visual_track(self, lower: Float[Tensor, "b f 3 h w"]) -> Float[Tensor, "b n e"]:
        """Embeddings of all f - 4 windows of longer stretches of lower faces, at any size."""
        size = (self.config.height_px, self.config.width_px)
        images = rearrange(lower, "b f c h w -> (b f) c h w")
        if images.shape[-2:] != size:
            images = torch.nn.functional.interpolate(images, size, mode="bilinear", antialias=True)
        features = self.picture(images.contiguous(memory_format=torch.channels_last))
        track: Tensor = self.picture_window(rearrange(features, "(b f) d -> b f d", b=len(lower)))
        return track

    def audio_track(self, mel: Float[Tensor, "b m bins"]) -> Float[Tensor, "b n e"]:
        """Embeddings of the f - 4 windows of f frames of sound, given with 2 mel rows more at either side."""
        track: Tensor = self.sound_window(self.sound(mel.transpose(1, 2)).transpose(1, 2))
        return track


class WindowHead(nn.Module):
    """A unit embedding of each 5 successive frames' features."""

    def __init__(self, config: SyncConfig) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(config.width)
        self.blocks = nn.Sequential(nn.Linear(FRAMES * config.width, 2 * config.width), nn.GELU())
        self.head = nn.Linear(2 * config.width, config.embedding)

    def forward(self, features: Float[Tensor, "b f d"]) -> Float[Tensor, "b n e"]:
        windows = torch.nn.functional.gelu(self.norm(features)).unfold(1, FRAMES, 1)  # b n d 5
        return nn.functional.normalize(self.head(self.blocks(windows.flatten(2))), dim=-1)


def load_sync(path: Path) -> SyncExpert:
    """A trained sync expert, frozen, on the CPU."""
    config, tensors = weights.load(path, SyncConfig)
    expert = SyncExpert(config)
    weights.fill(expert, tensors, path)
    weights.freeze(expert)
    return expert


def sync_loss(
    expert: SyncExpert, windows: Float[Tensor, "b f 3 h w"], mel: Float[Tensor, "b m bins"]
) -> Float[Tensor, ""]:
    """Mean of 1 - cosine over all 5-frame windows; differentiable with respect to the picture (paper, lip phase).

    Args:
        expert: the frozen guide.
        windows: lower faces, RGB in [-1, 1].
        mel: log-mel of 4f rows with the same number of rows, at least 2, of real context at either side.
    """
    surplus = mel.shape[1] - MEL_PER_FRAME * windows.shape[1]
    if surplus < 2 * MARGIN or surplus % 2:
        raise ValueError(f"{mel.shape[1]} mel rows for {windows.shape[1]} frames: not 4 a frame and context around")
    trim = surplus // 2 - MARGIN
    heard = expert.audio_track(mel[:, trim : mel.shape[1] - trim])
    return 1 - (expert.visual_track(windows) * heard).sum(-1).mean()


@dataclass(frozen=True)
class ClipEmbeddings:
    """Unit embeddings (n, e) of all windows of a clip; n = f - 6, the first starts at frame 1."""

    seen: NDArray[np.float32]
    heard: NDArray[np.float32]


@torch.no_grad()
def embed_clip(expert: SyncExpert, frames: NDArray[np.uint8], mel: NDArray[np.float32]) -> ClipEmbeddings:
    """Embeddings of full crops (f, h, w, 3), RGB, and their log-mel (4f, 80).

    The first and the last frame are left out, since the 2 mel rows that their windows need lie outside the clip.
    """
    if len(mel) != MEL_PER_FRAME * len(frames) or len(frames) < FRAMES + 2:
        raise ValueError(f"{len(mel)} mel rows and {len(frames)} frames: 4 rows a frame and 7 frames are needed")
    where = next(expert.parameters()).device
    lower = np.ascontiguousarray(Window.of(frames.shape[1]).take(frames)[1:-1])
    images = torch.from_numpy(lower).to(where).permute(0, 3, 1, 2).float() / 127.5 - 1
    margin = MEL_PER_FRAME - MARGIN
    heard = expert.audio_track(torch.from_numpy(np.ascontiguousarray(mel[margin:-margin])).to(where)[None])[0]
    return ClipEmbeddings(expert.visual_track(images[None])[0].cpu().numpy(), heard.cpu().numpy())


def sync_scores(
    expert: SyncExpert, frames: NDArray[np.uint8], mel: NDArray[np.float32], max_offset: int = 15
) -> SyncScores:
    """Scores of full crops (f, h, w, 3), RGB, with their log-mel (4f, 80); see `SyncScores`.

    Offsets go to `max_offset` frames, or to half the clip where that is less. Needs at least 7 frames.
    """
    return scores(embed_clip(expert, frames, mel), max_offset)


def scores(clip: ClipEmbeddings, max_offset: int) -> SyncScores:
    """Scores from a clip's embeddings; see `SyncScores`."""
    similarity = clip.seen @ clip.heard.T
    reach = min(max_offset, len(similarity) // 2)
    distance = np.sqrt(np.maximum(0, 2 - 2 * similarity))
    by_offset = np.array([np.diagonal(distance, offset).mean() for offset in range(-reach, reach + 1)])
    return SyncScores(
        confidence=float(np.median(by_offset) - by_offset.min()),
        distance=float(by_offset.min()),
        offset_frames=int(by_offset.argmin()) - reach,
        similarity=float(np.diagonal(similarity).mean()),
    )
