"""A probe: held-out metrics by number of features as curves and a table, the exact best subset, one unit's case."""

from __future__ import annotations

from typing import Any

from rich.style import Style

from screens.painting import palette
from screens.painting.glyphs import curves
from screens.painting.text import chance, number, percent, thousands, visible
from screens.results.tables import Result, Told, View, paragraph, table, title, with_interval
from screens.select.ranking_text import discoveries
from screens.widgets.lines import Cell, Column, Row

METRICS = ("f1", "mcc", "precision", "recall", "auc")
DEFINITIONS = {
    "f1": "harmonic mean of precision and recall",
    "mcc": "Matthews correlation of predicted and true labels",
    "precision": "share of those called positive that are",
    "recall": "share of the positives that are called so",
    "auc": "chance that a positive item scores above another",
}
METHODS = {
    "mean_difference": "difference of the class means",
    "f_stat": "F of a one-way analysis of variance",
    "mutual_info": "mutual information with the label",
    "l1_logistic": "weights of an L1 logistic fit",
    "svm": "weights of a linear support vector machine",
    "random": "drawn at random: the floor",
    "adaptive": "features fall away step by step under an elastic net",
}
SIGNS = "abcdefghij"
HEIGHT = 6
"""Lines of the curves."""
SWEEP = (
    Column("", 1),
    Column("k", 3, "right"),
    *(Column({"f1": "F1", "mcc": "MCC", "auc": "AUC"}.get(name, name), 13) for name in METRICS),
)
FOLDS = (
    Column("fold", 4, "right"), Column("objective", 9, "right"), Column("gap", 8, "right"), Column("proof", 10),
    Column("features"),
)  # fmt: skip
CLASSES = (
    Column("class", 16), Column("n", 5, "right"), Column("mean", 7, "right"), Column("fires in", 8, "right"),
    Column("median", 7, "right"), Column("most", 7, "right"),
)  # fmt: skip
SILENCED = (
    Column("class", 16), Column("loss, nats", 10, "right"), Column("rise", 8, "right"), Column("95 %", 18),
    Column("random units"),
)  # fmt: skip


def view(result: Result, width: int) -> View:
    """Everything `features.probe` said, but for the ranking itself, which is Select's."""
    rows = [*_curves(result["sweep"], width), *_table(result["sweep"])]
    told = {f"sweep:{at}": _told_point(point, result) for at, point in enumerate(result["sweep"])}
    features: dict[str, str] = {}
    if (exact := result["exact"]) is not None:
        rows += _exact(exact, width)
        told |= {f"fold:{at}": _told_exact(exact, result) for at in range(len(exact["folds"]))}
        told["exact:held:0"] = _told_exact(exact, result)
    if (case := result["case"]) is not None:
        rows += _case(case, width)
        keys = [row.key for row in rows if row.key.startswith("case:")]
        told |= {key: _told_case(case, result) for key in keys}
        features |= dict.fromkeys(keys, case["feature"])
    return View(_head(result), tuple(rows), told, features, _about(result))


def _head(result: Result) -> tuple[tuple[str, Style], ...]:
    what = f"  {visible(result['stimuli'])}: {visible(result['positive'])} against {visible(result['against'])}"
    how = f"  {_n(result)} · {thousands(result['tested'])} ranked by {result['statistic']} (Select, 3)"
    if result["discoveries"] is None:
        return (what, palette.BOLD), (how, palette.PLAIN), (f"  no p: {result['p_reason']}", palette.WARN)
    most = result["null_discoveries_max"]
    null = "" if most is None else f" · shuffled: median {number(result['null_discoveries'], 0)}, max {thousands(most)}"
    found = f"  {discoveries(result['discoveries'])} at q < {result['alpha']}{null}"
    good = palette.GOOD if most is None or result["discoveries"] > most else palette.WARN
    return (what, palette.BOLD), (how, palette.PLAIN), (found, good)


def _n(result: Result) -> str:
    kind = "tokens" if result["design"] == "tokens" else "sentences"
    counts = result.get("categories") or {}
    sides = f"{counts.get('positive', '–')} and {counts.get('rest', '–')} {kind}"
    grouped = f" in {result['grouped']} groups that share a fold" if result.get("grouped") else ""
    return f"{sides}{grouped}, {result['folds']} folds"


