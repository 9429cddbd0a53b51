"""Carries out `features.replicate`: the same contrast once more, elsewhere, and how far the two agree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from commands.features import FeaturesContrast, FeaturesReplicate
from commands.handlers.features.contrast import groups_body, groups_design, groups_ranking
from commands.handlers.features.own_text import space_of
from commands.handlers.features.readings import Reading, ranking_space, read_sentences
from commands.handlers.features.stored_rankings import choose_or_make, ranking_header, ranking_line, ranking_lines
from commands.line import from_params
from workbench.errors import MismatchError, UsageError
from workbench.features.evidence import labels_by_index
from workbench.features.rankings import Ranking, plain
from workbench.figures import Figure
from workbench.lab import Lab
from workbench.saes.ids import feature_id
from workbench.session.log import LogLine
from workbench.stimuli.sets import Stimulus
from workbench.verbs import Outcome

if TYPE_CHECKING:
    from workbench.saes.space import FeatureSpace
    from workbench.stats.agreement import Matches

NULL_SHUFFLES = 20
_FIRST = ("features.contrast",)
LOST = {"gone": "gone", "not_powered": "not powered"}
"""The two ways of being lost, and what the rows call them."""
NEW = 10
"""Discoveries of the second ranking alone that are named."""


@dataclass(frozen=True)
class _Pairing:
    """Which feature of the second ranking stands for each of the first; -1 for none."""

    partner: np.ndarray
    by: str
    matches: Matches | None = None

    def told(self) -> dict[str, Any]:
        """How the pairing was made, and how well it went."""
        if self.matches is None:
            return {"by": self.by, "pairs": len(self.partner), "reciprocal": None, "correlation": None, "cosine": None}
        found = self.partner >= 0
        middle = {
            name: plain(np.median(values[found])) if found.any() and not np.isnan(values[found]).all() else None
            for name, values in (("correlation", self.matches.correlation), ("cosine", self.matches.cosine))
        }
        return {"by": self.by, "pairs": int(found.sum()), "reciprocal": int(self.matches.reciprocal.sum()), **middle}


def replicate(command: FeaturesReplicate, lab: Lab) -> Outcome:
    """Make the second ranking, pair its features with the first's, and compare."""
    line = ranking_line(lab, command.ranking, verbs=_FIRST)
    header = ranking_header(lab, line)
    first = Ranking.from_arrays(header["space"], lab.arrays(line, "ranking"))
    second_command = _second(command, line, header, lab)
    own = _own_space(second_command, header, lab)
    space = space_of(command.sae, command.site, lab) if command.sae else own
    design = groups_design(second_command, lab)
    reading = read_sentences(second_command, lab, design.stimuli, space)
    reading.require_sides(design.labels)
    second, body, reach = _ranked(second_command, design, reading, lab)
    pairing = _paired(second_command, first.space, own, reading, design.stimuli, design.labels, lab)
    rows = _rows(first, second, pairing, reach, labels_by_index(lab, first.space), float(header["alpha"]))
    told = _compared(first, second, pairing, rows, float(header["alpha"]))
    arrays = {**second.arrays(), "partner": pairing.partner.astype(np.int64)}
    lab.save("replication", **arrays)
    result = {
        "first": header,
        "second": body,
        "changed": _changed(header, body, command),
        "match": pairing.told(),
        **told,
        "rows": rows[: command.top],
        "new": _new(first, second, pairing, float(header["alpha"])),
    }
    found = lab.stimuli(second_command.stimuli)
    return Outcome(
        result,
        figures=[_figure(first, second, pairing, result)],
        warnings=[*reading.warnings(), *_warnings(result)],
        provenance={
            "stimuli": {"name": found.name, "digest": found.digest},
            "first": {"seq": line.seq, "digest": line.digest},
            "gate": header["gate"],  # of the first features, which may be raw units
            "second_features": {key: space.info.get(key) for key in ("ref", "name", "digest")},
        },
    )


