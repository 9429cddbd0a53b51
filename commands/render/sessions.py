"""Sessions and replays as tables."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from commands.render.tables import Result, number, table, visible


def sessions(result: Result, console: Console) -> None:
    """The sessions of a folder."""
    rows = [
        [row["name"], row["commands"], row["model"] or "-", row["sae"] or "-", row["changed"],
         ("example" if row["example"] else "") or (f"fork of {row['forked_from']}" if row["forked_from"] else "")]
        for row in result["sessions"]
    ]  # fmt: skip
    columns = [
        ("session", False),
        ("commands", True),
        ("model", False),
        ("features", False),
        ("changed", False),
        ("", False),
    ]
    table(console, columns, rows, f"sessions in {result['folder']}")


def session(result: Result, console: Console) -> None:
    """One session: what it uses and its log."""
    console.print(Text(f"{result['name']}: {visible(result['title'])}", "bold"))
    for name in ("model", "sae", "index"):
        value = result[name]
        text = (
            "none"
            if value is None
            else str(value.get("name") or f"{value.get('corpus')}, {value.get('tokens')} tokens")
        )
        console.print(Text(f"  {name:<6} {visible(text)}"))
    if gate := result["gate"]:
        console.print(Text(f"  {'':<6} {visible(gate['text'])}", "" if gate["passed"] else "bold"))
    rows = [
        [row["seq"], f":{row['line']}", row["outcome"] if not row["withdrawn"] else "withdrawn",
         "stale" if row["stale"] else "", number(row["seconds"], 2)]
        for row in result["log"]
    ]  # fmt: skip
    table(console, [("#", True), ("command", False), ("outcome", False), ("", False), ("seconds", True)], rows)
    if result["notes"]:
        console.print(Text(visible(result["notes"].strip()).replace("↵", "\n")))


def replay(result: Result, console: Console) -> None:
    """What was computed again, and whether it is equal."""
    for item in result["recorded"]:
        console.print(Text(f"  line {item['seq']} {item['do']}: from the record ({item['reason']})"))
    for item in result["differences"]:
        console.print(
            Text(
                visible(f"  line {item['seq']} {item['field']}: recorded {item['recorded']}, now {item['recomputed']}")
            )
        )
    verdict = "all equal" if result["equal"] else f"{len(result['differences'])} differences"
    console.print(Text(f"{result['recomputed']} of {result['total']} recomputed, {verdict}", "bold"))
