"""Finding a stored ranking, and what it is about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from commands.handlers.revisions import older
from workbench.errors import UnknownNameError, UsageError
from workbench.features.rankings import RANKING_VERBS, Ranking, ranks_features
from workbench.kept import Kept
from workbench.lab import Lab
from workbench.saes import verdict
from workbench.session.log import LogLine

_HEADER = (
    "stimuli", "positive", "against", "statistic", "pool", "permutations", "alpha", "seed", "space",
    "tested", "undefined", "discoveries", "null_discoveries", "null_discoveries_max",
)  # fmt: skip
MOST_TOLD = 8
"""Rankings that an error lists, the latest ones."""
_SCORES = {"welch": "t", "paired": "t", "mann_whitney": "z", "rate": "t", "factorial": "t"}
"""Tests, and the field's name of what they rank by; other statistics have a score."""
_SINCE = {"design": "groups", "window": "whole", "width": 0, "fdr": "bh", "pairs": None, "masked": None,
          "kind": "contrast", "over": "features", "nuisance": [], "constant_nuisance": [], "note": "",
          "p_reason": None, "exhaustive": False, "relabellings": None, "min_p": None}  # fmt: skip
"""Fields that rankings of an older version lack, with what was so then."""
_RANKINGS = Kept[Ranking](4)
_RESULTS = Kept[dict[str, Any]](8)
EFFECT_KEYS = ("a", "b", "interaction")
"""What the arrays of a factorial ranking call its effects, in the order they are stored in."""


def ranking_lines(lab: Lab, verbs: Sequence[str] = RANKING_VERBS) -> list[LogLine]:
    """Log lines that ranked features, oldest first, or those of some verbs."""
    lines = [line for verb in verbs for line in lab.record.done(verb) if ranks_features(line.do, line.params)]
    return sorted(lines, key=lambda line: line.seq)


def ranking_line(lab: Lab, seq: int | None, stimuli: str = "", verbs: Sequence[str] = RANKING_VERBS) -> LogLine:
    """The log line of a ranking: the named one, else the latest (of a stimulus set or verbs, where they are named)."""
    lines = ranking_lines(lab, verbs)
    kind = "ranking" if tuple(verbs) == RANKING_VERBS else f"ranking by {' or '.join(verbs)}"
    if seq is not None:
        named = [line for line in lines if line.seq == seq]
        if not named:
            raise UnknownNameError(f"log line {seq} is no {kind}", choose_or_make(lines, verbs))
        lines = named
    known = lines
    if stimuli:
        lines = [line for line in lines if line.params.get("stimuli") == stimuli]
    if not lines:
        of = f" of {stimuli!r}" if stimuli else ""
        others = "" if known else _told(ranking_lines(lab))
        there = f" (there are rankings of another kind: {others})" if others else ""
        raise UsageError(f"no {kind}{of} in this session{there}", choose_or_make(known, verbs))
    return max(lines, key=lambda line: line.seq)


def choose_or_make(lines: Sequence[LogLine], verbs: Sequence[str] = RANKING_VERBS) -> str:
    """The hint that lists the rankings that would do, or says how one is made."""
    if lines:
        return f"Choose --ranking among these: {_told(lines)}."
    return f"Make one: `workbench {verbs[0].replace('.', ' ')} achievement`, or another set of `stimuli list`."


def _told(lines: Sequence[LogLine]) -> str:
    """Log lines with what they ranked, the latest ones."""
    told = [f"{line.seq} ({line.do} {line.params.get('stimuli') or 'of tokens'})" for line in lines[-MOST_TOLD:]]
    return ", ".join([*(["..."] if len(lines) > MOST_TOLD else []), *told])


def ranking_header(lab: Lab, line: LogLine, effect: str = "") -> dict[str, Any]:
    """What a ranking is about and what it found; of a factorial one by the effect that is asked for.

    Raises:
        UsageError: an effect is asked for, and the ranking is of two groups.
        UnknownNameError: the design has no such effect.
    """
    stored = _told_of(lab, line)
    stale = line.seq in lab.state.stale
    gate = verdict.short(verdict.of_space(lab.state, str(stored["space"])))
    later = {name: stored.get(name, before) for name, before in _SINCE.items()}
    score = _SCORES.get(stored["statistic"], "score") if later["kind"] == "contrast" else "score"
    asked = {name: stored[name] for name in _HEADER}
    by = _by_effect(stored, line, effect)
    changed = {"older": told} if (told := older(line)) else {}
    return {"seq": line.seq, **asked, **later, **by, "score_name": score, "stale": stale, "gate": gate, **changed}


def ranking_of(lab: Lab, line: LogLine, header: dict[str, Any]) -> Ranking:
    """The numbers of all features, by the effect that the header is about."""
    lab.uses.add(line.seq)
    own = header["effect"] == _told_of(lab, line).get("effect", "")
    name, start = ("ranking", "") if own else ("factorial", f"{effect_key(header)}_")

    def read() -> Ranking:
        arrays = lab.arrays(line, name).items()
        found = {key.removeprefix(start): array for key, array in arrays if key.startswith(start)}
        return Ranking.from_arrays(header["space"], found)

    path = lab.record.artifact_path(line) / f"{name}.safetensors"
    return _RANKINGS.get(path, read, header["space"], start)


def _told_of(lab: Lab, line: LogLine) -> dict[str, Any]:
    """The stored result of a ranking without its rows; only to be read."""
    lab.uses.add(line.seq)

    def read() -> dict[str, Any]:
        return {name: value for name, value in lab.stored(line).items() if name != "rows"}

    return _RESULTS.get(lab.record.artifact_path(line) / "result.json", read)


def effect_key(header: dict[str, Any]) -> str:
    """What the stored arrays call the effect of a factorial ranking."""
    return EFFECT_KEYS[header["effects"].index(header["effect"])]


def _by_effect(stored: dict[str, Any], line: LogLine, wanted: str) -> dict[str, Any]:
    """The fields of the header that differ from one effect of a factorial design to the next."""
    told = {entry["name"]: entry for entry in stored.get("effects") or []}
    names = list(told)
    if not told:
        if wanted:
            raise UsageError(
                f"log line {line.seq} is no factorial ranking (effect {wanted})", "Leave the effect out for it."
            )
        return {"effect": "", "effects": []}
    name = names[-1] if wanted == "interaction" else wanted or stored["effect"]
    if name not in told:
        raise UnknownNameError.among("effect", name, [*names[:-1], "interaction"])
    found = {"effect": name, "effects": names}
    if name == stored["effect"]:
        return found
    entry = told[name]
    numbers = {key: entry[key] for key in ("tested", "discoveries", "null_discoveries", "null_discoveries_max")}
    undefined = stored["tested"] + stored["undefined"] - entry["tested"]
    return {**found, **compared(name, stored["factors"]), **numbers, "undefined": undefined}


def compared(effect: str, factors: dict[str, list[str]]) -> dict[str, str]:
    """What an effect of two crossed factors, each `[low, high]`, sets against what."""
    if effect in factors:
        low, high = factors[effect]
        return {"positive": f"{effect} {high}", "against": f"{effect} {low}"}
    (one, (first_low, first)), (two, (second_low, second)) = factors.items()
    return {
        "positive": f"effect of {one} where {two} is {second}",
        "against": f"effect of {one} where {two} is {second_low} (each {first} minus {first_low})",
    }
