"""Searching features: likeness by hand, tokens and windows against a search of every place, hits that say where."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import tiny
from tests.index.conftest import build, make_store, nothing
from workbench.errors import UsageError
from workbench.index.read import FeatureIndex
from workbench.search.likeness import likeness, word_likeness
from workbench.search.tokens import LEAST_SHARE, alike_tokens, by_logit, by_token
from workbench.search.windows import by_window

TEXTS = ["the cat won the prize", "Café won", "the dog lost the game", "CAFÉ lost", "a 😀 sun", "won", "", "the"]


def test_likeness_is_the_dice_coefficient_of_trigrams() -> None:
    # "  a", " ab", "ab " and "  a", " ac", "ac ": one of three shared
    assert word_likeness("ab", "ac") == pytest.approx(1 / 3)
    assert word_likeness("ab", "ab") == 1
    assert word_likeness("winning", "wining") > 0.7
    assert word_likeness("winning", "losing") < 0.5


@pytest.mark.parametrize(
    ("query", "text", "expected"),
    [
        ("Win", "words about WINNING", (1.0, True)),
        ("winning words", "words about wining", None),
        ("weekday", "months", (0.0, False)),
        ("winning months", "words about winning", (0.0, False)),
        ("", "anything", (0.0, False)),
        ("...", "anything", (0.0, False)),
    ],
)
def test_a_text_answers_a_query(query: str, text: str, expected: tuple[float, bool] | None) -> None:
    found = likeness(query, text)
    if expected is None:
        assert found == (pytest.approx((1 + word_likeness("winning", "wining")) / 2), False)
    else:
        assert found == expected


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory, tiny_model: Any, tiny_space: Any) -> FeatureIndex:
    """An index of a corpus with letters of several tokens and of both cases."""
    folder = tmp_path_factory.mktemp("searched")
    store = make_store(folder, tiny_model, [*TEXTS, *tiny.GOOD, *tiny.BAD])
    return build(folder / "one", tiny_model, tiny_space, store)


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("query", ["won", "the cat", "café", "THE PRIZE", "😀", "lost the", "nowhere", "t", "a\x00b"])
def test_windows_are_found_where_their_text_has_the_words(
    small: FeatureIndex, query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import re

    monkeypatch.setattr("workbench.search.windows.BLOCK", 16)  # so that there are many blocks
    pattern = re.compile(rf"(?<!\w){re.escape(query)}(?!\w)" if query[0].isalnum() else re.escape(query), re.IGNORECASE)
    expected = {}
    for feature in range(tiny.LATENTS):
        having = []
        windows = small.examples(feature)
        for number, window in enumerate(windows):
            document = window["document"]
            text = small.store.raw(document).decode()  # each window of these short documents is the whole document
            if pattern.search(text):
                having.append(number)
        if having:
            expected[feature] = (having[0], len(having), len(windows))
    found = {hit.feature: (hit.number, hit.windows, hit.of) for hit in by_window(small, query, nothing)}
    assert found == expected
    assert bool(expected) == (query not in ("nowhere", "t", "a\x00b"))


@pytest.mark.usefixtures("one_thread")
def test_features_of_a_token_are_those_that_fire_on_it(small: FeatureIndex) -> None:
    tokens = alike_tokens(small, "Won", exact=True)
    assert {small.pieces[token] for token in tokens} == {"won", " won"}
    expected = {}
    for feature in range(tiny.LATENTS):
        at, _ = small.entries(feature)
        for token in tokens:
            share = (np.asarray(small.store.tokens)[at] == token).sum() / max(len(at), 1)
            if share >= LEAST_SHARE:
                expected[feature, token] = pytest.approx(share)
    assert {(hit.feature, hit.token): hit.strength for hit in by_token(small, tokens)} == expected
    assert len(expected) > 3


@pytest.mark.usefixtures("one_thread")
def test_like_tokens_and_logits(small: FeatureIndex) -> None:
    like = alike_tokens(small, "happyy", exact=False)
    assert {small.pieces[token].strip() for token in like} == {"happy"}
    assert all(0.5 <= value < 1 for value in like.values())
    assert alike_tokens(small, "happyy", exact=True) == alike_tokens(small, " ", exact=False) == {}
    token = int(small.summary["up_ids"][3, 2])
    hits = {hit.feature: hit.strength for hit in by_logit(small, {token: 1.0})}
    assert hits[3] == pytest.approx(1 / 3)
    assert set(hits) == set(np.flatnonzero((small.summary["up_ids"] == token).any(axis=1)).tolist())
    assert by_logit(small, {}) == []


@pytest.mark.slow
def test_every_hit_says_where_it_matched(loaded: Any, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing to look for"):
        loaded("features.search ' '")
    with pytest.raises(UsageError, match="either words or a sentence"):
        loaded("features.search cat by_sentence=cat")
    before = loaded("features.search cat")["result"]
    assert (before["total"], len(before["missing"])) == (0, 1)
    path = tmp_path / "np.json"
    path.write_text(json.dumps([{"index": 9, "description": "felines"}, {"index": 8, "description": "prizes won"}]))
    loaded(f"labels.import {path}")
    loaded("labels.set 5 'winning a prize'")
    loaded("features.note 6 'see the Prizes paper'")
    loaded("features.tag 7 prize-list")
    loaded("index.build tokens=2000")
    words = loaded("features.search prize where=label where=note where=tag")["result"]
    assert [(hit["index"], hit["exact"], hit["matches"][0]["where"]) for hit in words["hits"]] == [
        (5, True, "label"), (8, True, "label"), (6, True, "note"), (7, True, "tag"),
    ]  # fmt: skip
    fuzzy = loaded("features.search felinse where=label")["result"]["hits"]
    assert [(hit["index"], hit["exact"]) for hit in fuzzy] == [(9, False)]
    assert 0.5 <= fuzzy[0]["score"] < 1
    assert loaded("features.search felinse where=label exact=true")["result"]["total"] == 0
    every = loaded("features.search the limit=100")["result"]
    assert every["total"] == len(every["hits"]) > 5
    assert every == loaded("features.search the limit=100")["result"]
    ranks = [(not hit["exact"], -hit["score"]) for hit in every["hits"]]
    assert ranks == sorted(ranks)
    windows = [match for hit in every["hits"] for match in hit["matches"] if match["where"] == "window"]
    assert windows
    for match in windows:
        assert "the" in "".join(match["window"]["tokens"]).casefold()
    page = loaded("features.search the limit=2 offset=3")["result"]["hits"]
    assert page == every["hits"][3:5]


@pytest.mark.slow
def test_search_by_an_example_sentence(loaded: Any) -> None:
    without = loaded("features.search by_sentence='the cat won'")["result"]
    assert len(without["missing"]) == 1
    loaded("index.build tokens=2000")
    found = loaded("features.search by_sentence='the cat won' limit=100")["result"]
    active = loaded("features.activate 'the cat won' sort=surprise top=200")["result"]
    assert [hit["index"] for hit in found["hits"]] == [row["index"] for row in active["features"]]
    assert [hit["score"] for hit in found["hits"]] == pytest.approx(
        [row["surprise"] for row in active["features"]], abs=0.006
    )
    first = found["hits"][0]["matches"][0]
    assert first["text"] == active["tokens"][active["features"][0]["at"]]
    assert first["value"] == active["features"][0]["maximum"]
    with pytest.raises(UsageError, match="no words"):
        loaded("features.search by_sentence=' '")
