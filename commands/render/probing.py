"""Probes and comparisons of methods as tables."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.text import Text

from commands.render import rankings
from commands.render.rankings import SYMBOLS, ranked_rows
from commands.render.tables import Result, chance, number, table, visible

NARROW = 100
"""Below this width what is needed least is left out."""
CASE = ("accuracy", "f1", "precision", "recall", "auc")
"""Metrics told of one unit."""
SHOWN = 10


def any_ranking(result: Result, console: Console) -> None:
    """A page of a ranking of either kind."""
    head = result.get("ranking", result)
    (rankings.ranking if head["statistic"] in SYMBOLS else ranking)(result, console)


def ranking(result: Result, console: Console) -> None:
    """A ranking by a method that may have no test."""
    head = result.get("ranking", result)
    how = f"{head['statistic']} on {head['pool']}, seed {head['seed']}"
    console.print(Text(visible(f"{head['stimuli']}: {head['positive']} against {head['against']}; {how}"), "bold"))
    told = f"{head['tested']} features ranked, {head['undefined']} undefined"
    if head.get("p_reason"):
        console.print(Text(f"{told}; no p: {head['p_reason']}"))
    else:
        null = f"{number(head['null_discoveries'], 0)} (median), {head['null_discoveries_max']} (most) of 20 shuffles"
        found = f"{head['discoveries']} at q < {head['alpha']}; shuffled labels find {null}"
        console.print(Text(f"{told}; {found}"))
    ranked_rows(result["rows"][:20], str(head["statistic"]), console)
    if len(result["rows"]) > 20:
        console.print(Text(f"20 of {len(result['rows'])} rows given (--json has them all; `features list` pages)"))


def probe(result: Result, console: Console) -> None:
    """The ranking's head, the sweep, the exact subset and the case of one unit."""
    ranking({**result, "rows": result["rows"][:SHOWN]}, console)
    _sweep(result, console)
    if result["exact"] is not None:
        _exact(result["exact"], console)
    if result["case"] is not None:
        _case(result["case"], console)


def _sweep(result: Result, console: Console) -> None:
    rows = result["sweep"]
    plain = ["mcc", "precision", "recall"] if console.width >= NARROW else []
    console.print(
        Text(f"held-out metrics by number of features [95 % bootstrap over items]; {_by_chance(result)}", "bold")
    )
    told = ["accuracy", "f1", "auc"]
    columns = [("method", False), ("k", True), *((name, True) for name in (*told, *plain))]
    table(
        console,
        columns,
        [
            [
                row["method"],
                row["k"],
                *(_metric(row[name]) for name in told),
                *(number(row[name][0], 2) for name in plain),
            ]
            for row in rows
        ],
    )


def _by_chance(result: Result) -> str:
    """What accuracy and AUC are where the features know nothing."""
    sides = result["categories"].values()
    return f"by chance accuracy {max(sides) / max(sum(sides), 1):.2f} (the larger class), AUC 0.50"


def _metric(value: list[float | None]) -> str:
    if value[0] is None:
        return "-"
    return f"{value[0]:.2f} [{number(value[1], 2)}, {number(value[2], 2)}]"


def _exact(exact: dict[str, Any], console: Console) -> None:
    told = f"exact best {exact['k']} of {exact['prefilter']} (ridge {exact['ridge']:.3g}), chosen in each fold"
    console.print(
        Text(
            f"{told}; held out: accuracy {_metric(exact['accuracy'])}, F1 {_metric(exact['f1'])}, "
            f"AUC {_metric(exact['auc'])}",
            "bold",
        )
    )
    columns = [("fold", True), ("objective", True), ("gap", True), ("proof", False), ("features", False)]
    rows = [
        [place, number(fold["objective"], 5), number(fold["gap"], 5), fold["status"],
         " ".join(f"#{index}" for index in fold["features"])]
        for place, fold in enumerate(exact["folds"], start=1)
    ]  # fmt: skip
    table(console, columns, rows)


