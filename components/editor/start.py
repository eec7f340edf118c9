"""What an editor knows before it trains: where lower faces are, and what its generator has learnt.

An editor that begins as a copy stays one for a thousand steps, for in most pixels a copy is right. So its hole begins
where the training clips' masks are, and its weights with those of the generator, which paints lips that follow the
speech already: what is left to learn is to do it without a mask. (In the paper both begin with the same pretrained
video model.)
"""

import numpy as np
import torch
from einops import rearrange
from numpy.typing import NDArray
from torch import Tensor

from components.core.base.errors import UserError
from components.core.models.dubber import Dubber

SURE = 0.05
"""A pixel that every mask covers, or none, begins this far from certain, so that it can still change."""
EMBED, PLACE, HEAD = "dit.embed.weight", "dit.place", ("dit.head.weight", "dit.head.bias")


def start(editor: Dubber, generator: Dubber | None, holes: NDArray[np.bool_]) -> None:
    """Sets the editor's hole to the mean of `holes` (n h w), and its weights to the generator's, in place.

    Raises:
        UserError: the two networks differ in more than their channels.
    """
    mean = torch.from_numpy(holes.mean(0, dtype=np.float32))
    with torch.no_grad():
        if "hole" in editor.config.outputs():
            editor.hole.copy_(torch.logit(mean.clamp(SURE, 1 - SURE)))
        if generator is not None:
            _take(editor, generator, mean)


def _take(editor: Dubber, generator: Dubber, hole: Tensor) -> None:
    ours, theirs = editor.config, generator.config
    patch = ours.architecture.patch
    state, learnt = editor.state_dict(), generator.state_dict()
    pixels = rearrange(learnt[EMBED], "d (c p) -> c d p", p=patch**2)
    # The generator is shown the hole, the editor is not: what the mean hole adds to a token becomes part of its place.
    shown = rearrange(hole, "(i p) (j q) -> (i j) (p q)", p=patch, q=patch)
    learnt[PLACE] = learnt[PLACE] + shown.to(learnt[PLACE]) @ pixels[theirs.inputs().index("hole")].T
    learnt[EMBED] = _by_name(state[EMBED].T, learnt[EMBED].T, ours.inputs(), theirs.inputs()).T
    for name in HEAD:
        learnt[name] = _by_name(state[name], learnt[name], ours.outputs(), theirs.outputs())
    unlike = [name for name, value in learnt.items() if name not in state or state[name].shape != value.shape]
    if unlike:
        raise UserError(
            "the editor can't begin with the generator's weights",
            got=f"{len(unlike)} tensors of other names or shapes, such as {unlike[0]}",
            expected="the same architecture",
            fix="Set the same `architecture` for both, or `editor.structure.from_generator: false`.",
        )
    editor.load_state_dict({**state, **learnt})


def _by_name(ours: Tensor, theirs: Tensor, names: list[str], known: list[str]) -> Tensor:
    """Rows (channels * pixels, ...) of `ours`, replaced by those of the same channel of `theirs` where it has one."""
    mine, other = (
        ours.reshape(len(names), -1, *ours.shape[1:]).clone(),
        theirs.reshape(len(known), -1, *theirs.shape[1:]),
    )
    if mine.shape[1:] == other.shape[1:]:
        for number, name in enumerate(names):
            if name in known:
                mine[number] = other[known.index(name)]
    return mine.reshape(ours.shape)
