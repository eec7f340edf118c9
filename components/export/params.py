"""The export section of params.yaml."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Params:
    """How the editor is exported, and the defaults that `dubstrap dub` takes from the model.

    Attributes:
        steps, guidance_reference, guidance_audio: default sampling of the dubbing runtime.
        max_error: largest difference to torch, in units of the pixel range [-1, 1], that is still an export.
        check_clips: held-out crops on which that is measured.
        opset: of ONNX.
    """

    steps: int
    guidance_reference: float
    guidance_audio: float
    max_error: float
    check_clips: int
    opset: int

    def __post_init__(self) -> None:
        if min(self.steps, self.check_clips) < 1 or self.max_error <= 0:
            raise ValueError(
                f"steps {self.steps}, check_clips {self.check_clips} and max_error {self.max_error} must be positive"
            )
        if self.opset < 18:
            raise ValueError(f"opset {self.opset} must be at least 18")
