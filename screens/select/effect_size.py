"""The standardised effect of a ranking's rows: d_z where matched pairs were tested, else Cohen's d."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def name_of(rows: Sequence[dict[str, Any]]) -> str:
    """What the rows' standardised effect is called."""
    return "d_z" if any(row.get("d_z") is not None for row in rows) else "d"


def value_of(row: dict[str, Any]) -> float | None:
    """A row's standardised effect."""
    paired: float | None = row.get("d_z")
    return row.get("d") if paired is None else paired
