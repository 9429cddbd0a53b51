"""Factors that the names of categories cross, such as `wins_place`, `wins_food`, `losses_place`, `losses_food`."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from workbench.stimuli.sets import Factors

_SEPARATORS = ("_", "-", " x ", "/")


def crossed_factors(categories: Sequence[str], names: Sequence[str] = ()) -> dict[str, Factors]:
    """Each category's (factor, level) pairs, or nothing where the names do not cross two factors or more.

    Names count as crossed only if all have equally many parts and every combination of levels is a category, once:
    then the levels are the categories' own words. Parts that never change are no factor.

    Args:
        names: what to call the factors, in the order of the parts; by default A, B, ...
    """
    for separator in _SEPARATORS:
        parts = [category.split(separator) for category in categories]
        if len({len(found) for found in parts}) != 1 or not all(all(found) for found in parts):
            continue
        columns = [column for column in zip(*parts, strict=True) if len(set(column)) > 1]
        rows = list(zip(*columns, strict=True))
        crossed = len(rows) == len(set(rows)) == prod(len(set(column)) for column in columns)
        if len(columns) < 2 or not crossed or (names and len(names) != len(columns)):
            continue
        called = tuple(names) or tuple(chr(ord("A") + place) for place in range(len(columns)))
        return {category: tuple(zip(called, row, strict=True)) for category, row in zip(categories, rows, strict=True)}
    return {}
