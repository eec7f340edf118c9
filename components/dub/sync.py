"""The sync expert that lies beside the editor: do these lips say this sound? (docs/contracts.md, "The sync expert")"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.core.base.errors import UserError
from components.core.media import MEL_PER_FRAME
from components.core.media.geometry import Window
from components.dub import beside, card, model
from components.dub.model import EXPORT_IT, Floats, Image

KIND, FORMAT = "sync", 1
INPUTS, OUTPUTS = ("lower", "mel"), ("seen", "heard")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SyncCard:
    """What the expert says of itself, in its metadata.

    Attributes:
        size_px: side of the crop; the expert sees the window of it, at 25 fps.
        frames: of a window in time.
        mel_margin: rows of mel that it hears before the first and after the last frame's own.
    """

    size_px: int
    frames: int
    mel_margin: int

    @classmethod
    def parse(cls, text: str) -> "SyncCard":
        """The card from its JSON.

        Raises:
            ValueError: it is not what format 1 says, with what is wrong.
        """
        found = card.parse(text, FORMAT, cls._of)
        if found.frames < 1 or found.mel_margin < 0:
            raise ValueError(f"frames {found.frames}, expected 1 or more; mel_margin {found.mel_margin}, 0 or more")
        return found

    @classmethod
    def _of(cls, values: Mapping[str, Any]) -> "SyncCard":
        return cls(*(int(values[name]) for name in ("size_px", "frames", "mel_margin")))

    @property
    def window(self) -> Window:
        """The part of the crop that the expert sees."""
        return Window.of(self.size_px)


class SyncExpert:
    """An ONNX session and its card.

    Raises:
        UserError: the file is no sync expert, or one that this version can not run.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._session, self.card = beside.opened(path, KIND, INPUTS, 2, SyncCard.parse)

    @classmethod
    def beside(cls, editor: Path) -> "SyncExpert | None":
        """The expert of this editor; None where it was exported without one."""
        path = beside.place(editor, KIND)
        return cls(path) if path.is_file() else None

    def cosines(self, windows: Image, rows: Floats) -> NDArray[np.float32]:
        """How alike are (n, n) what is seen in each 5 frames of a stretch, and what is heard in each: -1 to 1.

        Args:
            windows: (f, h, w, 3) RGB at 25 fps; n = f - frames + 1.
            rows: (4 f + 2 mel_margin, 80) of log-mel.
        """
        expected = MEL_PER_FRAME * len(windows) + 2 * self.card.mel_margin
        if len(rows) != expected:
            raise ValueError(f"{len(rows)} mel rows for {len(windows)} frames, expected {expected}")
        feed = {"lower": model._to_model(windows), "mel": rows[None]}
        try:
            seen, heard = self._session.run(OUTPUTS, feed)
            agree = np.asarray(seen[0] @ heard[0].T, np.float32)
        except model._runtime_errors() as error:
            raise UserError(f"the model {self.path} failed", got=str(error), fix=EXPORT_IT) from None
        many = len(windows) - self.card.frames + 1
        return beside.checked(self.path, agree, (many, many), f"{many} windows")
