"""Which features a report shows in full: the strongest of the latest ranking, and those that were worked on."""

from __future__ import annotations

import numpy as np

from workbench.rankings import Ranking
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
    if line is None:
        return []
    ranking, higher, lower = by_sign(source, line)
    alpha = float(line.params.get("alpha", 0.05))
    found = []
    for features in (higher, lower):
        wanted = min(OF_EACH_SIGN, max(discovered(ranking, features, alpha), WITHOUT_DISCOVERY))
        found += [(ranking.space, int(index)) for index in features[:wanted]]
    return found


def _steered(source: ReportSource) -> list[tuple[str, int]]:
    ids = [str(source.result(line)["feature"]) for line in source.lines("steer.clamp")]
    return [(name.rpartition("#")[0], int(name.rpartition("#")[2])) for name in ids]


def _named(source: ReportSource) -> list[tuple[str, int]]:
    """Features that the investigator labelled by hand."""
    own = [
        name
        for name, entry in source.record.state.under("labels").items()
        if entry.value.get("source") == "investigator"
    ]
    return [(name.rpartition("#")[0], int(name.rpartition("#")[2])) for name in own]
