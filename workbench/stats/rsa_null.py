"""The permutation null of an RSA map, a stratum of features alike in sparsity at a time."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from workbench.stats.orders import Orders
from workbench.stats.rsa_description import ENTRIES, About, left_length, ready_block
from workbench.stats.rsa_features import Sums
from workbench.stats.rsa_models import RANKED, PreparedModel
from workbench.stats.rsa_products import Block, products, ranked_targets
from workbench.stats.rsa_study import Study, prepared
from workbench.stats.upper_tail import pooled_upper_tail

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Integers = NDArray[np.intp]

# Features per pooled null, as in contrast maps: 512 x 1,000 permutations resolve 2e-6 before the formula takes over.
STRATUM = 512


@dataclass
class Tested:
    """What the permutations say; arrays (features,), NaN where ready."""

    p: Floats
    observed: Floats
    """Score under the observed order as the products give it, less its mean under all orders."""
    tail: Floats
    """(orders asked about, features) pooled tail probability."""
    largest: Floats
    """(P,) largest score of each order, less its mean under all orders."""
    tie: float


def tested(study: Study, about: About, orders: Orders, asked: Integers) -> Tested:
    """One pass over the defined features under the orders asked about and the null orders.

    For comparisons of ranks this also finds the scores, and features whose ranks are all ties.
    """
    features, count = about.status.size, orders.rows.shape[0]
    empty = np.full(features, np.nan)
    found = Tested(empty, empty.copy(), np.full((asked.shape[0], features), np.nan), np.full(count, -np.inf), 0.0)
    if not count and study.comparison not in RANKED:  # scores alone were asked for, and they are there
        ok = about.status == "ok"
        found.p[ok], found.observed[ok], found.tail[:, ok] = 1.0, about.score[ok], 1.0
        return found
    for number, seen in enumerate(about.patterns):
        ok = np.flatnonzero((about.pattern == number) & (about.status == "ok"))
        if not ok.size:
            continue
        rank = ok[np.argsort(about.concentration[ok], kind="stable")]
        _test_pattern(study, about, found, rank, seen, orders, asked)
    return found


def _test_pattern(
    study: Study, about: About, found: Tested, rank: Integers, seen: Bools, orders: Orders, asked: Integers
) -> None:
    model = prepared(study, seen)
    assert model is not None  # features of such a pattern have no status ok
    rows = np.concatenate([replace(orders, rows=asked).among(seen), orders.among(seen)])
    way = products(model, rows, rank.size, study.x.shape[2])
    found.tie = max(found.tie, way.tie)
    k, pairs = asked.shape[0], model.stimuli * (model.stimuli - 1) // 2
    for columns in _strata(rank, max(rows.shape[0], pairs, study.x[:, :1].size)):
        columns, block, sums = ranked_block(study, about, columns, seen, model)
        if not columns.size:
            continue
        scores = way.scores(block)  # (asked + P, features here)
        mean = 0.0
        if study.comparison == "cosine" and not len(model.basis):
            mean = model.vector.sum() * sums.total / pairs / block.norms  # exact over all orders
            scores -= mean.astype(scores.dtype)
        null = scores[k:]
        found.p[columns] = ((null >= scores[0] - way.tie).sum(axis=0) + 1) / (null.shape[0] + 1)
        found.observed[columns] = scores[0]
        np.maximum(found.largest, null.max(axis=1), out=found.largest)
        pool = np.sort(null, axis=None)
        found.tail[:, columns] = pooled_upper_tail(scores[:k], pool, least=1 / orders.total, tie=way.tie)


def ranked_block(
    study: Study, about: About, columns: Integers, seen: Bools, model: PreparedModel
) -> tuple[Integers, Block, Sums]:
    """The block of some features; where ranks are compared, scored and without those whose ranks are all ties."""
    (levelled, block), sums = ready_block(study, columns, seen, model)
    if study.comparison not in RANKED:
        return columns, block, sums
    ranks = ranked_targets(levelled.values, model)
    varied = ranks.any(axis=1)
    about.status[columns[~varied]] = "explained" if len(model.basis) else "constant"
    columns, ranks = columns[varied], ranks[varied]
    block = Block(levelled.values[:, varied], block.norms[varied], block.parts[:, varied], ranks)
    if model.levels is None:
        about.score[columns] = np.clip((ranks @ model.vector) / left_length(model), -1, 1)
    else:
        straight = np.arange(model.stimuli)[None]
        about.score[columns] = products(model, straight, columns.size, 1).scores(block)[0]
    return columns, block, sums


def _strata(rank: Integers, size: int) -> Iterator[Integers]:
    width = int(np.clip(ENTRIES // max(size, 1), 8, STRATUM))
    for start in range(0, rank.size, width):
        yield rank[start : start + width]
