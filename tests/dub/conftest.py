"""Editors and speech for the tests."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from components.core.media import audio
from tests.dub.builders import card, save_editor


@pytest.fixture(scope="session")
def tinting(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An editor that reddens the mouth as loudly as the speech is."""
    return save_editor(tmp_path_factory.mktemp("model") / "tinting.onnx", 1.0, card())


@pytest.fixture(scope="session")
def copying(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An editor that changes nothing."""
    return save_editor(tmp_path_factory.mktemp("model") / "copying.onnx", 0.0, card())


@pytest.fixture
def speech(tmp_path: Path) -> Callable[[float], Path]:
    """Writes a modulated tone of so many seconds."""

    def write(seconds: float) -> Path:
        time = np.arange(round(seconds * 16_000)) / 16_000
        path = tmp_path / f"speech{seconds}.wav"
        audio.write_wav(path, (0.3 * np.sin(2 * np.pi * 220 * time) * (np.sin(9 * time) ** 2)).astype(np.float32))
        return path

    return write
