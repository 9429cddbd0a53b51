"""Sessions and replays as tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from commands.render.tables import Result, number, table, visible
from workbench.session.replay import told


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
         "stale" if row["stale"] else "older revision" if row.get("older") else "", number(row["seconds"], 2)]
        for row in result["log"]
    ]  # fmt: skip
    table(console, [("#", True), ("command", False), ("outcome", False), ("", False), ("seconds", True)], rows)
    for row in result["log"]:
        if row.get("older") and not row["withdrawn"]:
            console.print(Text(visible(f"! line {row['seq']}: {row['older']}")))
    if result["notes"]:
        console.print(Text(visible(result["notes"].strip()).replace("↵", "\n")))


def replay(result: Result, console: Console) -> None:
    """Whether what was computed again is equal, then what was not computed and what differs."""
    console.print(Text(_verdict(result), "bold"))
    for one in result.get("elsewhere", ()):
        place = f"  the {one['what']} {one['recorded']} was read from {one['here']}, the same files ({one['found']})"
        console.print(Text(visible(place)))
    for item in result["recorded"]:
        console.print(Text(f"  line {item['seq']} {item['do']}: from the record ({item['reason']})"))
    shown = 0
    for item in result["differences"]:
        if item["field"] == "outcome":
            reason = item["recomputed"].removeprefix("error: ")
            console.print(Text(visible(f"  line {item['seq']} :{item['line']} could not be computed again: {reason}")))
            continue
        if item["seq"] != shown:
            shown = item["seq"]
            console.print(Text(visible(f"  line {shown} :{item['line']} differs"), "bold"))
        field = item["field"].removeprefix("result.")
        console.print(Text(visible(f"    {field}: {told(item['recorded'], item['recomputed'])}")))


def _verdict(result: Result) -> str:
    failed = sum(item["field"] == "outcome" for item in result["differences"])
    differing = len(result["differences"]) - failed
    verdict = f"{differing} differences" if differing else "all equal"
    counted = f"{result['recomputed']} of {result['total']} recomputed"
    counted += f", {verdict}" if result["recomputed"] or differing or not failed else ""
    return counted + (f"; {failed} could not be computed again" if failed else "")


def exported(result: Result, console: Console) -> None:
    """Where a session was written."""
    what = "with its index" if result["index"] else "without an index"
    what += ", with what its quanta rest on" if result.get("quanta") else ""
    size = f"{result['commands']} commands, {result['files']} files, {result['bytes'] / 1e6:.1f} MB, {what}"
    console.print(Text(visible(f"{result['session']} is in {result['path']}: {size}"), "bold"))
    console.print(Text(visible(f"a colleague looks at it with: workbench open {Path(result['path']).name}")))


def imported(result: Result, console: Console) -> None:
    """Which session an export became."""
    size = f"{result['commands']} commands, {result['files']} files, {result['bytes'] / 1e6:.1f} MB, every digest right"
    console.print(Text(visible(f"{result['session']} in {result['folder']}: {size}"), "bold"))


WHAT = {
    "same": "the same",
    "numbers": "other numbers",
    "settings": "other settings",
    "foundations": "rests on something else",
    "only first": "only in A",
    "only second": "only in B",
}


def compared(result: Result, console: Console) -> None:
    """Two sessions side by side: one row a command, below it what differs."""
    for letter, one in (("A", result["first"]), ("B", result["second"])):
        uses = f"{one['commands']} commands, {one['model'] or 'no model'}, {one['sae'] or 'no features'}"
        console.print(Text(visible(f"{letter}  {one['name']}: {uses}"), "bold"))
    console.print()
    for row in result["lines"]:
        _compared_line(row, console)
    counts = ", ".join(f"{number} {WHAT[what]}" for what, number in result["counts"].items())
    more = f", {result['left_out']} more not compared" if result["left_out"] else ""
    verdict = "the sessions agree" if result["same"] else "the sessions differ"
    console.print(Text(f"{verdict}: {counts or 'neither has a command'}{more}", "bold"))


def _compared_line(row: Result, console: Console) -> None:
    first, second = row["first"], row["second"]
    places = f"{'-' if first is None else first['seq']:>3} {'-' if second is None else second['seq']:>3}"
    line = (first or second)["line"]
    style = "" if row["what"] == "same" else "bold"
    console.print(Text(visible(f"{places}  {WHAT[row['what']]}: {line}"), style, no_wrap=True, overflow="ellipsis"))
    for kind in ("settings", "foundations", "numbers"):
        for item in row[kind]:
            values = f"{_value(item['first'])} -> {_value(item['second'])}"
            console.print(Text(visible(f"         {item['field'].removeprefix('result.')}: {values}")))
    if (more := row["differing"] - len(row["numbers"])) > 0:
        console.print(Text(f"         {more:,} more numbers differ"))


def _value(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return "unset" if value is None or value == "" else str(value)
