"""Speech by espeak-ng with the time of every phoneme, through ctypes and the `espeakng-loader` wheel.

espeak-ng keeps state between utterances (oscillator phases), so the same sentence sounds a little different the
second time. What has to be reproducible is therefore spoken in one fresh process in a fixed order: `recite`.
"""

import ctypes
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from typing import Any

import espeakng_loader
import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from components.core.base import seeds
from components.studio import Floats
from components.studio.text import GRAMMARS, Use

RATE_HZ = 16000
# From espeak-ng's speak_lib.h.
_SYNCHRONOUS, _PHONEME_EVENTS, _PHONEME_IPA = 2, 1, 2
_RATE, _PITCH, _RANGE = 1, 3, 4
_UTF8, _LIST_END, _PHONEME = 1, 0, 7


@dataclass(frozen=True)
class Voice:
    """How someone speaks: espeak-ng's variant (such as "f3"), pitch and its range 0..100, words per minute."""

    variant: str
    pitch: int
    pitch_range: int
    words_per_minute: int


@dataclass(frozen=True)
class Line:
    """What is to be said in one clip: sentences and pauses until `duration_s` is full."""

    name: str
    language: str
    voice: Voice
    use: Use
    duration_s: float
    noise_dbfs: float


@dataclass(frozen=True)
class Phoneme:
    """One IPA symbol (stress marks removed; empty for a pause) from `start_s` to `end_s`."""

    symbol: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Utterance:
    """What was said: `samples` (n,) mono float32 in [-1, 1] at 16 kHz, its phonemes and its sentences."""

    samples: NDArray[np.float32]
    phonemes: tuple[Phoneme, ...]
    text: str


def recite(lines: Sequence[Line], seed: int) -> list[Utterance]:
    """All lines spoken, in order, in a process of their own; equal calls give equal samples."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(_recite, list(lines), seed).result()


def _recite(lines: list[Line], seed: int) -> list[Utterance]:
    return [_speak(line, seed) for line in lines]


def _speak(line: Line, seed: int) -> Utterance:
    rng = seeds.rng(seed, "studio", "speech", line.name)
    length = round(line.duration_s * RATE_HZ)
    samples = np.zeros(length, np.float32)
    phonemes: list[Phoneme] = []
    sentences: list[str] = []
    at = round(rng.uniform(0.15, 0.45) * RATE_HZ)
    while at < length:
        sentences.append(GRAMMARS[line.language].sentence(line.use, rng))
        said, spoken = _synthesise(sentences[-1], line.language, line.voice)
        fits = said[: length - at]
        samples[at : at + len(fits)] = fits
        offset_s = at / RATE_HZ
        phonemes += [Phoneme(p.symbol, p.start_s + offset_s, p.end_s + offset_s) for p in spoken]
        at += len(said) + round(rng.uniform(0.3, 0.8) * RATE_HZ)
    fade = round(0.02 * RATE_HZ)
    samples[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
    samples *= 10 ** (rng.uniform(-23, -18) / 20) / max(float(np.sqrt(np.mean(samples**2))), 1e-6)
    noise = rng.standard_normal(length).astype(np.float32) * 10 ** (line.noise_dbfs / 20)
    heard = tuple(p for p in phonemes if p.start_s < line.duration_s)
    return Utterance(np.clip(samples + noise, -1, 1), heard, ". ".join(sentences))


class _Id(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position_ms", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Id),
    )


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


class _Engine:
    """The process's one espeak-ng, in synchronous mode."""

    def __init__(self) -> None:
        self._chunks: list[bytes] = []
        self._events: list[tuple[float, str]] = []
        self._library: Any = ctypes.CDLL(espeakng_loader.get_library_path())
        flags = _PHONEME_EVENTS | _PHONEME_IPA
        self.rate_hz: int = self._library.espeak_Initialize(
            _SYNCHRONOUS, 0, espeakng_loader.get_data_path().encode(), flags
        )
        if self.rate_hz <= 0:
            raise RuntimeError(f"espeak-ng did not start: {self.rate_hz}")
        self._library.espeak_ng_SetRandSeed(ctypes.c_long(1))  # or it breathes by the clock
        self._callback = _Callback(self._receive)  # kept: ctypes does not hold it
        self._library.espeak_SetSynthCallback(self._callback)

    def _receive(self, samples: Any, count: int, events: Any) -> int:
        if count > 0:
            self._chunks.append(ctypes.string_at(samples, 2 * count))
        index = 0
        while events[index].type != _LIST_END:
            if events[index].type == _PHONEME:
                symbol = events[index].id.string.decode("utf-8", "ignore")
                self._events.append((events[index].audio_position_ms / 1000, symbol))
            index += 1
        return 0

    def say(self, text: str, voice: str, how: Voice) -> tuple[NDArray[np.int16], list[tuple[float, str]]]:
        """Samples (n,) int16 at `rate_hz`, and (start_s, IPA) of each phoneme."""
        self._chunks, self._events = [], []
        if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise RuntimeError(f"espeak-ng has no voice {voice}")
        for parameter, value in ((_RATE, how.words_per_minute), (_PITCH, how.pitch), (_RANGE, how.pitch_range)):
            self._library.espeak_SetParameter(parameter, value, 0)
        raw = text.encode()
        self._library.espeak_Synth(raw, len(raw) + 1, 0, 1, 0, _UTF8, None, None)
        return np.frombuffer(b"".join(self._chunks), np.int16), self._events


@cache
def _engine() -> _Engine:
    return _Engine()


def _synthesise(text: str, language: str, voice: Voice) -> tuple[Floats, list[Phoneme]]:
    """Samples (n,) float32 at 16 kHz, cut after the last phoneme, and the phonemes."""
    engine = _engine()
    raw, events = engine.say(text, f"{language}+{voice.variant}", voice)
    samples = resample_poly(raw.astype(np.float32) / 32768, RATE_HZ, engine.rate_hz).astype(np.float32)
    starts = [start for start, _ in events] + [len(samples) / RATE_HZ]
    symbols = [symbol.strip("ˈˌ") for _, symbol in events]
    phonemes = [
        Phoneme(symbol, start, end)
        for symbol, start, end in zip(symbols, starts, starts[1:], strict=False)
        if end > start and not symbol.startswith("(")
    ]
    last = max((p.end_s for p in phonemes if p.symbol), default=0.0)
    return samples[: round((last + 0.05) * RATE_HZ)], phonemes
