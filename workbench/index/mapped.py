"""Arrays of a safetensors file as views of the file itself: opened in microseconds, read where they are touched."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np

from workbench.errors import InputFileError

_TYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "<i1", "U8": "<u1",
}  # fmt: skip


def mapped(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a file by name.

    Raises:
        InputFileError: the file is gone or no safetensors file.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(min(length, size)))
        raw = np.asarray(np.memmap(path, dtype=np.uint8, mode="r"))
        header.pop("__metadata__", None)
        return {name: _view(raw, 8 + length, about) for name, about in header.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputFileError(f"{path} cannot be read ({error})", "Build the index again.") from error


def _view(raw: np.ndarray, origin: int, about: dict[str, object]) -> np.ndarray:
    kind, shape = np.dtype(_TYPES[str(about["dtype"])]), tuple(int(n) for n in about["shape"])  # type: ignore[attr-defined]
    first, last = (origin + int(place) for place in about["data_offsets"])  # type: ignore[attr-defined]
    if last - first != kind.itemsize * math.prod(shape) or last > len(raw):
        raise ValueError("an array is not all there")
    return raw[first:last].view(kind).reshape(shape)
