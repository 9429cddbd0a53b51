"""From cosines to similarities that a clustering can take."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def angular_similarity(cosines: ArrayLike) -> Floats:
    """1 - arccos(c) / pi, in [0, 1]: 1 for the same direction, 1/2 for orthogonal ones, 0 for opposite ones.

    Args:
        cosines: any shape; rounding beyond [-1, 1] is cut off, NaN stays NaN.
    """
    clipped = np.clip(np.asarray(cosines, dtype=np.float64), -1.0, 1.0)
    return np.asarray(1.0 - np.arccos(clipped) / np.pi)
