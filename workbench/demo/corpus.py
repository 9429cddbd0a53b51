"""The demo's corpus: seeded documents with planted concepts, their spans, and their exact probability.

A document is a chain of sentences. Its first sentence decides which kinds may follow; after two sentences it may
end, after six it must. Document `i` of a seed depends on nothing but the two numbers, so any slice can be made
alone, and the text of a document admits one derivation only: `nats` is the exact -log probability of the text.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from workbench.demo.grammar import Choice, State
from workbench.demo.sentences import KINDS, TEMPLATES

LEAST_SENTENCES, MOST_SENTENCES = {"full": 2, "drill": 1, "people": 2}, 6
STOP = "stop"
# Kinds of the first sentence. The drill, a few calendar sentences or one, is what the model learns first;
# `people` is a second one, rich in names that come back.
MIXES: Mapping[str, Mapping[str, float]] = {
    "full": {
        "outcome": 26,
        "weekday": 8,
        "month": 12,
        "near_day": 5,
        "near_month": 5,
        "place": 9,
        "food": 9,
        "counting": 6,
        "quote": 7,
        "code": 6,
        "names": 9,
        "filler": 10,
    },
    "drill": {"weekday": 17, "month": 50, "near_day": 13, "near_month": 20},
    "people": {"outcome": 40, "names": 40, "weekday": 6, "month": 14},
}
_CALENDAR = {"weekday": 2.0, "month": 3.0, "near_day": 1.0, "near_month": 1.0}
_WORLD = {"filler": 3.0, "place": 2.0, "food": 2.0, "counting": 1.0, "quote": 2.0, "outcome": 1.0, "weekday": 0.5}
# Which kinds follow, by the kind of the first sentence; `_WORLD` unless named here.
_TOPICS: Mapping[str, Mapping[str, float]] = {
    "outcome": {"outcome": 7.0, "place": 1.0, "food": 1.0, "quote": 1.0, "filler": 1.0},
    **dict.fromkeys(_CALENDAR, _CALENDAR),
    "code": {"code": 4.0, "filler": 1.0, "counting": 1.0},
    "names": {"repeated": 5.0, "filler": 1.0, "place": 1.0, "quote": 1.0},
}
# The drill may end after one sentence already, and mostly does.
_STOP_SHARES = {"full": 0.3, "drill": 0.7, "people": 0.1}
CONCEPTS = ("achievement", "failure", *(kind for kind in KINDS if kind != "outcome"))


@dataclass(frozen=True)
class Sentence:
    """One sentence of a document: its planted concept and its characters `text[start:end]`.

    `concept` is the kind of the sentence, where kind `outcome` is told apart as `achievement` and `failure`.
    """

    concept: str
    start: int
    end: int


@dataclass(frozen=True)
class Document:
    """One document with its ground truth.

    Attributes:
        text: the document.
        sentences: its sentences in order; joined by one space they are the text.
        nats: -log probability of the text, the end of the document included.
    """

    text: str
    sentences: tuple[Sentence, ...]
    nats: float


def _continuations(mix: str) -> Mapping[tuple[str, int], Choice[str]]:
    """What may come after `n` sentences of a document that began with a kind; ("", 0) is its beginning."""
    table = {("", 0): Choice(tuple(MIXES[mix]), list(MIXES[mix].values()))}
    for first in MIXES[mix]:
        follow = _TOPICS.get(first, _WORLD)
        for written in range(1, MOST_SENTENCES + 1):
            table[first, written] = _after(follow, written, mix)
    return table


def _after(follow: Mapping[str, float], written: int, mix: str) -> Choice[str]:
    if written == MOST_SENTENCES:
        return Choice((STOP,))
    if written < LEAST_SENTENCES[mix]:
        return Choice(tuple(follow), list(follow.values()))
    stop_share = _STOP_SHARES[mix]
    rest = (1 - stop_share) / sum(follow.values())
    return Choice((STOP, *follow), [stop_share, *(weight * rest for weight in follow.values())])


_CHAINS = {mix: _continuations(mix) for mix in MIXES}


def concept_of(kind: str, state: State) -> str:
    """The planted concept of a sentence of this kind, once it has been written."""
    return str(state["outcome"]) if kind == "outcome" else kind


def document(seed: int, index: int, mix: str = "full") -> Document:
    """Document `index` of the corpus with this seed."""
    random = Random(f"{mix} {seed} {index}")
    chain = _CHAINS[mix]
    state: dict[str, Any] = {}
    texts: list[str] = []
    sentences: list[Sentence] = []
    first, at, nats = "", 0, 0.0
    while True:
        kind, cost = chain[first, len(texts)].draw(random)
        nats += cost
        if kind == STOP:
            return Document(" ".join(texts), tuple(sentences), nats)
        first = first or kind
        template, cost = TEMPLATES[kind].draw(random)
        text, words_cost = template.write(random, state)
        nats += cost + words_cost
        sentences.append(Sentence(concept_of(kind, state), at, at + len(text)))
        texts.append(text)
        at += len(text) + 1


def documents(seed: int, start: int = 0, mix: str = "full") -> Iterator[Document]:
    """Documents `start`, `start + 1`, ... of the corpus with this seed, without end.

    Args:
        seed: which corpus.
        start: index of the first document wanted.
        mix: `full`, or `drill` or `people`, the exercises that the model learns from before.
    """
    index = start
    while True:
        yield document(seed, index, mix)
        index += 1


def derivations(text: str, mix: str = "full") -> list[float]:
    """The cost in nats of every way in which the grammar can write this text: one, if it is a document."""
    return list(_read(text, 0, "", 0, 0.0, {}, _CHAINS[mix]))


def _read(
    text: str,
    at: int,
    first: str,
    written: int,
    nats: float,
    state: State,
    chain: Mapping[tuple[str, int], Choice[str]],
) -> Iterator[float]:
    for kind, cost in chain[first, written]:
        if kind == STOP:
            if at == len(text) + 1:
                yield nats + cost
            continue
        for template, choice_cost in TEMPLATES[kind]:
            for end, words_cost, after in template.read(text, at, state):
                if text[end : end + 1] in ("", " "):
                    total = nats + cost + choice_cost + words_cost
                    yield from _read(text, end + 1, first or kind, written + 1, total, after, chain)