def _second(command: FeaturesReplicate, line: LogLine, header: dict[str, Any], lab: Lab) -> FeaturesContrast:
    """The contrast of the second ranking: the first's settings with what is to differ."""
    if header["design"] != "groups":
        raise UsageError(
            f"log line {line.seq} is a factorial ranking; what is replicated is a contrast of two classes",
            choose_or_make(_of_classes(lab), _FIRST),
        )
    if not (command.stimuli or command.sae or command.site or command.seed is not None):
        raise UsageError("nothing differs from the first ranking", "Name a stimulus set, --seed, --sae or --site.")
    if command.site and not (command.sae or line.params.get("sae") == "raw"):
        raise UsageError(f"--site {command.site} is for raw units and SAEs that do not say theirs", "Add --sae.")
    first = from_params(FeaturesContrast, line.params)
    assert isinstance(first, FeaturesContrast)  # the verb that was asked for
    name = command.stimuli or first.stimuli
    counts = lab.stimuli(name).counts
    positive = command.positive or (header["positive"] if header["positive"] in counts else "")
    against = command.against or (first.against if first.against in counts else "")
    changes: dict[str, Any] = {"stimuli": name, "positive": positive, "against": against, "map": ""}
    if command.seed is not None:
        changes["seed"] = command.seed
    if command.site and not command.sae:
        changes["site"] = command.site
    return first.model_copy(update=changes)


def _of_classes(lab: Lab) -> list[LogLine]:
    """The rankings that can be replicated."""
    return [line for line in ranking_lines(lab, _FIRST) if lab.stored(line).get("design", "groups") == "groups"]


def _own_space(command: FeaturesContrast, header: dict[str, Any], lab: Lab) -> FeatureSpace:
    """The features of the first ranking, or raw units of the site that was asked for."""
    space, _ = ranking_space(command, lab)
    if space.name != header["space"] and command.sae != "raw":
        raise MismatchError(
            f"the first ranking is of {header['space']}, loaded is {space.name}",
            "Load its features with `workbench sae load`, or choose another --ranking.",
        )
    return space


def _ranked(
    command: FeaturesContrast, design: Any, reading: Reading, lab: Lab
) -> tuple[Ranking, dict[str, Any], np.ndarray]:
    """The second ranking, what it is about, and (2, features) the interval of each standardised effect."""
    from workbench.stats import contrast_map, effect_interval, null_discoveries

    settings: dict[str, Any] = {
        "items": design.items, "statistic": command.statistic, "permutations": command.permutations,
        "seed": command.seed, "fdr": command.fdr,
    }  # fmt: skip
    lab.tick(0, 2, "testing features")
    result = contrast_map(reading.pooled, design.labels, **settings)
    null = null_discoveries(reading.pooled, design.labels, **settings, shuffles=NULL_SHUFFLES, alpha=command.alpha)
    ranking = groups_ranking(reading.space.name, result)
    paired = command.statistic == "paired"
    reach = effect_interval(ranking.numbers[_size(ranking)], result.n_positive, None if paired else result.n_rest)
    return ranking, groups_body(command, design, reading, result, null), np.stack(reach)


def _size(ranking: Ranking) -> str:
    """The standardised effect that fits the test: d_z of pairs, else Cohen's d."""
    return "d_z" if "d_z" in ranking.numbers else "d"


def _paired(
    command: FeaturesContrast,
    first_space: str,
    own: FeatureSpace,
    reading: Reading,
    stimuli: tuple[Stimulus, ...],
    labels: np.ndarray,
    lab: Lab,
) -> _Pairing:
    """The same features, raw units by number, else the most alike on the second set's sentences."""
    from workbench.stats.agreement import match_features

    if own is reading.space or own.name == reading.space.name:
        same = "the same features" if own.name == first_space else "the number of the unit"
        return _Pairing(np.arange(own.width), same)
    lab.tick(1, 2, "matching features")
    ours = read_sentences(command, lab, stimuli, own)
    alike = own.directions().shape[1:] == reading.space.directions().shape[1:]
    directions = (own.directions().numpy(), reading.space.directions().numpy()) if alike else (None, None)
    # each class about its own mean: what tells the classes apart must not choose the partner that is then tested on it
    found = match_features(_within(ours.pooled, labels), _within(reading.pooled, labels), *directions)
    by = "activation correlation within each class" + (" and decoder cosine" if alike else "")
    return _Pairing(found.partner, by, found)


