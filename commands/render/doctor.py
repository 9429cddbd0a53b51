"""What `doctor` found, as tables."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.text import Text

from commands.render.tables import Result, table

_MARKS = {"ok": "ok", "missing": "MISSING", "broken": "BROKEN", "optional": "-"}


def doctor(result: Result, console: Console) -> None:
    """The state of the installation, or the measured rates."""
    if "rows" in result:
        _rates(result, console)
        return
    rows = [[check["name"], _MARKS[check["state"]], check["found"], check["mend"]] for check in result["checks"]]
    table(console, [("", False), ("state", False), ("found", False), ("mend", False)], rows)
    console.print(Text("everything needed is here" if result["healthy"] else "something needed is missing", "bold"))


def _rates(result: Result, console: Console) -> None:
    alpha = result["alpha"]
    console.print(
        Text(
            f"False-positive rates at {alpha:g} on data without any effect: {result['seeds']} data sets of "
            f"{result['features']} features each, {result['permutations']} permutations, seed {result['seed']}",
            "bold",
        )
    )
    columns = [("test", False), ("null", False), ("any q", True), ("any fwer", True), ("p", True), ("", False)]
    rows = [
        [row["test"], row["scenario"], *(_rate(row[kind]) for kind in ("any_q", "any_fwer", "p")),
         "" if row["holds"] else "above"]
        for row in result["rows"]
    ]  # fmt: skip
    table(console, columns, rows)
    console.print(
        Text(
            "any q, any fwer: share of data sets with any discovery (95 % Wilson interval); p: share of features "
            f"(interval from the spread between data sets). {result['above']} of {result['intervals']} intervals lie "
            f"above {alpha:g}; chance alone puts about {result['above_by_chance']:.0f} there."
        )
    )


def _rate(rate: dict[str, Any]) -> str:
    mark = "*" if rate["above"] else ""
    return f"{rate['rate']:.3f} [{rate['low']:.3f}, {rate['high']:.3f}]{mark}"
