"""Carries out `features.activate`: every feature on a sentence of one's own."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from commands.features import FeaturesActivate
from commands.handlers.features.own_text import MOST_NUMBERS, Beside, gate_of, repaired, space_of
from commands.handlers.features.readings import SPELLED_OF_ONE, spelled_warning
from workbench.errors import UsageError
from workbench.lab import Lab
from workbench.saes.ids import feature_index
from workbench.sentences.table import Peaks, SentenceFeatures
from workbench.verbs import Outcome

MOST_PAIRS, MOST_LABELS = 5_000, 300
"""Features beside tokens, and their labels: a reply has 256 KiB."""


def activate(query: FeaturesActivate, lab: Lab) -> Outcome:
    """Every feature on a sentence: the strongest of the whole, and of each token."""
    from workbench.sentences.reading import read_sentences, tokens_of

    warnings: list[str] = []
    (text,) = repaired([query.text], warnings)
    space = space_of(query.sae, query.site, lab)
    tokens = tokens_of(lab.model, text)
    warnings += spelled_warning([tokens], SPELLED_OF_ONE)
    table = read_sentences(lab.model, space, [tokens], lab.tick)
    beside = Beside(lab, space)
    peaks, pieces = table.peaks(), tokens.text_pieces
    wanted = [feature_index(name, space.name, space.width) for name in query.features]
    chosen = _strongest(query, peaks, beside, table, wanted)
    if (room := max(MOST_NUMBERS // len(pieces), 1)) < len(chosen):
        warnings.append(f"a text of {len(pieces)} tokens: {room} of {len(chosen)} features fit one reply")
        chosen = chosen[:room]
    each = min(query.each, max(MOST_PAIRS // len(pieces), 1))
    by_token, named = _by_token(table, each, set(wanted))
    labelled = sorted(named & beside.labels.keys())[:MOST_LABELS]
    body = {
        "text": text,
        "space": space.name,
        "site": space.site.name,
        "tokens": pieces,
        "active": len(peaks.feature),
        "sort": query.sort,
        "features": _rows(chosen, table, peaks, beside),
        "by_token": [{"token": piece, **row} for piece, row in zip(pieces, by_token, strict=True)],
        "labels": {str(number): beside.label(number) for number in labelled},
    }
    return Outcome(body, warnings=warnings, provenance=gate_of(query.sae, space, lab))


def _strongest(
    query: FeaturesActivate, peaks: Peaks, beside: Beside, table: SentenceFeatures, wanted: list[int]
) -> list[int]:
    """The features to show, strongest first, silent ones too where they are asked for."""
    size = np.abs(peaks.value).astype(np.float64)
    if query.sort == "mean":
        size = np.abs(_means(table))[peaks.feature]
    elif query.sort == "surprise":
        found = beside.surprise(peaks.feature, peaks.value)
        if found is None:
            raise UsageError(
                "surprise needs the corpus index of these features", "Build it: `workbench index build`; or sort else."
            )
        size = found
    order = peaks.feature[np.lexsort((peaks.feature, -np.abs(peaks.value), -size))]
    if not wanted:
        return [int(number) for number in order[: query.top]]
    place = {int(number): at for at, number in enumerate(order)}
    return sorted(set(wanted), key=lambda number: (place.get(number, len(order)), number))


def _means(table: SentenceFeatures) -> np.ndarray:
    """(width,) mean of each feature over the tokens of the one sentence."""
    return np.bincount(table.features, weights=table.values, minlength=table.width) / max(int(table.starts[-1]), 1)


def _rows(chosen: list[int], table: SentenceFeatures, peaks: Peaks, beside: Beside) -> list[dict[str, Any]]:
    means, place = _means(table), {int(number): at for at, number in enumerate(peaks.feature)}
    bits = beside.surprise(peaks.feature, peaks.value)
    rows = []
    for number in chosen:
        at = place.get(number)
        rows.append(
            {
                **beside.about(number),
                "maximum": 0.0 if at is None else round(float(peaks.value[at]), 4),
                "at": 0 if at is None else int(peaks.token[at]),
                "mean": round(float(means[number]), 4),
                "values": [round(float(value), 4) for value in table.of_feature(number)],
                "surprise": None if bits is None else 0.0 if at is None else round(float(bits[at]), 2),
            }
        )
    return rows


def _by_token(table: SentenceFeatures, each: int, wanted: set[int]) -> tuple[list[dict[str, Any]], set[int]]:
    """How many features each token has, and the strongest of them; and all that are named."""
    size, named = int(table.starts[-1]), set[int]()
    order = np.lexsort((table.features, -np.abs(table.values), table.rows))
    begins = np.searchsorted(table.rows[order], np.arange(size + 1))
    found: list[dict[str, Any]] = []
    for low, high in pairwise(begins.tolist()):
        entries = order[low:high]
        if wanted:
            entries = entries[np.isin(table.features[entries], list(wanted))]
        shown = [[int(table.features[at]), round(float(table.values[at]), 4)] for at in entries[:each]]
        named |= {int(table.features[at]) for at in entries[:each]}
        found.append({"active": high - low, "features": shown})
    return found, named
