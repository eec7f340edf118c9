"""The run's experts, as scripts need them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Experts:
    """What hears and what reads: front end, judges and guides of artifacts/experts."""

    folder: Path

    def load(self, name: str) -> Any:
        """One expert by the name of its file."""
        from components.core.models.frontend import load_frontend
        from components.core.models.identity import load_identity
        from components.core.models.lips import load_lips
        from components.core.models.sync import load_sync

        kind = {"frontend": load_frontend, "sync": load_sync, "identity": load_identity, "lips": load_lips}
        return kind[name.rpartition("_")[2]](self.folder / f"{name}.safetensors")
