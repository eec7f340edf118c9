"""The occluder expert beside the editor: what is before this face? (docs/contracts.md, "The occluder expert")"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.core.base.errors import UserError
from components.core.media.geometry import Window
from components.dub import beside, card, model
from components.dub.model import EXPORT_IT, Editor, Image

KIND, FORMAT = "occluder", 1


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


class OccluderExpert:
    """An ONNX session and its card.

    Raises:
        UserError: the file is no occluder expert, or one that this version can not run.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._session, self.card = beside.opened(path, KIND, ("lower",), 1, OccluderCard.parse)

    @classmethod
    def beside(cls, editor: Editor) -> "OccluderExpert | None":
        """The expert of this editor; None where it was exported without one.

        Raises:
            UserError: it sees crops of another size than the editor.
        """
        path = beside.place(editor.path, KIND)
        if not path.is_file():
            return None
        expert, size_px = cls(path), editor.card.size_px
        if expert.card.size_px != size_px:
            got, expected = (f"crops of {side} px" for side in (expert.card.size_px, size_px))
            raise UserError(f"{path} does not fit its editor", got=got, expected=expected, fix=EXPORT_IT)
        return expert

    def probability(self, windows: Image) -> NDArray[np.float32]:
        """That something is in front (f h w), of windows (f h w 3), RGB."""
        try:
            made = np.asarray(self._session.run(None, {"lower": model._to_model(windows)[0]})[0], np.float32)
        except model._runtime_errors() as error:
            raise UserError(f"the model {self.path} failed", got=str(error), fix=EXPORT_IT) from None
        return beside.checked(self.path, made, windows.shape[:3], f"{windows.shape[:3]}")
