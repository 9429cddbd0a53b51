"""What every table is made of: visible text, numbers, chances, columns."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from commands.shell.terminal import visible as visible

Result = dict[str, Any]
ONE_MORE = "1 / (shuffles + 1)"
FINER_Q = (
    "q below p: p counts one feature's own shuffles and cannot be below {floor}; q comes from a finer tail, "
    "the shuffles of all features alike in sparsity pooled"
)
APART = (
    "q small where fwer is not: fwer counts the shuffles whose largest statistic of all features reaches this one, and "
    "a few features of wide null set that largest; q compares a feature with those alike in sparsity"
)
CLEAR = 0.05
"""A q below this beside a family-wise p above it is explained."""
LEVELS = ("", "dim", "", "bold", "bold underline", "bold reverse")
"""Styles of heat levels 0 to 5: never colour alone, so that it survives a pipe, a light theme and a print."""


def token_name(token: str) -> str:
    """A token that is named on its own, a blank one as signs that are seen."""
    shown = visible(token)
    return shown if shown.strip() else "␣" * len(shown) or "(end)"


def fixed(value: float | None, digits: int = 2) -> str:
    """A number with so many decimals, however small: for columns that are compared at a glance."""
    return "-" if value is None else f"{round(value, digits) + 0.0:.{digits}f}"


def number(value: float | None, digits: int = 3) -> str:
    """A number for a table: `-` where undefined, `inf` for a separation without variance."""
    if value is None:
        return "-"
    if abs(value) > 1e300:
        return "inf" if value > 0 else "-inf"
    if value != 0 and abs(value) < 10 ** (-digits):
        return f"{value:.1e}"
    return f"{value:.{digits}f}"


def short_site(name: str) -> str:
    """`1.resid_post` for `blocks.1.hook_resid_post`: what tells sites apart in a narrow column."""
    return name.removeprefix("blocks.").replace("hook_", "")


def chance(value: float | None) -> str:
    """A p or q value; nothing finer than 1e-9, beyond which it is a formula's word alone."""
    return "<1e-9" if value is not None and value < 1e-9 else number(value, 4)


def percent(value: float | None) -> str:
    """A share of the corpus, `-` where nothing says so."""
    return "-" if value is None else f"{100 * value:.3g} %"


def table(console: Console, columns: list[tuple[str, bool]], rows: list[list[Any]], title: str = "") -> None:
    """Print a table; columns are (name, whether numeric)."""
    if title:
        console.print(Text(visible(title)))  # not the table's own title, which wraps at the table's width
    table = Table(box=None, pad_edge=False)
    for name, numeric in columns:
        table.add_column(Text(name), justify="right" if numeric else "left", no_wrap=numeric, overflow="ellipsis")
    for row in rows:
        table.add_row(*[cell if isinstance(cell, Text) else Text(visible(str(cell))) for cell in row])
    console.print(table)
    own = sum(str(cell).count("…") for row in [[name for name, _ in columns], *rows] for cell in row)
    if _cut(table, console) > own:
        console.print(Text(f"… cut to {console.width} columns: a wider terminal or --json has the rest", "dim"))
    console.print()


def _cut(table: Table, console: Console) -> int:
    """How many ellipses a table is drawn with."""
    return sum(segment.text.count("…") for line in console.render_lines(table) for segment in line)


def finer_q(rows: list[dict[str, Any]], console: Console, floor: str = ONE_MORE) -> None:
    """Why a q stands below its p, and far below its family-wise p, where one does."""
    if any(row["p"] is not None and row["q"] is not None and row["q"] < row["p"] for row in rows):
        console.print(Text(FINER_Q.format(floor=floor), "dim"))
    if any((q := row["q"]) is not None and q < CLEAR <= (row.get("p_fwer") or 0.0) for row in rows):
        console.print(Text(APART, "dim"))


def cost(result: Result, what: str, console: Console) -> None:
    """What a dry run says."""
    lines = [
        what,
        f"  time    {result['seconds']:,.0f} s",
        f"  memory  {result['memory_bytes'] / 1e6:,.0f} MB at most, the model and its libraries included",
        f"  disk    {result['disk_bytes'] / 1e6:,.0f} MB",
        "Nothing was done (--dry-run).",
    ]
    for line in lines:
        console.print(Text(visible(line)))


def cell(value: Any) -> str:
    """One value of any kind as text."""
    if isinstance(value, dict):
        return str(value.get("message") or ", ".join(f"{name} {cell(item)}" for name, item in value.items()))
    if isinstance(value, bool) or value is None:
        return "-" if value is None else "yes" if value else "no"
    return number(value) if isinstance(value, float) else str(value)
