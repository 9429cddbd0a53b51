"""Windows, pairs and statistics of `features.contrast`: what counts, what is masked, what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import tiny
from tests.commands.contrast.arrays import activations, artifact, rows_by_index
from workbench.errors import UsageError
from workbench.stats import contrast_map

pytestmark = pytest.mark.slow


SHORT = [*tiny.BAD[:-2], "sad cat", "sad dog"]
"""Seven sentences of five tokens and two of two."""


@pytest.mark.parametrize(
    ("options", "take"),
    [
        ("window=first width=2", lambda acts: acts[:2].mean(axis=0)),
        ("window=last", lambda acts: acts[-1]),
        ("window=centre width=3 pool=max", lambda acts: acts[(len(acts) - 3) // 2 :][:3].max(axis=0)),
        ("window=peak width=1", lambda acts: acts.max(axis=0)),
    ],
)
def test_only_the_window_counts(wins: Any, options: str, take: Any, tiny_model: Any, tiny_space: Any) -> None:
    pooled = np.array([take(acts) for acts in activations(tiny_model, tiny_space, [*tiny.GOOD, *tiny.BAD])])
    result = wins(f"features.contrast wins {options} permutations=50 top=500")["result"]
    assert result["rows"]
    for row in result["rows"]:
        expected = pooled[:9, row["index"]].mean() - pooled[9:, row["index"]].mean()
        assert row["effect"] == pytest.approx(expected, abs=1e-4)


def test_short_sentences_are_masked_and_counted(loaded: Any, tmp_path: Path, tiny_model: Any, tiny_space: Any) -> None:
    path = tiny.write_stimuli(tmp_path / "short.json", {"good": tiny.GOOD, "bad": SHORT})
    loaded(f"stimuli.import {path}")
    reply = loaded("features.contrast short window=first width=4 permutations=50 top=500")
    assert reply["result"]["masked"] == {"positive": 0, "rest": 2}
    assert reply["result"]["categories"] == {"positive": 9, "rest": 9}
    assert any("2 of 18 sentences are shorter than the first 4 tokens" in text for text in reply["warnings"])
    acts = activations(tiny_model, tiny_space, [*tiny.GOOD, *SHORT[:-2]])
    pooled = np.array([one[:4].mean(axis=0) for one in acts])
    for row in reply["result"]["rows"]:
        expected = pooled[:9, row["index"]].mean() - pooled[9:, row["index"]].mean()
        assert row["effect"] == pytest.approx(expected, abs=1e-4)
    shown = loaded(f"features.show {reply['result']['rows'][0]['index']}")["result"]["stimuli"]["lines"]
    assert sum(line["masked"] for line in shown) == 2


def test_the_target_span_is_found_and_a_sentence_without_one_is_masked(pairs: Any) -> None:
    result = pairs("features.contrast pairs window=span permutations=50 top=500")["result"]
    assert result["masked"] == {"positive": 0, "rest": 1}
    assert result["tested"] > 0


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("features.contrast wins window=first width=30", "no sentence has 30 tokens"),
        ("features.contrast wins window=span", "no sentence of this set has a target span"),
        ("features.contrast wins width=3", "means nothing for --window whole"),
        ("features.contrast wins statistic=paired", "has no matched items"),
        ("features.contrast wins design=factorial", "has no factors"),
        ("features.contrast wins pairs=true", "has no matched items"),
        ("features.replicate", r"no ranking by features.contrast in this session. Make one: `workbench"),
        ("features.why 3", "no ranking by features.contrast or features.rsa in this session"),
    ],
)
def test_bad_options_are_refused_with_a_hint(wins: Any, line: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        wins(line)
    assert caught.value.hint


def test_fewer_permutations_than_alpha_needs_is_said(wins: Any) -> None:
    reply = wins("features.contrast wins permutations=20 alpha=0.01")
    assert any("20 permutations cannot give a p below 0.0476" in text for text in reply["warnings"])


def test_by_is_bh_times_the_harmonic_sum(wins: Any) -> None:
    bh = rows_by_index(wins("features.contrast wins permutations=100 top=500")["result"])
    by = rows_by_index(wins("features.contrast wins permutations=100 top=500 fdr=by")["result"])
    penalty = sum(1 / rank for rank in range(1, len(bh) + 1))
    for index, row in bh.items():
        assert by[index]["p"] == row["p"]
        assert by[index]["q"] == pytest.approx(min(1.0, row["q"] * penalty)) or row["q"] * penalty > 1


def test_rows_have_every_effect_size(wins: Any, sessions: Path) -> None:
    reply = wins("features.contrast wins permutations=50 top=500")
    stored = artifact(sessions, reply["seq"], "pooled")
    dense = np.zeros((18, tiny.LATENTS))
    dense[np.repeat(np.arange(18), np.diff(stored["pointers"])), stored["features"]] = stored["values"]
    found = contrast_map(dense, stored["labels"].astype(bool), permutations=50)
    for row in reply["result"]["rows"]:
        assert row["auc"] == pytest.approx(found.auc[row["index"]])
        assert row["rate_difference"] == pytest.approx(found.rate_difference[row["index"]])


def test_paired_takes_whole_pairs_and_says_what_it_left_out(pairs: Any, tiny_model: Any, tiny_space: Any) -> None:
    reply = pairs("features.contrast pairs statistic=paired permutations=300 top=500")
    assert reply["result"]["pairs"] == {"whole": 8, "left_out": 2}
    assert any("2 of 18 sentences have no match" in text for text in reply["warnings"])
    pooled = np.array([one.mean(axis=0) for one in activations(tiny_model, tiny_space, [*tiny.GOOD, *tiny.BAD])])
    difference = pooled[:8] - pooled[9:17]
    for row in reply["result"]["rows"]:
        column = difference[:, row["index"]]
        if column.std() > 1e-5:
            assert row["score"] == pytest.approx(column.mean() / (column.std(ddof=1) / np.sqrt(8)), rel=1e-3)
        else:
            assert abs(row["score"]) > 1e4  # every difference is the same


def test_pairs_keep_labels_within_items(pairs: Any) -> None:
    result = pairs("features.contrast pairs pairs=true permutations=1000")["result"]
    assert result["pairs"]["whole"] == 8
    assert result["min_p"] == pytest.approx(1 / 2**8)  # the two without a match keep the mirror image from counting


def test_an_item_with_two_sentences_of_a_class_is_refused(loaded: Any, tmp_path: Path) -> None:
    good = [{"text": text, "item": "p0"} for text in tiny.GOOD[:3]]
    bad = [{"text": text, "item": "p0"} for text in tiny.BAD[:3]]
    loaded(f"stimuli.import {tiny.write_stimuli(tmp_path / 'many.json', {'good': good, 'bad': bad})}")
    with pytest.raises(UsageError, match="'p0' has more than one sentence"):
        loaded("features.contrast many statistic=paired")
    assert loaded("features.contrast many pairs=true")["result"]["pairs"]["whole"] == 1


def test_pairs_that_a_ranking_leaves_aside_are_told_of(pairs: Any) -> None:
    """A set with matched items, ranked as if it had none, is a design the investigator did not mean."""
    told = pairs("features.contrast pairs permutations=20")["warnings"]
    assert any("8 matched items are not used" in text and "features contrast pairs --pairs" in text for text in told)
    for line in ("pairs=true", "statistic=paired"):
        told = pairs(f"features.contrast pairs permutations=20 {line}")["warnings"]
        assert not any("not used" in text for text in told)
    probe = "features.probe pairs permutations=20 most=2 folds=3 exact=0 sweep=f_stat case=false"
    told = pairs(probe)["warnings"]
    assert any("folds tear" in text and "features probe pairs --pairs" in text for text in told)
    assert not any("folds tear" in text for text in pairs(f"{probe} pairs=true")["warnings"])
    assert not any("not used" in text for text in pairs("features.maxact pairs")["warnings"])