def _methods(sweep: list[dict[str, Any]]) -> dict[str, str]:
    """The sign of each method, in the order of the sweep."""
    names = list(dict.fromkeys(point["method"] for point in sweep))
    return dict(zip(names, SIGNS, strict=False))


def _curves(sweep: list[dict[str, Any]], width: int) -> list[Row]:
    """Held-out F1 by k, one letter a method; curves that coincide show the first letter."""
    signs, places = _methods(sweep), sorted({point["k"] for point in sweep})
    room = min(72, width - 12)
    series = [
        (sign, [(places.index(point["k"]), point["f1"][0]) for point in sweep
                if point["method"] == name and point["f1"][0] is not None])
        for name, sign in signs.items()
    ]  # fmt: skip
    lines = curves(series, room, HEIGHT)
    rows = [*title("curves", "held-out F1 by k, the number of features")]
    for at, line in enumerate(lines):
        scale = "1.0" if at == 0 else "0.0" if at == HEIGHT - 1 else ""
        rows.append(Row(f"curve:{at}", ((f"{scale:>4} │{line}", palette.PLAIN),)))
    rows.append(Row("curve:axis", ((f"{'k':>4}  {_axis(places, room)}", palette.DIM),)))
    legend = "  ".join(f"{sign} {name}" for name, sign in signs.items())
    return rows + paragraph("curve:legend", f"{legend}  (where curves coincide, the first is drawn)", width)


def _axis(places: list[int], room: int) -> str:
    """The values of k below their places; those that would touch are left out."""
    line = [" "] * (room + 3)
    free = 0
    for at, k in enumerate(places):
        x = round(at / (len(places) - 1) * (room - 1)) if len(places) > 1 else 0
        text = str(k)
        if x >= free:
            line[x : x + len(text)] = text
            free = x + len(text) + 1
    return "".join(line)[: room + 3].rstrip()


def _table(sweep: list[dict[str, Any]]) -> list[Row]:
    signs = _methods(sweep)
    rows: list[tuple[str, list[Cell]]] = []
    for at, point in enumerate(sweep):
        cells: list[Cell] = [(signs.get(point["method"], ""), palette.NAME), str(point["k"])]
        rows.append((str(at), [*cells, *(with_interval(point[name]) for name in METRICS)]))
    return [*title("sweep", "held-out metrics with 95 % bootstrap intervals over items"), *table("sweep", SWEEP, rows)]


def _exact(exact: dict[str, Any], width: int) -> list[Row]:
    heading = f"exact best {exact['k']} of the {exact['prefilter']} of largest F, chosen in each fold"
    rows = title("exact", heading)
    held = ", ".join(f"{name} {with_interval(exact[name])}" for name in METRICS)
    rows += paragraph("exact:held", f"held out: {held}", width)
    cells: list[tuple[str, list[Cell]]] = []
    for at, fold in enumerate(exact["folds"]):
        proved = fold["status"] == "optimal"
        listed = " ".join(f"#{index}" for index in fold["features"])
        state: Cell = (fold["status"], palette.GOOD if proved else palette.WARN)
        cells.append((str(at), [str(at + 1), number(fold["objective"], 5), number(fold["gap"], 5), state, listed]))
    return rows + table("fold", FOLDS, cells)


def _case(case: dict[str, Any], width: int) -> list[Row]:
    rows = title("case", f"one unit: {case['feature']}")
    rows += paragraph("case:chosen", f"chosen {case['selected']}", width)
    metrics = case["metrics"]
    told = ", ".join(f"{name} {with_interval(metrics[name])}" for name in METRICS) + "; " if metrics else ""
    rows += paragraph("case:alone", f"alone: {told}{case['reading']}", width)
    rows += table("case:class", CLASSES, [(str(at), _class(one)) for at, one in enumerate(case["classes"])])
    ablation = case["ablation"]
    if ablation is None:
        return rows + paragraph("case:why", f"not silenced: {case['ablation_reason']}", width, palette.DIM)
    heading = "silenced on every token: rise of the next-token loss, beside random units that fire"
    rows += paragraph("case:silenced", heading, width, palette.BOLD)
    return rows + table(
        "case:ablation", SILENCED, [(str(at), _loss(one)) for at, one in enumerate(ablation["classes"])]
    )


