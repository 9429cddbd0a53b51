"""Finding phrases in a token store, before anybody searches for their feature, and cutting slices around them."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from workbench.corpus.store import STARTS, TOKENS, TokenStore, corpora, keep_store
from workbench.digests import value_digest
from workbench.errors import UsageError, storage_error

Tick = Callable[[int, int, str], None]
BLOCK = 1024
"""Documents read at a time."""


@dataclass
class Found:
    """What a search counted.

    Attributes:
        documents: numbers of the documents with a match.
        occurrences: matches.
        tokens: tokens that a match covers at least in part.
        first: the first places, with the text around them.
        each: occurrences of each phrase.
    """

    documents: list[int] = field(default_factory=list)
    occurrences: int = 0
    tokens: int = 0
    first: list[dict[str, Any]] = field(default_factory=list)
    each: list[int] = field(default_factory=list)


def pattern_of(phrases: Sequence[str]) -> re.Pattern[str]:
    """Matches any of the phrases as whole words, whatever their case; one space matches any white space.

    Raises:
        UsageError: there is none, or one is empty.
    """
    if not phrases:
        raise UsageError("nothing to look for", "Give a phrase: `workbench corpus find victory`.")
    for phrase in phrases:
        if not phrase.strip():
            raise UsageError(f"{phrase!r} is no phrase", "Give at least one word.")
    return re.compile("|".join(f"({_whole(phrase.strip())})" for phrase in phrases), re.IGNORECASE)


def _whole(phrase: str) -> str:
    inner = r"\s+".join(re.escape(word) for word in phrase.split())
    before = r"(?<!\w)" if re.match(r"\w", phrase) else ""
    after = r"(?!\w)" if re.search(r"\w\Z", phrase) else ""
    return before + inner + after


def find(store: TokenStore, phrases: Sequence[str], shown: int, tick: Tick) -> Found:
    """Count phrases in a store.

    Args:
        shown: how many places to show.

    Raises:
        UsageError: a phrase is empty.
    """
    pattern = pattern_of(phrases)
    found = Found(each=[0] * len(phrases))
    total = int(store.meta["documents"])
    for number, (text, ends) in enumerate(_texts(store)):
        if number % BLOCK == 0:
            tick(number, total, "searching")
        spans = [(match.span(), match.lastindex or 1) for match in pattern.finditer(text)]
        if not spans:
            continue
        found.documents.append(number)
        found.occurrences += len(spans)
        for _, phrase in spans:
            found.each[phrase - 1] += 1
        found.tokens += _covered(text, ends, [span for span, _ in spans])
        if len(found.first) < shown:
            begin, end = spans[0][0]
            around = {"before": text[max(0, begin - 60) : begin], "after": text[end : end + 60]}
            found.first.append({"document": number, "match": text[begin:end], **around})
    return found


def _texts(store: TokenStore) -> Iterator[tuple[str, np.ndarray]]:
    """Text of each document, and where in its bytes each of its tokens ends."""
    special, known = set(store.special), [store.pieces.raw(token) for token in range(len(store.pieces))]
    for document in range(int(store.meta["documents"])):
        ids = store.tokens[int(store.starts[document]) : int(store.starts[document + 1])].tolist()
        parts = [b"" if token in special else known[token] for token in ids]
        yield b"".join(parts).decode("utf-8", "replace"), np.cumsum([len(part) for part in parts])


def _covered(text: str, ends: np.ndarray, spans: list[tuple[int, int]]) -> int:
    """How many tokens overlap the spans; a token with no bytes overlaps nothing."""
    if text.isascii():
        places = np.array(spans)
    else:  # from characters to bytes
        places = np.cumsum([0, *(len(letter.encode("utf-8")) for letter in text)])[np.array(spans)]
    hit = np.zeros(len(ends), dtype=bool)
    for first, last in zip(
        np.searchsorted(ends, places[:, 0], "right"), np.searchsorted(ends, places[:, 1], "left"), strict=True
    ):
        hit[first : last + 1] = True
    return int((hit & (np.diff(ends, prepend=0) > 0)).sum())


def cut_slice(store: TokenStore, phrases: Sequence[str], documents: Sequence[int], name: str, home: Path) -> TokenStore:
    """A store of these documents alone, which says in its metadata that it is no fair sample.

    Raises:
        UsageError: there is no document.
        StorageError: the disk is full or cannot be written.
    """
    if not documents:
        raise UsageError(f"no document has {' or '.join(repr(phrase) for phrase in phrases)}", "Nothing was cut.")
    about = {
        "phrases": list(phrases),
        "of": store.digest,
        "of_name": store.meta["name"],
        "share": round(len(documents) / int(store.meta["documents"]), 8),
    }
    try:
        corpora(home).mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(dir=corpora(home), prefix=".slice-"))
    except OSError as error:
        raise storage_error(corpora(home), error) from error
    try:
        tokens = _copy(store, documents, folder)
        kept = ("tokenizer", "special", "max_tokens", "source")
        counts = {"documents": len(documents), "tokens": tokens, "empty": 0, "cut": 0, "repaired": 0}
        recipes = [value_digest({"slice": about}).removeprefix("sha256:")[:32]]
        meta = {"name": name, **counts, **{key: store.meta[key] for key in kept}}
        pieces = [store.pieces.raw(token) for token in range(len(store.pieces))]
        return keep_store(home, folder, pieces, {**meta, "recipes": recipes, "enriched": about})
    except OSError as error:
        raise storage_error(folder, error) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _copy(store: TokenStore, documents: Sequence[int], folder: Path) -> int:
    written = 0
    with (folder / TOKENS).open("wb") as tokens, (folder / STARTS).open("wb") as starts:
        starts.write(np.zeros(1, "<i8").tobytes())
        for document in documents:
            part = store.tokens[int(store.starts[document]) : int(store.starts[document + 1])]
            tokens.write(part.tobytes())
            written += len(part)
            starts.write(np.array([written], "<i8").tobytes())
    return written
