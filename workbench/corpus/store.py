"""Token stores: a corpus as token ids in one memory-mapped array, with the boundaries of its documents.

A store is named by its content, so that two imports of the same text with the same tokenizer are one store, and
what was computed on it can name it. People call it by a name, which points at the content.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from workbench.corpus.pieces import Pieces, write_form
from workbench.digests import file_digest, value_digest
from workbench.errors import InputFileError, MismatchError, UnknownNameError, UsageError, storage_error
from workbench.files import write_atomic

FORMAT = 1
FOLDER, NAMES, BUILDING = "corpora", "names", ".building"
META, TOKENS, STARTS = "meta.json", "tokens.bin", "starts.bin"
_DIGEST = re.compile(r"[0-9a-f]{8,32}")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class TokenStore:
    """A token store on this machine.

    Attributes:
        folder: where it is.
        meta: what it holds and where that came from.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            self.meta: dict[str, Any] = json.loads((folder / META).read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise InputFileError(f"the corpus in {folder} cannot be read ({error})", "Import it again.") from error

    @property
    def digest(self) -> str:
        """The digest of the content."""
        return str(self.meta["digest"])

    @cached_property
    def tokens(self) -> np.ndarray:
        """(tokens,) ids of all documents, one after the other."""
        return _mapped(self.folder / TOKENS, "<i4")

    @cached_property
    def starts(self) -> np.ndarray:
        """(documents + 1,) where each document begins in `tokens`; an empty one begins where the next does."""
        return _mapped(self.folder / STARTS, "<i8")

    @cached_property
    def pieces(self) -> Pieces:
        """The text of each id."""
        return Pieces(self.folder)

    @property
    def special(self) -> list[int]:
        """Ids that no analysis counts."""
        return [int(token) for token in self.meta["special"]]

    def document_of(self, tokens: np.ndarray) -> np.ndarray:
        """The document of each place in `tokens`."""
        return np.searchsorted(self.starts, tokens, side="right") - 1

    def raw(self, document: int) -> bytes:
        """The bytes of a document, special tokens left out."""
        ids = self.tokens[int(self.starts[document]) : int(self.starts[document + 1])].tolist()
        special = set(self.special)
        return b"".join(self.pieces.raw(token) for token in ids if token not in special)

    def documents(self, start: int = 0) -> Iterator[str]:
        """The texts of the documents from number `start` on, as far as they were kept."""
        for document in range(start, int(self.meta["documents"])):
            yield self.raw(document).decode("utf-8", "replace")

    def need_tokenizer(self, digest: str, model: str) -> None:
        """Refuse a model that reads other tokens.

        Raises:
            MismatchError: the store was made with another tokenizer.
        """
        if self.meta["tokenizer"] != digest:
            raise MismatchError(
                f"the corpus {self.meta['name']!r} was made with another tokenizer than that of {model}",
                "Import it again with this model loaded: `workbench corpus import FILE`.",
            )

    def check(self) -> None:
        """Compare the files with the digest.

        Raises:
            InputFileError: they are not what they were.
        """
        if _content_digest(self.folder, self.meta) != self.digest:
            raise InputFileError(f"the corpus in {self.folder} is damaged", "Remove the folder and import it again.")


def _mapped(path: Path, kind: str) -> np.ndarray:
    if path.stat().st_size == 0:
        return np.zeros(0, kind)
    return np.asarray(np.memmap(path, dtype=kind, mode="r"))  # a plain view is quicker to cut


def corpora(home: Path) -> Path:
    """The folder of all stores."""
    return home / FOLDER


def open_digest(home: Path, digest: str) -> TokenStore | None:
    """The store with this content, or None where it is not on this machine."""
    name = digest.removeprefix("sha256:")[:32]
    if not _DIGEST.fullmatch(name):
        return None  # a session is data from anyone: a digest that is a path names no store
    folder = corpora(home) / name
    return TokenStore(folder) if (folder / META).exists() else None


def open_name(home: Path, name: str) -> TokenStore:
    """The store of that name.

    Raises:
        UnknownNameError: there is none; the hint says how to import one.
    """
    pointer = corpora(home) / NAMES / f"{name}.json"
    if NAME.fullmatch(name) and pointer.is_file():
        found = open_digest(home, str(json.loads(pointer.read_text("utf-8"))["digest"]))
        if found is not None:
            return found
    raise UnknownNameError.among("corpus", name, names(home), "Import one: `workbench corpus import FILE`.")


def names(home: Path) -> list[str]:
    """The names of the corpora on this machine."""
    return sorted(path.stem for path in (corpora(home) / NAMES).glob("*.json"))


def find_recipe(home: Path, recipe: str) -> TokenStore | None:
    """The store that an earlier import after the same recipe made."""
    for path in corpora(home).glob(f"*/{META}"):
        store = TokenStore(path.parent)
        if recipe in store.meta["recipes"]:
            return store
    return None


def checked_name(name: str) -> str:
    """The name, if it may be one.

    Raises:
        UsageError: it has other characters than letters, digits, dots, dashes and underscores.
    """
    if not NAME.fullmatch(name):
        raise UsageError(f"{name!r} is no name for a corpus", "Use letters, digits, dots, dashes, underscores.")
    return name


def give_name(home: Path, name: str, digest: str) -> None:
    """Let a name point at a store.

    Raises:
        StorageError: the disk is full or cannot be written.
    """
    write_atomic(corpora(home) / NAMES / f"{checked_name(name)}.json", json.dumps({"digest": digest}))


def keep_store(home: Path, building: Path, pieces: Sequence[bytes], meta: dict[str, Any]) -> TokenStore:
    """Make a folder with `tokens.bin` and `starts.bin` a store named by its content.

    Args:
        meta: all but the digest; `recipes` are the keys under which it is found again.

    Raises:
        StorageError: the disk is full or cannot be written.
    """
    raw, at = write_form(pieces)
    write_atomic(building / "pieces.bin", raw)
    write_atomic(building / "pieces_at.bin", at)
    digest = _content_digest(building, meta)
    target = corpora(home) / digest.removeprefix("sha256:")[:32]
    if (target / META).exists():
        known = TokenStore(target)
        recipes = sorted({*known.meta["recipes"], *meta["recipes"]})
        write_atomic(target / META, json.dumps({**known.meta, "recipes": recipes}, indent=1))
        shutil.rmtree(building, ignore_errors=True)
        return TokenStore(target)
    write_atomic(building / META, json.dumps({"format": FORMAT, **meta, "digest": digest}, indent=1))
    try:
        shutil.rmtree(target, ignore_errors=True)
        building.rename(target)
    except OSError as error:
        raise storage_error(target, error) from error
    return TokenStore(target)


def _content_digest(folder: Path, meta: dict[str, Any]) -> str:
    files = {name: file_digest(folder / name) for name in (TOKENS, STARTS, "pieces.bin", "pieces_at.bin")}
    about = {key: meta[key] for key in ("tokenizer", "special", "enriched")}
    return value_digest({"format": FORMAT, **files, **about})