def _case(case: dict[str, Any], console: Console) -> None:
    console.print(Text(visible(f"{case['feature']} alone (chosen {case['selected']})"), "bold"))
    if case["metrics"] is not None:
        told = ", ".join(f"{name} {_metric(case['metrics'][name])}" for name in CASE)
        console.print(Text(f"{told}; {case['reading']}"))
    else:
        console.print(Text(case["reading"]))
    columns = [("class", False), ("n", True), ("mean", True), ("fires in", True), ("median", True), ("most", True)]
    rows = [
        [one["class"], one["n"], number(one["mean"]), f"{100 * one['firing']:.0f} %", number(one["quantiles"][2]),
         number(one["quantiles"][4])]
        for one in case["classes"]
    ]  # fmt: skip
    table(console, columns, rows)
    if case["ablation"] is None:
        console.print(Text(f"not silenced: {case['ablation_reason']}"))
        return
    console.print(Text("silenced on every token: rise of the next-token loss in per cent", "bold"))
    controls = f"{len(case['ablation']['controls'])} random units"
    rows = [
        [one["class"], f"{one['increase_percent']:+.3f}", f"[{one['interval'][0]:+.3f}, {one['interval'][1]:+.3f}]",
         f"{min(one['control_percent'], default=0):+.3f} to {max(one['control_percent'], default=0):+.3f}"]
        for one in case["ablation"]["classes"]
    ]  # fmt: skip
    table(console, [("class", False), ("this unit", True), ("95 %", True), (controls, True)], rows)


def comparison(result: Result, console: Console) -> None:
    """One table of all methods, what the tests support, and what each found."""
    how = f"{result['k']} features, {result['repeats']} x {result['folds']} folds, seed {result['seed']}"
    console.print(
        Text(visible(f"{result['stimuli']}: {result['positive']} against {result['against']}; {how}"), "bold")
    )
    wide = console.width >= NARROW
    console.print(Text("each method against chance: the same selection on shuffled labels (permutation p)"))
    columns = [("method", False), ("held out", True), ("95 %", True), ("shuffled", True), ("p chance", True)]
    columns += [("leaky!", True)]
    columns += [("on target", True), ("words", True)] if wide else []
    columns += [("target AUC", True)]
    table(console, columns, [_arm(arm, wide) for arm in result["arms"]])
    for line in _legend(result):
        console.print(Text(visible(line), "dim"))
    console.print()
    for line in result["verdict"]:
        console.print(Text(visible(f"- {line}"), "bold"))
    console.print()
    _between(result["tests"], console)
    for arm in result["arms"]:
        if arm["sentences"]:
            first = arm["sentences"][0]
            console.print(Text(visible(f"{arm['arm']} finds: {first['text']}")))
    for line in result["missing"]:
        console.print(Text(f"missing: {line}"))


def _arm(arm: dict[str, Any], wide: bool) -> list[Any]:
    span = f"[{arm['interval'][0]:.2f}, {arm['interval'][1]:.2f}]"
    cells: list[Any] = [arm["arm"], number(arm["accuracy"]), span, number(arm["null_accuracy"], 2)]
    cells.append(number(arm["p_null"], 3))
    cells.append(Text(number(arm["leaky_accuracy"]), "dim"))
    if wide:
        cells += [_share(arm["on_concept"]), _share(arm["on_words"])]
    return [*cells, "-" if arm["concept_auc"] is None else _metric(arm["concept_auc"])]


def _between(tests: list[dict[str, Any]], console: Console) -> None:
    """The other kind of test: two methods on the same folds, which says nothing of chance."""
    if not tests:
        return
    strongest = sorted(tests, key=lambda test: (test["p_holm"], -abs(test["difference"])))[:SHOWN]
    rows = [
        [f"{test['a']} - {test['b']}", f"{test['difference']:+.3f}",
         f"[{test['interval'][0]:+.2f}, {test['interval'][1]:+.2f}]", chance(test["p_holm"]), chance(test["p_items"])]
        for test in strongest
    ]  # fmt: skip
    columns = [("pair", False), ("accuracy", True), ("95 %", True), ("p Holm", True), ("p items", True)]
    left = f"; {len(strongest)} of {len(tests)} pairs, the surest" if len(tests) > len(strongest) else ""
    title = (
        "between methods, paired over the same folds: corrected resampled t, Holm over all pairs (p items: sign flips "
        f"over sentences, uncorrected){left}"
    )
    table(console, columns, rows, title)


def _share(found: list[float] | None) -> str:
    return "-" if found is None else f"{100 * found[0]:.0f} %"


def _legend(result: Result) -> list[str]:
    target = result["target"]
    told = [
        f"held out: features selected inside each fold. leaky: selected on all stimuli, never a result. "
        f"shuffled: the same with shuffled labels; the larger class is {result['majority']:.2f}"
    ]
    if result["corpus"]["sentences"]:
        rates = [f"a known word in {100 * target['word_rate']:.1f} % of all"]
        if target["concept"] is not None:
            rates.insert(0, f"{target['concept']!r} planted in {100 * target['concept_rate']:.1f} %")
        windows = len(result["arms"][0]["sentences"])
        told.append(
            f"on target, words: of the {windows} strongest of {result['corpus']['sentences']} corpus sentences "
            f"({', '.join(rates)}); {target['judge_reason']}"
        )
    return told
