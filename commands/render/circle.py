"""Circle tasks, probes, patches, sweeps, heads and explanations as tables and small pictures."""

from __future__ import annotations

from rich.color import Color
from rich.console import Console
from rich.style import Style
from rich.text import Text

from commands.render.tables import Result, fixed, number, short_site, table, visible
from workbench.circles.phrases import mean_off
from workbench.figures import above_noise, pixel_ink, pixel_mark

BAR, WIDE = 24, 100
"""Cells of a bar, and the width of a console that has room for bars."""
COLUMNS = 2
"""Cells across of one pixel of a residual map."""
NAME = 4
"""Cells across of the name at the left of its row."""


def tasks(result: Result, console: Console) -> None:
    """How many problems are answered, and by which tokens."""
    rows = []
    for item in result["tasks"]:
        if item["status"] != "ok":
            rows.append([item["task"], "-", "-", "-", item["why"]])
            continue
        space = "with a leading space" if item["leading_space"] else "without a leading space"
        off = ", ".join(f"{count} off by {step}" for step, count in item["off_by"].items())
        rows.append([
            item["task"], f"{item['right']} of {item['problems']}", f"{item['right_of_all_tokens']}", item["chance"],
            f"{item['answers'][0]!r} ... ({space})" + (f"; {off}" if off else ""),
        ])  # fmt: skip
        console.print(Text(visible(f"{item['task']}: {item['prompt']!r}")))
    columns = [("task", False), ("right", True), ("of all tokens", True), ("chance", True), ("answers", False)]
    table(console, columns, rows, f"circle tasks on {result['model']}")
    for item in result["tasks"]:
        if item["status"] == "ok" and item["right"] < item["problems"]:
            _said(item, console)


def _said(item: Result, console: Console) -> None:
    names = item["names"]
    columns = [("", False), *((f"+{steps + 1}", False) for steps in range(len(names)))]
    rows = [[name[:9], *(_answer(names, said, (at + steps + 1) % len(names)) for steps, said in enumerate(row))]
            for at, (name, row) in enumerate(zip(names, item["said"], strict=True))]  # fmt: skip
    table(console, columns, rows, f"{item['task']}: what is said; wrong answers in bold with !")


def _answer(names: list[str], said: int, right: int) -> Text:
    return Text(names[said][:3]) if said == right else Text(names[said][:3] + "!", "bold")


def head(result: Result, console: Console) -> None:
    """The task as asked, and how much of it the model knows."""
    space = "with" if result["leading_space"] else "without"
    told = f"{result['right']} of {result['problems']} right; answers are tokens {space} a leading space"
    console.print(Text(visible(f"{result['prompt']!r} ...: {told}")))


def probe(result: Result, console: Console) -> None:
    """R2 by site, training and held out."""
    head(result, console)
    rows = [
        [short_site(row["site"]), number(row["r2"]), number(row["held_out_r2"]), number(row["held_out_names_r2"]),
         number(row["error"]), row["k"], row["distinct"]]
        for row in result["sites"]
    ]  # fmt: skip
    columns = [("site", True), ("R2", True), ("held out", True), ("names held out", True), ("steps off", True),
               ("k", True), ("vectors", True)]  # fmt: skip
    turns = "" if result["frequency"] == 1 else f", {result['frequency']} turns"
    where = "the name's token" if result["at"] == "name" else "the last token"
    table(console, columns, rows, f"circle of the {result['of']} (period {result['period']}{turns}) at {where}")
    _statuses(result, console)
    if result["continuity"]:
        phrases = [
            [row["phrase"], number(mean_off(row, result["period"]), 2), number(row["largest"], 2),
             " ".join(f"{angle:.1f}" for angle in row["reads"]), "spelled in pieces" if row["spelled"] else ""]
            for row in result["continuity"]
        ]  # fmt: skip
        title = f"phrases on the circle of the bare names, {result['continuity'][0]['site']}"
        columns = [("phrase", False), ("mean |off|", True), ("most |off|", True), ("read at", False), ("", False)]
        table(console, columns, phrases, title)


