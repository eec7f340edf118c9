"""Randomness: every generator is derived from the seed param and a name, so stages never share a stream."""

import hashlib

import numpy as np


def derive(seed: int, *names: str | int) -> int:
    """A 63-bit seed that depends on `seed` and every name (stage, clip, step), equal on every machine."""
    text = "/".join(map(str, (seed, *names)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def rng(seed: int, *names: str | int) -> np.random.Generator:
    """A NumPy generator of its own for this seed and these names."""
    return np.random.default_rng(derive(seed, *names))
