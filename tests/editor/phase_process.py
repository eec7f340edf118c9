"""Trains a small structure phase in a process of its own; `--kill-at N` has it killed at step N, as `kill -9` would."""

import argparse
import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np

from components.core.base import files, runtime
from components.core.models.fit import Run
from components.core.models.frontend import encode_clip
from components.core.models.windows import Clips, Packed
from components.editor import core
from components.editor.data import PLAIN, Data, Pair, other_moments
from components.editor.params import Structure
from tests.core.models.test_dubber import frontend
from tests.editor.test_editor import COMMON, DRAWING, FIT, HIGH, guides
from tests.talking import talking_crop


class Mortal(Data):
    """Data whose batches end the process at a given draw."""

    kill_at = -1
    drawn = 0

    def batch(self, *args: object) -> Packed:
        type(self).drawn += 1
        if type(self).drawn == self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().batch(*args)  # type: ignore[arg-type]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--kill-at", type=int, default=-1)
    args = parser.parse_args()
    runtime.start()
    import torch

    crops = [talking_crop(name, frames=24) for name in ("a", "b")]
    audio = [encode_clip(frontend(), torch.from_numpy(crop.mel)).numpy() for crop in crops]
    clips = Clips.of(crops, audio, COMMON.references)
    mouths = [np.roll(clips.rgb[24 * n : 24 * (n + 1)], 9, 0) for n in range(2)]
    pairs = [Pair(n, mouth, other_moments(clips, n), PLAIN) for n, mouth in enumerate(mouths)]
    Mortal.kill_at = args.kill_at
    data = Mortal(crops, clips, np.concatenate([crop.mel for crop in crops]), pairs, [])
    params = Structure(replace(FIT, checkpoint_every_steps=5), DRAWING, HIGH, False, 0.05, 0.05)
    run = Run("editor-structure", 0, args.out.with_suffix(""), "x", "32-true")
    _, phase = core.structure(data, None, guides(), COMMON, params, run)
    files.write_json(args.out, {"metrics": phase.metrics, "curve": phase.curve.to_dict("list")})


if __name__ == "__main__":
    main()
