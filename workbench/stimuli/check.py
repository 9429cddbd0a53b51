"""The check of a stimulus set's design: what beside the concept tells its sides apart, and what it can show at all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.stats.design import (
    Confound,
    WordLeak,
    accuracy_p,
    balanced_folds,
    confound,
    detectable_effect,
    reachable_p,
    word_leak,
)
from workbench.stimuli.leveling import exchanges
from workbench.stimuli.pairs import LARGEST, Pairs, find_pairs
from workbench.stimuli.sets import StimulusSet
from workbench.stimuli.words import likeness, word_table, words_of

ALPHA, POWER = 0.05, 0.8
SUSPECT = 0.01
"""A confound with a p below this is warned of."""
NEAR = 0.8
"""Sentences that share this much of their words, weighted by rarity, are near duplicates."""
LEAK = 0.8
"""A word whose shares on the two sides differ by this much is warned of."""
_LISTED = 20


@dataclass(frozen=True)
class Measure:
    """A number of every sentence that is not the concept.

    Attributes:
        values: one for each sentence of `everything`, NaN where unknown.
    """

    name: str
    unit: str
    values: Sequence[float]


@dataclass(frozen=True)
class Side:
    """One side against another: a category against the others, or the levels of a factor."""

    name: str
    positive: np.ndarray
    """(sentences in use,) bool."""


def plain_measures(found: StimulusSet) -> list[Measure]:
    """What needs no tokenizer and no corpus: length, and the set's own nuisances."""
    texts = [one.text for one in found.everything]
    names = dict.fromkeys(name for one in found.everything for name, _ in one.nuisances)
    own = [
        Measure(name, "its own", [dict(one.nuisances).get(name, math.nan) for one in found.everything])
        for name in names
    ]
    return [
        Measure("characters", "characters", [float(len(text)) for text in texts]),
        Measure("words", "words", [float(len(words_of(text))) for text in texts]),
        *own,
    ]


def check_design(
    found: StimulusSet, measures: Sequence[Measure], *, positive: str = "", features: int = 0, seed: int = 0
) -> dict[str, Any]:
    """Everything that is known of a set before it is run; docs/stimuli.md says what each number means.

    Args:
        measures: numbers that may tell the sides apart without the concept.
        positive: the category to set against the others; "" takes the set's, else two-level factors or every category.
        features: how many are to be tested at once, for the effect that survives their number; 0 where unknown.
        seed: of the folds.
    """
    pairs = find_pairs(found)
    used = np.array([one.include for one in found.everything], dtype=bool)
    items = _item_codes(found, pairs)
    sides = _sides(found, positive)
    small = len(found.included) <= LARGEST
    held, words = word_table([one.text for one in found.included] if small else [])
    folds = [balanced_folds(side.positive, items, seed=seed) for side in sides]
    confounds = [_worst(measure, np.array(measure.values)[used], sides, folds) for measure in measures]
    leaks = [word_leak(held, side.positive, fold) for side, fold in zip(sides, folds, strict=True)] if small else []
    repeats = _repeats(found, pairs) if small else []
    body: dict[str, Any] = {
        "name": found.name,
        "positive": positive or found.positive,
        "digest": found.digest,
        "categories": found.counts,
        "excluded": int((~used).sum()),
        "factors": found.factors,
        "folds": _counted(one.fold for one in found.included if one.fold),
        "spans": sum(one.span is not None for one in found.included),
        "pairs": pairs.as_dict(),
        "repeats": repeats[:_LISTED],
        "repeats_total": len(repeats),
        "sides": [side.name for side in sides],
        "confounds": confounds,
        "bag_of_words": _bag(sides, leaks),
        "words": _words(sides, leaks, words),
        "design": _reach(sides, pairs, items, features),
        "swaps": _swaps(found, measures, confounds, sides),
    }
    return {**body, "warnings": _warnings(body, found, pairs)}


def _counted(names: Any) -> dict[str, int]:
    counts: dict[str, int] = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    return counts


def _item_codes(found: StimulusSet, pairs: Pairs) -> np.ndarray | None:
    """A code for each matched item, and one of its own for each sentence without; None where nothing is matched."""
    if pairs.status == "none":
        return None
    keys = [one.item or ("alone", place) for place, one in enumerate(found.included)]
    codes = {key: code for code, key in enumerate(dict.fromkeys(keys))}
    return np.array([codes[key] for key in keys])


def _sides(found: StimulusSet, positive: str) -> list[Side]:
    """What to compare: the positive category, else two-level factors, else every category; never an empty one."""
    included = found.included
    if positive or found.positive:
        wanted = positive or found.positive
        sides = [Side(wanted, np.array([one.category == wanted for one in included], dtype=bool))]
    else:
        two = {factor: levels for factor, levels in found.factors.items() if len(levels) == 2}
        sides = [
            Side(f"{factor}: {levels[0]}", np.array([dict(one.factors).get(factor) == levels[0] for one in included]))
            for factor, levels in two.items()
        ] or [Side(name, np.array([one.category == name for one in included], dtype=bool)) for name in found.names]
    return [side for side in sides if 0 < side.positive.sum() < side.positive.size]


