"""Carries out `features.maxact` and `features.probe`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from commands.features import FeaturesMaxact, FeaturesProbe
from commands.handlers.features.probe_case import case_study
from commands.handlers.features.probe_data import ProbeData, probe_data, sentence_data
from commands.handlers.features.readings import alpha_warning
from workbench.errors import UsageError
from workbench.features.rankings import Ranking, plain
from workbench.figures import Figure
from workbench.lab import Lab
from workbench.verbs import Outcome

if TYPE_CHECKING:
    from workbench.stats.label_tests import LabelTests

NO_P = {
    "maxact": "no label enters a maximum, so that shuffled labels leave it as it is",
    "random": "a random order has nothing to test",
    "mutual_info": "a permutation p would search neighbours as often as there are permutations, for every feature",
    "l1_logistic": "a permutation p would take as many fits of all features together as there are permutations",
    "svm": "a permutation p would take as many fits of all features together as there are permutations",
}
"""Why a method has no p."""
TESTED = ("mean_difference", "f_stat")
LEAST_MIXED = 6
"""Groups with both labels, at least: fewer admit no p below .05."""
QUICK = ("mean_difference", "f_stat", "random", "adaptive")


def maxact(command: FeaturesMaxact, lab: Lab) -> Outcome:
    """Rank the features by their largest pooled activation over all sentences."""
    from workbench.stats import scored_units

    data = sentence_data(command, lab, sae=command.sae, pairs=False)
    found = scored_units(data.x, data.labels, "maxact")
    ranking = _ranking(data, found.score, found.effect, found.status, {})
    data.store(lab, ranking)
    about = {"pool": command.pool, "permutations": 0, "alpha": 0.05, "seed": 0}
    return _outcome(command, data, ranking, _head(data, "maxact", ranking, about), [])


def probe(command: FeaturesProbe, lab: Lab) -> Outcome:
    """Rank, sweep k, search the exact best subset, and study one unit."""
    from workbench.stats import scored_units

    data = probe_data(command, lab)
    _check_sizes(command, data)
    lab.tick(0, 1, f"ranking by {command.method}")
    found = scored_units(data.x, data.labels, command.method, seed=command.seed)
    ok = found.status == "ok"
    if not ok.any():
        raise UsageError("no feature varies on these items", "Choose other stimuli, another --window or --site.")
    tests = _tests(command, data, ok)
    numbers = {} if tests is None else {"p": tests.p, "p_fwer": tests.p_fwer, "q": tests.q}
    signed = found.score * np.sign(found.effect) if command.method == "mean_difference" else found.score
    ranking = _ranking(data, signed, found.effect, found.status, numbers, one_sided=command.method != "mean_difference")
    data.store(lab, ranking)
    about = {
        "pool": command.pool if data.kind == "sentences" else "token",
        "permutations": 0 if tests is None else tests.permutations,
        "alpha": command.alpha,
        "seed": command.seed,
        "folds": command.folds,
    }
    head = _head(data, command.method, ranking, about)
    if tests is not None:
        head |= {
            "null_discoveries": plain(tests.null_discoveries),
            "null_discoveries_max": tests.null_discoveries_max,
        }
    sweep, warnings = _sweep(command, data, lab, int(ok.sum()))
    exact, more = _exact(command, data, lab)
    unit = int(found.order[0]) if command.unit is None else command.unit
    case = case_study(command, data, unit, lab) if command.case else None
    body = {**head, "sweep": sweep, "exact": exact, "case": case}
    told = [] if tests is None else alpha_warning(tests.permutations, command.alpha)
    told += [] if tests is None or case is None else _doubt(command, data, unit, float(tests.q[unit]))
    return _outcome(command, data, ranking, body, [*told, *warnings, *more], [_curve(sweep, exact)])


def _tests(command: FeaturesProbe, data: ProbeData, ok: np.ndarray) -> LabelTests | None:
    """Shuffle the labels, where the method and the groups allow it; `ok` says which features vary."""
    from workbench.stats import label_tests

    if command.method not in TESTED or _fixed(data):
        return None
    return label_tests(
        data.x,
        data.labels,
        ok,
        in_units=command.method == "mean_difference",
        groups=data.groups,
        permutations=command.permutations,
        seed=command.seed,
        alpha=command.alpha,
    )


def _doubt(command: FeaturesProbe, data: ProbeData, unit: int, q: float) -> list[str]:
    """What to say where the feature that was studied, since it stands first, does not tell the classes apart."""
    from workbench.stats import scored_units

    if command.unit is not None or not q > command.alpha:
        return []
    said = f"#{unit}, which stands first and was studied, does not tell the classes apart (q {q:.2g})"
    if command.method != "mean_difference":
        return [said]
    steady = int(scored_units(data.x, data.labels, "f_stat", seed=command.seed).order[0])
    if steady == unit:
        return [said]
    return [
        f"{said}: mean_difference ranks by activation units, in which a strong and unsteady feature comes first; "
        f"--method f_stat divides by the spread, and puts #{steady} first"
    ]


def _check_sizes(command: FeaturesProbe, data: ProbeData) -> None:
    """Refuse before the work what the folds or the search would refuse after it."""
    units = data.x.shape[1]
    for name, value in (("exact", command.exact), ("most", command.most)):
        if value > units:
            raise UsageError(f"--{name} {value} is more than the {units} features", f"Give at most {units}.")
    if command.unit is not None and command.unit >= units:
        raise UsageError(f"no feature {command.unit}: there are {units}", "Give a number below that.")
    check_folds(command.folds, data)


def check_folds(folds: int, data: ProbeData) -> None:
    """Refuse more folds than a class has items.

    Raises:
        UsageError: that many folds cannot be made.
    """
    from workbench.stats import stratified_folds

    try:
        stratified_folds(data.labels, folds, groups=data.groups)
    except ValueError as error:
        raise UsageError(str(error), "Lower --folds, or give more items.") from error


def _ranking(
    data: ProbeData,
    score: np.ndarray,
    effect: np.ndarray,
    status: np.ndarray,
    numbers: dict[str, np.ndarray],
    *,
    one_sided: bool = True,
) -> Ranking:
    ok = status == "ok"
    deviation = np.sqrt(_pooled_variance(data.x, data.labels))
    with np.errstate(divide="ignore", invalid="ignore"):
        d = effect / deviation
    found = {"score": score, "effect": effect, "d": d, **numbers}
    nothing = np.full(len(score), np.nan)
    kept = {
        name: np.where(ok, found.get(name, nothing), np.nan) for name in ("score", "effect", "d", "p", "p_fwer", "q")
    }
    return Ranking(data.space.name, kept, status, one_sided)


def _pooled_variance(x: np.ndarray, labels: np.ndarray) -> np.ndarray:
    here, rest = x[labels].astype(np.float64), x[~labels].astype(np.float64)
    squares = ((here - here.mean(0)) ** 2).sum(0) + ((rest - rest.mean(0)) ** 2).sum(0)
    return np.asarray(squares / max(len(x) - 2, 1))


def _fixed(data: ProbeData) -> str | None:
    """Why labels cannot be shuffled within the groups, or None."""
    if data.groups is None:
        return None
    sums = np.bincount(data.groups, weights=data.labels), np.bincount(data.groups)
    mixed = int(((sums[0] > 0) & (sums[0] < sums[1])).sum())
    if mixed >= LEAST_MIXED:
        return None
    return f"labels vary within {mixed} groups only (documents or matched items), too few to shuffle them there"


def _head(data: ProbeData, method: str, ranking: Ranking, about: dict[str, Any]) -> dict[str, Any]:
    """What a ranking is about and what it found; the fields of RANKING in docs/wire.md."""
    tested = int((ranking.status == "ok").sum())
    no_p = NO_P.get(method) or (_fixed(data) if method in TESTED else None)
    found = int((ranking.numbers["q"] < about["alpha"]).sum())
    return {
        "stimuli": data.name,
        "positive": data.positive,
        "against": data.against,
        "design": data.kind,
        "categories": data.counts,
        "masked_items": data.masked,
        "grouped": None if data.groups is None else int(np.unique(data.groups).size),
        "statistic": method,
        **data.about,
        **about,
        "space": data.space.name,
        "tested": tested,
        "undefined": int(data.space.width - tested),
        "discoveries": None if no_p else found,
        "null_discoveries": None,
        "null_discoveries_max": None,
        "p_reason": no_p,
    }


def _sweep(command: FeaturesProbe, data: ProbeData, lab: Lab, usable: int) -> tuple[list[dict[str, Any]], list[str]]:
    """Held-out metrics by method and number of features."""
    from workbench.stats import sparsity_grid
    from workbench.stats.sweep import PREFILTER, SLOW, sparsity_sweep

    methods = list(dict.fromkeys([command.method, *(command.sweep or QUICK)]))
    ks = sparsity_grid(usable, command.most)
    rows, warnings = [], []
    for place, method in enumerate(methods):

        def tick(fold: int, place: int = place, method: str = method) -> None:
            lab.tick(place * command.folds + fold, len(methods) * command.folds, f"{method}: fold {fold + 1}")

        try:
            points = sparsity_sweep(
                data.x.astype(np.float64),
                data.labels,
                method,
                ks,
                groups=data.groups,
                folds=command.folds,
                seed=command.seed,
                tick=tick,
            )
        except ValueError as error:  # too few features vary in the training items of a fold
            raise UsageError(str(error), "Lower --most.") from error
        except RuntimeError as error:
            warnings.append(f"{method} is left out: {error}")
            continue
        looked = PREFILTER if method in SLOW or method == "adaptive" else None
        rows += [_point(method, point, data, command, looked) for point in points]
    return rows, warnings


def _point(method: str, point: Any, data: ProbeData, command: FeaturesProbe, prefilter: int | None) -> dict[str, Any]:
    row: dict[str, Any] = {"method": method, "k": point.k}
    row |= metrics_of(data.labels, point.scores, data.groups, command.seed)
    counts = np.unique(point.chosen, return_counts=True)
    order = np.lexsort((counts[0], -counts[1]))[: min(point.k, 20)]
    row["chosen"] = [[int(counts[0][place]), int(counts[1][place])] for place in order]
    row["prefilter"] = prefilter if prefilter is not None and data.x.shape[1] > prefilter else None
    return row


def metrics_of(labels: np.ndarray, scores: np.ndarray, groups: np.ndarray | None, seed: int) -> dict[str, Any]:
    """Each metric as `[value, low, high]`; null where undefined."""
    from workbench.stats import binary_metrics

    found = binary_metrics(labels, scores, groups=groups, seed=seed)
    return {name: [plain(item.value), *(plain(end) for end in item.interval)] for name, item in found.items()}


def _exact(command: FeaturesProbe, data: ProbeData, lab: Lab) -> tuple[dict[str, Any] | None, list[str]]:
    """The exact best subset of every fold's training items, with its proof."""
    from workbench.stats.sweep import exact_in_folds

    if not command.exact:
        return None, []
    ridge = command.ridge or float(np.sqrt(len(data.labels)))
    try:
        point, subsets = exact_in_folds(
            data.x.astype(np.float64),
            data.labels,
            command.exact,
            ridge=ridge,
            time_limit=command.time_limit,
            prefilter=command.prefilter,
            groups=data.groups,
            folds=command.folds,
            seed=command.seed,
            tick=lambda fold: lab.tick(fold, command.folds, f"exact best subset: fold {fold + 1}"),
        )
    except ValueError as error:
        raise UsageError(str(error), "Lower --exact.") from error
    folds = [
        {
            "features": [int(index) for index in units],
            "objective": subset.objective,
            "gap": subset.gap,
            "status": subset.status,
        }
        for units, subset in zip(point.chosen, subsets, strict=True)
    ]
    unproven = [subset for subset in subsets if subset.status != "optimal"]
    warnings = []
    if unproven:
        share = max(subset.gap / subset.objective for subset in unproven)
        warnings.append(
            f"the exact search is not proven in {len(unproven)} of {len(folds)} folds (gap up to {share:.1%} of the "
            "objective): raise --time-limit, or lower --exact or --prefilter"
        )
    body = {"k": command.exact, "prefilter": min(command.prefilter, data.x.shape[1]), "ridge": ridge, "folds": folds}
    return {**body, **metrics_of(data.labels, point.scores, data.groups, command.seed)}, warnings


