"""What every expert has that lies as an ONNX file beside the editor's: a place, a session and a card."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.core.base.errors import UserError
from components.dub import model
from components.dub.card import S
from components.dub.model import EXPORT_IT


def place(editor: Path, kind: str) -> Path:
    """Where the expert of this kind of this editor is, if it has one."""
    return editor.with_name(f"{editor.stem}_{kind}{editor.suffix}")


def opened(path: Path, kind: str, inputs: Sequence[str], leading: int, parse: Callable[[str], S]) -> tuple[Any, S]:
    """The session of an expert of this kind, and its card.

    Args:
        path: the file.
        kind: which expert.
        inputs: their names, that of windows (... 3 h w) first.
        leading: axes of the windows before those three.
        parse: makes the card of the metadata.

    Raises:
        UserError: the file is no such expert, or one that this version can not run.
    """
    session = model._open(path, str(path))
    shapes, texts = model.described(session, path)
    if f"dubstrap_{kind}" not in texts or list(shapes) != list(inputs):
        raise UserError(f"{path} is no dubstrap {kind} expert", got=f"inputs {', '.join(shapes)}", fix=EXPORT_IT)
    try:
        card = parse(texts[f"dubstrap_{kind}"])
        if shapes[inputs[0]][leading:] != (seen := [3, card.window.height, card.window.width]):
            raise ValueError(f"inputs of {shapes[inputs[0]][leading:]}, expected {seen}")
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} does not fit this version", got=str(error), fix=EXPORT_IT) from None
    return session, card


def checked(path: Path, made: NDArray[np.float32], shape: tuple[int, ...], expected: str) -> NDArray[np.float32]:
    """What the expert made; a damaged one may run and make something else.

    Raises:
        UserError: it did.
    """
    if made.shape != shape or not np.isfinite(made).all():
        got = f"an output of shape {made.shape}, or one that is not finite"
        raise UserError(f"the model {path} failed", got=got, expected=expected, fix=EXPORT_IT)
    return made
