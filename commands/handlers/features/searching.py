"""Carries out `features.search`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from commands.features import FeaturesSearch
from commands.handlers.features.marking import loaded_space
from commands.handlers.features.own_text import Beside, index_of, repaired
from workbench.errors import UsageError
from workbench.features.evidence import cut, explanations_of, labels_by_index
from workbench.features.marks import notes_by_feature, tags_by_feature
from workbench.lab import Lab
from workbench.saes.ids import feature_id
from workbench.search.likeness import likeness
from workbench.search.tokens import TokenHit, alike_tokens, by_logit, by_token
from workbench.search.windows import WindowHit, by_window
from workbench.verbs import Outcome

if TYPE_CHECKING:
    from workbench.index.read import FeatureIndex

PLACES = ("label", "note", "tag", "token", "logit", "window")
LETTERS, MATCHES = 160, 8
"""Bytes of the text of a match, and matches of a hit that are shown: a reply has 256 KiB."""


@dataclass(frozen=True)
class Match:
    """Where a feature answers the query.

    Attributes:
        likeness: 1 where it contains the query itself.
        strength: what tells matches of the same kind apart, the larger the better.
        share: of a token: of the feature's firings on it; of a window: of the feature's windows with it.
        window: the window's number, or None.
    """

    where: str
    text: str
    exact: bool
    likeness: float
    strength: float = 0.0
    share: float | None = None
    window: int | None = None

    @property
    def order(self) -> tuple[bool, float, int, float]:
        """Better ones are smaller."""
        return not self.exact, -self.likeness, PLACES.index(self.where), -self.strength


def search(query: FeaturesSearch, lab: Lab) -> Outcome:
    """Features by words, or by the features of an example sentence."""
    if query.query.strip() and query.by_sentence:
        raise UsageError("either words or a sentence", "Leave one of them out.")
    if query.by_sentence:
        return _by_sentence(query, lab)
    wanted = query.query.strip()
    if not wanted:
        raise UsageError("nothing to look for", "Give words, or --by-sentence TEXT.")
    space = loaded_space(lab)
    name, width = str(space["name"]), int(space["width"])
    index, missing = index_of(lab, name), list[str]()
    found: dict[int, list[Match]] = {}
    for number, match in _in_words(query, wanted, lab, name):
        found.setdefault(number, []).append(match)
    if index is not None:
        for number, match in _in_index(query, wanted, index, lab):
            found.setdefault(number, []).append(match)
    elif {"token", "logit", "window"} & set(query.where):
        missing.append("tokens, logits and windows need the corpus index of these features: `workbench index build`")
    for matches in found.values():
        matches.sort(key=lambda match: match.order)
    order = sorted((number for number in found if number < width), key=lambda number: (found[number][0].order, number))
    labels = labels_by_index(lab, name)
    page = order[query.offset : query.offset + query.limit]
    hits = [_hit(number, found[number], name, labels, index) for number in page]
    body = {"query": wanted, "by_sentence": "", "space": name, "total": len(order), "offset": query.offset}
    return Outcome({**body, "tokens": [], "hits": hits, "missing": missing})


def _in_words(query: FeaturesSearch, wanted: str, lab: Lab, space: str) -> list[tuple[int, Match]]:
    """Matches in what people wrote: labels, imported explanations, notes, tags."""
    texts: list[tuple[str, str, str]] = []  # feature, where, text
    if "label" in query.where:
        texts += [(feature_id(space, number), "label", text) for number, text in labels_by_index(lab, space).items()]
        for number, told in explanations_of(lab.record, space).items():
            texts += [(feature_id(space, number), "label", one["text"]) for one in told]
    if "note" in query.where:
        texts += [(feature, "note", text) for feature, text in notes_by_feature(lab.state).items()]
    if "tag" in query.where:
        texts += [(feature, "tag", tag) for feature, tags in tags_by_feature(lab.state).items() for tag in tags]
    found = []
    for feature, where, said in dict.fromkeys(texts):
        like, exact = likeness(wanted, said)
        owner, _, digits = feature.rpartition("#")
        if owner == space and like and (exact or not query.exact):
            found.append((int(digits), Match(where, cut(said, LETTERS), exact, like)))
    return found


def _in_index(query: FeaturesSearch, wanted: str, index: FeatureIndex, lab: Lab) -> list[tuple[int, Match]]:
    """Matches in the tokens of the features, the logits they raise, and the text of their windows."""
    found: list[tuple[int, Match]] = []
    tokens = alike_tokens(index, wanted, exact=query.exact)
    if "token" in query.where:
        found += [(hit.feature, _of_token("token", hit, index)) for hit in _best(by_token(index, tokens))]
    if "logit" in query.where:
        found += [(hit.feature, _of_token("logit", hit, index)) for hit in _best(by_logit(index, tokens))]
    if "window" in query.where:
        found += [(hit.feature, _of_window(hit, wanted)) for hit in by_window(index, wanted, lab.tick)]
    return found


def _best(hits: list[TokenHit]) -> list[TokenHit]:
    """The best token of each feature."""
    best: dict[int, TokenHit] = {}
    for hit in sorted(hits, key=lambda hit: (-hit.likeness, -hit.strength, hit.token)):
        best.setdefault(hit.feature, hit)
    return list(best.values())


def _of_token(where: str, hit: TokenHit, index: FeatureIndex) -> Match:
    share = hit.strength if where == "token" else None
    text = cut(index.pieces[hit.token], LETTERS)
    return Match(where, text, hit.likeness == 1, hit.likeness, hit.strength, share)


def _of_window(hit: WindowHit, wanted: str) -> Match:
    return Match("window", wanted, True, 1.0, hit.windows / hit.of, hit.windows / hit.of, hit.number)


def _hit(
    number: int, matches: list[Match], space: str, labels: Mapping[int, str], index: FeatureIndex | None
) -> dict[str, Any]:
    shown = []
    for match in matches[:MATCHES]:
        window = None
        if match.window is not None and index is not None:
            window = index.example(number, match.window)
        share = None if match.share is None else round(match.share, 6)
        score = round(match.likeness, 4)
        shown.append(
            {"where": match.where, "text": match.text, "exact": match.exact, "score": score, "share": share,
             "window": window}
        )  # fmt: skip
    return {
        "feature": feature_id(space, number),
        "index": number,
        "label": cut(labels.get(number, ""), LETTERS),
        "density": None if index is None else index.density(number),
        "score": shown[0]["score"],
        "exact": shown[0]["exact"],
        "matches": shown,
    }


def _by_sentence(query: FeaturesSearch, lab: Lab) -> Outcome:
    """Features ranked by how unlikely their activations on the sentence are on a token of the corpus."""
    from workbench.sentences.reading import read_sentences, tokens_of

    warnings: list[str] = []
    (text,) = repaired([query.by_sentence], warnings)
    model, space = lab.model, lab.space
    tokens = tokens_of(model, text)
    peaks = read_sentences(model, space, [tokens], lab.tick).peaks()
    beside, missing = Beside(lab, space), list[str]()
    bits = beside.surprise(peaks.feature, peaks.value)
    if bits is None:
        missing.append("how unlikely an activation is needs the corpus index: ranked by size; `workbench index build`")
        bits = np.abs(peaks.value).astype(np.float64)
    order = np.lexsort((peaks.feature, -np.abs(peaks.value), -bits))
    pieces, hits = tokens.text_pieces, []
    for at in order[query.offset : query.offset + query.limit]:
        about, score = beside.about(int(peaks.feature[at])), round(float(bits[at]), 4)
        match = {"where": "sentence", "text": pieces[int(peaks.token[at])], "exact": False, "score": score,
                 "share": None, "window": None, "value": round(float(peaks.value[at]), 4)}  # fmt: skip
        hits.append({**about, "score": score, "exact": False, "matches": [match]})
    body = {"query": "", "by_sentence": text, "space": space.name, "total": len(order), "offset": query.offset}
    return Outcome({**body, "tokens": pieces, "hits": hits, "missing": missing}, warnings=warnings)
