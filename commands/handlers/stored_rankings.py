"""Finding a stored ranking, and what it is about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.errors import UnknownNameError, UsageError
from workbench.lab import Lab
from workbench.rankings import RANKING_VERBS, ranks_features
from workbench.saes import verdict
from workbench.session.log import LogLine

_HEADER = (
    "stimuli", "positive", "against", "statistic", "pool", "permutations", "alpha", "seed", "space",
    "tested", "undefined", "discoveries", "null_discoveries", "null_discoveries_max",
)  # fmt: skip
_TESTS = ("welch", "paired", "mann_whitney", "rate", "factorial")
"""Statistics whose score is called t."""
_SINCE = {"design": "groups", "window": "whole", "width": 0, "fdr": "bh", "pairs": None, "masked": None,
          "kind": "contrast", "over": "features", "nuisance": [], "note": "", "p_reason": None}  # fmt: skip
"""Fields that rankings of an older version lack, with what was so then."""


def ranking_lines(lab: Lab, verbs: Sequence[str] = RANKING_VERBS) -> list[LogLine]:
    """Log lines that ranked features, oldest first, or those of some verbs."""
    lines = [line for verb in verbs for line in lab.record.done(verb) if ranks_features(line.do, line.params)]
    return sorted(lines, key=lambda line: line.seq)


def ranking_line(lab: Lab, seq: int | None, stimuli: str = "", verbs: Sequence[str] = RANKING_VERBS) -> LogLine:
    """The log line of a ranking: the named one, else the latest (of a stimulus set or verbs, where they are named)."""
    lines = ranking_lines(lab, verbs)
    if seq is not None:
        lines = [line for line in lines if line.seq == seq]
        if not lines:
            kind = "ranking" if tuple(verbs) == RANKING_VERBS else f"ranking by {' or '.join(verbs)}"
            raise UnknownNameError(f"log line {seq} is no {kind}", "See `workbench session show`.")
    if stimuli:
        lines = [line for line in lines if line.params.get("stimuli") == stimuli]
    if not lines:
        raise UsageError("no ranking in this session", "Make one: `workbench features contrast achievement`.")
    return max(lines, key=lambda line: line.seq)


def ranking_header(lab: Lab, line: LogLine) -> dict[str, Any]:
    """What a ranking is about and what it found."""
    stored = lab.stored(line)
    stale = line.seq in lab.state.stale
    gate = verdict.short(verdict.of_space(lab.state, str(stored["space"])))
    later = {name: stored.get(name, before) for name, before in _SINCE.items()}
    score = "t" if later["kind"] == "contrast" and stored["statistic"] in _TESTS else "score"
    asked = {name: stored[name] for name in _HEADER}
    return {"seq": line.seq, **asked, **later, "score_name": score, "stale": stale, "gate": gate}
