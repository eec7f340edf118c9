"""What every expert has that lies as an ONNX file beside the editor's: a place, and a check against torch."""

from dataclasses import dataclass
from pathlib import Path

from components.core.base.errors import UserError
from components.export.params import Params


@dataclass(frozen=True)
class ExportedExpert:
    """What was measured on the file.

    Attributes:
        max_abs_error: largest difference of a number that it makes to torch's.
        megabytes: of the file.
    """

    max_abs_error: float
    megabytes: float


def place(editor: Path, kind: str) -> Path:
    """Where the expert of this kind of this editor's file is."""
    return editor.with_name(f"{editor.stem}_{kind}{editor.suffix}")


def accepted(path: Path, kind: str, error: float, params: Params) -> ExportedExpert:
    """What was measured on the file of an expert of this kind.

    Raises:
        UserError: the error is more than `params.max_error`; the file is removed.
    """
    if error > params.max_error:
        path.unlink()
        raise UserError(
            f"the ONNX {kind} expert differs from the torch {kind} expert",
            got=f"a largest difference of {error:.2e}",
            expected=f"at most export.max_error = {params.max_error:.2e}",
        )
    return ExportedExpert(error, path.stat().st_size / 1e6)
