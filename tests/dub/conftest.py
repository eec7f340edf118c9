"""Editors and speech for the tests."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from components.core.media import audio, video
from tests.dub.builders import card, save_editor
from tests.dub.people import film


@pytest.fixture(scope="session")
def tinting(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An editor that reddens the mouth as loudly as the speech is."""
    return save_editor(tmp_path_factory.mktemp("model") / "tinting.onnx", 1.0, card())


@pytest.fixture(scope="session")
def copying(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An editor that changes nothing."""
    return save_editor(tmp_path_factory.mktemp("model") / "copying.onnx", 0.0, card())


@pytest.fixture(scope="session")
def talking(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip of 40 frames of a person of the studio who talks."""
    path = tmp_path_factory.mktemp("talking") / "talking.mp4"
    video.write(path, film().pictures, 25, crf=4)
    return path


@pytest.fixture
def speech(tmp_path_factory: pytest.TempPathFactory) -> Callable[[float], Path]:
    """Writes a modulated tone of so many seconds, in a folder of its own."""
    folder = tmp_path_factory.mktemp("speech")

    def write(seconds: float) -> Path:
        time = np.arange(round(seconds * 16_000)) / 16_000
        path = folder / f"speech{seconds}.wav"
        audio.write_wav(path, (0.3 * np.sin(2 * np.pi * 220 * time) * (np.sin(9 * time) ** 2)).astype(np.float32))
        return path

    return write
