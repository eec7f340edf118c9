"""The studio: synthetic people who talk, rendered from nothing but a seed."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.floating[Any]]
"""An array of any float width; shapes are told where it is used."""
