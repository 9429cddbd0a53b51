"""A ranking of features as stored by a command: all features in arrays, rows made when asked for."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np

from workbench.saes.ids import feature_id

NUMBERS = ("score", "effect", "d", "p", "p_fwer", "q")
SIZES = ("auc", "rate_difference", "t", "d_z")
"""Further effect sizes, which not every kind of ranking has."""
STATUSES = ("ok", "constant", "masked", "too_few", "explained")
"""As stored by their place: new ones go to the end."""
RANKING_VERBS = ("features.contrast", "features.rsa", "features.maxact", "features.probe")
MOST_DIGITS = 18
"""Of a 64-bit number; no feature has one so large."""
Sort = Literal["score", "effect", "q", "index"]


def ranks_features(verb: str, params: Mapping[str, Any]) -> bool:
    """Whether a log line's result is a ranking of features; an RSA over clusters, layers or places is none."""
    return verb in RANKING_VERBS and params.get("over", "features") in ("features", "neighbourhood", "inputs")


@dataclass(frozen=True)
class Ranking:
    """Numbers of every feature of a space.

    Attributes:
        space: name of the feature space.
        numbers: each of `NUMBERS`, and any of `SIZES`, (features,), NaN where undefined.
        status: (features,) names out of `STATUSES`.
        one_sided: whether only high scores are good (an RSA, a maximum); a sign is then the effect's.
    """

    space: str
    numbers: Mapping[str, np.ndarray]
    status: np.ndarray
    one_sided: bool = False

    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays to store."""
        codes = np.array([STATUSES.index(str(name)) for name in self.status], dtype=np.int8)
        kept = {name: np.asarray(self.numbers[name], dtype=np.float64) for name in self._names}
        # written only where it is so: rankings of older versions have no such array
        return {**kept, "status": codes, **({"one_sided": np.ones(1, dtype=np.int8)} if self.one_sided else {})}

    @property
    def _names(self) -> list[str]:
        return [name for name in (*NUMBERS, *SIZES) if name in self.numbers]

    @classmethod
    def from_arrays(cls, space: str, arrays: Mapping[str, np.ndarray]) -> Ranking:
        """The ranking that `arrays` stored."""
        names = np.array(STATUSES)[arrays["status"]]
        known = [name for name in (*NUMBERS, *SIZES) if name in arrays]  # those of an older version have no sizes
        return cls(space, {name: arrays[name] for name in known}, names, "one_sided" in arrays)

    def order(self, sort: Sort = "score", direction: str = "both") -> np.ndarray:
        """Features best first: defined ones by score (or |effect|, q), equal ones by |effect| and then index.

        A score counts by its size, unless the ranking is one-sided.

        Undefined features are never ranked and not in here; `index` orders all defined ones by number.
        """
        if (sort, direction) not in self._orders:
            self._orders[sort, direction] = self._ordered(sort, direction)
        return self._orders[sort, direction]

    @cached_property
    def _orders(self) -> dict[tuple[str, str], np.ndarray]:
        """Orders that were asked for."""
        return {}

    @cached_property
    def _defined(self) -> np.ndarray:
        return np.flatnonzero(self.status == "ok")

    def _ordered(self, sort: Sort, direction: str) -> np.ndarray:
        numbers, defined = self.numbers, self._defined
        if direction != "both":
            sign = 1.0 if direction == "positive" else -1.0
            defined = defined[numbers["effect" if self.one_sided else "score"][defined] * sign > 0]
        if sort == "index":
            return defined
        score, effect = self._size(defined), np.nan_to_num(np.abs(numbers["effect"][defined]), nan=0.0)
        first = {"score": -score, "effect": -effect, "q": numbers["q"][defined]}[sort]
        return defined[np.lexsort((defined, -effect, -score, first))]

    def rank(self, feature: int) -> int | None:
        """The place of a feature in the order by score, 1 for the best; None for an undefined one."""
        return int(self._ranks[feature]) or None

    @cached_property
    def _ranks(self) -> np.ndarray:
        order = self.order()
        ranks = np.zeros(len(self.status), dtype=np.int64)
        ranks[order] = np.arange(1, len(order) + 1)
        return ranks

    @cached_property
    def _sizes(self) -> np.ndarray:
        """What the scores of the defined features count by, ascending."""
        return np.sort(self._size(self._defined))

    def _size(self, features: np.ndarray) -> np.ndarray:
        """What the score counts by."""
        score = np.asarray(self.numbers["score"][features])
        return score if self.one_sided else np.asarray(np.abs(score))

    def rows(
        self, features: np.ndarray, first_rank: int = 1, labels: Mapping[int, str] | None = None
    ) -> list[dict[str, Any]]:
        """Rows for some features, in their order; see docs/wire.md."""
        labels = labels or {}
        found = []
        for place, index in enumerate(int(number) for number in features):
            ok = self.status[index] == "ok"
            row: dict[str, Any] = {
                "rank": first_rank + place if ok else None,
                "feature": feature_id(self.space, index),
                "index": index,
            }
            row |= {name: plain(self.numbers[name][index]) if ok else None for name in self._names}
            row |= {
                "status": str(self.status[index]),
                "label": labels.get(index, ""),
                "tie": bool(ok and _ties(self._sizes, float(self._size(np.array([index]))[0])) > 1),
            }
            found.append(row)
        return found


def holding(numbers: np.ndarray, digits: str) -> np.ndarray:
    """Which of some whole numbers, written in tens, contain these digits: a list of 100,000 narrows while one types.

    Args:
        numbers: (n,) none of them negative.
        digits: for example `41`, which 7418 contains; no number contains any other text.

    Returns:
        (n,) bool.
    """
    found = np.zeros(len(numbers), dtype=bool)
    if not (digits.isascii() and digits.isdigit()) or len(digits) > MOST_DIGITS:
        return found
    value, size, rest = int(digits), 10 ** len(digits), numbers
    while rest.any():
        found |= (rest % size == value) & (rest >= size // 10)
        rest = rest // 10
    return found | (numbers == 0) if digits == "0" else found


def _ties(ordered: np.ndarray, value: float) -> int:
    """How many of the ordered values equal `value` up to rounding."""
    slack = 1e-9 * max(abs(value), 1.0) if math.isfinite(value) else 0.0
    return int(np.searchsorted(ordered, value + slack, "right") - np.searchsorted(ordered, value - slack, "left"))


def plain(value: float) -> float | None:
    """A number as JSON can say it: NaN becomes null, an infinite one the largest finite double."""
    number = float(value)
    if math.isnan(number):
        return None
    if math.isinf(number):
        return math.copysign(sys.float_info.max, number)
    return number
