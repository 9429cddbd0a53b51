"""What every benchmark says beside its rows: where and when it was measured, and which promises hold."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any


def stamp(*more: str) -> dict[str, str]:
    """The machine and the date, for the head of a report.

    Args:
        more: what else is said of the machine, such as `machine_load()`.
    """
    machine = ", ".join([platform.platform(), f"{os.cpu_count()} cores", *more])
    return {"machine": machine, "date": datetime.now(UTC).strftime("%Y-%m-%d")}


def machine_load(word: str = "load") -> str:
    """How busy the machine is now, in processes that ran or waited in the last minute, after a word for it."""
    return f"{word} {os.getloadavg()[0]:.2f}"


def bar_below(name: str, value: float, limit: float) -> dict[str, Any]:
    """A promise with the value that was measured: below the limit it holds."""
    return {"name": name, "value": value, "limit": limit, "holds": value < limit}


def bar_lines(bars: Sequence[dict[str, Any]]) -> list[str]:
    """The bars as text, a line each."""
    return [
        f"{'holds' if bar['holds'] else 'FAILS'}: {bar['name']}: {bar['value']} (limit {bar['limit']})" for bar in bars
    ]


def bar_table(bars: Sequence[dict[str, Any]]) -> list[str]:
    """The bars as the lines of a Markdown table."""
    rows = [f"| {bar['name']} | {bar['value']} | {bar['limit']} | {bar['holds']} |" for bar in bars]
    return ["| bar | value | limit | holds |", "|---|---|---|---|", *rows]


def tell(report: dict[str, Any], table: Callable[[dict[str, Any]], str], *, as_json: bool) -> int:
    """Print a report; gives the exit code, 1 where a bar fails.

    Args:
        report: with its `bars`.
        table: makes text of it.
    """
    print(json.dumps(report) if as_json else table(report))
    return 0 if all(bar["holds"] for bar in report["bars"]) else 1
