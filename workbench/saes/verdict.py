"""The gate's verdict as a session keeps it, and as one line beside every result: neither numpy nor torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.saes.gate import GateReport
    from workbench.session.state import State

Verdict = dict[str, Any]
PREFIX = "gate"
"""Verdicts are state entries `gate/SPACE`, so that a result keeps the verdict on its own features."""


TRAIN_LONGER = {
    "decoder_norm": "It was trained here, so no norms were lost on its way: its latents are not learned to the end. "
    "Train it longer, with more --tokens or --epochs of `workbench sae train`."
}
"""What to do about an alarm of an SAE that was trained here, where the gate's own hint is for one that came."""


def verdict(report: GateReport, corpus: str) -> Verdict:
    """What the session keeps of a report on a corpus of that name."""
    numbers = report.numbers
    ce = numbers.get("ce") or {}
    return {
        "checked": bool(numbers),
        "passed": report.passed and bool(numbers),
        "alarms": report.alarms,
        "reason": "" if numbers else "; ".join(item["reason"] for item in report.skipped),
        "corpus": corpus,
        "tokens": numbers.get("tokens", 0),
        "fvu": numbers.get("fvu"),
        "l0": numbers.get("l0"),
        "ce": ce.get("recovered"),
    }


def unchecked(reason: str) -> Verdict:
    """The verdict on an SAE that was not looked at."""
    numbers = {"tokens": 0, "fvu": None, "l0": None, "ce": None}
    return {"checked": False, "passed": False, "alarms": [], "reason": reason, "corpus": "", **numbers}


def of_space(state: State, space: str | None) -> Verdict | None:
    """The verdict on a feature space, None for raw units; a space that was never checked says so."""
    if not space or space.endswith("/raw"):
        return None
    found: Verdict | None = state.get(f"{PREFIX}/{space}")
    return found if found is not None else unchecked("it was loaded before there was a gate")


def of_features(state: State) -> Verdict | None:
    """The verdict on the features that are loaded now."""
    return of_space(state, (state.get("sae") or {}).get("name"))


def short(found: Verdict | None) -> Verdict | None:
    """What a result carries of it: `passed`, and the line for people."""
    return None if found is None else {"passed": found["passed"], "text": line(found)}


def line(found: Verdict) -> str:
    """One line: quiet where the SAE passed, and what is wrong with it where it did not."""
    if not found["checked"]:
        return f"SAE not checked: {found['reason']}"
    if not found["passed"]:
        return "SAE gate failed: " + "; ".join(f"{named(alarm)}: {alarm['message']}" for alarm in found["alarms"])
    ce = "" if found["ce"] is None else f", CE recovered {found['ce']:.3f}"
    return f"SAE gate passed: FVU {found['fvu']:.3g}, L0 {found['l0']:.1f}{ce}"


def named(alarm: dict[str, str]) -> str:
    """An alarm's name in words."""
    return alarm["name"].replace("_", " ")


def warnings(found: Verdict, *, trained_here: bool = False) -> list[str]:
    """Warnings of the command that checked, one for each alarm, with what to do.

    No weights of an SAE that was trained on this machine were lost on their way here: its mend is more training.
    """
    if not found["checked"]:
        return [line(found)]
    hints = TRAIN_LONGER if trained_here else {}
    return [
        f"SAE gate: {named(alarm)}: {alarm['message']}. {hints.get(alarm['name'], alarm['hint'])}"
        for alarm in found["alarms"]
    ]