def patch(result: Result, console: Console) -> None:
    """Every intervention at every site; the shares, and the best site by name."""
    head(result, console)
    summary = [
        [short_site(row["site"]), row["of"] or "-", number(row["held_out_r2"]), number(row["patch_layer"], 2),
         number(row["patch_circle"], 2), number(row["random_plane"], 2), number(row["share"]),
         number(row["random_share"])]
        for row in result["sites"]
    ]  # fmt: skip
    columns = [("site", True), ("of", True), ("R2", True), ("layer", True), ("circle", True), ("random", True),
               ("share", True), ("random's", True)]  # fmt: skip
    best = result["best"]
    title = (
        f"{result['pairs']:,} pairs: logit of the old answer less that of the new (unchanged "
        f"{number(_unchanged(result), 2)}); of: whose circle, with its held-out R2; shares: of what replacing the "
        "whole vector does"
    )
    table(console, columns, summary, title)
    _statuses(result, console)
    shown = next((row for row in result["sites"] if row["site"] == best), None)
    if shown is None:
        console.print(Text("no site: no patch of the circle moves the answer beyond a random plane"))
        return
    wide = console.width >= WIDE
    rows = [
        [row["intervention"], number(row["difference"], 2), f"{row['low']:.2f} to {row['high']:.2f}",
         *([_bar(row["difference"], shown)] if wide else []), f"{row['followed']:.0%}", f"{row['stayed']:.0%}",
         number(row["share"])]
        for row in shown["interventions"]
    ]  # fmt: skip
    columns = [("intervention", True), ("mean", True), ("95 %", True), *([("", True)] if wide else []),
               ("follow", True), ("stay", True), ("share", True)]  # fmt: skip
    table(console, columns, rows, f"best site {best}: the circle goes furthest beyond the random plane there")
    if result["cluster"]:
        told = result["cluster"]
        which = f"cluster {told['cluster']}" if told["cluster"] is not None else "the features named"
        planes = "-".join(map(str, told["components"]))
        console.print(Text(
            f"cluster plane: components {planes} of {which} ({told['size']} features, {told['site']}), held-out R2 "
            f"{number(told['held_out_r2'])}"))  # fmt: skip
    if result.get("cluster_note"):  # older results have none
        console.print(Text(result["cluster_note"]))


def _statuses(result: Result, console: Console) -> None:
    """Why a site has no numbers."""
    for row in result["sites"]:
        if row["status"] != "ok":
            console.print(Text(visible(f"{row['site']}: {row['status']}")))


def _unchanged(result: Result) -> float | None:
    return next((row["no_change"] for row in result["sites"] if row["no_change"] is not None), None)


def _bar(value: float, site: Result) -> Text:
    """A bar from the middle: to the right the old answer, to the left the new."""
    most = max(abs(row["difference"]) for row in site["interventions"]) or 1.0
    half = BAR // 2
    size = round(abs(value) / most * half)
    left, right = (" " * half, "█" * size) if value >= 0 else (("█" * size).rjust(half), "")
    return Text(f"{left}│{right.ljust(half)}")


def letters(names: list[str]) -> list[str]:
    """One letter for each name: its first one that no earlier name has, else a digit."""
    found: list[str] = []
    for place, name in enumerate(names):
        free = [letter for letter in name.upper() if letter.isalpha() and letter not in found]
        found.append(free[0] if free else str(place % 10))
    return found


def disc(values: list[list[int]], radii: list[float], names: list[str], lines: int = 21) -> list[str]:
    """A disc of letters: the name read at each place around the middle, angle 0 to the right."""
    import math

    marks, half = letters(names), lines // 2
    reach = radii[-1] + (radii[1] - radii[0]) / 2 if len(radii) > 1 else 1.0
    drawn = []
    for line in range(-half, half + 1):
        row = ""
        for place in range(-2 * half, 2 * half + 1):
            x, y = place / 2 / half * reach, -line / half * reach
            radius = math.hypot(x, y)
            nearest = min(range(len(radii)), key=lambda at: abs(radii[at] - radius))
            turn = math.atan2(y, x) / (2 * math.pi) % 1
            angle = round(turn * len(values[0])) % len(values[0])
            row += marks[values[nearest][angle]] if radius <= reach else " "
        drawn.append(row.rstrip())
    return drawn


def sweep(result: Result, console: Console) -> None:
    """The disc, its letters, and how often each radius is read as its nearest name."""
    head(result, console)
    marks = ", ".join(f"{mark} {name}" for mark, name in zip(letters(result["names"]), result["names"], strict=True))
    console.print(Text(visible(
        f"{result['name']} at {result['site']}: circle of the {result['of']}, {result['points']:,} points; {marks}"
    )))  # fmt: skip
    for line in disc(result["sectors"], result["radii"], result["names"]):
        console.print(Text("  " + line))
    rows = [
        [number(radius, 2), f"{share:.0%}", number(margin, 2)]
        for radius, share, margin in zip(result["radii"], result["agreement"], result["margin"], strict=True)
    ]
    title = f"read as the name of the nearest angle (chance {result['chance']:.0%})"
    table(console, [("radius", True), ("read so", True), ("margin", True)], rows, title)


