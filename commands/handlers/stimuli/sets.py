"""What the verbs of `stimuli.*` share: names, lengths, a page of a set, what is measured on it, and keeping it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from workbench.errors import InputFileError, UsageError
from workbench.lab import Lab
from workbench.stimuli.pairs import find_pairs
from workbench.stimuli.sets import Stimulus, StimulusSet, shipped_names
from workbench.stimuli.words import words_of
from workbench.verbs import Outcome

if TYPE_CHECKING:
    from workbench.stimuli.check import Measure

CATEGORIES = ("concept", "other")
"""Of a set that names none."""
KNOWN_WORDS = 0.8
"""A corpus that knows a smaller share of a set's words says nothing on how frequent they are."""


def check_name(name: str, hint: str) -> None:
    """Refuse what cannot name a set."""
    if not re.fullmatch(r"[\w.-]{1,64}", name):
        raise UsageError(f"{name!r} cannot name a stimulus set", hint)


def free_name(name: str, lab: Lab) -> None:
    """Refuse a name that a set has already, or cannot have."""
    check_name(name, "Use up to 64 letters, digits, '.', '_', '-'.")
    if name in lab.state.under("stimuli") or name in shipped_names():
        raise UsageError(
            f"there is a stimulus set {name!r} already", f"Change it with `workbench stimuli edit {name}`."
        )


def check_lengths(found: StimulusSet, file: str, lab: Lab) -> None:
    """Refuse a sentence that the loaded model cannot read whole."""
    if not found.stimuli or lab.state.get("model") is None:
        return
    model = lab.model
    for one in found.stimuli:
        try:
            model.tokenize(one.text)
        except UsageError as error:
            raise InputFileError(f"in category {one.category!r} of {file}: {error.message}", error.hint) from error


def kept(found: StimulusSet, lab: Lab, warnings: list[str]) -> Outcome:
    """Store a set, or its new version, in the session."""
    lab.save_json("set", found.as_dict())
    body = {**page(found, 0, 20), "digest": found.digest, "pairs": find_pairs(found).as_dict()}
    return Outcome(body, sets={f"stimuli/{found.name}": found.entry()}, warnings=warnings)


def page(found: StimulusSet, offset: int, limit: int) -> dict[str, Any]:
    """A page of a set's sentences, with what it is."""
    rows = found.everything
    return {
        "name": found.name,
        "description": found.description,
        "positive": found.positive,
        "categories": found.counts,
        "factors": found.factors,
        "rows": rows_of(rows[offset : offset + limit]),
        "offset": offset,
        "total": len(rows),
        "steering": found.steering.as_dict() if found.steering else None,
    }


def rows_of(sentences: Sequence[Stimulus]) -> list[dict[str, Any]]:
    """Sentences as rows of a reply."""
    return [{"category": one.category, "text": one.text, **one.columns()} for one in sentences]


def measured(found: StimulusSet, lab: Lab, corpus: str = "") -> tuple[list[Measure], dict[str, Any]]:
    """Numbers of each sentence that are not the concept, and where tokens and word counts came from."""
    from workbench.corpus.source import DEMO
    from workbench.models.tokenizer_file import token_counts
    from workbench.stimuli.check import Measure, plain_measures
    from workbench.stimuli.frequency import word_counts

    texts = [one.text for one in found.everything]
    measures = plain_measures(found)
    sources: dict[str, Any] = {"tokens": None, "frequency": None, "known_words": None}
    model: dict[str, Any] = (lab.entry("model") if lab.has_session else None) or {}
    if model and (counts := token_counts(lab.at_hand("model", model), texts)) is not None:
        sources["tokens"] = model["name"]
        each = [count / max(len(words_of(text)), 1) for count, text in zip(counts, texts, strict=True)]
        measures += [Measure("tokens", "tokens", counts), Measure("tokens a word", "tokens", each)]
    corpus = corpus or (DEMO if model.get("ref") == DEMO else "")
    if corpus:
        counted = word_counts(lab.corpus(corpus))
        known = counted.known(texts)
        sources |= {"frequency": counted.name, "known_words": known}
        if known >= KNOWN_WORDS:
            measures.append(Measure("word frequency", "Zipf", [counted.of_sentence(text) for text in texts]))
    return measures, sources
