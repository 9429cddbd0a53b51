"""Labelled items for rankings and probes: sentences of a stimulus set, or tokens that something else names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from commands.features import FeaturesCompare, FeaturesContrast, FeaturesMaxact, FeaturesProbe
from commands.handlers.features.designs import Design, matched, two_classes, unused_pairs
from commands.handlers.features.readings import Reading, length_warning, ranking_space, read_sentences, store_reading
from workbench.errors import InputFileError, UsageError
from workbench.features.rankings import Ranking
from workbench.lab import Lab
from workbench.stimuli.sets import Stimulus
from workbench.uploads import utf8_text

if TYPE_CHECKING:
    from workbench.models.tokens import TokenizedText
    from workbench.saes.space import FeatureSpace


_UPLOADED = re.compile(r"^[0-9a-f]{12}-")


@dataclass(frozen=True)
class ProbeData:
    """Items with labels.

    Attributes:
        name: of the stimulus set, or of the dataset of tokens in words.
        x: (items, features) float32 without masked items.
        labels: (items,) bool.
        groups: (items,) codes of what belongs together, or None.
        kind: `sentences` or `tokens`.
        texts: the sentences of the items; of tokens, the documents they are in (none where only ids are known).
        masked: items that were left out because no token counts.
        about: what the result says of the data beyond that.
        sets: the state entries that make the features the session's own where they were not.
    """

    name: str
    positive: str
    against: str
    kind: str
    space: FeatureSpace
    x: np.ndarray
    labels: np.ndarray
    groups: np.ndarray | None
    texts: list[TokenizedText]
    masked: int
    about: dict[str, Any]
    sets: dict[str, Any]
    warnings: list[str]
    provenance: dict[str, Any]
    reading: Reading | None = None
    design: Design | None = None

    def store(self, lab: Lab, ranking: Ranking) -> None:
        """Keep the ranking, and of sentences what each feature does on them."""
        if self.reading is None or self.design is None:
            lab.save("ranking", **ranking.arrays())
            lab.save("tokens", **_no_tokens())
            lab.save_json("sentences", [])
            return
        store_reading(lab, ranking, self.reading, self.design.stimuli, self.design.labels, self.design.items)

    @property
    def stimuli(self) -> tuple[Stimulus, ...]:
        """The sentences of the design; none of tokens."""
        return self.design.stimuli if self.design is not None else ()

    @property
    def counts(self) -> dict[str, int]:
        """Items of each class."""
        return {"positive": int(self.labels.sum()), "rest": int((~self.labels).sum())}


def _no_tokens() -> dict[str, np.ndarray]:
    return {
        "starts": np.zeros(1, dtype=np.int64),
        "pointers": np.zeros(1, dtype=np.int64),
        "features": np.zeros(0, dtype=np.int32),
        "values": np.zeros(0, dtype=np.float32),
        "pooled_labels": np.zeros(0, dtype=np.int8),
    }


def sentence_data(
    command: FeaturesMaxact | FeaturesProbe | FeaturesCompare, lab: Lab, *, sae: str, pairs: bool
) -> ProbeData:
    """The sentences of the command's stimulus set as features, and a word where folds tear matched ones.

    Raises:
        UsageError: as `two_classes` and `matched`; no sentence has a window; activations that are no numbers.
    """
    found = lab.stimuli(command.stimuli)
    design = two_classes(found, command.positive, command.against)
    if pairs:
        design = matched(design, command.stimuli, one_of_each=False)
    asked = FeaturesContrast(
        stimuli=command.stimuli,
        sae="raw" if sae else "",
        site=command.site if sae else "",
        window=getattr(command, "window", "whole"),
        width=getattr(command, "width", 0),
        pool=command.pool,
    )
    reading = read_sentences(asked, lab, design.stimuli)
    reading.require_sides(design.labels)
    kept = ~reading.features.masked
    return ProbeData(
        name=command.stimuli,
        positive=design.positive,
        against=command.against or "all others",
        kind="sentences",
        space=reading.space,
        x=reading.pooled[kept],
        labels=design.labels[kept],
        groups=None if design.items is None else design.items[kept],
        texts=[text for text, keep in zip(reading.texts, kept, strict=True) if keep],
        masked=int((~kept).sum()),
        about={"window": reading.window.kind, "width": reading.window.width},
        sets=reading.sets,
        warnings=[
            *reading.warnings(),
            *_torn(command, design),
            *length_warning(reading.texts, design.labels, design.positive),
        ],
        provenance={"stimuli": {"name": found.name, "digest": found.digest}},
        reading=reading,
        design=design,
    )


def _torn(command: FeaturesMaxact | FeaturesProbe | FeaturesCompare, design: Design) -> list[str]:
    """Matched sentences in different folds: what is learnt of one tells of the other, which is then not held out."""
    if isinstance(command, FeaturesMaxact):
        return []
    verb = command.dotted.replace(".", " ", 1)
    return unused_pairs(design, command.stimuli, verb, "the folds tear their sentences apart")


def probe_data(command: FeaturesProbe, lab: Lab) -> ProbeData:
    """The items a probe is about.

    Raises:
        UsageError: none of the four sources is named, or more than one.
    """
    sources = [name for name in ("stimuli", "predicate", "spans", "quanta") if getattr(command, name)]
    if len(sources) != 1:
        named = " and ".join(sources) or "nothing"
        raise UsageError(
            f"a probe has one source of labels, not {named}",
            "Give a stimulus set, --predicate REGEX, --spans FILE, or --quanta CLUSTER: `workbench features probe "
            "achievement`.",
        )
    if command.stimuli:
        return sentence_data(command, lab, sae=command.sae, pairs=command.pairs)
    if command.quanta:
        from commands.handlers.features.probe_quanta import quanta_data

        return quanta_data(command, lab)
    return _token_data(command, lab)


def _token_data(command: FeaturesProbe, lab: Lab) -> ProbeData:
    from workbench.stimuli.token_labels import by_predicate, by_spans, sample_tokens, token_activations

    if command.predicate:
        corpus = lab.corpus(command.corpus)
        marked = by_predicate(corpus.documents(), command.predicate)
        name, digest = f"tokens of {corpus.name} that match {command.predicate}", corpus.digest
    else:
        path = lab.record.path / command.spans
        marked, digest = (
            by_spans(_content(path), _UPLOADED.sub("", path.name)),
            Path(command.spans).name.partition("-")[0],
        )
        name = f"tokens of {_UPLOADED.sub('', path.name)} in spans"
    asked = FeaturesContrast(stimuli=name, sae=command.sae, site=command.site)
    space, sets = ranking_space(asked, lab)
    sample = sample_tokens(lab.model, marked, command.tokens, command.seed, lab.tick, skip=command.skip)
    x = token_activations(lab.model, space, sample, lab.tick)
    documents = len(sample.texts)
    return ProbeData(
        name=name,
        positive="inside",
        against="other tokens",
        kind="tokens",
        space=space,
        x=x,
        labels=sample.labels,
        groups=sample.document,
        texts=sample.texts,
        masked=0,
        about={"documents": documents, "found": {"positive": sample.found[0], "rest": sample.found[1]}},
        sets=sets,
        warnings=[],
        provenance={"tokens": {"source": command.corpus if command.predicate else name, "digest": digest}},
    )


def _content(path: Path) -> str:
    name = _UPLOADED.sub("", path.name)
    try:
        return utf8_text(path.read_bytes(), name)
    except OSError as error:
        raise InputFileError(f"{name} cannot be read ({error.strerror})", "Give the file again.") from error
