"""Sentences of a corpus, each alone as the sentences of a stimulus set are, with their planted concept where known."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass

from workbench.corpus.source import Corpus

_ENDS = re.compile(r"(?<=[.!?])\s+|\n+")
SHORTEST = 3
"""Words a sentence must have: headings and list marks are none."""


@dataclass(frozen=True)
class CorpusSentence:
    """One sentence.

    Attributes:
        concept: what the made corpus planted in it; None for a corpus of the user's.
    """

    text: str
    document: int
    concept: str | None = None


def corpus_sentences(
    corpus: Corpus,
    count: int,
    *,
    longest: int,
    leave_out: Container[str] = (),
    readable: Callable[[str], bool] = bool,
) -> list[CorpusSentence]:
    """The first `count` different sentences.

    Args:
        corpus: the corpus.
        count: how many at most.
        longest: longer ones are left out, in characters.
        leave_out: texts that do not count, such as the stimuli themselves.
        readable: whether the model can read a sentence.
    """
    found: dict[str, CorpusSentence] = {}
    for looked, one in enumerate(_planted(corpus) if corpus.path is None else _split(corpus)):
        if len(found) >= count or looked >= 100 * count:  # a corpus that repeats itself has an end too
            break
        fits = len(one.text) <= longest and len(one.text.split()) >= SHORTEST
        if fits and one.text not in found and one.text not in leave_out and readable(one.text):
            found[one.text] = one
    return list(found.values())


def _planted(corpus: Corpus) -> Iterator[CorpusSentence]:
    from workbench.demo.corpus import documents

    for number, document in enumerate(documents(corpus.seed)):
        for sentence in document.sentences:
            yield CorpusSentence(document.text[sentence.start : sentence.end], number, sentence.concept)


def _split(corpus: Corpus) -> Iterator[CorpusSentence]:
    for number, text in enumerate(corpus.documents()):
        for part in _ENDS.split(text):
            if part.strip():
                yield CorpusSentence(part.strip(), number)