def _curve(sweep: list[dict[str, Any]], exact: dict[str, Any] | None) -> Figure:
    methods = list(dict.fromkeys(row["method"] for row in sweep))
    ks = sorted({row["k"] for row in sweep})
    series = {
        method: [next(row["f1"][0] for row in sweep if row["method"] == method and row["k"] == k) for k in ks]
        for method in methods
    }
    note = "" if exact is None else f"The exact best {exact['k']} of {exact['prefilter']}: F1 {exact['f1'][0]:.3f}."
    return Figure(
        kind="curve",
        title="Held-out F1 by number of features",
        x_label="features",
        y_label="F1",
        note=note,
        data={"x": ks, "series": series},
    )


def _outcome(
    command: FeaturesMaxact | FeaturesProbe,
    data: ProbeData,
    ranking: Ranking,
    body: dict[str, Any],
    warnings: list[str],
    figures: list[Figure] | None = None,
) -> Outcome:
    entry = {
        "params": command.params(),
        "space": data.space.name,
        "stimuli": next(iter(data.provenance.values()))["digest"],
    }
    return Outcome(
        {**body, "rows": ranking.rows(ranking.order()[: command.top])},
        figures=figures or [],
        sets={**data.sets, "ranking": entry},
        warnings=[*data.warnings, *warnings],
        provenance=data.provenance,
    )
