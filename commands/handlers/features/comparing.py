"""Carries out `features.compare`."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from commands.features import FeaturesCompare
from commands.handlers.features.found_sentences import Finder
from commands.handlers.features.probe_data import ProbeData, sentence_data
from commands.handlers.features.probing import check_folds
from workbench.errors import UsageError
from workbench.features.rankings import plain
from workbench.figures import Figure
from workbench.lab import Lab
from workbench.saes.ids import feature_id
from workbench.verbs import Outcome

if TYPE_CHECKING:
    from workbench.stats import Decoding
    from workbench.stats.rank_units import Select

SHOWN_FEATURES = 20
MOST_SAID = 4
"""Differences told in words for each measure, the largest first."""


@dataclass(frozen=True)
class Arm:
    """One way to select features of one space, and what it decodes."""

    kind: str
    method: Select
    data: ProbeData
    decoded: Decoding

    @property
    def name(self) -> str:
        """`SAE contrast`, `raw maxact`, ..."""
        return f"{self.kind} {self.method}"


def compare(command: FeaturesCompare, lab: Lab) -> Outcome:
    """Decode with every method in every space on the same folds, and test the methods against each other."""
    spaces, missing = _spaces(command, lab)
    arms = [_arm(command, kind, data, method, lab) for kind, data in spaces for method in command.methods]
    first = spaces[0][1]
    finder = Finder.of(command, lab, first)
    for _, data in spaces:
        finder.read(data, np.unique([arm.decoded.leaky_chosen for arm in arms if arm.data is data]))
    rows = []
    for place, arm in enumerate(arms):
        lab.tick(place, len(arms), f"{arm.name}: shuffled labels and found sentences")
        found = finder.found(arm.name, arm.data, arm.decoded)
        rows.append({**_row(arm), **_chance(arm, command), **found})
    tests = _tests(arms, command, finder)
    body = {
        "stimuli": command.stimuli,
        "positive": first.positive,
        "against": first.against,
        "categories": first.counts,
        "grouped": None if first.groups is None else int(np.unique(first.groups).size),
        "pool": command.pool,
        "k": command.k,
        "folds": command.folds,
        "repeats": command.repeats,
        "shuffles": command.shuffles,
        "alpha": command.alpha,
        "seed": command.seed,
        "majority": arms[0].decoded.majority,
        "spaces": {kind: data.space.name for kind, data in spaces},
        "missing": missing,
        "arms": rows,
        "tests": tests,
        "verdict": verdict(rows, tests, command.alpha),
        **finder.about(),
    }
    return Outcome(
        body,
        figures=[_figure(rows, command)],
        warnings=[*first.warnings, *_warnings(rows, command)],
        provenance={**first.provenance, **finder.provenance()},
    )


def _spaces(command: FeaturesCompare, lab: Lab) -> tuple[list[tuple[str, ProbeData]], list[str]]:
    """The latents of the loaded SAE where there is one, and the raw units of its site."""
    spaces, missing = [], []
    entry = lab.entry("sae")
    if entry is not None and lab.space.info["units"] == "latents":
        spaces.append(("SAE", sentence_data(command, lab, sae="", pairs=command.pairs)))
    else:
        missing.append("no SAE is loaded, so that only raw units are compared: `workbench sae load REF`")
    spaces.append(("raw", sentence_data(command, lab, sae="raw", pairs=command.pairs)))
    for kind, data in spaces:
        if command.k > data.x.shape[1]:
            raise UsageError(f"--k {command.k} is more than the {data.x.shape[1]} {kind} features", "Lower --k.")
        check_folds(command.folds, data)
    return spaces, missing


def _arm(command: FeaturesCompare, kind: str, data: ProbeData, method: Select, lab: Lab) -> Arm:
    lab.tick(0, 1, f"{kind} {method}: {command.repeats} x {command.folds} folds")
    return Arm(kind, method, data, _decode(command, data, method, data.labels, command.repeats))


def _decode(command: FeaturesCompare, data: ProbeData, method: Select, labels: np.ndarray, repeats: int) -> Decoding:
    from workbench.stats import decode

    try:
        return decode(
            data.x,
            labels,
            select=method,
            k=command.k,
            groups=data.groups,
            folds=command.folds,
            seed=command.seed,
            repeats=repeats,
        )
    except ValueError as error:
        hint = "Lower --k or --folds, or choose other stimuli."
        raise UsageError(f"{data.space.name}, {method}: {error}", hint) from error


def _row(arm: Arm) -> dict[str, Any]:
    from workbench.stats import auc_interval

    decoded, space = arm.decoded, arm.data.space.name
    units, counts = np.unique(decoded.chosen, return_counts=True)
    order = np.lexsort((units, -counts))[:SHOWN_FEATURES]
    return {
        "arm": arm.name,
        "space": arm.kind,
        "method": arm.method,
        "accuracy": decoded.accuracy,
        "interval": list(decoded.interval),
        "leaky_accuracy": decoded.leaky_accuracy,
        "auc": float(np.mean([auc_interval(arm.data.labels, scores)[0] for scores in decoded.scores])),
        "chosen": [
            {"feature": feature_id(space, int(units[place])), "share": float(counts[place] / len(decoded.chosen))}
            for place in order
        ],
        "selected": [int(index) for index in decoded.leaky_chosen],
    }


def _chance(arm: Arm, command: FeaturesCompare) -> dict[str, Any]:
    """What the same selection and decoder get when the labels mean nothing."""
    from workbench.stats.permutation import shuffled_labels

    if not command.shuffles:
        return {"null_accuracy": None, "null_max": None, "null_leaky": None, "p_null": None}
    data = arm.data
    items = np.zeros(len(data.labels), dtype=np.intp) if data.groups is None else data.groups
    drawn = shuffled_labels(data.labels, items, command.shuffles, np.random.default_rng([command.seed, 7]))
    found = [_decode(command, data, arm.method, labels, 1) for labels in drawn]
    honest = np.array([one.accuracy for one in found])
    above = int((honest >= arm.decoded.accuracy - 1e-12).sum())
    return {
        "null_accuracy": float(honest.mean()),
        "null_max": float(honest.max()),
        "null_leaky": float(np.mean([one.leaky_accuracy for one in found])),
        "p_null": (above + 1) / (command.shuffles + 1),
    }


def _tests(arms: list[Arm], command: FeaturesCompare, finder: Finder) -> list[dict[str, Any]]:
    """Every pair that differs in one thing only: the method within a space, or the space of a method."""
    from workbench.stats import compare_decoders, holm

    pairs = [(a, b) for a, b in itertools.combinations(arms, 2) if a.kind == b.kind or a.method == b.method]
    found = [
        compare_decoders(
            a.decoded.fold_accuracy,
            b.decoded.fold_accuracy,
            a.decoded.test_share,
            correct=(a.decoded.correct, b.decoded.correct),
            groups=a.data.groups,
            seed=command.seed,
        )
        for a, b in pairs
    ]
    stepped = holm([one.p for one in found])
    aimed = finder.compared([(a.name, b.name) for a, b in pairs])
    return [
        {
            "a": a.name,
            "b": b.name,
            "difference": one.difference,
            "interval": list(one.interval),
            "t": plain(one.t),
            "df": one.df,
            "p": one.p,
            "p_holm": float(corrected),
            "p_items": one.p_items,
            "target": on_target,
        }
        for (a, b), one, corrected, on_target in zip(pairs, found, stepped, aimed, strict=True)
    ]


def verdict(rows: list[dict[str, Any]], tests: list[dict[str, Any]], alpha: float) -> list[str]:
    """What the tests support, in sentences; that there is no difference is said as well."""
    real = [test for test in tests if not _has_random(test)]
    said = _supported("decodes held-out stimuli better", "accuracy", real, alpha)
    aimed = [{"a": test["a"], "b": test["b"], **test["target"]} for test in real if test["target"]]
    said += _supported("ranks the corpus sentences of the concept higher", "AUC", aimed, alpha)
    if aimed:
        said.append("the AUCs are of these ensembles: how other stimuli would have chosen is not in their intervals")
    return [*said, *_against_random(rows, tests, alpha)]


def _supported(what: str, measure: str, tests: list[dict[str, Any]], alpha: float) -> list[str]:
    """The pairs that differ, and that the others do not."""
    if not tests:
        return []
    sure = [test for test in tests if test["p_holm"] < alpha]
    said = []
    for test in sorted(sure, key=lambda test: -abs(test["difference"]))[:MOST_SAID]:
        sign = 1 if test["difference"] > 0 else -1
        better, other = (test["a"], test["b"]) if sign > 0 else (test["b"], test["a"])
        low, high = sorted(sign * end for end in test["interval"])
        said.append(
            f"{better} {what} than {other}: {measure} +{abs(test['difference']):.3f} "
            f"(95 % interval {low:.3f} to {high:.3f}, family-wise p {test['p_holm']:.2g})"
        )
    if len(sure) > MOST_SAID:
        smallest = min(abs(test["difference"]) for test in sure)
        said.append(
            f"{measure}: {len(sure) - MOST_SAID} further pairs differ, by {smallest:.3f} or more (see the tests)"
        )
    rest = [test for test in tests if test["p_holm"] >= alpha]
    if rest:
        widest = max(abs(end) for test in rest for end in test["interval"])
        which = "any two methods" if not sure else f"the other {len(rest)} of {len(tests)} pairs"
        said.append(
            f"{measure}: no difference between {which} is supported at family-wise {alpha:g}; their intervals reach "
            f"differences of {widest:.2f}"
        )
    return said


def _against_random(rows: list[dict[str, Any]], tests: list[dict[str, Any]], alpha: float) -> list[str]:
    """Which methods decode better than as many random features."""
    others = [row["arm"] for row in rows if row["method"] != "random"]
    if not others or len(others) == len(rows):
        return []
    beaten = set()
    for test in filter(_has_random, tests):
        if test["p_holm"] < alpha:
            beaten.add(test["a"] if test["difference"] > 0 else test["b"])
    above = [name for name in others if name in beaten]
    rest = [name for name in others if name not in beaten]
    return [
        f"better on held-out stimuli than as many random features of the same space: {', '.join(above) or 'none'}"
        + (f"; not shown for {', '.join(rest)}" if rest and above else "")
    ]


def _has_random(test: dict[str, Any]) -> bool:
    return any(test[side].endswith(" random") for side in ("a", "b"))


def _warnings(rows: list[dict[str, Any]], command: FeaturesCompare) -> list[str]:
    told = []
    gap = max(rows, key=lambda row: row["leaky_accuracy"] - row["accuracy"])
    if gap["leaky_accuracy"] - gap["accuracy"] > 0.02:
        told.append(
            f"selecting on all sentences would have shown {gap['leaky_accuracy']:.2f} for {gap['arm']} instead of "
            f"{gap['accuracy']:.2f}: leaky accuracies are shown as a warning only"
        )
    if command.shuffles and 1 / (command.shuffles + 1) > 0.05:
        told.append(f"{command.shuffles} shuffles cannot show an accuracy to be above chance at .05")
    if "random" not in command.methods:
        told.append("without the method random nothing shows what any features would decode")
    return told


def _figure(rows: list[dict[str, Any]], command: FeaturesCompare) -> Figure:
    kinds = [("held-out", "accuracy"), ("leaky (a warning)", "leaky_accuracy"), ("shuffled labels", "null_accuracy")]
    points = [
        (row[key], len(rows) - place, row["arm"], name)
        for place, row in enumerate(rows)
        for name, key in kinds
        if row[key] is not None
    ]
    return Figure(
        kind="scatter",
        title=f"{command.stimuli}: accuracy of {command.k} features by method",
        x_label="accuracy",
        y_label="method, in the order of the table from the top",
        data={
            "x": [round(point[0], 4) for point in points],
            "y": [point[1] for point in points],
            "names": [point[2] for point in points],
            "groups": [point[3] for point in points],
        },
    )
