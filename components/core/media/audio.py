"""Sound in and out: any codec, rate and layout in, mono float32 at one rate, on the video's clock."""

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


def load(path: Path, rate_hz: int = RATE_HZ) -> Samples:
    """Mono sound (n,) in [-1, 1] whose sample 0 belongs to the first frame of the video, if there is one.

    Sound that starts late is padded with silence, sound that starts early is cut; so are gaps in the middle.

    Raises:
        MediaError: missing, empty, unreadable, or no_audio.
    """
    start_s = _video_start_s(path)
    pieces: list[tuple[float, list[Samples]]] = []
    with opened(path) as container:
        if not container.streams.audio:
            raise MediaError("no_audio", f"{path.name}: no audio track")
        resampler, kind, expected_s = None, None, 0.0
        for chunk in container.decode(container.streams.audio[0]):
            time_s = expected_s if chunk.time is None else chunk.time
            if resampler is None or kind != _kind(chunk) or abs(time_s - expected_s) > GAP_S:
                _extend(pieces, resampler, None)
                resampler = av.AudioResampler("fltp", "stereo" if chunk.layout.nb_channels > 1 else "mono", rate_hz)
                kind, expected_s = _kind(chunk), time_s
                pieces.append((time_s, []))
            _extend(pieces, resampler, chunk)
            expected_s += chunk.samples / chunk.sample_rate
        _extend(pieces, resampler, None)
    if not pieces:
        raise MediaError("unreadable", f"{path.name}: the audio track can't be decoded")
    return _place(pieces, pieces[0][0] if start_s is None else start_s, rate_hz)


def write_wav(path: Path, samples: Samples, rate_hz: int = RATE_HZ) -> None:
    """Writes 16-bit PCM."""
    soundfile.write(path, samples, rate_hz, subtype="PCM_16", format="WAV")


def loudness_dbfs(samples: Samples) -> float:
    """Root mean square in decibels under full scale, at least -120."""
    power = float(np.mean(np.square(samples, dtype=np.float64))) if len(samples) else 0.0
    return float(10 * np.log10(max(power, 1e-12)))


def _kind(chunk: Any) -> tuple[str, str, int]:
    return chunk.format.name, chunk.layout.name, chunk.sample_rate


def _extend(pieces: list[tuple[float, list[Samples]]], resampler: Any, chunk: Any) -> None:
    """Adds a chunk to the last piece, or, for None, what the resampler still holds."""
    if resampler is not None:
        # The mean of left and right: FFmpeg's own way to mono is 3 dB louder and clips.
        pieces[-1][1].extend(frame.to_ndarray().mean(0) for frame in resampler.resample(chunk))


def _place(pieces: list[tuple[float, list[Samples]]], zero_s: float, rate_hz: int) -> Samples:
    """The pieces at their times after `zero_s`, silence between them."""
    placed = [(round((time_s - zero_s) * rate_hz), np.concatenate([*parts, np.zeros(0)])) for time_s, parts in pieces]
    result = np.zeros(max([0, *(start + len(part) for start, part in placed)]), np.float32)
    for start, part in placed:
        part = part[max(0, -start) :]
        result[max(0, start) : max(0, start) + len(part)] = part
    return np.clip(result, -1, 1)


def _video_start_s(path: Path) -> float | None:
    """Time of the first picture, None where there is none (a cover image is none)."""
    with opened(path) as container:
        streams = moving(container)
        for picture in container.decode(streams[0]) if streams else ():
            return float(picture.time or 0.0)
    return None
