"""What the summary says of shapes: clusters of two dimensions, circles, and how directions lie to each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.reports.document import Block, Paragraph, Strong, at_line
from workbench.reports.sections.cluster_ranking import ring_rows, what
from workbench.reports.source import ReportSource
from workbench.reports.text import chance, count, number, several, share, signed
from workbench.session.log import LogLine


def _said(asked: str, answer: str, more: str, line: LogLine) -> list[Block]:
    return [Paragraph((asked, Strong(answer), f"{more} (", at_line(line.seq), ")."))]


def _ranked(source: ReportSource, line: LogLine) -> list[Block]:
    result = source.result(line)
    asked = f"Which of {several(result['ranked'], 'cluster')} are of two dimensions? "
    best = next((row for row in result["rows"] if row["rank"] == 1), None)
    rings = ring_rows(result)
    told = []
    if best is not None:
        told.append(f"first by (1 − M) S is cluster {_named(source, best)}, {number(best['score'])} bits{_null(best)}")
    if rings:
        ring = rings[0]["ring"]
        told.append(
            f"first by the ring test is cluster {_named(source, rings[0])}, kurtosis {number(ring['kurtosis'])} (a "
            f"ring has 4; p against a disc {chance(ring['p'])}, against a Gaussian {chance(ring['gaussian_p'])})"
        )
    if result.get("by") == "ring":
        told.reverse()
    if not told:
        return _said(asked, "None has a score.", "", line)
    first, *others = (part[0].upper() + part[1:] for part in told)
    return _said(asked, f"{first}.", "".join(f" {part}" for part in others), line)


def _named(source: ReportSource, row: dict[str, Any]) -> str:
    about = what(source, row)
    return f"{row['cluster']} “{about}”" if about else str(row["cluster"])


def _null(row: dict[str, Any]) -> str:
    null = row["null"]
    if not null:
        return ""
    return f" (its best plane: S {number(null['separability'])}, nulls {number(null['separability_null'])})"


def _probe(source: ReportSource, line: LogLine) -> list[Block]:
    result = source.result(line)
    at = "name's" if result["at"] == "name" else "last"
    asked = f"Where is the {result['of']} of {line.params.get('task')} read as a circle, at the {at} token? "
    best = next((row for row in result["sites"] if row["site"] == result["best"]), None)
    if best is None:
        return _said(asked, "Nowhere: no site has a circle.", "", line)
    answer = f"Best at {best['site']}, held-out R² {number(best['held_out_r2'])}"
    return _said(asked, answer, f"; with whole names held out {number(best['held_out_names_r2'])}", line)


def _patch(source: ReportSource, line: LogLine) -> list[Block]:
    result = source.result(line)
    asked = f"Does the answer of {line.params.get('task')} follow a patch of the circle alone? "
    best = next((row for row in result["sites"] if row["site"] == result["best"]), None)
    if best is None:
        return _said(asked, "No patch of the circle goes beyond a random plane.", "", line)
    followed = {row["intervention"]: row["followed"] for row in best["interventions"]}
    answer = f"At {best['site']} {share(followed['patch circle'])} of the answers follow"
    more = (
        f", in {several(result['pairs'], 'pair')}; a random plane {share(followed['random plane'])}, the whole vector "
        f"{share(followed['patch layer'])}; the circle has {number(best['share'])} of the whole vector's effect, a "
        f"random plane {number(best['random_share'])}"
    )
    return _said(asked, answer, more, line)


def _sweep(source: ReportSource, line: LogLine) -> list[Block]:
    result = source.result(line)
    asked = f"Is a point of the plane read by its angle, in the place of {result['name']} at {result['site']}? "
    place, best = max(enumerate(result["agreement"]), key=lambda item: item[1])
    answer = f"At radius {number(result['radii'][place])} {share(best)} of the angles are read as the nearest name"
    return _said(asked, answer, f", by chance {share(result['chance'])}", line)


def _heads(source: ReportSource, line: LogLine) -> list[Block]:
    result = source.result(line)
    if not result["top"]:
        return []
    best = result["top"][0]
    asked = f"Which head carries the answer of {line.params.get('task')}? "
    answer = f"Head {best['head']} of block {best['layer']} goes {signed(best['score'])} of the way to the other answer"
    return _said(asked, answer, f", over {several(result['pairs'], 'pair')}", line)


def _explain(source: ReportSource, line: LogLine) -> list[Block]:
    result = source.result(line)
    if not result["rungs"]:
        return []
    last = result["rungs"][-1]
    asked = f"What explains the activations of {line.params.get('task')} at {result['site']}? "
    answer = f"{several(len(result['rungs']), 'group')} of regressors, held-out R² {number(last['held_out_r2'])}"
    return _said(asked, answer, f"; the first, {result['rungs'][0]['group']}, alone "
                 f"{number(result['rungs'][0]['held_out_r2'])}", line)  # fmt: skip


def _energy(source: ReportSource, line: LogLine) -> list[Block]:
    result = source.result(line)
    known = [row for row in result["places"] if row["status"] == "ok"]
    asked = f"How do the {count(result['n'])} directions ({result['of']}) of {_subject(line)} lie to each other? "
    if not known:
        return _said(asked, "No place has directions that differ.", "", line)
    last = known[-1]
    nulls = [
        f"{said} {number(null['energy_mean'])} ± {number(null['energy_sd'])}"
        for said, null in (("with shuffled labels", last["label_shuffle"]),
                           ("with shuffled coordinates", last["coordinate_shuffle"]))
        if null
    ]  # fmt: skip
    nulls.append(f"of a simplex {number(result['references']['simplex'])}")
    answer = f"Energy {number(last['energy'])} at {last['place']}"
    return _said(asked, answer, f"; {', '.join(nulls)}", line)


def _subject(line: LogLine) -> str:
    features = line.params.get("features") or ()
    return f"“{line.params['stimuli']}”" if line.params.get("stimuli") else several(len(features), "feature")


def _optimum(source: ReportSource, line: LogLine) -> list[Block]:
    known = [row for row in source.result(line)["optima"] if row["status"] == "ok"]
    if not known:
        return []
    asked = f"What is the least energy of {count(source.result(line)['n'])} unit vectors? "
    told = f"{number(known[0]['energy'])} in {count(known[0]['dims'])} dimensions"
    last = known[-1]
    more = f", {number(last['energy'])} in {count(last['dims'])}" if len(known) > 1 else ""
    return _said(asked, told, more, line)


def _match(source: ReportSource, line: LogLine) -> list[Block]:
    result = source.result(line)
    asked = f"How far is {result['second']} from the Gram {result['first']}? "
    answer = f"Distance {number(result['cost'])} under the best relabelling"
    return _said(asked, answer, f", {number(result['start_cost'])} as labelled", line)


SHAPES: dict[str, Callable[[ReportSource, LogLine], list[Block]]] = {
    "clusters.rank": _ranked,
    "circle.probe": _probe,
    "circle.patch": _patch,
    "circle.sweep": _sweep,
    "circle.heads": _heads,
    "circle.explain": _explain,
    "geometry.energy": _energy,
    "geometry.optimum": _optimum,
    "geometry.match": _match,
}
"""Who says what each kind of result found, in the order of the summary."""
