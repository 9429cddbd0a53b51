"""Where one feature's numbers come from: its sides, its null and its provenance, in lines."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.text import Text

from commands.render.rankings import mirrored, size_of
from commands.render.tables import Result, chance, number, visible


def why(result: Result, console: Console) -> None:
    """Where a feature's numbers come from, with the histogram of its null."""
    test, null, count = result["test"], result["null"], result["n"]
    label = f"  “{visible(test['label'])}”" if test["label"] else ""
    console.print(Text(f"{result['feature']}{label}", "bold"))
    console.print(Text(visible(result["definition"])))
    pairs = f", {count['pairs']} pairs" if count["pairs"] else ""
    console.print(Text(visible(f"n: {counted_sides(result)}, {count['masked']} masked{pairs}")))
    if null is None:
        kept = "the units of a set are not stored one by one: its null is not drawn again"
        console.print(Text(kept if test["status"] == "ok" else f"not tested: {test['status']}"))
    else:
        d = size_of([test])
        size = "" if test[d] is None else f", {d} {number(test[d], 2)}"
        observed = f"observed: {null.get('of', 't')} {number(test['score'], 2)}, effect {number(test['effect'])}{size}"
        console.print(Text(f"{observed} (rank {test['rank']} of {result['ranking']['tested']})", "bold"))
        for line in null_lines(null, min(console.width - 22, 60)):
            console.print(Text(line))
        share = f"({null['exceeding']} + 1) / ({null['draws']} + 1)"
        console.print(Text(f"p {chance(test['p'])} = {share}, {drawn(result)}"))
        console.print(
            Text(
                f"fwer {chance(test['p_fwer'])}: the same with the largest {null.get('of', '|t|')} of all "
                f"{result['ranking']['tested']} features in each shuffle"
            )
        )
        console.print(
            Text(
                f"q {chance(test['q'])} (expected share of false ones when it is reported): {result['tail']['source']}"
            )
        )
    console.print(Text(f"from: {provenance_line(result['provenance'])}", "dim"))
    console.print(Text(f":{visible(result['line'])}"))


def counted_sides(result: Result) -> str:
    """How many sentences each side has, by the names of the sides; a model of many categories has no sides."""
    count = result["n"]
    categories = count.get("categories")
    if not count["positive"]:
        return f"{count['rest']:,} sentences" + (f" of {categories} categories" if categories else "")
    one, other = result.get("sides") or ("positive", "others")
    told = f"{count['positive']:,} {one}, {count['rest']:,} {other}"
    return told + (f" ({categories} categories)" if categories else "")


def drawn(result: Result) -> str:
    """What the draws of a feature's null are, and whether they are all there are."""
    null, shuffled = result["null"], result.get("shuffled", "labellings")
    if not null["exhaustive"]:
        return f"{null['draws']:,} random {shuffled}"
    mirror = "; the mirror image of the real one is among them and gives the same |t|"
    return f"all the {shuffled} there are" + (mirror if mirrored(result["ranking"]) else "")


def null_lines(null: dict[str, Any], width: int, rows: int = 12) -> list[str]:
    """The histogram turned on its side: one line for each stretch of |t|, `◄` where the observed one falls."""
    edges, counts = null["edges"], null["counts"]
    step = -(-len(counts) // rows)
    bars = [sum(counts[at : at + step]) for at in range(0, len(counts), step)]
    most = max([*bars, 1])
    found = []
    for at, count in enumerate(bars):
        low, high = edges[at * step], edges[min((at + 1) * step, len(edges) - 1)]
        here = low <= null["observed"] < high
        bar = "█" * round(count / most * width) or ("▏" if count else "")
        found.append(f"{number(low, 2):>7} {count:>6} {bar}{' ◄ observed' if here else ''}")
    if null["observed"] >= edges[-1]:
        found.append(f"{number(null['observed'], 2):>7}        ◄ observed, beyond every shuffle")
    return found


def provenance_line(provenance: dict[str, Any]) -> str:
    """Model, features, seed and version in one line."""
    parts = []
    for name in ("model", "sae", "stimuli"):
        if isinstance(entry := provenance.get(name), dict):
            digest = str(entry.get("digest") or "")
            shown = digest.removeprefix("sha256:")[:12]
            parts.append(f"{name} {entry.get('ref') or entry.get('name') or ''} {shown}".rstrip())
    parts += [f"{name} {provenance[name]}" for name in ("seed", "version") if name in provenance]
    return visible(", ".join(parts))
