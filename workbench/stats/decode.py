"""Decoding a label from a few selected features, with the selection made again inside every fold.

Selecting on all items and testing on some of them is the commonest way to find what is not there: the best 8 of
16,384 features of pure noise decode 100 random labels with an accuracy of about 0.8 so, and with 0.5 when they are
selected on the training items alone. `decode` gives both, side by side, on the same folds.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.stats.folds import group_codes, stratified_folds
from workbench.stats.logistic import ridge_logistic, standardised
from workbench.stats.metrics import share_interval
from workbench.stats.rank_units import SELECTS, Scored, Select, checked_items, scored_units

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Integers = NDArray[np.intp]
Chooser = Callable[[Floats, Bools, int], Integers]
"""Chooses features from training items (items, features), (items,) in a repeat; it never sees the others."""


@dataclass(frozen=True)
class Decoding:
    """What a decoder on selected features does on items it was not fitted to.

    Attributes:
        accuracy: share of held-out items that are right, over all items (and repeats): the honest number.
        interval: Wilson's interval of the accuracy for as many independent items as there are, or for fewer where
            items of a group are right and wrong together. It says how the accuracy varies with the items, not with
            the training sets, and always contains the accuracy.
        leaky_accuracy: the same folds with features selected once on all items: a warning, never a result.
        chosen: (repeats x folds, k) features selected in each fold, best first.
        leaky_chosen: (k,) features selected on all items.
        fold_accuracy: (repeats x folds,) accuracy of each fold.
        correct: (items,) share of repeats in which the item was right.
        scores: (repeats, items) held-out log odds. Their mean over repeats is no score of this decoder: it is an
            ensemble of all that the repeats selected.
        test_share: mean share of the items that a fold holds out.
        majority: share of the larger class, what a decoder without features gets.
    """

    accuracy: float
    interval: tuple[float, float]
    leaky_accuracy: float
    chosen: Integers
    leaky_chosen: Integers
    fold_accuracy: Floats
    correct: Floats
    scores: Floats
    test_share: float
    majority: float


def decode(
    x: ArrayLike,
    y: ArrayLike,
    *,
    select: Select,
    k: int = 8,
    groups: ArrayLike | None = None,
    folds: int = 5,
    seed: int = 0,
    repeats: int = 1,
    confidence: float = 0.95,
) -> Decoding:
    """Select `k` features and fit a linear decoder on them, in every fold anew.

    The decoder is a balanced L2 logistic regression with C = 1 on features standardised by the training items.

    Args:
        x: (items, features). A feature with a masked value (NaN) anywhere, or without variance among the training
            items, is never selected.
        y: (items,) labels of two classes.
        select: `contrast`, `maxact`, `rsa_discriminative`, `rsa_categorical`, or a method of `rank_units`.
        k: how many features.
        groups: (items,) ids of items that belong together (pairs, documents); no group is in two folds.
        folds: how many folds; classes are in equal shares in each.
        seed: of folds and selection; repeat r takes seed + r.
        repeats: how often all folds are made anew.
        confidence: of the interval.

    Raises:
        ValueError: not two classes, more features asked for than can be used, a class smaller than the number of
            folds, an unknown `select`, infinite activations.
    """
    if select not in SELECTS:
        raise ValueError(f"select must be one of {', '.join(SELECTS)}, got {select!r}")
    values, positive = checked_items(x, y)
    if not 1 <= k <= values.shape[1]:
        raise ValueError(f"k must be from 1 to the {values.shape[1]} features, got {k}")

    # a masked value may be among the held-out items only: the feature is out in every fold then
    values = np.where(np.isnan(values).any(0), np.nan, values)

    def choose(train: Floats, labels: Bools, repeat: int) -> Integers:
        # random features are drawn anew in every repeat, so that their accuracy is not that of one draw
        return best(scored_units(train, labels, select, seed=seed + repeat if select == "random" else seed), k)

    return nested(values, positive, choose, groups=groups, folds=folds, seed=seed, repeats=repeats, level=confidence)


def best(found: Scored, k: int) -> Integers:
    """The first k features of an order.

    Raises:
        ValueError: fewer are defined.
    """
    if found.usable < k:
        raise ValueError(f"k = {k} features were asked for, only {found.usable} are neither constant nor masked")
    return found.order[:k]


def nested(
    x: Floats,
    y: Bools,
    choose: Chooser,
    *,
    groups: ArrayLike | None = None,
    folds: int = 5,
    seed: int = 0,
    repeats: int = 1,
    level: float = 0.95,
) -> Decoding:
    """`decode` with any way to choose features; see there.

    Args:
        x: (items, features); those chosen must be finite.
        y: (items,) bool.
        choose: (training items, features), their labels and the number of the repeat -> (k,) features; k must be the
            same each time.
        groups: (items,) ids of items that are never in two folds.
        folds: how many folds.
        seed: of the folds; repeat r takes seed + r.
        repeats: how often all folds are made anew.
        level: confidence of the interval.

    Raises:
        ValueError: no repeat, or a class smaller than the number of folds.
    """
    if repeats < 1:
        raise ValueError(f"repeats must be at least 1, got {repeats}")
    chosen, leaky_chosen, accuracies, leaky_right, sizes = [], [], [], 0.0, []
    correct, scores = np.zeros(y.size), np.zeros((repeats, y.size))
    for repeat in range(repeats):
        fold_of = stratified_folds(y, folds, groups=groups, seed=seed + repeat)
        leaky = choose(x, y, repeat)
        leaky_chosen.append(leaky)
        for fold in range(folds):
            test = fold_of == fold
            units = choose(x[~test], y[~test], repeat)
            held = held_out(x, y, units, test)
            right = (held > 0) == y[test]
            correct[test] += right / repeats
            scores[repeat, test] = held
            leaky_right += float(((held_out(x, y, leaky, test) > 0) == y[test]).sum())
            chosen.append(units)
            accuracies.append(float(right.mean()))
            sizes.append(float(test.mean()))
    accuracy = float(correct.mean())
    size = _independent(correct, group_codes(groups, y.size), accuracy)
    return Decoding(
        accuracy=accuracy,
        interval=share_interval(accuracy, size, level),
        leaky_accuracy=leaky_right / (repeats * y.size),
        chosen=np.array(chosen, dtype=np.intp),
        leaky_chosen=np.asarray(leaky_chosen[0], dtype=np.intp),
        fold_accuracy=np.array(accuracies),
        correct=correct,
        scores=scores,
        test_share=float(np.mean(sizes)),
        majority=float(max(y.mean(), 1 - y.mean())),
    )


def held_out(x: Floats, y: Bools, units: Integers, test: Bools) -> Floats:
    """Log odds of the items of `test` from a decoder fitted to the others: (test items,)."""
    train, rest = standardised(x[np.ix_(~test, units)], x[np.ix_(test, units)])
    return ridge_logistic(train, y[~test]).scores(rest)


def _independent(correct: Floats, codes: Integers, accuracy: float) -> float:
    """How many independent items the items are worth: fewer where those of a group are right together.

    The variance of the accuracy between groups (the linearised ratio estimator) against that of independent items;
    never more than the items, never fewer than the groups.
    """
    groups, n = int(codes.max()) + 1, correct.size
    if groups == n or groups < 2 or not 0 < accuracy < 1:
        return float(n if groups == n else groups)
    off = np.bincount(codes, weights=correct - accuracy)  # (groups,) items right beyond the mean
    variance = groups / (groups - 1) * float((off**2).sum()) / n**2
    return float(np.clip(accuracy * (1 - accuracy) / variance if variance else n, min(groups, n), n))
