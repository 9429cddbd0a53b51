"""Running rows in parts, smaller and smaller ones while the memory does not hold them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import torch

from workbench.errors import WorkbenchError

Part = TypeVar("Part")
_HINT = "Use shorter texts, --dtype bfloat16, --device cpu, --device-map auto, or a smaller model."
_SAYINGS = ("out of memory", "can't allocate memory", "not enough memory")


@dataclass
class Portions:
    """How many rows run at once; halved when the memory is full, and remembered.

    Attributes:
        most: rows that fitted last time; None as long as nothing was too much.
        notices: what was said about it, until somebody takes it.
    """

    most: int | None = None
    notices: list[str] = field(default_factory=list)

    def run(self, rows: int, work: Callable[[int, int], Part]) -> list[Part]:
        """`work(start, stop)` over all rows, in one part where it fits.

        Raises:
            WorkbenchError: not even one row fits.
        """
        parts: list[Part] = []
        start = 0
        while start < rows:
            stop = min(rows, start + (self.most or rows))
            try:
                parts.append(work(start, stop))
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                if stop - start == 1:
                    raise WorkbenchError("out of memory with a batch of one text", _HINT) from error
            else:
                start = stop
                continue
            self._halve(stop - start)  # out of the except block: the failed attempt's tensors are gone
        return parts

    def _halve(self, rows: int) -> None:
        self.most = rows // 2
        self.notices.append(f"out of memory with {rows} texts at once; going on with {self.most}")
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out: each device of torch says it in its own way."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(saying in str(error).lower() for saying in _SAYINGS)
