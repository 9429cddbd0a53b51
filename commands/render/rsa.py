"""RSA results as tables."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.text import Text

from commands.render.tables import Result, chance, finer_q, number, table, visible

SHOWN = 20


def rsa(result: Result, console: Console) -> None:
    """Features or sets of units against a model RDM."""
    head = result.get("ranking", result)
    console.print(Text(visible(f"{head['stimuli']}: {head['against']}; {how(head)}"), "bold"))
    what = "features" if head["over"] in ("features", "neighbourhood", "inputs") else "sets"
    console.print(
        Text(
            f"{head['discoveries']} of {head['tested']} {what} at q < {head['alpha']}; shuffled sentences find "
            f"{number(head['null_discoveries'], 0)} (median), {head['null_discoveries_max']} (most) of 20 shuffles; "
            f"{head['undefined']} undefined"
        )
    )
    if head["note"]:
        console.print(Text(visible(head["note"])))
    rows = result["rows"][:SHOWN]
    (_ranked if what == "features" else _sets)(rows, head, console)
    if len(result["rows"]) > SHOWN:
        console.print(Text(f"{SHOWN} of {len(result['rows'])} rows given (--json has them all)"))


def how(head: dict[str, Any]) -> str:
    """The comparison in one line."""
    window = "" if head["window"] == "whole" else f" of {head['window']} {head['width'] or ''}".rstrip()
    without = f", without {' and '.join(head['nuisance'])}" if head.get("nuisance") else ""
    if head.get("constant_nuisance"):
        without += f" ({' and '.join(head['constant_nuisance'])} constant: nothing to remove)"
    over = "" if head["over"] == "features" else f" over {head['over']}"
    return (
        f"{head['statistic']}{over} on {head['pool']}{window}{without}, "
        f"{head['permutations']} permutations, seed {head['seed']}"
    )


def scored(head: dict[str, Any]) -> str:
    """The comparison as a column is called: a partial one where nuisances were left out of both sides."""
    return f"partial {head['statistic']}" if head.get("nuisance") else str(head["statistic"])


def _ranked(rows: list[dict[str, Any]], head: dict[str, Any], console: Console) -> None:
    with_t = any(row.get("t") is not None for row in rows)
    names = ["rank", "feature", scored(head), "effect", *(["t"] if with_t else []), "p", "fwer", "q"]
    columns = [(name, True) for name in names] + [("", False)]
    cells = [
        [f"{row['rank']}=" if row["tie"] else row["rank"], f"#{row['index']}", number(row["score"]),
         number(row["effect"]), *([number(row["t"], 2)] if with_t else []), *_chances(row), row["label"]]
        for row in rows
    ]  # fmt: skip
    table(console, columns, cells)
    finer_q(rows, console)


def _sets(rows: list[dict[str, Any]], head: dict[str, Any], console: Console) -> None:
    names = ["units", scored(head), "effect", "p", "fwer", "q"]
    columns = [("set", False), *((name, True) for name in names), ("", False)]
    cells = [
        [row["name"], row["size"], number(row["score"]), number(row["effect"]), *_chances(row),
         "" if row["status"] == "ok" else row["status"]]
        for row in rows
    ]  # fmt: skip
    table(console, columns, cells)


def _chances(row: dict[str, Any]) -> list[str]:
    return [chance(row["p"]), chance(row["p_fwer"]), chance(row["q"])]


def rdm(result: Result, console: Console) -> None:
    """The model RDM and that of a feature or set of them, its noise ceiling, and other models beside."""
    head, test = result["ranking"], result["test"]
    also = result["features"][1:]
    with_them = f" (alone; below with {', '.join(f'#{index}' for index in also)} as one set)" if also else ""
    said = f"{result['feature']}: {_told(test, head)} (log line {head['seq']}){with_them}"
    console.print(Text(visible(said), "bold"))
    kind = "crossnobis" if result["distance"] == "crossnobis" else "squared"
    of = "set" if also else "feature"
    for title, values in (("model", result["model"]), (f"{kind} distances of the {of}", result["distances"])):
        columns = [("", False), *((visible(name)[:9], True) for name in result["names"])]
        rows = [[name, *(number(value, 2) for value in row)] for name, row in zip(result["names"], values, strict=True)]
        table(console, columns, rows, title)
    console.print(Text(visible(_ceiling(result))))
    if result["models"]:
        _models(result, console)


def _told(test: dict[str, Any], head: dict[str, Any]) -> str:
    """The score with the model, or why there is none."""
    if test["status"] == "constant":
        return f"constant (every two sentences are equally far apart), so it has no score with {head['against']}"
    if test["status"] != "ok":
        return f"no score with {head['against']}: {test['status']}"
    return f"{scored(head)} {number(test['score'])} with {head['against']}"


def _ceiling(result: Result) -> str:
    found = result["ceiling"]
    if found is None:
        return f"no noise ceiling: {result['ceiling_reason']}"
    return (
        f"noise ceiling over {found['folds']} folds (correlation of category means): {number(found['lower'])} to "
        f"{number(found['upper'])}; the model reaches {number(found['model'])}"
    )


def _models(result: Result, console: Console) -> None:
    console.print()
    rows = [
        [one["model"], number(one["score"]), f"[{number(one['interval'][0])}, {number(one['interval'][1])}]",
         "" if one["p"] is None else number(one["difference"]), "" if one["p"] is None else chance(one["p"])]
        for one in result["models"]
    ]  # fmt: skip
    columns = [("model", False), (str(result["ranking"]["statistic"]), True), ("95 %", True)]
    columns += [("less the first", True), ("p", True)]
    table(console, columns, rows, "models against one another (bootstrap over sentences; no nuisance left out)")
