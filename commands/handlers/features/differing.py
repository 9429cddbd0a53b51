"""Carries out `features.diff`: two sentences side by side, and the features that tell them apart."""

from __future__ import annotations

from typing import Any

from commands.features import FeaturesDiff
from commands.handlers.features.own_text import MOST_NUMBERS, Beside, gate_of, repaired, space_of
from commands.handlers.features.readings import SPELLED_OF_ONE, spelled_warning
from workbench.lab import Lab
from workbench.sentences.align import Column, align
from workbench.sentences.difference import Differences, by_column, differences
from workbench.sentences.table import SentenceFeatures
from workbench.verbs import Outcome

MOST_COLUMNS = 512
"""Tokens of one side of the pair: a reply has 256 KiB."""


def diff(query: FeaturesDiff, lab: Lab) -> Outcome:
    """Two sentences aligned, and the features that differ."""
    from workbench.sentences.reading import read_sentences, tokens_of

    warnings: list[str] = []
    texts = repaired([query.text_a, query.text_b], warnings)
    space = space_of(query.sae, query.site, lab)
    tokens = [tokens_of(lab.model, text, MOST_COLUMNS) for text in texts]
    warnings += spelled_warning(tokens, SPELLED_OF_ONE)
    ids = [[one for one, keep in zip(text.ids, text.is_text, strict=True) if keep] for text in tokens]
    columns = align(*ids)
    table = read_sentences(lab.model, space, tokens, lab.tick, alone=True)
    found = differences(table, columns, query.least)
    shown = max(min(query.top, MOST_NUMBERS // (2 * len(columns))), 1)
    rows = _rows(found, shown, table, columns, Beside(lab, space))
    body = {
        "texts": texts,
        "space": space.name,
        "site": space.site.name,
        "columns": _columns(columns, [text.text_pieces for text in tokens], ids, found),
        "features": rows,
        "differing": len(found.features),
        "only_a": int((found.active[0] & ~found.active[1]).sum()),
        "only_b": int((found.active[1] & ~found.active[0]).sum()),
        "shared": int(found.active.all(axis=0).sum()),
        "identical": ids[0] == ids[1],
    }
    if len(rows) < min(query.top, len(found.features)):
        warnings.append(f"texts of {len(columns)} columns: {len(rows)} features fit one reply")
    return Outcome(body, warnings=warnings, provenance=gate_of(query.sae, space, lab))


def _rows(
    found: Differences, most: int, table: SentenceFeatures, columns: list[Column], beside: Beside
) -> list[dict[str, Any]]:
    """The features that differ most, with their values in every column of both sentences."""
    rows = []
    for number, change, column in zip(found.features[:most].tolist(), found.change, found.column, strict=False):
        values = by_column(table, columns, number)
        side = found.active[:, number]
        rows.append(
            {
                **beside.about(number),
                "change": round(float(change), 4),
                "at": int(column),
                "gap": None in columns[column],
                "values_a": values[0],
                "values_b": values[1],
                "maximum_a": round(float(found.maximum[0, number]), 4),
                "maximum_b": round(float(found.maximum[1, number]), 4),
                "only": "" if side.all() or not side.any() else "a" if side[0] else "b",
            }
        )
    return rows


def _columns(
    columns: list[Column], pieces: list[list[str]], ids: list[list[int]], found: Differences
) -> list[dict[str, Any]]:
    """The tokens that stand beside each other, and how far apart the features are there; null is a gap."""
    return [
        {
            "a": a,
            "b": b,
            "token_a": None if a is None else pieces[0][a],
            "token_b": None if b is None else pieces[1][b],
            "same": a is not None and b is not None and ids[0][a] == ids[1][b],
            "distance": round(float(found.distance[number]), 4),
        }
        for number, (a, b) in enumerate(columns)
    ]