def _class(one: dict[str, Any]) -> list[Cell]:
    middle, most = one["quantiles"][2], one["quantiles"][4]
    firing = percent(one["firing"])
    return [visible(one["class"]), thousands(one["n"]), number(one["mean"]), firing, number(middle), number(most)]


def _loss(one: dict[str, Any]) -> list[Cell]:
    low, high = one["interval"]
    drawn = one["control_percent"]
    control = f"{min(drawn):+.3f} to {max(drawn):+.3f} %" if drawn else "none"
    rise: Cell = (f"{one['increase_percent']:+.3f}%", palette.BOLD)
    return [visible(one["class"]), number(one["loss"], 1), rise, f"{low:+.3f} to {high:+.3f}", control]


# --- why


def _metrics_told() -> str:
    return "; ".join(f"{name}: {text}" for name, text in DEFINITIONS.items())


def _told_point(point: dict[str, Any], result: Result) -> Told:
    """One line of the sweep."""
    method = point["method"]
    facts = [
        ("definition", f"{method} ({METHODS.get(method, 'a ranking')}) chooses {point['k']} features in the "
                       f"training part "
                       "of each fold; a balanced L2 logistic decoder on them is scored on the part held out. "
                       f"{_metrics_told()}"),
        ("n", _n(result)),
        ("observed", ", ".join(f"{name} {with_interval(point[name])}" for name in METRICS)),
        ("interval", "95 % percentile bootstrap over items: how the numbers vary with the items, not with the "
                     "training"),
    ]  # fmt: skip
    if point.get("prefilter"):
        facts.append(("prefilter", f"of the {point['prefilter']} features of largest F in the training part"))
    times = ", ".join(f"#{index} in {folds}" for index, folds in point["chosen"][:8])
    facts.append(("chosen", f"{times} folds"))
    facts.append(("null", "none was drawn for these metrics; compare with random in the same table"))
    return Told(tuple(facts))


def _told_exact(exact: dict[str, Any], result: Result) -> Told:
    proofs = [fold["status"] for fold in exact["folds"]]
    return Told((
        ("definition", f"of all sets of {exact['k']} among {exact['prefilter']} features the one of least ridge loss "
                       f"(ridge {number(exact['ridge'])}), by looking at all of them or by outer approximation, "
                       f"in each fold. objective: that loss on the "
                       "training part; gap: objective minus the proven lower bound, 0 where it is proven the best"),
        ("n", _n(result)),
        ("proof", f"{proofs.count('optimal')} of {len(proofs)} folds are proven; time_limit and cut_limit say why not"),
        ("held out", ", ".join(f"{name} {with_interval(exact[name])}" for name in METRICS)),
        ("null", "none was drawn; its held-out metrics stand beside those of random in the sweep"),
    ))  # fmt: skip


def _told_case(case: dict[str, Any], result: Result) -> Told:
    head = result["rows"][0] if result["rows"] else None
    facts = [
        ("definition", "a decoder on this one unit, scored on held-out folds; mean, firing and quantiles are of its "
                       "pooled activations by class; rise: change of the summed next-token loss of the class's "
                       "sentences when the unit is zero on every token"),
        ("n", _n(result)),
        ("chosen", case["selected"]),
        ("interval", "95 % bootstrap over sentences; random units that fire, silenced alike, stand beside as the "
                     "control"),
    ]  # fmt: skip
    if head and head["feature"] == case["feature"] and head["p"] is not None:
        tests = f"p {chance(head['p'])}, q {chance(head['q'])}, fwer {chance(head['p_fwer'])}"
        facts.append(("its test", f"{result['statistic']} {number(head['score'])}, {tests} (in the ranking, 3 Select)"))
    facts.append(("null", "of a probe's ranking no draws are kept: features.contrast on the same set keeps them"))
    return Told(tuple(facts))


def _about(result: Result) -> Told:
    return Told((
        ("definition", "few features that decode a label: ranked in each fold's training part, scored on the part held "
                       f"out. {_metrics_told()}"),
        ("n", _n(result)),
        ("null", "none was drawn for the metrics; compare with random in the sweep"),
    ))  # fmt: skip
