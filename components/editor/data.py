"""The editor's training data: accepted and exact pairs, real-texture paste, relighting, hands from other clips."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from components.core.base import runtime
from components.core.base.errors import UserError
from components.core.media import MEL_PER_FRAME, shards, video
from components.core.media.crops import Crop
from components.core.media.geometry import Window, soft_mask
from components.core.media.references import References, videos
from components.core.models.frontend import FrontEnd, encode_clip
from components.core.models.learning import Drawing, Segment, assemble
from components.core.models.windows import Clips, Packed, own_references
from components.editor.params import Common

CONTEXT_ROWS = MEL_PER_FRAME
"""Mel rows either side of a batch's speech, for the sync loss."""


@dataclass(frozen=True)
class Light:
    """How both sides of a pair are relit: tint * gain * x ** gamma * (1 + slope * (column from -1 to 1))."""

    gain: float
    gamma: float
    slope: float
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> "Light":
        """Any light that footage may well be in, and any skin."""
        gain, gamma, slope, *tint = rng.uniform(-1, 1, 6)
        red, green, blue = (float(1 + 0.15 * value) for value in tint)
        return cls(float(1.3**gain), float(1.4**gamma), float(0.35 * slope), (red, green, blue))

    def apply(self, rgb: NDArray[np.uint8], window: Window) -> NDArray[np.uint8]:
        """Frames (... h w 3) of whole crops, or of their windows, in the new light."""
        if self == PLAIN:
            return rgb
        across = np.linspace(-1, 1, window.size_px, dtype=np.float32)
        if rgb.shape[-2] == window.width:
            across = across[window.left : window.right]
        colour = self.gain * np.array(self.tint, np.float32)
        shade = colour * (1 + self.slope * across[:, None])  # (w 3)
        lit = shade[..., None] * (np.arange(256, dtype=np.float32) / 255) ** self.gamma
        table = np.rint(255 * np.clip(lit, 0, 1)).astype(np.uint8)  # (w 3 256): a tenth of the time of sums over pixels
        return np.take(table, rgb + 256 * np.arange(shade.size).reshape(shade.shape))


PLAIN = Light(1.0, 1.0, 0.0)


@dataclass(frozen=True)
class Pair:
    """A real crop (by its number), and what stands beside each of its first frames.

    Attributes:
        crop: the target's number.
        companion: (f h w 3) the same performance with other lips; f is the target's length or less.
        references: of these frames; `nearest` counts the frames of all clips.
        light: in which both sides are shown.
    """

    crop: int
    companion: NDArray[np.uint8]
    references: References
    light: Light


@dataclass(frozen=True)
class Data:
    """Everything that batches are drawn from.

    Attributes:
        crops: the real clips.
        clips: their windows, masks and audio features.
        mel: (4n, 80) their speech.
        pairs: accepted pairs, at least one chunk long.
        exact: pairs of two films of one performance, either side the other's companion; may be empty.
    """

    crops: list[Crop]
    clips: Clips
    mel: NDArray[np.float32]
    pairs: list[Pair]
    exact: list[Pair]

    def batch(self, common: Common, drawing: Drawing, rng: np.random.Generator, whole: bool = False) -> Packed:
        """A batch whose references are companions or pasted real clips; extras: `mel`, and `crop` (b f 3 s s) if asked.

        Args:
            whole: whether a loss looks at the whole face.
        """
        segments = [self.segment(common, rng, whole) for _ in range(drawing.batch)]
        batch = assemble(self.clips, segments, common.architecture.motion_frames, drawing, rng)
        mel = np.stack([self.speech(segment.frames) for segment in segments])
        return replace(batch, numbers={**batch.numbers, "mel": torch.from_numpy(mel)})

    def segment(self, common: Common, rng: np.random.Generator, whole: bool = False) -> Segment:
        """A chunk of a random pair, both sides in the pair's light or in another one."""
        length = common.architecture.chunk_frames
        exact = bool(self.exact) and rng.random() < common.exact_share
        pairs = self.exact if exact else self.pairs
        pair = pairs[int(rng.integers(len(pairs)))]
        start = int(rng.integers(len(pair.companion) - length + 1))
        frames = self.clips.starts[pair.crop] + start + np.arange(length)
        companion = pair.companion[start : start + length]
        if not exact and rng.random() < common.paste_share:
            companion = self.pasted(frames, common.paste_gap_frames, rng)
        shown = np.concatenate([companion[None], self.references(pair, slice(start, start + length))])
        light = Light.drawn(rng) if rng.random() < common.relight_share else pair.light
        shown, target = light.apply(shown, self.window), light.apply(self.clips.rgb[frames], self.window)
        covered = None
        if len(self.covers) and rng.random() < common.cover_share:
            covered = self.cover((target, shown[0]), rng)
        if not whole:
            return Segment(frames, target, shown, covered=covered)
        face = light.apply(self.crops[pair.crop].frames[start : start + length], self.window).copy()
        self.window.take(face)[:] = target
        return Segment(frames, target, shown, face, covered)

    def references(self, pair: Pair, piece: slice) -> NDArray[np.uint8]:
        """The reference videos (count f h w 3) of a piece of the pair."""
        found = pair.references
        return videos(self.clips.rgb, References(found.soft[piece], found.nearest[piece]))

    @cached_property
    def covers(self) -> NDArray[np.int64]:
        """Frames (n,) of `clips` in which something is before the lower face."""
        return np.flatnonzero(np.concatenate([crop.hidden for crop in self.crops]))

    def cover(self, videos: tuple[NDArray[np.uint8], ...], rng: np.random.Generator) -> NDArray[np.bool_]:
        """Puts what is before a face at some other moment, likely in another clip, before these (f h w 3), in place.

        Returns:
            Where (f h w).
        """
        frame = int(rng.choice(self.covers))
        crop = self.clips.crop_of(frame)
        last = int(self.clips.starts[crop + 1]) - 1
        frames = np.minimum(frame + np.arange(len(videos[0])), last)
        before = self.window.take(self.crops[crop].occluder)[frames - self.clips.starts[crop]]
        for pictures in videos:
            np.copyto(pictures, self.clips.rgb[frames], where=before[..., None])
        return np.asarray(before)

    @property
    def window(self) -> Window:
        """Where the windows lie in the crops."""
        return Window.of(self.crops[0].frames.shape[1])

    def speech(self, frames: NDArray[np.int64]) -> NDArray[np.float32]:
        """Log-mel rows of consecutive frames with `CONTEXT_ROWS` of context; at a crop's end its last row repeats."""
        crop = self.clips.crop_of(int(frames[0]))
        low, high = MEL_PER_FRAME * self.clips.starts[crop], MEL_PER_FRAME * self.clips.starts[crop + 1] - 1
        rows = np.arange(MEL_PER_FRAME * frames[0] - CONTEXT_ROWS, MEL_PER_FRAME * (frames[-1] + 1) + CONTEXT_ROWS)
        return np.asarray(self.mel[np.clip(rows, low, high)])

    def pasted(self, frames: NDArray[np.int64], gap: tuple[int, int], rng: np.random.Generator) -> NDArray[np.uint8]:
        """The real windows with the mouth of another moment of the same clip: sharp lips, but wrong ones."""
        crop = self.clips.crop_of(int(frames[0]))
        first, last = self.clips.starts[crop], self.clips.starts[crop + 1] - len(frames)
        offsets = np.concatenate([np.arange(-gap[1], -gap[0] + 1), np.arange(gap[0], gap[1] + 1)])
        starts = frames[0] + offsets
        starts = starts[(starts >= first) & (starts <= last)]
        other = int(rng.choice(starts)) if len(starts) else int(rng.integers(first, last + 1))
        alpha = soft_mask(self.crops[0].frames.shape[1])[..., None]
        real, mouth = self.clips.rgb[frames], self.clips.rgb[other : other + len(frames)]
        return np.asarray(np.rint(real * (1 - alpha) + mouth * alpha), np.uint8)


