"""What a user can choose, and the progress that they are told."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from components.core.base.errors import UserError

Length = Literal["video", "speech", "shortest"]
Extend = Literal["hold", "pingpong", "fail"]
Progress = Callable[[int, int | None], None]
"""Called with (frames written, frames expected or None) after every frame."""


@dataclass(frozen=True)
class DubOptions:
    """How to dub. Every default is what most users want.

    Attributes:
        model: the ONNX editor; None takes the one that this project exported.
        steps: denoising steps; None takes the model's own number. More is slower, rarely better.
        guidance: how hard the lips follow the speech; None takes the model's own scale, 1 is the model as trained.
        length: how long the result is when speech and video differ. "video": as long as the video, the speech followed
            by silence or cut (which is warned of). "speech": as long as the speech, the video cut or extended.
            "shortest": as long as the shorter of the two.
        extend: how a video that is shorter than its speech goes on under length "speech". "hold" keeps the last frame,
            "pingpong" plays its last seconds back and forth, "fail" refuses.
        face: which face to dub, counted from 1 at the left; None is right where there is one face.
        seed: of the sampler's noise; the same seed gives the same frames.
        overwrite: whether an existing output may be replaced.
        consent: that the person shown has agreed to be dubbed, for footage without a rights.yaml; goes into the report.
        resume: keep what is finished in the folder OUT.resume until the output is whole, and go on from there.
        sign_key, sign_chain: PEM files of the private key and the certificate chain that sign the Content Credentials;
            None makes a test certificate, which nobody trusts and which says so.
    """

    model: Path | None = None
    steps: int | None = None
    guidance: float | None = None
    length: Length = "video"
    extend: Extend = "hold"
    face: int | None = None
    seed: int = 0
    overwrite: bool = False
    consent: bool = False
    resume: bool = False
    sign_key: Path | None = None
    sign_chain: Path | None = None

    def __post_init__(self) -> None:
        if self.steps is not None and not 1 <= self.steps <= 1000:
            raise UserError("--steps", got=str(self.steps), expected="1 to 1000")
        if self.guidance is not None and not 0 <= self.guidance <= 20:
            raise UserError("--guidance", got=str(self.guidance), expected="0 to 20")
        if self.face is not None and self.face < 1:
            raise UserError("--face", got=str(self.face), expected="1 or more, counted from the left")
        if (self.sign_key is None) != (self.sign_chain is None):
            raise UserError("--sign-key and --sign-chain", got="one of them", expected="both or neither")
        for name, value, known in (
            ("--length", self.length, ("video", "speech", "shortest")),
            ("--extend", self.extend, ("hold", "pingpong", "fail")),
        ):
            if value not in known:
                raise UserError(name, got=repr(value), expected="one of " + ", ".join(known))