def heads(result: Result, console: Console) -> None:
    """Scores by block: streams and heads."""
    head(result, console)
    count = len(result["heads"][0])
    columns = [("block", True), *((name, True) for name in result["streams"]), *((f"h{n}", True) for n in range(count))]
    rows = [
        [block, *(fixed(stream[block]) for stream in result["layers"]),
         *(_strong(score) for score in result["heads"][block])]
        for block in range(len(result["heads"]))
    ]  # fmt: skip
    where = "the name's token" if result["at"] == "name" else "the last token"
    title = f"share of the way to the other answer, {result['pairs']} pairs, patched at {where}"
    table(console, columns[: 4 + 16], [row[: 4 + 16] for row in rows], title)
    if count > 16:
        rows = [[f"L{row['layer']}H{row['head']}", fixed(row["score"], 3)] for row in result["top"]]
        table(console, [("head", False), ("score", True)], rows, "strongest heads")


def _strong(score: float) -> Text:
    return Text(fixed(score), "bold" if abs(score) >= 0.1 else "")


def explain(result: Result, console: Console) -> None:
    """The ladder, what was left out, and the maps as coloured cells."""
    head(result, console)
    rows = [
        [place + 1, row["group"], number(row["r2"]), number(row["held_out_r2"]), number(row["gain"]), row["rank"]]
        for place, row in enumerate(result["rungs"])
    ]
    columns = [("", True), ("group", False), ("R2", True), ("held out", True), ("gain", True), ("columns", True)]
    title = (
        f"{result['components']} components ({result['explained']:.1%} of the spread) at {result['site']}, groups "
        f"chosen by {result['chosen_by']}"
    )
    table(console, columns, rows, title)
    if result["rejected"]:
        best = list(result["rejected"].items())[:5]
        console.print(Text("not chosen: " + ", ".join(f"{name} {gain:+.4f}" for name, gain in best)))
    _maps(result, console)


def _maps(result: Result, console: Console) -> None:
    """As many pictures side by side as fit, each with its strengths and the noise level."""
    maps = result["maps"]
    width = max(24, NAME + COLUMNS * len(maps[0]["colours"][0]) + 3)
    each = max(1, min(len(maps), console.width // width))
    coloured = console.color_system is not None
    for start in range(0, len(maps), each):
        part = maps[start : start + each]
        for line in zip(*(_about(one) for one in part), strict=True):
            console.print(Text("".join(text[: width - 2].ljust(width) for text in line)))
        for row in range(len(part[0]["colours"])):
            drawn = Text()
            for one in part:
                drawn.append(_row_name(result, row).ljust(NAME))
                for cell in one["colours"][row]:
                    drawn.append(*_pixel(cell, coloured))
                drawn.append(" " * (width - NAME - COLUMNS * len(one["colours"][row])))
            console.print(drawn)
        console.print()
    told = (
        "rows: names, columns: steps; the strongest component of three: R G B above 0, r g b below (largest entry of "
        f"each: positive), 9 and full colour {maps[0]['scale']:.3g} in every picture, grey 0"
    )
    console.print(Text(told))


def _about(one: Result) -> tuple[str, str, str, str]:
    """The lines over a picture: of what it is, how strong its components are, and what noise would be."""
    strength, noise = (" ".join(f"{value:.2g}" for value in one[key]) for key in ("strength", "noise"))
    return one["title"], strength, f"noise {noise}", above_noise(one["strength"], one["noise"])


def _row_name(result: Result, row: int) -> str:
    names = result.get("names", [])
    return visible(names[row])[: NAME - 1] if row < len(names) else ""


def _pixel(cell: list[float] | None, coloured: bool) -> tuple[str, Style]:
    """One pixel: the letter and strength of its strongest component, on its colour where there are colours."""
    if cell is None:
        return " " * COLUMNS, Style()
    mark = pixel_mark(cell).ljust(COLUMNS)
    if not coloured:
        return mark, Style()
    return mark, Style(color=pixel_ink(cell), bgcolor=Color.from_rgb(*(round(255 * value) for value in cell)))
