"""Which speech each clip is dubbed with to make a companion: another clip's, of the same speaker."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.core.base import seeds
from components.core.media import MEL_PER_FRAME
from components.core.media.crops import Crop


@dataclass(frozen=True)
class Plan:
    """One companion to be made.

    Attributes:
        pair_id: of the pair.
        crop: the real clip.
        driver: whose speech it gets: another clip of the same speaker where there is one.
        start: the driver's frame at which the speech begins (it wraps round at the driver's end).
    """

    pair_id: str
    crop: Crop
    driver: Crop
    start: int

    def mel(self) -> NDArray[np.float32]:
        """The driving speech (4f, 80) for every frame of the crop."""
        rows = np.arange(MEL_PER_FRAME * len(self.crop.frames)) + MEL_PER_FRAME * self.start
        return np.asarray(self.driver.mel[rows % len(self.driver.mel)])


def plan(crops: Sequence[Crop], per_crop: int, seed: int) -> list[Plan]:
    """`per_crop` companions of each crop, driven by other speech of the same speaker.

    A speaker with one clip only is driven by that clip's second half first.
    """
    plans = []
    for crop in crops:
        others = [c for c in crops if c.speaker == crop.speaker and c.crop_id != crop.crop_id]
        rng = seeds.rng(seed, "pairs", crop.crop_id)
        order = rng.permutation(len(others))
        for number in range(per_crop):
            driver = others[order[number % len(others)]] if others else crop
            again = number // max(1, len(others)) if others else number
            start = (
                0
                if others and again == 0
                else int(rng.integers(len(driver.frames) // 3, 1 + 2 * len(driver.frames) // 3))
            )
            plans.append(Plan(f"{crop.crop_id}--{number}", crop, driver, start))
    return plans
