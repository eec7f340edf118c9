"""Log-mel spectrogram in NumPy, the same in training and in the dubbing runtime."""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.core.media import FPS, MEL_BINS, MEL_HZ, MEL_PER_FRAME, RATE_HZ

WINDOW = RATE_HZ * 25 // 1000
HOP = RATE_HZ // MEL_HZ
FFT = 512
BLOCK = 4096  # frames transformed at once, so that an hour of sound needs little memory
# Decibels that become -1 and 1: below lies the noise of 16-bit sound, above nothing (a full-scale tone has 17).
LOW_DB, HIGH_DB = -80.0, 20.0
SILENCE = -1.0
"""Value of every bin in digital silence."""


def log_mel(samples: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """Log-mel (m, 80) in about [-1, 1] of mono sound at 16 kHz; frame i is centred on i * 10 ms, m = ceil(n / 160).

    Power spectrum of 25 ms periodic Hann windows through area-normalised slaney filters, in decibels, scaled from
    [-80, 20] dB. Equal to librosa's `melspectrogram(win_length=400, n_fft=512, center=True)` up to that scale.
    """
    frames = -(-len(samples) // HOP)
    padded = np.zeros(max(frames - 1, 0) * HOP + FFT + HOP, np.float32)
    padded[FFT // 2 : FFT // 2 + len(samples)] = samples
    return _rows(padded, frames)


def stream(blocks: Iterable[NDArray[np.floating[Any]]]) -> Iterator[NDArray[np.float32]]:
    """`log_mel` of sound that comes in blocks (n,), a few seconds of rows at a time."""
    pending, samples, made = np.zeros(FFT // 2, np.float32), 0, 0
    for block in blocks:
        pending = np.concatenate([pending, np.asarray(block, np.float32)])
        samples += len(block)
        ready = (len(pending) - FFT) // HOP + 1
        if ready >= MEL_HZ:
            yield _rows(pending, ready)
            made, pending = made + ready, pending[ready * HOP :]
    left = -(-samples // HOP) - made
    if left > 0:
        yield _rows(np.pad(pending, (0, FFT + HOP)), left)


def _rows(padded: NDArray[np.float32], frames: int) -> NDArray[np.float32]:
    """Rows (frames, 80) of windows that begin every HOP samples."""
    windows = np.lib.stride_tricks.sliding_window_view(padded, FFT)[::HOP][:frames]
    blocks = [windows[start : start + BLOCK] for start in range(0, frames, BLOCK)]
    power = [np.abs(np.fft.rfft(block * _taper(), axis=1)) ** 2 @ filters().T for block in blocks]
    decibels = 10 * np.log10(np.maximum(np.concatenate([np.zeros((0, MEL_BINS)), *power]), 10 ** (LOW_DB / 10)))
    return np.asarray(2 * (decibels - LOW_DB) / (HIGH_DB - LOW_DB) - 1, np.float32)


def for_frames(samples: NDArray[np.floating[Any]], frames: int) -> NDArray[np.float32]:
    """Log-mel (4 * frames, 80): rows 4i .. 4i+3 belong to video frame i; missing sound is silence."""
    exact = np.zeros(frames * RATE_HZ // FPS, np.float32)
    exact[: len(samples)] = samples[: len(exact)]
    mel = log_mel(exact)
    assert len(mel) == frames * MEL_PER_FRAME
    return mel


@cache
def filters() -> NDArray[np.float64]:
    """Triangular filters (80, 257) evenly spaced on the slaney mel scale from 0 to 8 kHz, each of unit area in Hz."""
    edges = _to_hz(np.linspace(0, _to_mel(np.array(RATE_HZ / 2)), MEL_BINS + 2))
    bins = np.linspace(0, RATE_HZ / 2, FFT // 2 + 1)
    rise = (bins - edges[:-2, None]) / np.diff(edges)[:-1, None]
    fall = (edges[2:, None] - bins) / np.diff(edges)[1:, None]
    area = 2 / (edges[2:] - edges[:-2])
    return np.asarray(np.maximum(0, np.minimum(rise, fall)) * area[:, None])


@cache
def _taper() -> NDArray[np.float64]:
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)
    return np.pad(hann, (FFT - WINDOW) // 2)


# Slaney's scale: 15 mel a kHz up to 1 kHz, then 27 mel for each factor of 6.4.
def _to_mel(hz: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(hz < 1000, hz * 3 / 200, 15 + 27 * np.log(np.maximum(hz, 1000) / 1000) / np.log(6.4))


def _to_hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(mel < 15, mel * 200 / 3, 1000 * 6.4 ** ((np.maximum(mel, 15) - 15) / 27))
