"""Energies, least energies and matches of Gram matrices as tables."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from commands.render.tables import Result, number, short_site, table, visible

SHADES = " ░▒▓█"
WIDE = 100
"""Width of a console that has room for the least and the largest cosine."""
WIDEST = 20
"""Most columns of a Gram that is printed."""


def energy(result: Result, console: Console) -> None:
    """Energy and cosines by place, beside both nulls; the reference shapes; the optima."""
    wide = console.width >= WIDE
    columns = [("place", True), ("energy", True), ("labels", True), ("coords", True), ("cosine", True),
               ("labels", True), ("coords", True), *([("least", True), ("most", True)] if wide else [])]  # fmt: skip
    title = (
        f"{_kernel(result)} energy of {result['n']} unit vectors ({result['of']}), and their cosines; labels, coords: "
        "the two nulls, labels shuffled and fitted again, and coordinates shuffled"
    )
    table(console, columns, [_place(row, wide) for row in result["places"]], title)
    if not wide:
        console.print(Text(f"… least and most cosine: from {WIDE} columns on, and in --json", "dim"))
    for row in result["places"]:
        if row["why"]:
            console.print(Text(visible(f"{row['place']}: {row['why']}")))
    _references(result, console)
    known = next((row for row in reversed(result["places"]) if row["gram"]), None)
    if known:
        _heatmap(result, known, console)
    if result["optima"]:
        _optima(result["optima"], f"least energy by dimension, and its distance from the Gram at {result['matched']}",
                console)  # fmt: skip
    for fit in result["fits"]:
        weights = ", ".join(number(weight, 3) for weight in fit["weights"])
        console.print(Text(f"weights, energy share {fit['energy_share']:g}: {weights} (logits up to "
                           f"{fit['logit_largest']:.1e})"))  # fmt: skip
    if result["remark"]:
        console.print(Text(result["remark"], "dim"))
    if result["curve"]:
        _curve(result["curve"], console)


def _place(row: Result, wide: bool) -> list[str]:
    """The cells of one place; those without an energy say why."""
    place, nulls = short_site(row["place"]), (row["label_shuffle"], row["coordinate_shuffle"])
    if row["status"] != "ok":
        return [place, row["status"], *["-"] * 7][: 9 if wide else 7]
    cosines = [f"{row[f'{which}_cosine']:.2f}" for which in ("mean", "smallest", "largest")]
    means = ["-" if null is None else f"{null['cosine_mean']:.2f}" for null in nulls]
    return [place, number(row["energy"], 2), *map(_null, nulls), cosines[0], *means, *(cosines[1:] if wide else [])]


def _curve(curve: Result, console: Console) -> None:
    """How far from the measured Gram vectors settle that were pushed away from it."""
    pushed = ", ".join(f"{size:g}: {cost:.4f}" for size, cost in zip(curve["sigmas"], curve["cost"], strict=True))
    console.print(Text(
        f"distance / n² after a push and settling in {curve['dims']} dimensions: {pushed}; fitted "
        f"{curve['fit_cost']:.4f}, from random starts {curve['random_cost']:.4f}, no structure against the "
        f"simplex {curve['simplex_cost']:.4f}"))  # fmt: skip


def _kernel(result: Result) -> str:
    return result["kernel"] if result["s"] is None else f"riesz-{result['s']:g}"


def _null(null: Result | None) -> str:
    if null is None:
        return "-"
    return f"{number(null['energy_mean'], 1)}±{number(null['energy_sd'], 1)}"


def _references(result: Result, console: Console) -> None:
    known = [f"{name} {number(value)}" for name, value in result["references"].items() if value is not None]
    console.print(Text("known shapes: " + ", ".join(known)))


def _heatmap(result: Result, row: Result, console: Console) -> None:
    """The Gram as shades by size, negative entries with a minus."""
    if result["n"] > WIDEST:
        return
    console.print(Text(visible(f"{result['similarity']} at {row['place']} (shade by size, - below 0)")))
    for name, values in zip(result["names"], row["gram"], strict=True):
        cells = "".join(("-" if value < 0 else " ") + _shade(value) * 2 for value in values)
        console.print(Text(visible(name[:12].ljust(13)) + cells))
    console.print()


def _shade(value: float) -> str:
    return SHADES[min(len(SHADES) - 1, round(min(abs(value), 1.0) * (len(SHADES) - 1)))]


def _optima(rows: list[Result], title: str, console: Console) -> None:
    with_cost = any(row.get("cost") is not None for row in rows)
    columns = [("dims", True), ("energy", True), ("spread", True), ("known", True), ("", False), ("max |cos|", True),
               ("Welch", True), *([("distance", True), ("/ n²", True)] if with_cost else [])]  # fmt: skip
    shown = []
    for row in rows:
        cells = [row["dims"], number(row["energy"]), number(row["spread"]), number(row["known"]), row["shape"],
                 number(row["largest_cosine"]), number(row["welch"])]  # fmt: skip
        if row["status"] != "ok":
            cells[4] = row["status"]
        shown.append(cells + ([number(row.get("cost")), number(row.get("per_pair"), 4)] if with_cost else []))
    table(console, columns, shown, title)


def optimum(result: Result, console: Console) -> None:
    """Least energies by dimension."""
    title = f"least {_kernel(result)} energy of {result['n']} unit vectors, {result['restarts']} starts"
    _optima(result["optima"], title, console)
    _references(result, console)


def match(result: Result, console: Console) -> None:
    """The relabelling and its cost."""
    sure = "no relabelling is nearer" if result["exact"] else "the best of many local searches"
    console.print(Text(visible(
        f"{result['second']} against {result['first']}: distance {number(result['start_cost'])} as labelled, "
        f"{number(result['cost'])} relabelled ({number(result['per_pair'], 4)} / n²; {sure})")))  # fmt: skip
    table(
        console,
        [(visible(result["first"]), False), (visible(result["second"]), False)],
        [list(pair) for pair in result["pairs"]],
    )
