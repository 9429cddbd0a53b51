"""Where documents come from: the demo's corpus, an imported one, or a text file of the user's, read as a stream.

A `.txt` file in which blank lines stand between lines of text has one document for each stretch between them;
in one without, every line is a document. A `.jsonl` file has one object with the key `text` on each line.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, TextIO

from workbench import paths
from workbench.digests import value_digest
from workbench.errors import InputFileError, UnknownNameError
from workbench.not_utf8 import not_utf8

if TYPE_CHECKING:
    from workbench.corpus.store import TokenStore

DEMO = "demo"
LONGEST = 1_000_000
"""Characters of the longest document; a longer one comes in pieces of that length, so that memory is bounded."""
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Corpus:
    """A stream of documents that can be begun again.

    Attributes:
        ref: `demo`, or the path of the file.
        name: short name for people.
        digest: changes when the documents do.
        seed: of a made corpus; nothing for a file.
        path: the file, or None.
        by_blank_lines: whether blank lines separate the documents of a `.txt` file.
        store: the tokens of an imported corpus, or None.
    """

    ref: str
    name: str
    digest: str
    seed: int = 0
    path: Path | None = None
    by_blank_lines: bool = False
    store: TokenStore | None = None

    @property
    def endless(self) -> bool:
        """Whether it is made on demand, as long as anybody reads."""
        return self.path is None and self.store is None

    def documents(self, start: int = 0) -> Iterator[str]:
        """The documents from number `start` on; the demo's have no end.

        Raises:
            InputFileError: the file cannot be read as what its name says.
        """
        if self.store is not None:
            return self.store.documents(start)
        if self.path is None:
            from workbench.demo.corpus import documents

            return (document.text for document in documents(self.seed, start))
        return islice(_of_file(self.path, self.by_blank_lines), start, None)


def open_corpus(ref: str, seed: int = 0, *, home: Path | None = None, at: Path | None = None) -> Corpus:
    """The corpus that `ref` names.

    Args:
        ref: `demo`, the name of an imported corpus, or the path of a `.txt` or `.jsonl` file.
        seed: which corpus of the demo's.
        home: where imported corpora are looked for, if not in this machine's own home.
        at: where the file lies, if that is another place than the one `ref` names.

    Raises:
        UnknownNameError: no corpus and no file of that name.
        InputFileError: the file is of another kind, empty, or cannot be read.
    """
    if ref == DEMO:
        return Corpus(DEMO, DEMO, value_digest({"corpus": DEMO, "seed": seed}), seed)
    named = Path(ref).expanduser()
    path = at or named
    if not path.is_file():
        return _imported(ref, home or paths.home())
    if path.suffix not in (".txt", ".jsonl"):
        raise InputFileError(f"{path} is neither .txt nor .jsonl", "Rename it, or write one document a line.")
    digest, blank_lines = _look_through(path)
    return Corpus(str(named), named.stem, digest, 0, path, blank_lines and path.suffix == ".txt")


def _imported(name: str, home: Path) -> Corpus:
    """An imported corpus, as the texts that its tokens stand for."""
    from workbench.corpus.store import names, open_name

    known = names(home)
    if name not in known:
        raise UnknownNameError.among(
            "corpus", name, [DEMO, *known], "Give `demo`, the name of an imported corpus, or a .txt or .jsonl file."
        )
    store = open_name(home, name)
    return Corpus(name, name, store.digest, store=store)


def _look_through(path: Path) -> tuple[str, bool]:
    """The digest of the file's bytes, and whether a blank line stands between two lines of text."""
    digest, inside, gap, found = hashlib.sha256(), False, False, False
    try:
        with path.open("rb") as file:
            while line := file.readline(_CHUNK):
                digest.update(line)
                text = bool(line.strip())
                found = found or (text and gap)
                inside = inside or text
                gap = inside and not text
    except OSError as error:
        raise InputFileError(f"{path} cannot be read ({error.strerror})", "Check its permissions.") from error
    if not inside:
        raise InputFileError(f"{path} has no text", "Give a file with at least one document.")
    return "sha256:" + digest.hexdigest(), found


def _of_file(path: Path, by_blank_lines: bool) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8") as file:
            if path.suffix == ".jsonl":
                yield from _of_json_lines(path, file)
            else:
                yield from of_plain_text(file, by_blank_lines)
    except UnicodeDecodeError as error:
        with path.open("rb") as raw:
            raise not_utf8(str(path), raw) from error
    except OSError as error:
        raise InputFileError(f"{path} cannot be read ({error.strerror})", "Check its permissions.") from error


def of_plain_text(file: TextIO, by_blank_lines: bool) -> Iterator[str]:
    """The documents of plain text: stretches between blank lines, or lines."""
    if by_blank_lines:
        return _stretches(file)
    return (line.strip() for line in _lines(file) if line.strip())


def has_blank_lines(file: IO[bytes]) -> bool:
    """Whether a blank line stands between two lines of text; reads no further than that."""
    inside = gap = False
    while line := file.readline(_CHUNK):
        text = bool(line.strip())
        if text and gap:
            return True
        inside = inside or text
        gap = inside and not text
    return False


def _lines(file: TextIO) -> Iterator[str]:
    while line := file.readline(LONGEST):
        yield line


def _stretches(file: TextIO) -> Iterator[str]:
    """Lines joined up to the next blank one, in pieces of at most about `LONGEST` characters."""
    held: list[str] = []
    size = 0
    for line in _lines(file):
        if held and (not line.strip() or size + len(line) > LONGEST):
            yield "".join(held).strip()
            held, size = [], 0
        if line.strip():
            held.append(line)
            size += len(line)
    if held:
        yield "".join(held).strip()


def _of_json_lines(path: Path, file: TextIO) -> Iterator[str]:
    for number, line in enumerate(file, start=1):
        if not line.strip():
            continue
        try:
            text = json.loads(line)["text"]
        except (ValueError, KeyError, TypeError) as error:
            raise InputFileError(
                f'line {number} of {path} is no object with "text" ({line.strip()[:60]!r})', "Mend or remove it."
            ) from error
        if not isinstance(text, str):
            raise InputFileError(f"line {number} of {path} has a {type(text).__name__} as text", "Make it a string.")
        for at in range(0, len(text), LONGEST):
            if piece := text[at : at + LONGEST].strip():
                yield piece
