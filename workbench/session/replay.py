"""Replaying a session: computing every recorded command again, and comparing number by number.

Integers and texts must be equal; floats within the command's stated relative tolerance; rows of a ranking are
compared feature by feature, and their order may differ only between scores that are equal within it. A field that the
record lacks came with a later version: results may gain fields, and there is nothing to compare it with.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

Tolerances = Mapping[str, tuple[float, float]]
"""Relative and absolute tolerance by the last part of a field's name."""

DEFAULT = (1e-4, 1e-6)
LONGEST = 120
"""Characters of a value in a sentence."""
KEYS = ("feature", "cluster", "word", "strength")
"""Fields that name a row, by which rows are matched when their order differs."""


@dataclass(frozen=True)
class Difference:
    """One field that is not what was recorded."""

    field: str
    recorded: Any
    recomputed: Any


def told(recorded: Any, recomputed: Any) -> str:
    """Both values as one reads them, and by how much a number changed."""
    text = f"recorded {_value(recorded)}, now {_value(recomputed)}"
    numbers = all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in (recorded, recomputed))
    if not numbers or recorded == 0 or not math.isfinite(recorded) or not math.isfinite(recomputed):
        return text
    return f"{text} ({100 * (recomputed - recorded) / abs(recorded):+.3g} %)"


def _value(value: Any) -> str:
    text = f"{value:.9g}" if isinstance(value, float) else str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def compare(
    recorded: Any, recomputed: Any, tolerance: Tolerances | None = None, field: str = "result"
) -> Iterator[Difference]:
    """The differences between a recorded JSON value and a recomputed one.

    Args:
        tolerance: of the fields that do not use `DEFAULT`.
    """
    tolerance = tolerance or {}
    if isinstance(recorded, dict) and isinstance(recomputed, dict):
        for key in sorted(recorded):
            if key not in recomputed:
                yield Difference(f"{field}.{key}", recorded[key], "missing")
            elif key != "rank":  # the order of rows is compared by place, where ties may move
                yield from compare(recorded[key], recomputed[key], tolerance, f"{field}.{key}")
    elif isinstance(recorded, list) and isinstance(recomputed, list):
        yield from _compare_lists(recorded, recomputed, tolerance, field)
    elif not _equal(recorded, recomputed, tolerance.get(field.rpartition(".")[2].partition("[")[0], DEFAULT)):
        yield Difference(field, recorded, recomputed)


def _compare_lists(
    recorded: list[Any], recomputed: list[Any], tolerance: Tolerances, field: str
) -> Iterator[Difference]:
    if len(recorded) != len(recomputed):
        yield Difference(f"{field} (length)", len(recorded), len(recomputed))
        return
    key = next((key for key in KEYS if _all_have(recorded + recomputed, key)), None)
    if key is None:
        for number, (left, right) in enumerate(zip(recorded, recomputed, strict=True)):
            yield from compare(left, right, tolerance, f"{field}[{number}]")
        return
    yield from _compare_rows(recorded, recomputed, key, tolerance, field)


def _all_have(items: list[Any], key: str) -> bool:
    return bool(items) and all(isinstance(item, dict) and key in item for item in items)


def _compare_rows(
    recorded: list[dict[str, Any]],
    recomputed: list[dict[str, Any]],
    key: str,
    tolerance: Tolerances,
    field: str,
) -> Iterator[Difference]:
    """Rows matched by name; a row may move only among rows whose score equals its own within tolerance.

    A row that fell off the end of a cut list is accepted when its score ties with the last one kept.
    """
    allowed = tolerance.get("score", DEFAULT)
    now = {str(row[key]): row for row in recomputed}
    places = {str(row[key]): place for place, row in enumerate(recomputed)}
    for place, row in enumerate(recorded):
        name = str(row[key])
        if name not in now:
            last = recomputed[-1]
            if "score" not in row or not _equal_size(row["score"], last["score"], allowed):
                yield Difference(f"{field}[{name}]", "present", "missing")
            continue
        yield from compare(row, now[name], tolerance, f"{field}[{name}]")
        other = recomputed[place]
        moved = places[name] != place
        if moved and ("score" not in row or not _equal_size(row["score"], other["score"], allowed)):
            yield Difference(f"{field}[{name}] (place)", place, places[name])


def _equal_size(left: Any, right: Any, allowed: tuple[float, float]) -> bool:
    numbers = isinstance(left, (int, float)) and isinstance(right, (int, float))
    return numbers and _equal(abs(float(left)), abs(float(right)), allowed)


def _equal(recorded: Any, recomputed: Any, allowed: tuple[float, float]) -> bool:
    if isinstance(recorded, bool) or isinstance(recomputed, bool):
        return recorded is recomputed
    both = isinstance(recorded, (int, float)) and isinstance(recomputed, (int, float))
    if both and (isinstance(recorded, float) or isinstance(recomputed, float)):
        return math.isclose(recorded, recomputed, rel_tol=allowed[0], abs_tol=allowed[1])
    return bool(recorded == recomputed)


def compare_arrays(recorded: Path, recomputed: Path, loose: Collection[str] = ()) -> Iterator[Difference]:
    """The differences between the stored arrays of two artifact folders: shapes, integers, floats.

    Args:
        loose: files whose entries may differ in number (a latent at the edge of the top k may come or go
            with the last bit of a sum); only their float totals are compared.
    """
    import numpy as np
    from safetensors.numpy import load_file

    for path in sorted(recorded.glob("*.safetensors")):
        if not (recomputed / path.name).exists():
            yield Difference(path.name, "present", "missing")
            continue
        old, new = load_file(path), load_file(recomputed / path.name)
        for name in sorted(old.keys() & new.keys()):
            field = f"{path.stem}/{name}"
            if path.stem in loose:
                if np.issubdtype(old[name].dtype, np.floating):
                    yield from compare(float(old[name].sum()), float(new[name].sum()), {}, f"{field} (sum)")
            elif old[name].shape != new[name].shape:
                yield Difference(f"{field} (shape)", list(old[name].shape), list(new[name].shape))
            elif worst := _largest_difference(old[name], new[name]):
                yield Difference(f"{field} (largest difference)", 0.0, worst)
        for name in sorted(old.keys() - new.keys()):
            yield Difference(f"{path.stem}/{name}", "present", "missing")


def _largest_difference(old: np.ndarray, new: np.ndarray) -> float:
    """How far two arrays of one shape are apart, 0 where floats agree within tolerance; integers must be equal.

    A number against an undefined or infinite one counts as the largest finite double, which JSON can say.
    """
    import numpy as np

    if not np.issubdtype(old.dtype, np.floating):
        return float(np.abs(old.astype(np.float64) - new.astype(np.float64)).max(initial=0.0))
    if np.allclose(old, new, rtol=1e-3, atol=2e-3, equal_nan=True):
        return 0.0
    same = (old == new) | (np.isnan(old) & np.isnan(new))
    gaps = np.abs(np.where(same, 0.0, old).astype(np.float64) - np.where(same, 0.0, new))
    return float(np.nan_to_num(gaps, nan=sys.float_info.max, posinf=sys.float_info.max).max())
