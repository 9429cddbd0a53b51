"""Importing a corpus: documents to tokens on disk, batch by batch; a killed import goes on where it was.

Tokens are appended; every `CHECKPOINT` tokens a small file says how far the import is. What was appended after it
is cut off when the import goes on, so that the end is the same bytes as without the kill.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from workbench.corpus.readers import Reading
from workbench.corpus.source import DEMO
from workbench.corpus.store import BUILDING, FORMAT, STARTS, TOKENS, TokenStore, corpora, find_recipe, keep_store
from workbench.corpus.tokenizing import StoreTokenizer
from workbench.digests import value_digest
from workbench.errors import InputFileError, UsageError, storage_error
from workbench.files import write_atomic

Tick = Callable[[int, int, str], None]
CHECKPOINT = 2_000_000
"""Tokens between two checkpoints."""
BATCH, CHARACTERS = 256, 1 << 20
"""Documents tokenized together, and at most how many characters of them unless one alone is longer."""
PROGRESS = "progress.json"


@dataclass(frozen=True)
class ImportRecipe:
    """All that decides what an import makes.

    Attributes:
        reading: what is read.
        max_tokens: of a document, the rest is cut off; 0 keeps all.
        tokens: documents are read until there are this many tokens; 0 reads to the end.
        name: what people call it; part of no digest.
    """

    reading: Reading
    max_tokens: int = 0
    tokens: int = 0
    name: str = ""

    def key(self, tokenizer: str) -> str:
        """The name under which an unfinished or an earlier import is found."""
        about = {"format": FORMAT, "reading": self.reading.digest, "tokenizer": tokenizer}
        about |= {"max_tokens": self.max_tokens, "tokens": self.tokens}
        return value_digest(about).removeprefix("sha256:")[:32]


@dataclass
class _Progress:
    """How far an import is."""

    documents: int = 0
    tokens: int = 0
    empty: int = 0
    cut: int = 0
    repaired: int = 0


def known(recipe: ImportRecipe, tokenizer: StoreTokenizer, home: Path) -> TokenStore | None:
    """The store that an earlier import after the same recipe made."""
    return find_recipe(home, recipe.key(tokenizer.digest))


def import_corpus(recipe: ImportRecipe, tokenizer: StoreTokenizer, home: Path, tick: Tick) -> TokenStore:
    """The store of a recipe: found on disk, gone on with, or made from the start.

    Raises:
        UnknownNameError, InputFileError: nothing to read, or it is not what it should be.
        UsageError: the demo's corpus, which has no end, without a number of tokens.
        StorageError: the disk is full or cannot be written; what was read is kept.
    """
    if recipe.reading.kind == DEMO and not recipe.tokens:
        raise UsageError("the demo's corpus has no end", "Say how much of it: --tokens 200000.")
    digest = tokenizer.digest
    key = recipe.key(digest)
    if (found := find_recipe(home, key)) is not None:
        return found
    folder = corpora(home) / BUILDING / key
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(folder, error) from error
    done = _fill(folder, recipe, tokenizer, tick)
    if not done.documents or done.tokens == _only_special(folder, tokenizer):
        raise InputFileError(
            f"the corpus {recipe.reading.ref!r} has no text", "Give one with a document that has some."
        )
    meta = {
        "name": recipe.name,
        **asdict(done),
        "tokenizer": digest,
        "special": tokenizer.special,
        "max_tokens": recipe.max_tokens,
        "source": _source(recipe.reading),
        "recipes": [key],
        "enriched": None,
    }
    (folder / PROGRESS).unlink(missing_ok=True)
    return keep_store(home, folder, tokenizer.pieces, meta)


def _source(reading: Reading) -> dict[str, Any]:
    """Where it came from, without the path of whoever imported it."""
    about = asdict(reading)
    return {**about, "ref": Path(reading.ref).name if reading.kind in ("file", "folder") else reading.ref}


def _only_special(folder: Path, tokenizer: StoreTokenizer) -> int:
    """How many tokens are special, looked for only as long as none is found that is not."""
    path, special, seen = folder / TOKENS, np.array(tokenizer.special), 0
    with path.open("rb") as file:
        while part := file.read(1 << 22):
            tokens = np.frombuffer(part, dtype="<i4")
            if not np.isin(tokens, special).all():
                return -1
            seen += len(tokens)
    return seen


def _fill(folder: Path, recipe: ImportRecipe, tokenizer: StoreTokenizer, tick: Tick) -> _Progress:
    writer = _Writer(folder)
    try:
        for texts in _batches(recipe.reading.documents(writer.done.documents)):
            if recipe.tokens and writer.done.tokens >= recipe.tokens:
                break
            tick(min(writer.done.tokens, recipe.tokens), recipe.tokens, f"{writer.done.documents:,} documents read")
            rows, cut, repaired = tokenizer.encode(texts, recipe.max_tokens)
            writer.add(_enough(rows, recipe.tokens - writer.done.tokens if recipe.tokens else 0), cut, repaired, texts)
        writer.checkpoint()
    finally:
        writer.close()
    return writer.done


def _batches(documents: Iterator[str]) -> Iterator[list[str]]:
    while first := list(islice(documents, 1)):
        batch, size = first, len(first[0])
        while len(batch) < BATCH and size < CHARACTERS and (following := list(islice(documents, 1))):
            batch += following
            size += len(following[0])
        yield batch


def _enough(rows: list[list[int]], wanted: int) -> list[list[int]]:
    """The first documents that have as many tokens as are wanted together; 0 wants all."""
    if not wanted:
        return rows
    sizes = np.cumsum([len(row) for row in rows])
    return rows[: int(np.searchsorted(sizes, wanted)) + 1]


@dataclass
class _Writer:
    """The two growing files and the checkpoint that says how much of them counts."""

    folder: Path
    done: _Progress = field(default_factory=_Progress)
    _files: dict[str, BinaryIO] = field(default_factory=dict)
    _checked: int = 0

    def __post_init__(self) -> None:
        progress = self.folder / PROGRESS
        if progress.exists():
            self.done = _Progress(**json.loads(progress.read_text("utf-8")))
        self._checked = self.done.tokens
        try:
            for name, size in ((TOKENS, 4 * self.done.tokens), (STARTS, 8 * (self.done.documents + 1))):
                path = self.folder / name
                path.touch()
                fresh = path.stat().st_size < size
                if fresh and self.done.documents:
                    raise InputFileError(f"{path} is shorter than its import", f"Remove {self.folder} and repeat.")
                os.truncate(path, 0 if fresh else size)
                self._files[name] = path.open("ab", buffering=0)  # a full disk shows at the write
            if not self.done.documents:
                os.truncate(self.folder / STARTS, 0)
                self._write(STARTS, np.zeros(1, "<i8"))
        except OSError as error:
            raise storage_error(self.folder, error) from error

    def add(self, rows: list[list[int]], cut: int, repaired: int, texts: list[str]) -> None:
        """Append documents."""
        sizes = np.array([len(row) for row in rows], dtype=np.int64)
        self._write(TOKENS, np.fromiter((token for row in rows for token in row), "<i4", int(sizes.sum())))
        self._write(STARTS, (self.done.tokens + np.cumsum(sizes)).astype("<i8"))
        self.done.documents += len(rows)
        self.done.tokens += int(sizes.sum())
        self.done.empty += sum(not text.strip() for text in texts[: len(rows)])
        self.done.cut += cut
        self.done.repaired += repaired
        if self.done.tokens - self._checked >= CHECKPOINT:
            self.checkpoint()

    def _write(self, name: str, values: np.ndarray) -> None:
        rest = memoryview(values.tobytes())
        try:
            while rest:
                rest = rest[self._files[name].write(rest) :]
        except OSError as error:
            raise storage_error(self.folder, error) from error

    def checkpoint(self) -> None:
        """Say that everything so far counts."""
        for file in self._files.values():
            os.fsync(file.fileno())
        write_atomic(self.folder / PROGRESS, json.dumps(asdict(self.done)))
        self._checked = self.done.tokens

    def close(self) -> None:
        """Close the files."""
        for file in self._files.values():
            file.close()
