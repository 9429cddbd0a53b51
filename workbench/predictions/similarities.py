"""Similarities of samples on disk, named by all that decides them; an interrupted one goes on where it was."""

from __future__ import annotations

import io
import json
import re
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.digests import value_digest
from workbench.errors import InputFileError, storage_error
from workbench.files import write_atomic
from workbench.predictions.losses import FOLDER

if TYPE_CHECKING:
    from workbench.quanta.gradients import Arrays

SAVE_EVERY = 60.0
"""Seconds between two states that an interrupted run can go on from; it also leaves one when it is stopped."""
_KEY = re.compile(r"[0-9a-f]{8,32}")
MATRIX, META, STATE = "matrix.npy", "meta.json", "state.safetensors"


@dataclass(frozen=True)
class SimilarityFolder:
    """Where one similarity lies.

    Attributes:
        folder: named by all that decides the numbers.
        about: that.
    """

    folder: Path
    about: dict[str, Any]

    @classmethod
    def of(cls, home: Path, about: dict[str, Any]) -> SimilarityFolder:
        """The folder for samples, model and settings."""
        return cls(matrix_folder(home, value_digest(about).removeprefix("sha256:")[:32]), about)

    def meta(self) -> dict[str, Any] | None:
        """What was said of the finished similarity, or None where there is none."""
        try:
            found: dict[str, Any] = json.loads((self.folder / META).read_text("utf-8"))
        except (OSError, ValueError):
            return None  # not made yet, or damaged: it is made again
        return found if (self.folder / MATRIX).exists() else None

    def finish(self, matrix: np.ndarray, meta: dict[str, Any]) -> None:
        """Keep the finished matrix (samples, samples) as float32.

        Raises:
            StorageError: the disk is full or cannot be written.
        """
        raw = io.BytesIO()
        np.save(raw, matrix.astype(np.float32), allow_pickle=False)
        write_atomic(self.folder / MATRIX, raw.getvalue())
        write_atomic(self.folder / META, json.dumps(meta))
        with suppress(OSError):  # a state that stays costs disk alone
            (self.folder / STATE).unlink(missing_ok=True)
            (self.folder / STATE).with_suffix(".part").unlink(missing_ok=True)

    def state(self) -> Arrays | None:
        """What an interrupted run left; None where there is nothing, or nothing whole."""
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            found: Arrays = load_file(self.folder / STATE)
        except (OSError, SafetensorError):
            return None
        return found

    def save_state(self, arrays: Arrays) -> None:
        """Leave what a run can go on from.

        Raises:
            StorageError: the disk is full or cannot be written.
        """
        from safetensors import SafetensorError
        from safetensors.torch import save_file

        target = self.folder / STATE
        growing = target.with_suffix(".part")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            # to the disk without a second copy in memory: the rows are as large as the budget
            save_file({name: array.contiguous() for name, array in arrays.items()}, growing)
            growing.replace(target)
        except SafetensorError as error:
            raise storage_error(target, OSError(str(error))) from error
        except OSError as error:
            raise storage_error(target, error) from error


def matrix_folder(home: Path, key: str) -> Path:
    """Where the similarity of that key lies.

    Raises:
        InputFileError: no similarity has such a key; a session is data from anyone, and a path is none.
    """
    if not _KEY.fullmatch(key):
        raise InputFileError(f"{key!r:.80} names no similarity", "Make it again: `workbench quanta similarity`.")
    return home / FOLDER / "similarity" / key


def has_matrix(home: Path, key: str) -> bool:
    """Whether the finished similarity of that key is there; raises as `matrix_folder`."""
    return (matrix_folder(home, key) / MATRIX).is_file()


def open_matrix(home: Path, key: str) -> np.ndarray:
    """(samples, samples) float32 of the finished similarity of that key, mapped from the disk.

    Raises:
        InputFileError: it is not on this machine, or damaged.
    """
    path = matrix_folder(home, key) / MATRIX
    try:
        found: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
        return found
    except (OSError, ValueError) as error:
        raise InputFileError(
            "the similarities are not on this machine", "Make them again: `workbench quanta similarity`."
        ) from error


class Keeper:
    """Takes the places that a run can be left at, and writes one now and then, or when it is stopped.

    Args:
        folder: where to.
        every: seconds between two, at least; as many as make the writing a twentieth of the time where that is more.
    """

    def __init__(self, folder: SimilarityFolder, every: float = SAVE_EVERY) -> None:
        self._folder, self._every = folder, every
        self._last, self._took = time.monotonic(), 0.0
        self._newest: Callable[[], Arrays] | None = None

    def __call__(self, arrays: Callable[[], Arrays]) -> None:
        """A place to leave at."""
        self._newest = arrays
        if time.monotonic() - self._last >= max(self._every, 20 * self._took):
            self.save()

    def save(self) -> None:
        """Write the newest."""
        began = time.monotonic()
        if self._newest is not None:
            self._folder.save_state(self._newest())
        self._last = time.monotonic()
        self._took = self._last - began
