"""Stimulus sets as tables."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from commands.render.tables import Result, chance, number, table, visible

SUSPECT = 0.01
"""A confound whose p is below this is warned of, as `workbench.stimuli.check` does."""


def stimulus_sets(result: Result, console: Console) -> None:
    """The stimulus sets at hand."""
    rows = [
        [row["name"], row["origin"], sum(row["categories"].values()), len(row["categories"]), row["positive"] or "-",
         row["description"]]
        for row in result["sets"]
    ]  # fmt: skip
    columns = [
        ("set", False),
        ("origin", False),
        ("sentences", True),
        ("categories", True),
        ("positive", False),
        ("", False),
    ]
    table(console, columns, rows)


def stimulus_set(result: Result, console: Console) -> None:
    """One set: its categories and sentences."""
    counts = ", ".join(f"{name} {count}" for name, count in result["categories"].items())
    console.print(Text(visible(f"{result['name']}: {counts}; positive: {result['positive'] or 'none'}"), "bold"))
    told = [name for name in _COLUMNS if any(name in row for row in result["rows"])]
    rows = [[row["category"], *[_column(row, name) for name in told], row["text"]] for row in result["rows"]]
    table(console, [("category", False), *[(name, False) for name in told], ("sentence", False)], rows)
    if result["offset"] + len(rows) < result["total"]:
        console.print(Text(f"{len(rows)} of {result['total']} (--offset, --limit)"))


_COLUMNS = ("id", "item", "fold", "span", "factors", "nuisances", "include")


def _column(row: Result, name: str) -> str:
    value = row.get(name)
    if name == "include":
        return "no" if value is False else ""
    if name == "span" and value is not None:
        return str(row["text"][value[0] : value[1]])
    if isinstance(value, dict):
        return ", ".join(f"{key} {item}" for key, item in value.items())
    return "" if value is None else str(value)


def drafted(result: Result, console: Console) -> None:
    """A draft: its sentences, then the check of their design."""
    stimulus_set({**result, "rows": result.get("together", result["rows"])}, console)
    design({**result["check"], "warnings": []}, console)  # the reply's own warnings say them


def design(result: Result, console: Console) -> None:
    """The check of a set: confounds, words, what it can show, and what to know of it."""
    counts = ", ".join(f"{name} {count}" for name, count in result["categories"].items())
    console.print(Text(visible(f"{result['name']}: {counts}; positive: {result['positive'] or 'none'}"), "bold"))
    pairs = result["pairs"]
    told = [f"pairs: {pairs['status']}" + (f" ({pairs['pairs']} whole)" if pairs["status"] != "none" else "")]
    told += [f"excluded: {result['excluded']}", f"near repeats: {result['repeats_total']}"]
    console.print(Text(visible("; ".join(told))))
    console.print()
    rows = [
        [row["measure"], row["side"], number(row["mean"], 2), number(row["mean_rest"], 2), number(row["auc"], 2),
         number(row["accuracy"], 2), chance(row["p"]), _confound_status(row)]
        for row in result["confounds"]
    ]  # fmt: skip
    columns = [("as a classifier", False), ("of", False), ("mean", True), ("rest", True), ("AUC", True)]
    table(console, [*columns, ("accuracy", True), ("p", True), ("status", False)], rows)
    _words(result, console)
    _reach(result["design"], console)
    for warning in result["warnings"]:
        console.print(Text(visible(f"! {warning}")))
    for swap in result["swaps"]:
        out, into = " / ".join(swap["out"]), " / ".join(swap["into"])
        console.print(Text(visible(f"  swap {out!r} for {into!r}: AUC {number(swap['auc'], 2)}")))


def _confound_status(row: Result) -> str:
    """`warned` where a warning below says that it tells the sides apart, `ok` where it was looked at and does not."""
    return "warned" if row["status"] == "ok" and row["p"] < SUSPECT else str(row["status"])


def _words(result: Result, console: Console) -> None:
    bag = result["bag_of_words"]
    if bag:
        console.print(
            Text(visible(f"all words: accuracy {number(bag['accuracy'], 2)} of {bag['side']}, p {chance(bag['p'])}"))
        )
    rows = [
        [
            row["word"],
            row["side"],
            f"{row['share']:.0%}",
            f"{row['share_rest']:.0%}",
            chance(row["p"]),
            chance(row["q"]),
        ]
        for row in result["words"][:8]
    ]
    columns = [("word", False), ("of", False), ("in", True), ("in the rest", True), ("p", True), ("q", True)]
    table(console, columns, rows)


def _reach(found: Result, console: Console) -> None:
    if found["status"] != "ok":
        return
    told = f"{found['positives']} against {found['rest']} sentences: smallest p {chance(found['smallest_p'])}"
    if found["smallest_p_paired"] is not None:
        told += f" (within pairs {chance(found['smallest_p_paired'])})"
    told += f"; found with {found['power']:.0%} power at alpha {found['alpha']}: d = {number(found['effect'], 2)}"
    if found["effect_paired"] is not None:
        told += f", within pairs d_z = {number(found['effect_paired'], 2)}"
    if found["features"]:
        told += f", in one of {found['features']:,} features d = {number(found['effect_of_features'], 2)}"
    console.print(Text(visible(told)))
    console.print()
