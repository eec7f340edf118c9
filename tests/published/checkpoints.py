"""Small files in the layouts of the published ones: the same names, a few channels."""

from pathlib import Path

import torch
from torch import Tensor, nn

NARROW = 4
DIRECTIONS = 8


def syncnet() -> nn.Module:
    """The layers of SyncNet in the order of its file, so that each has its number."""
    model = nn.Module()
    n, d = NARROW, DIRECTIONS
    relu = nn.ReLU
    model.netcnnaud = nn.Sequential(
        nn.Conv2d(1, n, 3, 1, 1), nn.BatchNorm2d(n), relu(), nn.MaxPool2d((1, 1), (1, 1)),
        nn.Conv2d(n, n, 3, 1, 1), nn.BatchNorm2d(n), relu(), nn.MaxPool2d((3, 3), (1, 2)),
        nn.Conv2d(n, n, 3, 1, 1), nn.BatchNorm2d(n), relu(),
        nn.Conv2d(n, n, 3, 1, 1), nn.BatchNorm2d(n), relu(),
        nn.Conv2d(n, n, 3, 1, 1), nn.BatchNorm2d(n), relu(), nn.MaxPool2d((3, 3), (2, 2)),
        nn.Conv2d(n, d, (5, 4)), nn.BatchNorm2d(d), relu(),
    )  # fmt: skip
    model.netcnnlip = nn.Sequential(
        nn.Conv3d(3, n, (5, 7, 7), (1, 2, 2)), nn.BatchNorm3d(n), relu(), nn.MaxPool3d((1, 3, 3), (1, 2, 2)),
        nn.Conv3d(n, n, (1, 5, 5), (1, 2, 2), (0, 1, 1)), nn.BatchNorm3d(n), relu(),
        nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)),
        nn.Conv3d(n, n, (1, 3, 3), padding=(0, 1, 1)), nn.BatchNorm3d(n), relu(),
        nn.Conv3d(n, n, (1, 3, 3), padding=(0, 1, 1)), nn.BatchNorm3d(n), relu(),
        nn.Conv3d(n, n, (1, 3, 3), padding=(0, 1, 1)), nn.BatchNorm3d(n), relu(), nn.MaxPool3d((1, 3, 3), (1, 2, 2)),
        nn.Conv3d(n, d, (1, 6, 6)), nn.BatchNorm3d(d), relu(),
    )  # fmt: skip
    for name in ("netfcaud", "netfclip"):
        head = nn.Sequential(nn.Linear(d, d), nn.BatchNorm1d(d), relu(), nn.Linear(d, d))
        setattr(model, name, head)
    return model


class Block(nn.Module):
    """One block of iresnet."""

    def __init__(self, stride: int) -> None:
        super().__init__()
        n = NARROW
        self.bn1, self.bn2, self.bn3 = (nn.BatchNorm2d(n) for _ in range(3))
        self.conv1, self.conv2 = nn.Conv2d(n, n, 3, 1, 1, bias=False), nn.Conv2d(n, n, 3, stride, 1, bias=False)
        self.prelu = nn.PReLU(n)
        skip = nn.Sequential(nn.Conv2d(n, n, 1, stride, bias=False), nn.BatchNorm2d(n))
        self.downsample = skip if stride > 1 else None

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn3(self.conv2(self.prelu(self.bn2(self.conv1(self.bn1(x))))))
        return y + (x if self.downsample is None else self.downsample(x))


class ArcFace(nn.Module):
    """iresnet18's shape."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.bn1, self.prelu = (
            nn.Conv2d(3, NARROW, 3, 1, 1, bias=False),
            nn.BatchNorm2d(NARROW),
            nn.PReLU(NARROW),
        )
        for layer in range(1, 5):
            setattr(self, f"layer{layer}", nn.Sequential(Block(2), Block(1)))
        self.bn2, self.fc = nn.BatchNorm2d(NARROW), nn.Linear(NARROW * 7 * 7, DIRECTIONS)
        self.features = nn.BatchNorm1d(DIRECTIONS)

    def forward(self, x: Tensor) -> Tensor:
        x = self.prelu(self.bn1(self.conv1(x)))
        for layer in range(1, 5):
            x = getattr(self, f"layer{layer}")(x)
        return self.features(self.fc(self.bn2(x).flatten(1)))


def stirred(module: nn.Module) -> nn.Module:
    """Ready to be used, with statistics and scales that are not those of a fresh normalisation."""
    draw = torch.Generator().manual_seed(0)
    for name, tensor in module.state_dict().items():
        if tensor.is_floating_point():
            noise = torch.randn(tensor.shape, generator=draw)
            positive = "running_var" in name or name.endswith("weight")
            tensor.copy_(0.5 + noise.abs() if positive and tensor.ndim == 1 else 0.3 * noise)
    return module.eval()


def alexnet() -> dict[str, Tensor]:
    """torchvision's features, narrow, and a part of its classifier, which LPIPS has no use for."""
    draw = torch.Generator().manual_seed(1)
    shapes = {0: (NARROW, 3, 11, 11), 3: (NARROW, NARROW, 5, 5)} | {k: (NARROW, NARROW, 3, 3) for k in (6, 8, 10)}
    found = {f"features.{k}.weight": 0.2 * torch.randn(shape, generator=draw) for k, shape in shapes.items()}
    return found | {f"features.{k}.bias": torch.zeros(NARROW) for k in shapes} | {"classifier.1.bias": torch.zeros(2)}


