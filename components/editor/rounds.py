"""Rounds of the bootstrap, our step beyond the paper: the editor of one round makes the companions of the next.

Only the structure phase has them; the experts of lip and texture learn beside the generator's companions.
"""

import hashlib
from dataclasses import replace

import numpy as np

from components.core.base import runtime
from components.core.media.companions import plan
from components.core.models import weights
from components.core.models.dubber import Dubber, DubberConfig
from components.core.models.fit import Run
from components.core.models.frontend import FrontEnd
from components.core.models.synthesis import Editor, Sampling, load_dubber
from components.editor import core
from components.editor.data import Data
from components.editor.params import Common, Structure
from components.editor.phases import Guides


def structure(
    data: Data,
    teachers: tuple[Dubber | None, Guides, FrontEnd],
    settings: tuple[Common, Structure],
    rounds: int,
    run: Run,
) -> tuple[DubberConfig, core.Phase]:
    """The structure phase so many times, each from its start; a killed run goes on in the round that it was in.

    Args:
        data: the first round's, with the generator's companions.
        teachers: the generator, or None to begin with random weights; the guides; the front end of the editors.
        settings: of the phase.
        rounds: 1 is the paper's.
        run: of the last round.
    """
    generator, guides, frontend = teachers
    for number in range(1, rounds):
        name = hashlib.sha256(f"{run.fingerprint} {number} {rounds}".encode()).hexdigest()[:16]
        kept = run.folder / f"round{number}-{name}.safetensors"
        if not kept.is_file():
            config, phase = core.structure(data, generator, guides, *settings, replace(run, fingerprint=name))
            weights.save(kept, phase.tensors, config)
        data = remade(data, Editor(load_dubber(kept), frontend, {}), run.seed)
    result = core.structure(data, generator, guides, *settings, run)
    for path in run.folder.glob("round*.safetensors"):
        path.unlink()
    return result


def remade(data: Data, maker: Editor, seed: int) -> Data:
    """The same pairs with companions that `maker` dubs, in one step; the filters of validate-pairs do not see them."""
    plans = plan([data.crops[pair.crop] for pair in data.pairs], 1, seed)
    with runtime.progress("companions", len(plans)) as advance:
        pairs = []
        made = maker.dub_all([(one.crop, one.mel()) for one in plans], Sampling(1, 1.0, 1.0, seed))
        for pair, frames in zip(data.pairs, made, strict=True):
            pairs.append(replace(pair, companion=np.ascontiguousarray(data.window.take(frames))))
            advance(1)
    return replace(data, pairs=pairs)
