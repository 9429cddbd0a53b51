"""Feature datasets of tokens: which tokens of which texts a predicate or a span names, sampled with their documents."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from workbench.errors import InputFileError, UsageError

if TYPE_CHECKING:
    from workbench.models.loaded import LoadedModel
    from workbench.models.tokens import TokenizedText
    from workbench.saes.space import FeatureSpace

Spans = Sequence[tuple[int, int]]
Tick = Callable[[int, int, str], None]
MOST_DOCUMENTS = 20_000


@dataclass(frozen=True)
class TokenSample:
    """Sampled tokens.

    Attributes:
        texts: the documents that hold them.
        document: (tokens,) which document each is of.
        place: (tokens,) its number among the document's text tokens.
        labels: (tokens,) whether it is of the positive class.
        found: positives and others among all tokens that were looked at.
    """

    texts: list[TokenizedText]
    document: np.ndarray
    place: np.ndarray
    labels: np.ndarray
    found: tuple[int, int]


def by_predicate(documents: Iterable[str], pattern: str) -> Iterator[tuple[str, Spans]]:
    """Each document with the matches of a regular expression.

    Raises:
        UsageError: the expression is none.
    """
    try:
        wanted = re.compile(pattern)
    except re.error as error:
        raise UsageError(f"predicate {pattern!r} is no regular expression ({error})", "Mend it.") from error
    return ((text, [match.span() for match in wanted.finditer(text)]) for text in documents)


def by_spans(content: str, name: str) -> Iterator[tuple[str, Spans]]:
    """Each document of a JSONL file with its `spans`, [first, last + 1] characters.

    Raises:
        InputFileError: a line of another form, or a span that is not in its text.
    """
    for number, line in enumerate(content.splitlines(), start=1):
        if not line.strip():
            continue
        where = f"line {number} of {name}"
        hint = 'Give lines such as {"text": "It is 5 pm.", "spans": [[6, 7]]}.'
        try:
            found = json.loads(line)
            text, spans = found["text"], [(int(first), int(end)) for first, end in found["spans"]]
        except (ValueError, KeyError, TypeError) as error:
            raise InputFileError(f"{where} has no text and spans ({line.strip()[:60]!r})", hint) from error
        if not isinstance(text, str):
            raise InputFileError(f"{where} has a {type(text).__name__} as text", hint)
        for first, end in spans:
            if not 0 <= first < end <= len(text):
                raise InputFileError(
                    f"span [{first}, {end}] of {where} is not in its text of {len(text)} letters", hint
                )
        yield text, spans


def sample_tokens(
    model: LoadedModel, marked: Iterable[tuple[str, Spans]], tokens: int, seed: int, tick: Tick, *, skip: int = 0
) -> TokenSample:
    """Draw tokens of both classes, half and half where there are enough, and from the same documents where that can be.

    A token is positive when its piece of the text, spaces left out, shares a letter with a span.

    Args:
        model: tokenizes the documents; those that are longer than its context are cut.
        marked: documents and spans.
        tokens: how many tokens to draw.
        seed: of the draw.
        tick: progress.
        skip: so many tokens at the beginning of each document are not drawn.

    Raises:
        UsageError: fewer than 20 tokens of a class, or of fewer than 5 documents.
    """
    half, counts = tokens // 2, [0, 0]
    texts, labels = [], []
    for number, (text, spans) in enumerate(marked):
        if number % 64 == 0:
            tick(min(min(counts), half), half, "looking for tokens")
        if min(counts) >= 4 * half or number >= MOST_DOCUMENTS:
            break
        if not text.strip():
            continue
        read = _fitting(model, text)
        marks = _marks(read, spans)[skip:]
        texts.append(read)
        labels.append(marks)
        counts[1] += int(marks.sum())
        counts[0] += int((~marks).sum())
    _need_both(counts, labels)
    return _drawn(texts, labels, tokens, seed, skip)


def _fitting(model: LoadedModel, text: str) -> TokenizedText:
    """The text, or its first half, quarter, ... that fits the context."""
    while True:
        try:
            return model.tokenize(text)
        except UsageError:
            if len(text) < 2:
                raise
            text = text[: len(text) // 2]


def _marks(read: TokenizedText, spans: Spans) -> np.ndarray:
    """(text tokens,) whether each shares a letter with a span."""
    marks, at = [], 0
    for piece in read.text_pieces:
        first, end = at + len(piece) - len(piece.lstrip()), at + len(piece.rstrip())
        marks.append(any(first < stop and start < end for start, stop in spans))
        at += len(piece)
    return np.array(marks, dtype=bool)


def _need_both(counts: list[int], labels: list[np.ndarray]) -> None:
    for name, count, documents in (
        ("positive", counts[1], sum(bool(marks.any()) for marks in labels)),
        ("other", counts[0], sum(bool((~marks).any()) for marks in labels)),
    ):
        if count < 20 or documents < 5:
            raise UsageError(
                f"only {count} {name} tokens in {documents} documents were found",
                "At least 20 in 5 documents are needed: widen the predicate, or give a larger corpus.",
            )


def _drawn(texts: list[TokenizedText], labels: list[np.ndarray], tokens: int, seed: int, skip: int) -> TokenSample:
    document = np.repeat(np.arange(len(texts)), [len(marks) for marks in labels])
    place = np.concatenate([np.arange(len(marks)) for marks in labels]) + skip
    marks = np.concatenate(labels)
    rng = np.random.default_rng(seed)
    positives, others = _paired(document, marks, tokens // 2, rng)
    for side, chosen, wanted in ((marks, positives, tokens // 2), (~marks, others, tokens - tokens // 2)):
        left = rng.permutation(np.setdiff1d(np.flatnonzero(side), chosen))
        chosen.extend(left[: wanted - len(chosen)].tolist())
    rows = np.sort(np.array([*positives, *others], dtype=np.int64))
    used, numbers = np.unique(document[rows], return_inverse=True)
    found = (int(marks.sum()), int((~marks).sum()))
    return TokenSample([texts[number] for number in used], numbers, place[rows], marks[rows], found)


def _paired(
    document: np.ndarray, marks: np.ndarray, half: int, rng: np.random.Generator
) -> tuple[list[int], list[int]]:
    """As many tokens of each class from the same documents, spread over as many documents as there are.

    Labels that vary inside documents can be shuffled inside them, and what differs between documents is no
    difference between the classes.
    """
    order = rng.permutation(len(marks))
    waiting: dict[tuple[int, bool], list[int]] = {}
    for row in order.tolist():
        waiting.setdefault((int(document[row]), bool(marks[row])), []).append(row)
    positives: list[int] = []
    others: list[int] = []
    mixed = [number for number in rng.permutation(int(document.max()) + 1).tolist() if (number, True) in waiting]
    while len(positives) < half:
        before = len(positives)
        for number in mixed:
            pair = waiting.get((number, True)), waiting.get((number, False))
            if pair[0] and pair[1] and len(positives) < half:
                positives.append(pair[0].pop())
                others.append(pair[1].pop())
        if len(positives) == before:
            break
    return positives, others


def token_activations(model: LoadedModel, space: FeatureSpace, sample: TokenSample, tick: Tick) -> np.ndarray:
    """(tokens, features) activations of the sampled tokens, float32."""
    import torch

    found = np.zeros((len(sample.labels), space.width), dtype=np.float32)
    for number, (text, acts) in enumerate(zip(sample.texts, model.read(sample.texts, space.site), strict=True)):
        if number % 16 == 0:
            tick(number, len(sample.texts), "reading documents")
        rows = np.flatnonzero(sample.document == number)
        kept = acts[torch.tensor(text.is_text, device=acts.device)][sample.place[rows]]  # (sampled tokens, units)
        found[rows] = space.encode(kept).cpu().numpy()
    return found
