"""Dubbing by the ONNX editor, without torch: `from components.dub import DubOptions, dub`."""

from components.dub.core import run as dub
from components.dub.options import DubOptions
from components.dub.report import DubReport

__all__ = ["DubOptions", "DubReport", "dub"]