def _within(pooled: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Pooled activations (sentences, features) less the mean of their class."""
    found = pooled.astype(np.float64)
    for side in (labels, ~labels):
        seen = side & ~np.isnan(found).all(axis=1)
        found[seen] -= found[seen].mean(axis=0)
    return found


def _both(first: Ranking, second: Ranking, pairing: _Pairing) -> tuple[np.ndarray, np.ndarray]:
    """Features of the first ranking that are defined in both, and their partners."""
    there = np.flatnonzero((first.status == "ok") & (pairing.partner >= 0))
    there = there[second.status[pairing.partner[there]] == "ok"]
    return there, pairing.partner[there]


def _compared(
    first: Ranking, second: Ranking, pairing: _Pairing, rows: list[dict[str, Any]], alpha: float
) -> dict[str, Any]:
    """Agreement of the scores and of the discoveries."""
    from workbench.stats.agreement import overlap, rank_correlation

    there, partner = _both(first, second, pairing)
    scores = first.numbers["score"][there], second.numbers["score"][partner]
    found = first.numbers["q"][there] < alpha, second.numbers["q"][partner] < alpha
    same = np.sign(scores[0]) == np.sign(scores[1])
    shared = overlap(*found)
    discovered = int(((first.status == "ok") & (first.numbers["q"] < alpha)).sum())
    return {
        "agreement": {
            "rank_correlation": plain(rank_correlation(*scores)),
            "of_discoveries": plain(rank_correlation(scores[0][found[0]], scores[1][found[0]])),
            "same_sign": int((same & found[0]).sum()),
            "compared": shared.total,
            "first": shared.first,
            "second": shared.second,
            "both": shared.both,
            "expected": plain(shared.expected),
            "p": plain(shared.p),
        },
        "held": int((found[0] & found[1] & same).sum()),
        "reversed": int((found[0] & found[1] & ~same).sum()),
        "lost": int((found[0] & ~found[1]).sum()),
        **{name: sum(row["outcome"] == said for row in rows) for name, said in LOST.items()},
        "not_testable": discovered - int(found[0].sum()),
        "shared_partners": int(partner.size - np.unique(partner).size),
    }


def _rows(
    first: Ranking, second: Ranking, pairing: _Pairing, reach: np.ndarray, labels: Mapping[int, str], alpha: float
) -> list[dict[str, Any]]:
    """The first ranking's discoveries, best first, each beside its partner."""
    order = first.order()
    sizes = ("d", *(["d_z"] if "d_z" in first.numbers and "d_z" in second.numbers else []))
    rows = []
    for row in first.rows(order[first.numbers["q"][order] < alpha], labels=labels):
        partner = int(pairing.partner[row["index"]])
        other = None if partner < 0 else second.rows(np.array([partner]))[0]
        matches = pairing.matches
        match = None if matches is None or partner < 0 else {
            "correlation": plain(matches.correlation[row["index"]]),
            "cosine": plain(matches.cosine[row["index"]]),
            "reciprocal": bool(matches.reciprocal[row["index"]]),
        }  # fmt: skip
        rows.append(
            {
                **{name: row[name] for name in ("feature", "index", "label", "score")},
                "first": {name: row[name] for name in ("score", "effect", *sizes, "p", "q")},
                "second": None if other is None else {
                    **{name: other[name] for name in ("feature", "index", "score", "effect", *sizes, "p", "q")},
                    "interval": [plain(end) for end in reach[:, partner]], "status": other["status"],
                },
                "match": match,
                "outcome": _outcome(row[sizes[-1]], row, other, reach[:, partner], alpha),
            }
        )  # fmt: skip
    return rows


def _outcome(size: float, row: dict[str, Any], other: dict[str, Any] | None, reach: np.ndarray, alpha: float) -> str:
    """What became of a discovery; `size` is its standardised effect, `reach` the interval of the second one.

    A feature that is not found again is gone only where the second set says that its effect is another one: an
    interval that still holds the first effect comes from too few sentences, or too much noise, to tell.
    """
    if other is None or other["status"] != "ok":
        return "not testable"
    if other["q"] < alpha:
        return "held" if row["score"] * other["score"] > 0 else "reversed"
    return LOST["not_powered"] if reach[0] <= size <= reach[1] else LOST["gone"]


def _new(first: Ranking, second: Ranking, pairing: _Pairing, alpha: float) -> list[dict[str, Any]]:
    """The strongest discoveries of the second ranking alone."""
    known = set(pairing.partner[(first.status == "ok") & (first.numbers["q"] < alpha)].tolist())
    order = second.order()
    new = [index for index in order[second.numbers["q"][order] < alpha] if int(index) not in known]
    names = ("feature", "index", "score", "effect", "d", "p", "q")
    return [{name: row[name] for name in names} for row in second.rows(np.array(new[:NEW], dtype=np.int64))]


def _changed(header: dict[str, Any], body: dict[str, Any], command: FeaturesReplicate) -> list[str]:
    """What differs between the two, in words."""
    names = ("stimuli", "positive", "against", "space", "seed")
    found = [f"{name}: {header[name]} -> {body[name]}" for name in names if header[name] != body[name]]
    return found or [f"nothing but what was asked for again ({', '.join(sorted(command.model_fields_set))})"]


def _warnings(result: dict[str, Any]) -> list[str]:
    found = []
    first, second = result["first"], result["second"]
    if all(first[name] == second[name] for name in ("stimuli", "positive", "against", "space")):
        found.append("the same sentences and features as before: what holds here had to hold, it replicates nothing")
    if result["agreement"]["first"] == 0:
        found.append("the first ranking has no discovery among the features compared: there is nothing to hold")
    if result["second"]["discoveries"] and result["second"]["null_discoveries_max"] >= result["second"]["discoveries"]:
        found.append("some label shuffle of the second set discovers as many features as its real labels")
    if result["not_powered"]:
        found.append(
            f"{result['not_powered']} of {result['lost']} discoveries that were lost are not powered: the interval of "
            "their second effect still holds the first one, so that more sentences could find them"
        )
    if result["shared_partners"]:
        found.append(
            f"{result['shared_partners']} of {result['agreement']['compared']} features share their match with "
            "another: the spaces do not correspond one to one, and the overlap counts such matches more than once"
        )
    if result["not_testable"]:
        found.append(f"{result['not_testable']} discoveries cannot be tested again: constant there, or without match")
    return found


def _figure(first: Ranking, second: Ranking, pairing: _Pairing, result: dict[str, Any]) -> Figure:
    alpha = float(result["first"]["alpha"])
    there, partner = _both(first, second, pairing)
    order = np.argsort(-np.abs(first.numbers["score"][there]), kind="stable")[:2000]
    there, partner = there[order], partner[order]
    scores = first.numbers["score"][there], second.numbers["score"][partner]
    found = first.numbers["q"][there] < alpha, second.numbers["q"][partner] < alpha
    names = np.array(["neither", "second only", "first only", "both"])[2 * found[0] + found[1]]
    most = max((abs(float(value)) for part in scores for value in part if np.isfinite(value)), default=1.0)
    x, y = (np.clip(part, -most, most) for part in scores)
    return Figure(
        kind="scatter",
        title=f"{result['first']['stimuli']} against {result['second']['stimuli']}",
        x_label="score, first",
        y_label="score, second",
        note="; ".join(result["changed"]),
        data={
            "x": [round(float(value), 4) for value in x],
            "y": [round(float(value), 4) for value in y],
            "names": [f"#{feature_id(first.space, int(index)).rpartition('#')[2]}" for index in there],
            "groups": [str(name) for name in names],
        },
    )
