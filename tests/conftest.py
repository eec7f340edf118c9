"""What every test shares: quiet third parties, and the real clips where they are present."""

import os
from pathlib import Path

import pytest

from components.core.base import runtime

runtime.start()
os.environ.setdefault("OMP_NUM_THREADS", "1")

MEDIA = Path(__file__).resolve().parents[2] / "shared" / "media"


@pytest.fixture(scope="session")
def media() -> Path:
    """The folder of real clips; tests that need it skip where it is absent."""
    if not MEDIA.is_dir():
        pytest.skip(f"the real clips are not here: {MEDIA}")
    return MEDIA