def load(crops: list[Crop], frontend: FrontEnd, accepted: pd.DataFrame, companions: Path, common: Common) -> Data:
    """The data of the accepted pairs, and of exact ones.

    Args:
        crops: training crops of both roles: footage, and exact re-dubs of some of it.
        frontend: gives the audio features.
        accepted: rows of accepted.parquet.
        companions: folder of the pairs stage.
        common: pairs shorter than its chunk are left out; so many references are found for each frame.

    Raises:
        UserError: no accepted pair is long enough.
    """
    chunk_frames = common.architecture.chunk_frames
    crops = [crop for crop in crops if len(crop.frames) >= chunk_frames]
    rows = {str(row["pair_id"]): row for row in accepted.to_dict("records")}
    numbers = {crop.crop_id: number for number, crop in enumerate(crops)}
    known = {key: numbers[row["crop_id"]] for key, row in rows.items() if row["crop_id"] in numbers}
    if not known:
        raise UserError(
            "the editor has no pair to learn from",
            got=f"{len(rows)} accepted pairs, none of {chunk_frames} frames",
            fix="See metrics/validate_pairs.json for what was quarantined and why.",
        )
    audio = [encode_clip(frontend, torch.from_numpy(crop.mel)).numpy() for crop in crops]
    clips = Clips.of(crops, audio, common.references)
    found = ((key, sample) for key, sample in shards.iterate(companions) if key in known)
    pairs = runtime.map_threads(lambda each: _pair(rows[each[0]], known[each[0]], each[1], clips), found)
    return Data(crops, clips, np.concatenate([crop.mel for crop in crops]), pairs, _exact(crops, clips, common))


def _exact(crops: Sequence[Crop], clips: Clips, common: Common) -> list[Pair]:
    """Each exact re-dub among the crops and its source, either as the companion of the other.

    References come from the companion's clip, as they do when a clip is dubbed.
    """
    if not common.exact_share:
        return []
    numbers = {crop.crop_id: number for number, crop in enumerate(crops)}
    sides = []
    for again, crop in enumerate(crops):
        source = numbers.get(crop.crop_id.rpartition("--")[0])
        if source is not None:
            sides += [(source, again, len(crop.frames)), (again, source, len(crop.frames))]

    def pair(target: int, shown: int, frames: int) -> Pair:
        heard = clips.audio[clips.starts[target] :][:frames]
        found = own_references(crops[shown], heard, common.references, gap_frames=0)
        found = References(found.soft, found.nearest + clips.starts[shown])
        return Pair(target, clips.rgb[clips.starts[shown] :][:frames], found, PLAIN)

    return runtime.map_threads(lambda side: pair(*side), sides)


def _pair(row: Mapping[str, object], crop: int, sample: shards.Sample, clips: Clips) -> Pair:
    frames = video.decode_bytes(sample["mp4"])
    gain, gamma, slope = (float(str(row[f"relight_{name}"])) for name in ("gain", "gamma", "slope"))
    companion = np.ascontiguousarray(Window.of(frames.shape[1]).take(frames))
    return Pair(crop, companion, other_moments(clips, crop), Light(gain, gamma, slope))


def other_moments(clips: Clips, crop: int) -> References:
    """The references of a crop's frames out of its other frames."""
    own = slice(clips.starts[crop], clips.starts[crop + 1])
    return References(clips.soft[own], clips.nearest[own])
