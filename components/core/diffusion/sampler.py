"""The sampler of the flow and the plan of chunks, for torch tensors and NumPy arrays alike: array operators only.

Time runs from t = 1 (noise) to t = 0 (data): z_t = (1 - t) z_0 + t eps.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

Array = Any  # a torch.Tensor or a numpy.ndarray: whatever the caller passes comes back
Predict = Callable[[Array, float], Array]
"""(z_t, t) -> the prediction of z_0."""


def timesteps(steps: int, shift: float) -> tuple[float, ...]:
    """`steps + 1` times from 1 to 0: u uniform, t = shift u / (1 + (shift - 1) u). A shift above 1 dwells near noise.

    Raises:
        ValueError: fewer than one step, or a shift that is not positive.
    """
    if steps < 1:
        raise ValueError(f"steps is {steps}, expected at least 1")
    if shift <= 0:
        raise ValueError(f"shift is {shift}, expected a positive number")
    uniform = (1 - step / steps for step in range(steps + 1))
    return tuple(shift * u / (shift * u + (1 - u)) for u in uniform)  # so written, u = 1 gives exactly 1


def step(noisy: Array, clean: Array, t: float, s: float) -> Array:
    """z_s from z_t and the prediction of z_0: the Euler step along v = (z_t - z_0) / t from t down to s."""
    if not 0 <= s < t <= 1:
        raise ValueError(f"a step goes from t down to s within [0, 1], not from {t} to {s}")
    return clean + (s / t) * (noisy - clean)


def sample(predict: Predict, noise: Array, schedule: tuple[float, ...]) -> Array:
    """z_0 by one prediction per step of the schedule (see `timesteps`).

    A predictor with motion frames writes them into its input and gives them timestep 0; whatever the loop carries
    in their place never reaches the model, and the caller drops it.
    """
    noisy = noise
    for t, s in pairwise(schedule):
        noisy = step(noisy, predict(noisy, t), t, s)
    return noisy


@dataclass(frozen=True)
class Chunk:
    """Frames [start, stop) of a clip that the model sees at once; all chunks of a clip are equally long.

    Attributes:
        start: the first frame.
        stop: one past the last frame; beyond the clip's end only where the clip is shorter than one chunk, and those
            frames repeat the clip's last one.
        motion: how many of the first frames are motion frames: results of earlier chunks, given clean.
    """

    start: int
    stop: int
    motion: int

    @property
    def fresh(self) -> slice:
        """The frames of the clip that this chunk adds."""
        return slice(self.start + self.motion, self.stop)


def chunks(frames: int, chunk_frames: int, motion_frames: int) -> list[Chunk]:
    """The plan that covers `frames` frames, each fresh in exactly one chunk.

    The last chunk is shifted back so that it is whole too: it has more motion frames than the others, so that frames
    already made are never made twice.

    Raises:
        ValueError: no frames, or motion frames that leave no room for fresh ones.
    """
    if frames < 1:
        raise ValueError(f"frames is {frames}, expected at least 1")
    if not 0 <= motion_frames < chunk_frames:
        raise ValueError(f"motion_frames is {motion_frames}, expected 0 to {chunk_frames - 1} (chunk_frames - 1)")
    last = max(frames - chunk_frames, 0)
    plan: list[Chunk] = []
    for start in (*range(0, last, chunk_frames - motion_frames), last):
        done = plan[-1].stop if plan else 0
        plan.append(Chunk(start, start + chunk_frames, done - start))
    return plan
