"""The published networks that may measure the benchmark: the files that each is read from, and where these belong."""

from collections.abc import Sequence
from pathlib import Path

FOLDER = Path("models/published")
NETWORKS = {
    "syncnet": ("syncnet_v2.model",),
    "arcface": ("backbone.pth",),
    "lpips": ("alexnet-owt-7be5be79.pth", "alex.pth"),
    "inception": ("pt_inception-2015-12-05-6726825d.pth",),
    "i3d": ("i3d_torchscript.pt",),
}
"""The files of each network, under the names that their authors gave them."""
METRICS = {
    "lse_c": "syncnet",
    "lse_d": "syncnet",
    "csim": "arcface",
    "lpips": "lpips",
    "fid": "inception",
    "fvd": "i3d",
}
"""Every metric, and the network that measures it."""


def expected(paths: Sequence[Path]) -> str:
    """Why a metric is not measured, where these files are not there."""
    return f"expected {' and '.join(map(str, paths))}; components/published/README.md says whose weights these are"


def not_measured() -> dict[str, str]:
    """What is said of every metric where nothing was measured yet."""
    return {metric: expected([FOLDER / file for file in NETWORKS[name]]) for metric, name in METRICS.items()}
