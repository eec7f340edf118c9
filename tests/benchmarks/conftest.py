"""The editor that is measured."""

from pathlib import Path

import pytest

from tests.dub.builders import card, save_editor


@pytest.fixture(scope="session")
def tinting(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An editor that reddens the mouth as loudly as the speech is."""
    return save_editor(tmp_path_factory.mktemp("model") / "tinting.onnx", 1.0, card())
