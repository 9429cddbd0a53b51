"""Losses of all predictions of a corpus on disk, a file for each model; a killed run goes on where it was.

Documents are read in chunks; after each a small file says how far the run is, and a digest of the tokens read. A run
that goes on compares it with the corpus as it is now, so that losses never rest on two corpora.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.digests import value_digest
from workbench.errors import InputFileError, MismatchError, storage_error
from workbench.files import write_atomic
from workbench.predictions.numbering import Numbering

if TYPE_CHECKING:
    from workbench.models.loaded import LoadedModel

Tick = Callable[[int, int, str], None]
FOLDER = "quanta"
CHUNK = 65_536
"""Tokens between two points at which a run can go on."""
BATCH_TOKENS = 8192
"""Tokens that the model reads at once, padding included."""
LOGITS = 1 << 26
"""Logits held at once: 64 million float32 are 256 MB."""
NGRAMS = {"present-bigram": 2, "present-trigram": 3}


class Losses:
    """Where the losses and filters of a numbering lie.

    Args:
        home: the cache.
        numbering: which predictions.
    """

    def __init__(self, home: Path, numbering: Numbering) -> None:
        self.numbering = numbering
        key = value_digest(numbering.about).removeprefix("sha256:")[:32]
        self.folder = home / FOLDER / "losses" / key

    def path(self, model: str) -> Path:
        """The file of a model's losses, by the model's digest."""
        return self.folder / f"{model.removeprefix('sha256:')[:32]}.f32"

    def read(self, model: str) -> np.ndarray:
        """(predictions,) losses in nats of a model, by its digest.

        Raises:
            InputFileError: they are not on this machine, or not whole.
        """
        return self._mapped(self.path(model), "<f4")

    def dropped(self, name: str) -> np.ndarray:
        """(predictions,) bool, True = drop, of the filter `present-trigram`, `present-bigram` or `none`.

        Raises:
            InputFileError: it is not on this machine, or not whole.
        """
        if name == "none":
            return np.zeros(len(self.numbering.index), dtype=bool)
        return self._mapped(self.folder / f"{name}.u1", "u1").astype(bool)

    def _mapped(self, path: Path, kind: str) -> np.ndarray:
        wanted = len(self.numbering.index) * np.dtype(kind).itemsize
        try:
            if path.stat().st_size != wanted:
                raise InputFileError(f"{path.name} is not whole", "Take them again: `workbench quanta losses`.")
        except OSError as error:
            raise InputFileError(
                "the losses are not on this machine", "Take them again: `workbench quanta losses`."
            ) from error
        return np.asarray(np.memmap(path, dtype=kind, mode="r")) if wanted else np.zeros(0, kind)

    # --- making them

    def take(self, model: LoadedModel, tick: Tick) -> None:
        """Take the losses of a model, or find them.

        Raises:
            MismatchError: an encoder, a context longer than the model reads, or a corpus that changed meanwhile.
            StorageError: the disk is full or cannot be written; what was taken is kept.
        """
        model.need_logits()
        if self.numbering.context > model.context:
            raise MismatchError(
                f"contexts of {self.numbering.context} tokens are longer than {model.name} reads ({model.context})",
                f"Cut them: `workbench quanta losses --context {model.context}`.",
            )
        done = self.path(str(model.info["digest"]))
        if not done.exists():
            _Run(self.numbering, done).fill(lambda documents: _losses(model, self.numbering, documents), tick,
                                            f"losses of {model.name}")  # fmt: skip

    def take_filters(self, tick: Tick) -> None:
        """Work the n-gram filters out, or find them.

        Raises:
            MismatchError, StorageError: as `take`.
        """
        for name, size in NGRAMS.items():
            path = self.folder / f"{name}.u1"
            if not path.exists():
                _Run(self.numbering, path).fill(partial(self._repeats, size), tick, name)

    def _repeats(self, size: int, documents: range) -> np.ndarray:
        return self.numbering.repeats(documents, size).astype("u1")


class _Run:
    """Appends the numbers of one chunk of documents after the other to a file that gets its name in the end."""

    def __init__(self, numbering: Numbering, target: Path) -> None:
        self.numbering, self.target = numbering, target
        self.part, self.log = target.with_suffix(".part"), target.with_suffix(".json")

    def fill(self, make: Callable[[range], np.ndarray], tick: Tick, what: str) -> None:
        """Make all chunks that are not there yet."""
        try:
            self.target.parent.mkdir(parents=True, exist_ok=True)
            known = self._known()
            digest = hashlib.sha256()
            with self.part.open("ab") as file:
                file.truncate(known["bytes"])
                for documents in _chunks(self.numbering):
                    digest.update(_bytes(self.numbering, documents))
                    if documents.stop <= known["documents"]:
                        self._compare(digest, documents, known)
                        continue
                    tick(documents.start, self.numbering.documents, f"{what}: document")
                    file.write(make(documents).tobytes())
                    file.flush()
                    os.fsync(file.fileno())
                    about = {"documents": documents.stop, "bytes": file.tell(), "tokens": digest.hexdigest()}
                    write_atomic(self.log, json.dumps(about))
            self.part.replace(self.target)
            self.log.unlink(missing_ok=True)
        except OSError as error:
            raise storage_error(self.target, error) from error

    def _known(self) -> dict[str, Any]:
        fresh = {"documents": 0, "bytes": 0, "tokens": ""}
        try:
            known: dict[str, Any] = json.loads(self.log.read_text("utf-8"))
            whole = self.part.stat().st_size >= known["bytes"]
        except (OSError, ValueError, KeyError):
            return fresh  # nothing to go on with, or a half-written note of it: the chunks are made again
        return known if whole else fresh

    def _compare(self, digest: Any, documents: range, known: dict[str, Any]) -> None:
        if documents.stop == known["documents"] and digest.hexdigest() != known["tokens"]:
            raise MismatchError(
                f"the first {documents.stop:,} documents of the corpus are not those that this run began with",
                f"The corpus changed. Import it again, or remove {self.part.name} and {self.log.name} in "
                f"{self.part.parent} to begin anew.",
            )


def _chunks(numbering: Numbering) -> Iterator[range]:
    first, size = 0, 0
    for document in range(numbering.documents):
        size += len(numbering.ids(document))
        if size >= CHUNK or document == numbering.documents - 1:
            yield range(first, document + 1)
            first, size = document + 1, 0


def _bytes(numbering: Numbering, documents: range) -> bytes:
    """The tokens of some documents and where each ends."""
    ends = np.array([len(numbering.ids(document)) for document in documents], dtype="<i8")
    return ends.tobytes() + b"".join(numbering.ids(document).astype("<i4").tobytes() for document in documents)


def _losses(model: LoadedModel, numbering: Numbering, documents: range) -> np.ndarray:
    """(their predictions,) losses in nats, float32; documents of like length are read together."""
    long_enough = [document for document in documents if len(numbering.ids(document)) > 1]
    long_enough.sort(key=lambda document: (len(numbering.ids(document)), document))
    found: dict[int, np.ndarray] = {}
    room = max(1, min(BATCH_TOKENS, LOGITS // max(1, int(model.info["vocabulary"]))))
    while long_enough:
        longest = len(numbering.ids(long_enough[-1]))
        count = max(1, room // longest)
        batch, long_enough = long_enough[-count:], long_enough[:-count]
        rows = [numbering.ids(document).tolist() for document in batch]
        found |= {batch[row]: losses for row, losses in _of_batch(model, rows)}
    parts = [found[document] for document in documents if document in found]
    return np.concatenate([np.zeros(0, dtype="<f4"), *parts])


def _of_batch(model: LoadedModel, rows: list[list[int]]) -> Iterator[tuple[int, np.ndarray]]:
    """The number of each row with the losses of its tokens after the first."""
    import torch

    ids, mask = model.pad(rows)

    def work(start: int, stop: int) -> Any:
        with torch.no_grad():
            logits = model.plain(input_ids=ids[start:stop], attention_mask=mask[start:stop], use_cache=False).logits
            wanted = ids[start:stop, 1:]
            flat = torch.nn.functional.cross_entropy(
                logits[:, :-1].float().flatten(0, 1), wanted.flatten().to(logits.device), reduction="none"
            )
            return flat.view(wanted.shape).cpu()

    number = 0
    for part in model.portions.run(len(rows), work):
        for row in part:
            yield number, row[: len(rows[number]) - 1].numpy().astype("<f4")
            number += 1
