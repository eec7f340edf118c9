"""Sound in and out: any codec, rate and layout in, mono float32 at one rate, on the video's clock."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import soundfile
from numpy.typing import NDArray

from components.core.media import RATE_HZ
from components.core.media.video import MediaError, moving, opened

Samples = NDArray[np.float32]
GAP_S = 0.05
"""A jump of the sound's timestamps by more than this is silence (or an overlap), less is rounding."""
LONGEST_GAP_S = 600.0
"""A jump by more than this is a corrupt timestamp."""


def load(path: Path, rate_hz: int = RATE_HZ) -> Samples:
    """Mono sound (n,) in [-1, 1] whose sample 0 belongs to the first frame of the video, if there is one.

    Raises:
        MediaError: as `stream`.
    """
    return np.concatenate([np.zeros(0, np.float32), *(block[0] for block in stream(path, rate_hz))])


def stream(path: Path, rate_hz: int = RATE_HZ, layout: str = "mono") -> Iterator[Samples]:
    """The sound as blocks (channels, n) in [-1, 1] that follow each other without a gap, little by little.

    Sample 0 belongs to the first frame of the video, if there is one: sound that starts late is padded with silence,
    sound that starts early is cut. A gap in the middle is silence; what overlaps with earlier sound is dropped.

    Raises:
        MediaError: missing, empty, unreadable, or no_audio.
    """
    zero_s = _video_start_s(path)
    position = cursor = 0
    for time_s, block in _decoded(path, rate_hz, layout):
        if time_s is not None:
            zero_s = time_s if zero_s is None else zero_s
            cursor = round((time_s - zero_s) * rate_hz)
        if cursor - position > LONGEST_GAP_S * rate_hz:
            raise MediaError("unreadable", f"{path.name}: the sound's time jumps to {cursor / rate_hz:.0f} s")
        if cursor > position:
            yield np.zeros((len(block), cursor - position), np.float32)
            position = cursor
        fresh = block[:, position - cursor :]
        cursor += block.shape[1]
        if fresh.shape[1]:
            yield np.clip(fresh, -1, 1)
            position = cursor


def channels(path: Path) -> int:
    """How many channels the sound has.

    Raises:
        MediaError: as `stream`.
    """
    with opened(path) as container:
        for chunk in container.decode(audio=0) if container.streams.audio else ():
            return int(chunk.layout.nb_channels)
    raise MediaError("no_audio", f"{path.name}: no sound")


def write_wav(path: Path, samples: Samples, rate_hz: int = RATE_HZ) -> None:
    """Writes 16-bit PCM."""
    soundfile.write(path, samples, rate_hz, subtype="PCM_16", format="WAV")


def loudness_dbfs(samples: Samples) -> float:
    """Root mean square in decibels under full scale, at least -120."""
    power = float(np.mean(np.square(samples, dtype=np.float64))) if len(samples) else 0.0
    return float(10 * np.log10(max(power, 1e-12)))


def _kind(chunk: Any) -> tuple[str, str, int]:
    return chunk.format.name, chunk.layout.name, chunk.sample_rate


def _decoded(path: Path, rate_hz: int, layout: str) -> Iterator[tuple[float | None, Samples]]:
    """Blocks (channels, n) and their times; None where a block follows the one before.

    Raises:
        MediaError: as `stream`.
    """
    resampler, kind, expected_s, found = None, None, 0.0, False
    with opened(path) as container:
        if not container.streams.audio:
            raise MediaError("no_audio", f"{path.name}: no audio track")
        for chunk in container.decode(container.streams.audio[0]):
            time_s = expected_s if chunk.time is None else chunk.time
            if resampler is None or kind != _kind(chunk) or abs(time_s - expected_s) > GAP_S:
                yield from ((None, block) for block in _resampled(resampler, None, layout))
                resampler, kind = _resampler(chunk, rate_hz, layout), _kind(chunk)
                expected_s, found = time_s, True
                yield time_s, np.zeros((av.AudioLayout(layout).nb_channels, 0), np.float32)
            yield from ((None, block) for block in _resampled(resampler, chunk, layout))
            expected_s += chunk.samples / chunk.sample_rate
        yield from ((None, block) for block in _resampled(resampler, None, layout))
    if not found:
        raise MediaError("unreadable", f"{path.name}: the audio track can't be decoded")


def _resampler(chunk: Any, rate_hz: int, layout: str) -> Any:
    mixed = layout == "mono" and chunk.layout.nb_channels > 1
    return av.AudioResampler("fltp", "stereo" if mixed else layout, rate_hz)


def _resampled(resampler: Any, chunk: Any, layout: str) -> Iterator[Samples]:
    """What comes out when a chunk goes in, or, for None, what the resampler still holds."""
    for frame in resampler.resample(chunk) if resampler else ():
        block = frame.to_ndarray()
        # The mean of left and right: FFmpeg's own way to mono is 3 dB louder and clips.
        yield block.mean(0, keepdims=True) if layout == "mono" else block


def _video_start_s(path: Path) -> float | None:
    """Time of the first picture, None where there is none (a cover image is none)."""
    with opened(path) as container:
        streams = moving(container)
        for picture in container.decode(streams[0]) if streams else ():
            return float(picture.time or 0.0)
    return None
