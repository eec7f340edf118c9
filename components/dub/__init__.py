"""Dubbing by the ONNX editor, without torch.

    from components.dub import DubOptions, dub

    def progress(frames: int, expected: int | None) -> None:
        print(f"{frames} of {expected or '?'} frames", end="\\r")

    report = dub("interview.mp4", "german.wav", "interview.de.mp4", DubOptions(consent=True), progress)
    print(report.length, report.gaps)

The callback is called after every frame in the thread that called `dub`; what it raises ends the dub like Ctrl-C.
"""

from components.dub.core import run as dub
from components.dub.options import DubOptions
from components.dub.report import DubReport

__all__ = ["DubOptions", "DubReport", "dub"]
