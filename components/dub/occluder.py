"""The occluder expert beside the editor: what is before this face? (docs/contracts.md, "The occluder expert")"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.core.base.errors import UserError
from components.core.media import occlusion
from components.core.media.geometry import Window
from components.dub import card, model
from components.dub.model import EXPORT_IT, Editor, Image

FORMAT = 1


@dataclass(frozen=True)
class OccluderCard:
    """What the expert says of itself, in its metadata: the side of the crop whose window it sees."""

    size_px: int

    @classmethod
    def parse(cls, text: str) -> "OccluderCard":
        """The card from its JSON.

        Raises:
            ValueError: it is not what format 1 says, with what is wrong.
        """
        return card.parse(text, FORMAT, cls._of)

    @classmethod
    def _of(cls, values: Mapping[str, Any]) -> "OccluderCard":
        return cls(int(values["size_px"]))

    @property
    def window(self) -> Window:
        """The part of the crop that the expert sees."""
        return Window.of(self.size_px)


def place(editor: Path) -> Path:
    """Where the occluder expert of this editor is, if it has one."""
    return editor.with_name(f"{editor.stem}_occluder{editor.suffix}")


class OccluderExpert:
    """An ONNX session and its card.

    Raises:
        UserError: the file is no occluder expert, or one that this version can not run.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._session = model._open(path, str(path))
        shapes, texts = model.described(self._session, path)
        if "dubstrap_occluder" not in texts or list(shapes) != ["lower"]:
            raise UserError(f"{path} is no dubstrap occluder expert", got=f"inputs {', '.join(shapes)}", fix=EXPORT_IT)
        try:
            self.card = OccluderCard.parse(texts["dubstrap_occluder"])
            if shapes["lower"][1:] != (seen := [3, self.card.window.height, self.card.window.width]):
                raise ValueError(f"inputs of {shapes['lower'][1:]}, expected {seen}")
        except (ValueError, RecursionError) as error:
            raise UserError(f"{path} does not fit this version", got=str(error), fix=EXPORT_IT) from None

    @classmethod
    def beside(cls, editor: Editor) -> "OccluderExpert | None":
        """The expert of this editor; None where it was exported without one.

        Raises:
            UserError: it sees crops of another size than the editor.
        """
        path = place(editor.path)
        if not path.is_file():
            return None
        expert, size_px = cls(path), editor.card.size_px
        if expert.card.size_px != size_px:
            got, expected = (f"crops of {side} px" for side in (expert.card.size_px, size_px))
            raise UserError(f"{path} does not fit its editor", got=got, expected=expected, fix=EXPORT_IT)
        return expert

    def occlusion(self, windows: Image) -> NDArray[np.float32]:
        """How far (f h w), in [0, 1], the pixels of windows (f h w 3), RGB, are hidden by what is before the face."""
        try:
            probability = np.asarray(self._session.run(None, {"lower": model._to_model(windows)[0]})[0], np.float32)
        except model._runtime_errors() as error:
            raise UserError(f"the model {self.path} failed", got=str(error), fix=EXPORT_IT) from None
        if probability.shape != windows.shape[:3] or not np.isfinite(probability).all():
            got = f"an output of shape {probability.shape}, or one that is not finite"
            raise UserError(f"the model {self.path} failed", got=got, expected=f"{windows.shape[:3]}", fix=EXPORT_IT)
        return occlusion.occlusion(probability)
