"""The feature index as lines."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from commands.render.corpora import sliced
from commands.render.tables import Result, cell, cost, visible


def built(result: Result, console: Console) -> None:
    """What was indexed, or what it would take."""
    if result.get("dry_run"):
        here = " (built already: it would be taken as it is)" if result["built"] else ""
        what = f"an index of {result['features']:,} features on {result['tokens']:,} tokens of {result['corpus']}{here}"
        cost(result, what, console)
        return
    for key, value in result.items():
        if key == "enriched":
            told = f"no fair sample: {sliced(value)}, {100 * value['share']:.3g} % of it" if value else "no"
            console.print(Text(f"{key}: {visible(told)}"))
            continue
        console.print(Text(f"{key}: {visible(cell(value))}"))
