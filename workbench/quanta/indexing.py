"""The canonical numbering of a corpus's predictions: one number for each predictable token."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]


class TokenIndex:
    """Numbers the predictable tokens of documents: all but the first of each.

    Args:
        lengths: (documents,) tokens of each document; empty and one-token documents own no prediction.

    Attributes:
        counts: (documents,) predictions of each.
        starts: (documents + 1,) number of each document's first prediction; the last is the total.

    Raises:
        ValueError: a negative length.
    """

    def __init__(self, lengths: Sequence[int] | Integers) -> None:
        of = np.asarray(lengths, dtype=np.int64)
        if of.ndim != 1 or (of < 0).any():
            raise ValueError(f"lengths must be non-negative whole numbers in one row, got {lengths!r}")
        self.counts: Integers = np.maximum(of - 1, 0)
        self.starts: Integers = np.concatenate([[0], np.cumsum(self.counts)])

    def __len__(self) -> int:
        """Predictions in all."""
        return int(self.starts[-1])

    def locate(self, numbers: Sequence[int] | Integers) -> tuple[Integers, Integers]:
        """Document and token position (1 = the document's second token) of each predicted token.

        Raises:
            IndexError: a number that no prediction has.
        """
        wanted = np.asarray(numbers, dtype=np.int64)
        wrong = wanted[(wanted < 0) | (wanted >= len(self))]
        if wrong.size:
            raise IndexError(f"no prediction {int(wrong.flat[0])}: there are {len(self)}")
        documents = np.searchsorted(self.starts, wanted, side="right") - 1
        return documents, wanted - self.starts[documents] + 1
