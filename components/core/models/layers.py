"""What several networks are made of."""

from torch import nn


def conv(inputs: int, outputs: int, kernel: int) -> list[nn.Module]:
    """A convolutional layer that halves a picture's sides."""
    return [nn.Conv2d(inputs, outputs, kernel, stride=2, padding=kernel // 2), nn.GroupNorm(4, outputs), nn.ReLU()]
