"""Wav2Lip's generator as its paper describes it (Prajwal et al. 2020), with random weights: what a frame costs.

Cost does not depend on weights. A face encoder of 96 x 96 px (the masked face and a reference, 6 channels), a speech
encoder of 80 x 16 mel, and a decoder with skip connections to the face encoder: convolutions with batch norm.
"""

import torch
from torch import Tensor, nn

# (channels out, kernel, stride, padding, residual); in the decoder a stride doubles the size.
Layer = tuple[int, int, int | tuple[int, int], int, bool]
SAME: tuple[int, int, int] = (3, 1, 1)

FACE: list[list[Layer]] = [
    [(16, 7, 1, 3, False)],
    [(32, 3, 2, 1, False), (32, *SAME, True), (32, *SAME, True)],
    [(64, 3, 2, 1, False), (64, *SAME, True), (64, *SAME, True), (64, *SAME, True)],
    [(128, 3, 2, 1, False), (128, *SAME, True), (128, *SAME, True)],
    [(256, 3, 2, 1, False), (256, *SAME, True), (256, *SAME, True)],
    [(512, 3, 2, 1, False), (512, *SAME, True)],
    [(512, 3, 1, 0, False), (512, 1, 1, 0, False)],
]
SPEECH: list[Layer] = [
    (32, *SAME, False), (32, *SAME, True), (32, *SAME, True),
    (64, 3, (3, 1), 1, False), (64, *SAME, True), (64, *SAME, True),
    (128, 3, 3, 1, False), (128, *SAME, True), (128, *SAME, True),
    (256, 3, (3, 2), 1, False), (256, *SAME, True),
    (512, 3, 1, 0, False), (512, 1, 1, 0, False),
]  # fmt: skip
DECODER = [(512, 0), (512, 1), (512, 2), (384, 2), (256, 2), (128, 2), (64, 2)]
"""Channels of each stage, and its residual layers after the first."""


class Convolution(nn.Module):
    """Convolution, batch norm, an optional residual, ReLU."""

    def __init__(self, inputs: int, layer: Layer) -> None:
        super().__init__()
        outputs, kernel, stride, padding, self.residual = layer
        self.layers = nn.Sequential(nn.Conv2d(inputs, outputs, kernel, stride, padding), nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        made: Tensor = self.layers(x)
        return torch.relu(made + x if self.residual else made)


class Doubling(nn.Module):
    """Transposed convolution to twice the size (1 px to 3 px in the first), batch norm, ReLU."""

    def __init__(self, inputs: int, outputs: int, first: bool) -> None:
        super().__init__()
        stride, padding, extra = (1, 0, 0) if first else (2, 1, 1)
        convolution = nn.ConvTranspose2d(inputs, outputs, 3, stride, padding, extra)
        self.layers = nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        made: Tensor = self.layers(x)
        return made


def stack(inputs: int, layers: list[Layer]) -> nn.Sequential:
    """Convolutions one after the other."""
    channels = [inputs, *(layer[0] for layer in layers)]
    return nn.Sequential(*(Convolution(c, layer) for c, layer in zip(channels, layers, strict=False)))


class Wav2Lip(nn.Module):
    """Faces (b 6 96 96) and mel (b 1 80 16) to faces (b 3 96 96)."""

    def __init__(self) -> None:
        super().__init__()
        inputs = [6, *(block[-1][0] for block in FACE)]
        self.face = nn.ModuleList(stack(c, block) for c, block in zip(inputs, FACE, strict=False))
        self.speech = stack(1, SPEECH)
        skips = [block[-1][0] for block in reversed(FACE)]
        self.decoder = nn.ModuleList()
        channels = 512
        for index, ((outputs, residuals), skip) in enumerate(zip(DECODER, skips, strict=True)):
            first = Convolution(channels, (outputs, 1, 1, 0, False)) if index == 0 else None
            grow = first or Doubling(channels, outputs, first=index == 1)
            self.decoder.append(nn.Sequential(grow, *stack(outputs, [(outputs, *SAME, True)] * residuals)))
            channels = outputs + skip
        self.output = nn.Sequential(Convolution(channels, (32, *SAME, False)), nn.Conv2d(32, 3, 1), nn.Sigmoid())

    def forward(self, faces: Tensor, mel: Tensor) -> Tensor:
        features, x = [], faces
        for block in self.face:
            features.append(x := block(x))
        x = self.speech(mel)
        for block in self.decoder:
            x = torch.cat([block(x), features.pop()], 1)
        made: Tensor = self.output(x)
        return made
