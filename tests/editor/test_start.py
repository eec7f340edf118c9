"""An editor begins where the masks are, and with what its generator knows."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from components.core.base.errors import UserError
from components.core.models.dubber import Dubber, DubberConfig
from components.editor.start import start
from tests.core.models.test_dubber import SHAPE, given, network

HOLES = np.zeros((4, 24, 32), bool)
HOLES[:, 8:16, 8:24] = True
HOLES[:2, 16:24, 8:24] = True  # in half of the frames


def editor(references: int = 3, **changes: object) -> Dubber:
    shape = replace(SHAPE, **changes)  # type: ignore[arg-type]
    return Dubber(DubberConfig("editor", shape, 48, 24, 32, references, 14)).eval()


def test_the_hole_begins_where_the_masks_are() -> None:
    model, shown = editor(), given(3)
    start(model, None, HOLES)
    made = model(torch.randn(2, 6, 3, 24, 32), torch.ones(2, 6), shown)
    left = (made - shown.references[:, 1]) / (shown.references[:, 0] - shown.references[:, 1])
    share = 1 - left.median(0).values.median(0).values.median(0).values  # of the hole, pixel by pixel
    torch.testing.assert_close(share[:8], torch.full((8, 32), 0.05))
    torch.testing.assert_close(share[8:16, 8:24], torch.full((8, 16), 0.95))
    torch.testing.assert_close(share[16:, 8:24], torch.full((8, 16), 0.5))


@pytest.mark.parametrize("layout", ["channels", "frames"])
def test_in_the_hole_it_paints_what_the_generator_paints(layout: str) -> None:
    generator, model = network("generator", 2, layout=layout), editor(layout=layout)
    start(model, generator, HOLES[2:])
    with torch.no_grad():  # a hole without doubt, and of the companion nothing that the generator would not see
        model.hole.copy_(torch.from_numpy(np.where(HOLES[2], 100.0, -100.0)))
    hole = torch.from_numpy(HOLES[2]).float().expand(2, 6, 1, 24, 32)
    masked = given(2)
    visible = given(3).references[:, 2] * (1 - hole)
    seen = replace(masked, references=torch.cat([visible[:, None], masked.references], 1))
    noisy, time = torch.randn(2, 6, 3, 24, 32), torch.full((2, 6), 0.7)
    theirs = generator(noisy, time, replace(masked, inpaint=torch.cat([visible, hole], 2)))
    ours = model(noisy, time, seen)
    if layout == "channels":
        torch.testing.assert_close(ours, theirs)
    else:  # there the companion stands beside the target, where the generator's window is part of it
        torch.testing.assert_close(ours * (1 - hole), theirs * (1 - hole))
        assert (ours - theirs).abs().mean() < 0.1


def test_another_architecture_is_an_error_that_says_what_to_set() -> None:
    with pytest.raises(UserError, match=r"begin with the generator's weights.*from_generator: false"):
        start(editor(dim=48), network("generator", 2), HOLES)


def test_fewer_references_than_the_generator_s_are_no_obstacle() -> None:
    generator, model = network("generator", 3), editor(2)
    start(model, generator, HOLES)
    weight, known = model.dit.embed.weight, generator.dit.embed.weight
    torch.testing.assert_close(weight[:, -3 * 64 :], known[:, -3 * 64 :])  # of the noisy frames