def _worst(measure: Measure, values: np.ndarray, sides: list[Side], folds: list[np.ndarray]) -> dict[str, Any]:
    """The side that the measure tells best, its p multiplied by the number of sides looked at."""
    tried = [(side.name, confound(values, side.positive, fold)) for side, fold in zip(sides, folds, strict=True)]
    if not tried:
        nothing = Confound(math.nan, math.nan, math.nan, math.nan, math.nan, 0, "too_few")
        tried = [("", nothing)]
    name, worst = max(tried, key=lambda pair: -1.0 if math.isnan(pair[1].auc) else abs(pair[1].auc - 0.5))
    return {
        "measure": measure.name,
        "unit": measure.unit,
        "side": name,
        "mean": _plain(worst.mean_positive),
        "mean_rest": _plain(worst.mean_rest),
        "auc": _plain(worst.auc),
        "accuracy": _plain(worst.accuracy),
        "p": _plain(float(np.minimum(1.0, worst.p * len(tried)))),
        "known": worst.known,
        "status": worst.status,
    }


def _plain(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def _repeats(found: StimulusSet, pairs: Pairs) -> list[dict[str, Any]]:
    """Sentences of the same words, and near ones; partners of one item are alike on purpose."""
    included = found.included
    if not included:
        return []
    held, _ = word_table([one.text for one in included])
    alike = np.triu(likeness(held), 1)
    place: dict[str, int] = {}
    order = []
    for one in included:
        order.append(place.setdefault(one.category, 0))
        place[one.category] += 1
    rows = []
    for first, second in zip(*np.nonzero(alike >= NEAR), strict=True):
        a, b = included[first], included[second]
        partners = bool(a.item) and a.item == b.item
        in_order = pairs.suggestion is not None and order[first] == order[second]
        if a.category != b.category and (partners or in_order):
            continue
        same = bool((held[first] == held[second]).all())
        rows.append(
            {"texts": [a.text, b.text], "categories": [a.category, b.category], "same_words": same,
             "likeness": round(float(alike[first, second]), 4)}
        )  # fmt: skip
    return sorted(rows, key=lambda row: -row["likeness"])


def _bag(sides: list[Side], leaks: list[WordLeak]) -> dict[str, Any] | None:
    if not leaks:
        return None
    side, leak = max(zip(sides, leaks, strict=True), key=lambda pair: pair[1].accuracy)
    ones = int(side.positive.sum())
    p = accuracy_p(leak.accuracy, ones, side.positive.size - ones) * len(sides)
    return {"side": side.name, "accuracy": leak.accuracy, "p": min(1.0, p)}


def _words(sides: list[Side], leaks: list[WordLeak], words: list[str]) -> list[dict[str, Any]]:
    """The words that tell a side best, by their p and then by the difference of their shares."""
    if not leaks:
        return []
    rows = [
        {"word": words[at], "side": side.name, "share": float(leak.positive[at]), "share_rest": float(leak.rest[at]),
         "p": float(leak.p[at]), "q": float(leak.q[at])}
        for side, leak in zip(sides, leaks, strict=True)
        for at in np.argsort(leak.p, kind="stable")[:_LISTED]
    ]  # fmt: skip
    rows.sort(key=lambda row: (row["p"], -abs(row["share"] - row["share_rest"]), row["word"]))
    return rows[:_LISTED]


def _reach(sides: list[Side], pairs: Pairs, items: np.ndarray | None, features: int) -> dict[str, Any]:
    """The smallest p and the smallest effect, of the weakest of the sides."""
    if not sides:
        return {"status": "too_few"}
    weakest = min(sides, key=lambda side: min(side.positive.sum(), (~side.positive).sum()))
    ones = int(weakest.positive.sum())
    others = weakest.positive.size - ones
    free = reachable_p(weakest.positive)
    paired = reachable_p(weakest.positive, items) if pairs.status == "complete" and items is not None else None
    whole = pairs.pairs if paired is not None and 2 * ones == weakest.positive.size else 0
    many = ALPHA / max(features, 1)
    return {
        "status": "ok",
        "side": weakest.name,
        "positives": ones,
        "rest": others,
        "labellings": _count(free.labellings),
        "smallest_p": free.smallest,
        "smallest_p_paired": None if paired is None else paired.smallest,
        "alpha": ALPHA,
        "power": POWER,
        "effect": _plain(detectable_effect(ones, others, alpha=ALPHA, power=POWER)),
        "effect_paired": _plain(detectable_effect(whole, alpha=ALPHA, power=POWER, paired=True)) if whole else None,
        "features": features or None,
        "effect_of_features": _plain(detectable_effect(ones, others, alpha=many, power=POWER)) if features else None,
    }


def _count(number: int) -> int | float:
    """A whole number where JSON readers keep it whole, else the nearest double."""
    return number if number < 2**53 else float(number) if number.bit_length() < 1000 else 1e300


def _swaps(
    found: StimulusSet, measures: Sequence[Measure], confounds: list[dict[str, Any]], sides: list[Side]
) -> list[dict[str, Any]]:
    """Sentences or pairs to exchange for excluded ones, so that the worst confound is level."""
    suspects = [row for row in confounds if row["status"] == "ok" and row["p"] < SUSPECT]
    if not suspects or len(sides) != 1:
        return []
    worst = max(suspects, key=lambda row: abs(row["auc"] - 0.5))
    values = next(measure.values for measure in measures if measure.name == worst["measure"])
    return [
        {"measure": worst["measure"], "out": [one.text for one in swap.out], "into": [one.text for one in swap.into],
         "auc": swap.auc}
        for swap in exchanges(found, values, sides[0].name)
    ]  # fmt: skip


def _warnings(body: dict[str, Any], found: StimulusSet, pairs: Pairs) -> list[str]:
    """What an investigator must know before believing a contrast, in words."""
    return [
        *_of_reach(body["design"]),
        *[_of_confound(row) for row in body["confounds"] if row["status"] == "ok" and row["p"] < SUSPECT],
        *_of_swaps(body),
        *_of_counts(found, str(body["positive"])),
        *_of_repeats(body),
        *pairs.words(found.name),
        *_of_words(body),
    ]


def _of_counts(found: StimulusSet, positive: str) -> list[str]:
    counts = found.counts
    told = [f"category {name!r} has no sentence in use" for name, count in counts.items() if not count]
    if sum(counts.values()) > LARGEST:
        told.append(f"more than {LARGEST:,} sentences: words, repeats and pairs by order were not looked at")
    if min(counts.values(), default=0) and len(set(counts.values())) > 1:
        listed = ", ".join(f"{name!r} {count}" for name, count in counts.items())
        told.append(f"the categories are not balanced: {listed}")
    if not positive and not found.factors:
        told.append("no category is named positive: every one was set against the others")
    return told


def _of_repeats(body: dict[str, Any]) -> list[str]:
    if not body["repeats"]:
        return []
    first, second = body["repeats"][0]["texts"]
    count = body["repeats_total"]
    return [
        f"{count} {'pair' if count == 1 else 'pairs'} of sentences nearly repeat each other "
        f"(such as {first[:60]!r} and {second[:60]!r}): they are not independent"
    ]


def _of_confound(row: dict[str, Any]) -> str:
    name = f"length in {row['measure']}" if row["unit"] == row["measure"] else row["measure"]
    return (
        f"{name} alone tells {row['side']!r} from the rest with accuracy {row['accuracy']:.2f} "
        f"(AUC {row['auc']:.2f}; mean {row['mean']:.3g} against {row['mean_rest']:.3g}): "
        "features of it will be found as well as the concept"
    )


def _of_swaps(body: dict[str, Any]) -> list[str]:
    if not body["swaps"]:
        return []
    last, measure = body["swaps"][-1], body["swaps"][0]["measure"]
    count = len(body["swaps"])
    return [
        f"{count} {'swap' if count == 1 else 'swaps'} with excluded sentences would bring the AUC of {measure} to "
        f"{last['auc']:.2f}: `workbench stimuli edit {body['name']} --level {measure}` makes them"
    ]


def _of_words(body: dict[str, Any]) -> list[str]:
    told: list[str] = []
    telling = [row for row in body["words"] if row["q"] < SUSPECT and abs(row["share"] - row["share_rest"]) >= LEAK]
    told += [
        f"the word {row['word']!r} stands in {row['share']:.0%} of {row['side']!r} and {row['share_rest']:.0%} of "
        "the rest: a feature of this word separates the set as well as one of the concept"
        for row in telling[:3]
    ]
    bag = body["bag_of_words"]
    if bag and bag["p"] < SUSPECT:
        told.append(
            f"the words themselves tell {bag['side']!r} from the rest with accuracy {bag['accuracy']:.2f} on held-out "
            "sentences: a feature that separates the set may be one of vocabulary"
        )
    return told


def _labellings(design: dict[str, Any]) -> str:
    """How many labellings there are; with equal sides two of them are mirror images, as a contrast says too."""
    if design["positives"] != design["rest"]:
        return f"{design['labellings']} labellings"
    different = design["labellings"]
    return f"{2 * different} labellings, {different} different ones (mirror images give the same |t|)"


def _of_reach(design: dict[str, Any]) -> list[str]:
    if design["status"] != "ok":
        return ["there are no two sides with sentences: nothing can be tested"]
    told = []
    if design["smallest_p"] > ALPHA:
        told.append(
            f"{design['positives']} against {design['rest']} sentences admit {_labellings(design)}: "
            f"no permutation p can be below {design['smallest_p']:.3g}, alpha is {ALPHA}"
        )
    paired = design["smallest_p_paired"]
    if paired is not None and paired > ALPHA:
        told.append(f"the pairs admit so few labellings that no paired permutation p can be below {paired:.3g}")
    effect = design["effect"]
    if effect is None:
        told.append("too few sentences for a test of means")
    elif effect > 1:
        told.append(
            f"only effects of d = {effect:.2f} and more are found with {POWER:.0%} power at alpha {ALPHA}: "
            "add sentences to find smaller ones"
        )
    return told