def heads() -> dict[str, Tensor]:
    """The linear heads of the lpips package, whose weights are never negative."""
    return {f"lin{k}.model.1.weight": torch.full((1, NARROW, 1, 1), 0.5) for k in range(5)}


def inception() -> dict[str, Tensor]:
    """Every convolution that the FID network has; each hands the mean of its inputs on, pixel by pixel."""
    one, three, five = (1, 1), (3, 3), (5, 5)
    wide, tall = (1, 7), (7, 1)
    a = {"branch1x1": one, "branch5x5_1": one, "branch5x5_2": five, "branch3x3dbl_1": one, "branch3x3dbl_2": three,
         "branch3x3dbl_3": three, "branch_pool": one}  # fmt: skip
    b = {"branch3x3": three, "branch3x3dbl_1": one, "branch3x3dbl_2": three, "branch3x3dbl_3": three}
    c = {"branch1x1": one, "branch7x7_1": one, "branch7x7_2": wide, "branch7x7_3": tall, "branch7x7dbl_1": one,
         "branch7x7dbl_2": tall, "branch7x7dbl_3": wide, "branch7x7dbl_4": tall, "branch7x7dbl_5": wide,
         "branch_pool": one}  # fmt: skip
    d = {"branch3x3_1": one, "branch3x3_2": three, "branch7x7x3_1": one, "branch7x7x3_2": wide, "branch7x7x3_3": tall,
         "branch7x7x3_4": three}  # fmt: skip
    e = {"branch1x1": one, "branch3x3_1": one, "branch3x3_2a": (1, 3), "branch3x3_2b": (3, 1), "branch3x3dbl_1": one,
         "branch3x3dbl_2": three, "branch3x3dbl_3a": (1, 3), "branch3x3dbl_3b": (3, 1), "branch_pool": one}  # fmt: skip
    found: dict[str, Tensor] = {}
    stem = {"Conv2d_1a_3x3": three, "Conv2d_2a_3x3": three, "Conv2d_2b_3x3": three, "Conv2d_3b_1x1": one,
            "Conv2d_4a_3x3": three}  # fmt: skip
    channels = 3
    for name, size in stem.items():
        found |= _passing(name, channels, size)
        channels = NARROW
    # Branches, how many of them end in the output, and whether what was pooled is handed on as it is.
    blocks = dict.fromkeys(("5b", "5c", "5d"), (a, 4, False)) | {"6a": (b, 2, True)}
    blocks |= dict.fromkeys(("6b", "6c", "6d", "6e"), (c, 4, False)) | {"7a": (d, 2, True)}
    blocks |= dict.fromkeys(("7b", "7c"), (e, 6, False))
    for name, (branches, ends, keeps) in blocks.items():
        for branch, size in branches.items():
            is_first = branch.endswith("_1") or branch in ("branch1x1", "branch3x3", "branch_pool")
            found |= _passing(f"Mixed_{name}.{branch}", channels if is_first else NARROW, size)
        channels = NARROW * ends + (channels if keeps else 0)
    return found


def _passing(name: str, channels: int, size: tuple[int, int]) -> dict[str, Tensor]:
    kernel = torch.zeros(NARROW, channels, *size)
    kernel[:, :, size[0] // 2, size[1] // 2] = 1 / channels
    norm = {"weight": torch.ones(NARROW), "bias": torch.zeros(NARROW), "running_mean": torch.zeros(NARROW)}
    variance = torch.full((NARROW,), 1 - 1e-3)
    layer = {f"{name}.bn.{key}": value for key, value in norm.items()}
    return {f"{name}.conv.weight": kernel, **layer, f"{name}.bn.running_var": variance}


class I3d(nn.Module):
    """Takes what the shared TorchScript takes; says each window's mean colour and how it changes."""

    def forward(self, x: Tensor, rescale: bool = True, resize: bool = True, return_features: bool = False) -> Tensor:
        assert not rescale
        assert not resize
        assert return_features
        return torch.cat([x.mean(dim=[2, 3, 4]), x.std(dim=2).mean(dim=[2, 3])], 1)


def write(folder: Path) -> Path:
    """All files under their published names."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(stirred(syncnet()).state_dict(), folder / "syncnet_v2.model")
    torch.save(stirred(ArcFace()).state_dict(), folder / "backbone.pth")
    torch.save(alexnet(), folder / "alexnet-owt-7be5be79.pth")
    torch.save(heads(), folder / "alex.pth")
    torch.save(inception(), folder / "pt_inception-2015-12-05-6726825d.pth")
    torch.jit.script(I3d()).save(str(folder / "i3d_torchscript.pt"))
    return folder
