"""The stimuli and labels of a contrast, checked: which rows a statistic uses, and what moves with what."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.stats.permutation import Labellings
from workbench.stats.two_groups import STATISTICS, Statistic

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Integers = NDArray[np.intp]


@dataclass(frozen=True)
class Design:
    """The stimuli a statistic uses, in the order it wants them."""

    rows: Integers
    positive: Bools
    items: Integers

    @property
    def pairs(self) -> int:
        """How many pairs, where the rows are pairs."""
        return self.rows.size // 2


def label_rows(labels: Bools, design: Design, statistic: Statistic) -> Bools:
    """For `paired`, whether each pair keeps its labels: (labellings, 2 pairs) -> (labellings, pairs)."""
    return labels[:, : design.pairs] if statistic == "paired" else labels


def smallest_p(design: Design, labellings: Labellings) -> float:
    """The smallest p that the design and these labellings can give."""
    # swapping all labels leaves |t| as it is, so with swappable groups the extreme comes twice
    swapped = np.bincount(design.items, weights=design.positive) * 2 == np.bincount(design.items)
    by_design = (2 if swapped.all() else 1) / labellings.total
    return by_design if labellings.exhaustive else max(by_design, 1 / (labellings.rows.shape[0] + 1))


def checked_design(
    x: ArrayLike, positive: ArrayLike, items: ArrayLike | None, statistic: str, permutations: int
) -> tuple[NDArray[np.generic], Design]:
    """The activations as an array, and the design; the arguments are those of `contrast_map`.

    Raises:
        ValueError: shapes that do not fit, values that are no real numbers, labels that are not boolean, one side only,
            or an unknown statistic.
    """
    if statistic not in STATISTICS:
        raise ValueError(f"unknown statistic {statistic!r}; choose one of {', '.join(STATISTICS)}")
    if permutations < 0:
        raise ValueError(f"permutations must not be negative, got {permutations}")
    stimuli, labels = np.asarray(x), np.asarray(positive)
    if stimuli.ndim != 2:
        raise ValueError(f"x must be (stimuli, features), got shape {stimuli.shape}")
    if stimuli.dtype.kind not in "biuf":
        raise ValueError(f"x must hold real numbers, got dtype {stimuli.dtype}")
    if labels.dtype != np.bool_:
        raise ValueError(f"positive must be boolean, got dtype {labels.dtype}; compare with the label you mean")
    if labels.shape != stimuli.shape[:1]:
        raise ValueError(f"positive has shape {labels.shape}, but x has {stimuli.shape[0]} stimuli")
    if labels.all() or not labels.any():
        side = "rest" if labels.all() else "positive"
        raise ValueError(f"there is no {side} stimulus among {labels.size}; a contrast needs both")
    design = _design(labels, items, statistic)
    return stimuli, _seen(stimuli, design, labels, items, statistic)


def _seen(x: NDArray[np.generic], design: Design, positive: Bools, items: ArrayLike | None, statistic: str) -> Design:
    """The design without the stimuli that no feature sees; as it was where nothing could be tested without them."""
    if x.dtype.kind != "f" or not x.shape[1]:
        return design
    kept = np.flatnonzero(~np.isnan(x).all(axis=1))
    if kept.size == positive.size or len(set(positive[kept].tolist())) < 2:
        return design
    try:
        left = _design(positive[kept], None if items is None else np.asarray(items)[kept], statistic)
    except ValueError:  # no item has both labels any more: each feature says so by its status
        return design
    return Design(kept[left.rows], left.positive, left.items)


def _design(positive: Bools, items: ArrayLike | None, statistic: str) -> Design:
    everything = np.arange(positive.size)
    if items is None:
        if statistic == "paired":
            raise ValueError("statistic 'paired' needs items, the ids of the pairs, got None")
        return Design(everything, positive, np.zeros(positive.size, dtype=np.intp))
    ids = np.asarray(items)
    if ids.shape != positive.shape:
        raise ValueError(f"items has shape {ids.shape}, but there are {positive.size} stimuli")
    names, codes = np.unique(ids, return_inverse=True)
    ones, sizes = np.bincount(codes, weights=positive), np.bincount(codes)
    mixed = (ones > 0) & (ones < sizes)
    if not mixed.any():
        raise ValueError(f"none of the {names.size} items has both labels, so no label can move; omit items")
    if statistic != "paired":
        return Design(everything, positive, codes)
    crowded = (ones > 1) | (sizes - ones > 1)
    if crowded.any():
        who = names[crowded][0]
        raise ValueError(f"item {who!r} has more than one stimulus of a label; 'paired' needs one of each")
    return _paired_design(positive, codes, mixed)


def _paired_design(positive: Bools, codes: Integers, whole: Bools) -> Design:
    by_item = np.argsort(codes, kind="stable")
    kept = by_item[whole[codes[by_item]]]
    rows = np.concatenate([kept[positive[kept]], kept[~positive[kept]]])  # positives, then rests, same item order
    pairs = rows.size // 2
    return Design(rows, np.arange(2 * pairs) < pairs, np.tile(np.arange(pairs), 2))
