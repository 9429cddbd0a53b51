"""Runs the sanity gate for `sae.load` and `sae.check`, on the text that is at hand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from commands.sae import SaeCheck
from workbench.corpus.source import DEMO
from workbench.errors import UsageError
from workbench.figures import Figure
from workbench.lab import Lab
from workbench.saes import verdict
from workbench.stimuli.sets import find_set
from workbench.verbs import Outcome

if TYPE_CHECKING:
    from workbench.saes.gate import GateReport
    from workbench.saes.space import FeatureSpace

HELD_OUT = 1_000_003
"""Seed of demo documents that neither the demo model nor its SAE was trained on."""
NO_TEXT = "there is no text at hand; give some: `workbench sae check --corpus FILE`"


def check(command: SaeCheck, lab: Lab) -> Outcome:
    """Check the loaded SAE again, on more tokens or on a corpus of the investigator's."""
    space = lab.space
    if space.info["units"] != "latents":
        raise UsageError(f"{space.name} are raw units, which need no check", "Load an SAE first.")
    texts = _texts(lab, command.corpus)
    if texts is None:
        raise UsageError("the gate has no text to read", "Add --corpus FILE (.txt or .jsonl), or import stimuli.")
    name, read, digest = texts
    found = judge(lab, space, name, read, command.tokens)
    if command.corpus:  # by its digest a replay finds it where it has no such name
        found["provenance"]["corpus"] = {"ref": command.corpus, "digest": digest}
    return Outcome(**found)


def gate(lab: Lab, space: FeatureSpace, tokens: int) -> dict[str, Any]:
    """The gate as part of loading an SAE: fields of an Outcome, `result` without the SAE's own."""
    if space.info["units"] != "latents":
        return {"result": {"gate": None}, "sets": {}, "figures": [], "warnings": [], "provenance": {}}
    texts = _texts(lab, "") if tokens else None
    if texts is None:
        found = verdict.unchecked(NO_TEXT if tokens else "--tokens 0 left it out")
        return {**_kept(space, found), "result": {"gate": found}, "figures": []}
    return judge(lab, space, *texts[:2], tokens)


def _kept(space: FeatureSpace, found: verdict.Verdict) -> dict[str, Any]:
    """What an Outcome says of a verdict beside its result."""
    from workbench.saes.space import trained_here

    return {
        "sets": {f"{verdict.PREFIX}/{space.name}": found},
        "warnings": verdict.warnings(found, trained_here=trained_here(space.info)),
        "provenance": {"gate": verdict.short(found)},
    }


def judge(lab: Lab, space: FeatureSpace, corpus: str, texts: Iterable[str], tokens: int) -> dict[str, Any]:
    """The gate on these texts: fields of an Outcome, for every command that makes or loads an SAE."""
    from workbench.saes.gate import check as run_gate

    report = run_gate(lab.model, space, texts, tokens=tokens, tick=lab.tick)
    found = verdict.verdict(report, corpus)
    return {
        **_kept(space, found),
        "result": {"gate": {**found, "numbers": report.numbers, "skipped": report.skipped}},
        "figures": [_histogram(report)],
    }


def _histogram(report: GateReport) -> Figure:
    rows = report.numbers["density"][1:]
    return Figure(
        kind="histogram",
        title="Density of the latents",
        x_label="share of tokens on which a latent is active",
        y_label="share of latents",
        note=f"{100 * report.numbers['dead']:.1f} % never fired",
        data={"edges": [row["from"] for row in rows] + [1.0], "counts": [row["share"] for row in rows]},
    )


def _texts(lab: Lab, corpus: str) -> tuple[str, Iterable[str], str] | None:
    """The name of the text to read, the text, and a corpus' digest: the one asked for, the demo's, or the stimuli."""
    if not corpus and (lab.entry("model") or {}).get("ref") == "demo":
        corpus = DEMO
    if corpus:
        found = lab.corpus(corpus, HELD_OUT)
        return found.name, found.documents(), found.digest
    names = sorted(lab.state.under("stimuli"))
    sentences = [text for name in names for _, text in find_set(name, lab).rows]
    return (f"stimuli {', '.join(names)}", sentences, "") if sentences else None
