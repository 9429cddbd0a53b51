"""Which features a report shows in full: the strongest of the latest ranking, and those that were worked on."""

from __future__ import annotations

from functools import partial

import numpy as np

from workbench.features.rankings import Ranking
from workbench.reports.source import ReportSource
from workbench.session.log import LogLine

OF_EACH_SIGN = 4
WITHOUT_DISCOVERY = 1
AT_MOST = 12


def by_sign(source: ReportSource, line: LogLine) -> tuple[Ranking, np.ndarray, np.ndarray]:
    """A ranking with its features higher in the positive class, and those lower, each best first."""
    ranking = source.ranking_of(line)
    return ranking, ranking.order(direction="positive"), ranking.order(direction="negative")


def discovered(ranking: Ranking, features: np.ndarray, alpha: float) -> int:
    """How many of the features have q below alpha."""
    return int((ranking.numbers["q"][features] < alpha).sum())


def chosen_features(source: ReportSource) -> list[int]:
    """Numbers of the features to show in full, in the order of the report; all are of `source.space`."""
    space = source.space
    found = [*_strongest(source), *_steered(source), *_named(source)]
    return list(dict.fromkeys(index for owner, index in found if owner == space))[:AT_MOST]


def _strongest(source: ReportSource) -> list[tuple[str, int]]:
    line = source.ranking
    return [] if line is None else source.read(line, partial(_top, source)) or []


def _top(source: ReportSource, line: LogLine) -> list[tuple[str, int]]:
    ranking, higher, lower = by_sign(source, line)
    alpha = float(line.params.get("alpha", 0.05))
    found = []
    for features in (higher, lower):
        wanted = min(OF_EACH_SIGN, max(discovered(ranking, features, alpha), WITHOUT_DISCOVERY))
        found += [(ranking.space, int(index)) for index in features[:wanted]]
    return found


def _steered(source: ReportSource) -> list[tuple[str, int]]:
    ids = [source.read(line, lambda line: str(source.result(line)["feature"])) for line in source.lines("steer.clamp")]
    parts = [name.rpartition("#") for name in ids if name]
    return [(space, int(number)) for space, _, number in parts if number.isdecimal()]


def _named(source: ReportSource) -> list[tuple[str, int]]:
    """Features that the investigator labelled by hand or wrote a note on."""
    labelled = [(space, index) for space, index, entry in source.labelled if entry.value["source"] == "investigator"]
    noted = [feature.rpartition("#") for feature in source.notes]
    return labelled + [(space, int(number)) for space, _, number in noted if number.isdecimal()]
