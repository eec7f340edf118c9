"""What several networks are made of."""

from torch import nn


def conv(inputs: int, outputs: int, kernel: int, stride: int = 2) -> list[nn.Module]:
    """A convolutional layer that divides a picture's sides by its stride."""
    return [nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2), nn.GroupNorm(4, outputs), nn.ReLU()]
