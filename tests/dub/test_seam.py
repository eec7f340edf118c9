"""Borders between chunks: motion frames carry a small network, which was really trained, over them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from benchmarks import seam
from components.core.diffusion.guidance import Guidance
from components.core.media.geometry import Window
from components.core.media.references import References
from components.core.models.dubber import CLOSED, Architecture, Conditions, Dubber, DubberConfig
from components.dub.follow import Seen
from components.dub.model import Card, Editor, Sampling
from components.dub.speech import Speech
from components.dub.timeline import Picture
from tests.dub.builders import card

SIZE, CHUNK, MOTION, CONTEXT = 48, 6, 2, 4
WINDOW = Window.of(SIZE)
STEP, TURN = 0.06, 12
"""The mouth gets lighter by STEP a frame where the speech is loud, darker where it is not, which changes every TURN."""
BATCH, STEPS = 16, 300


def speech(frames: int, offset: int) -> np.ndarray:
    """Loud (1) and soft (-1) in turns."""
    return np.where((np.arange(frames) + offset) // TURN % 2, 1.0, -1.0).astype(np.float32)


def lightness(sound: np.ndarray, start: float) -> np.ndarray:
    """Of the mouth: what a chunk's own speech does not tell, since it is a sum from the beginning."""
    return start + STEP * np.cumsum(sound)


def train() -> Dubber:
    """A network that paints the mouth as light as its speech, and its motion frames, say."""
    torch.manual_seed(0)
    draw = np.random.default_rng(0)
    shape = Architecture(
        patch=8, dim=32, depth=2, heads=2, mlp_ratio=2.0, audio="modulation", audio_tokens=1, layout="channels",
        prediction="clean", chunk_frames=CHUNK, motion_frames=MOTION, schedule_shift=1.0,
    )  # fmt: skip
    network = Dubber(DubberConfig("editor", shape, SIZE, WINDOW.height, WINDOW.width, 2, 1))
    torch.nn.init.constant_(network.hole, -CLOSED)  # all of the window is to be painted
    optimiser = torch.optim.AdamW(network.parameters(), 3e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 6e-3, STEPS)
    on = torch.ones(BATCH)
    for _ in range(STEPS):
        sound = np.stack([speech(CHUNK, int(draw.integers(2 * TURN))) for _ in range(BATCH)])
        level = np.stack([lightness(one, draw.uniform(-0.8, 0.8)) for one in sound])
        truth = torch.from_numpy(np.broadcast_to(level[:, :, None, None, None], (*level.shape, 3, 24, 32)).copy())
        noisy = torch.randn(BATCH, 1, 3, 24, 32).expand(-1, CHUNK, -1, -1, -1).clone()
        time = torch.ones(BATCH, CHUNK)
        given = MOTION * int(draw.random() < 0.85)
        noisy[:, :given], time[:, :given] = truth[:, :given].float(), 0
        shown = Conditions(torch.zeros(BATCH, 2, CHUNK, 3, 24, 32), torch.from_numpy(sound)[..., None], None, on, on)
        error = (network(noisy, time, shown) - truth.float())[:, given:].square().mean()
        optimiser.zero_grad()
        error.backward()
        optimiser.step()
        schedule.step()
    return network.eval()


class Session:
    """The network as ONNX Runtime would run it."""

    def __init__(self, network: Dubber) -> None:
        self._network = network

    @torch.inference_mode()
    def run(self, _: None, feed: dict[str, np.ndarray]) -> list[np.ndarray]:
        given = {name: torch.from_numpy(value) for name, value in feed.items()}
        audio = given["mel"][:, CONTEXT:-CONTEXT].unflatten(1, (-1, 4)).mean((2, 3))[..., None]
        videos = torch.cat([given["companion"][:, None], given["references"]], 1)
        shown = Conditions(videos, audio, None, given["keep_companion"], given["keep_audio"])
        return [self._network(given["noisy"], given["timestep"], shown).numpy()]


class Continuing:
    """In the place of the session: makes the mouth as light as the last motion frame and its speech say, exactly."""

    def run(self, _: None, feed: dict[str, np.ndarray]) -> list[np.ndarray]:
        given = int((feed["timestep"][0] == 0).sum())
        sound = feed["mel"][0, CONTEXT:-CONTEXT].reshape(-1, 4 * 80).mean(1)[given:]
        made = feed["noisy"].copy()
        start = float(made[0, given - 1].mean()) if given else 0.0
        made[0, given:] = lightness(sound, start)[:, None, None, None]
        return [made]


class Trained(Editor):
    """The editor of the runtime with a network in it, given so many motion frames."""

    def __init__(self, session: Session | Continuing, motion_frames: int) -> None:
        self.path, self._session = Path("trained"), session
        edges = [WINDOW.top, WINDOW.bottom, WINDOW.left, WINDOW.right]
        values = {"size_px": SIZE, "window": edges, "chunk_frames": CHUNK, "motion_frames": motion_frames}
        self.card = Card.parse(json.dumps(card(**values, references=1, mel_context=CONTEXT)))


class Nobody:
    """References that show nothing."""

    def find(self, crops, pose, times_s, chosen):
        return References(
            np.full((len(crops), WINDOW.height, WINDOW.width, 3), 127, np.uint8), np.zeros((len(crops), 0))
        )

    def show(self, found):
        return found.soft[None]


def run(editor: Editor, frames: int = 70) -> dict[str, Any]:
    """The seam of a film that is edited from each frame of its first chunk on."""
    grain = np.random.default_rng(0).integers(126, 130, (frames, SIZE, SIZE, 3), np.uint8)
    where = np.array([[1.0, 0, 0], [0, 1, 0]])
    rows, found = speech(frames, TURN // 2).repeat(4)[:, None].repeat(80, 1), list[seam.Change]()
    for skipped in range(CHUNK - MOTION):
        pictures = [Picture(rgb, i / 25, 1 / 25) for i, rgb in enumerate(grain)][skipped:]
        seen = (Seen(picture, where, number == 0, np.zeros(3)) for number, picture in enumerate(pictures))
        said = Speech([rows], frames / 25)
        found += seam.changes("film", editor, Nobody(), said, Sampling(1, Guidance(1, 1)), seen)
    return seam.summary(found)


@pytest.fixture(scope="module")
def network() -> Dubber:
    return train()


def test_motion_frames_carry_over_a_border(network: Dubber) -> None:
    """Of a whole editor `python -m benchmarks.seam` measures the same; this network had ten seconds of training."""
    carried, begun = (run(Trained(Session(network), motion)) for motion in (MOTION, 0))
    assert carried["ratio"] < begun["ratio"] / 2
    assert carried["elsewhere"] == pytest.approx(STEP * 127.5, rel=0.5)  # it moves, about as it should


def test_the_runtime_adds_no_seam_of_its_own() -> None:
    """Where a model continues its motion frames exactly, the change at borders is that elsewhere; else far from it."""
    continued, begun = (run(Trained(Continuing(), motion)) for motion in (MOTION, 0))
    assert 0.9 < continued["ratio"] <= 1.1
    assert begun["ratio"] > 2
