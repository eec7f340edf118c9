"""What is chosen for a machine follows from what it can do."""

from collections.abc import Iterator

import pytest
import torch

from components.core.models import hardware


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """What was asked before this test, and what it asked, is asked again."""
    hardware.bf16.cache_clear()
    yield
    hardware.bf16.cache_clear()


@pytest.mark.parametrize(
    ("cpu", "accelerator", "precision"),
    [
        ({"amx_bf16": True, "avx2": True}, False, "bf16-mixed"),
        ({"avx512_bf16": True}, False, "bf16-mixed"),
        ({"avx2": True, "avx512_bf16": False}, False, "32-true"),
        ({"avx2": True}, True, "bf16-mixed"),
    ],
)
def test_bf16_is_for_machines_that_multiply_it_themselves(
    cpu: dict[str, bool], accelerator: bool, precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: cpu)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: accelerator)
    assert hardware.precision() == precision
    assert hardware.device().type == ("cuda" if accelerator else "cpu")
    assert accelerator or hardware.loaders() == 0
