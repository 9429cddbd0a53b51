"""Carries out `labels.score` and `labels.cost`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from commands.handlers.labels.asking import OUTPUT_A_CALL, Service, answered, estimate, told_rows
from commands.handlers.labels.failing import cleared_entry, failed_entry, numbers_without_answer
from commands.handlers.labels.targets import Target, count, each_text, target
from commands.labels import LabelsCost, LabelsScore
from workbench.errors import UsageError
from workbench.lab import Lab
from workbench.labels import offline
from workbench.labels.asked_scorer import AT_ONCE, AskedScorer
from workbench.labels.budget import price_of
from workbench.labels.drawing import QUANTILES, Drawing
from workbench.labels.named import label_entries, number_of
from workbench.labels.offline_scorer import OfflineScorer
from workbench.labels.scoring import Job, Prepared, WordScorer, prepare
from workbench.labels.scoring import score as scored
from workbench.labels.trials import PROTOCOLS
from workbench.labels.words import forms_of
from workbench.verbs import Outcome

EACH = {"offline": 20, "anthropic": 5}
"""Active windows of each fifth of the activation: they cost an offline scorer nothing."""
LABEL_TOKENS = {"features": 2600, "clusters": 2600, "quanta": 1200}
"""Input tokens of a label's prompt; a quantum has shorter windows and no tokens that it makes likelier."""
CALL_TOKENS, WINDOW_TOKENS = 330, 55
"""Input tokens of the constant part of a scoring call, and of a window in it, at most."""
SHOWN = 120
"""Scores of a result: a reply has 256 KiB. The artifact has them all."""
GROUPS = {"clusters": "cluster", "quanta": "quantum"}
_TRIES = 50


def score(command: LabelsScore, lab: Lab) -> Outcome:
    """Score the labels of what was named, or all, and the investigator's concept where one is given."""
    if command.of == "quanta" and "fuzzing" in command.protocol:
        raise UsageError(
            "fuzzing moves the mark, and a prediction is marked by what it is of", "Take --protocol rubric."
        )
    wanted = target(command.of, command.seed, lab)
    labels = _labels(command, lab, wanted)
    jobs = _jobs(command, labels, _other_labels(labels, wanted.draw))
    each = command.each or EACH[command.scorer]
    prepared: list[Prepared] = []
    for done, job in enumerate(jobs):
        lab.tick(done, len(jobs), "drawing windows")
        prepared.append(prepare(job, wanted.draw, each))
    if command.scorer == "offline":
        if command.dry_run:
            return Outcome({"dry_run": True, "scores": len(jobs), "calls": 0, "usd": 0.0})
        rows, outcome = _by_words(prepared, wanted.draw, lab), Outcome({})
    else:
        rows, outcome = _by_asking(command, prepared, lab)
    if command.dry_run:
        return outcome
    for row in rows:
        row["feature"] = wanted.name(row["index"])
        if row["target"] == "label":
            outcome.sets |= _sets(lab, row)
    told = told_rows(lab, "scores", rows, SHOWN)
    outcome.result = {"scorer": command.scorer, "of": command.of, "each": each, **told, **outcome.result}
    return outcome


def _sets(lab: Lab, row: dict[str, Any]) -> dict[str, Any]:
    """The score of a label; what could not be scored is remembered, so that it can be asked again."""
    failed = f"label_errors/score/{row['feature']}/{row['protocol']}/{row['negatives']}"
    if row["status"] == "error":
        asked = {"protocol": row["protocol"], "negatives": row["negatives"]}
        return {failed: failed_entry(row["error"], row["scorer"], **asked)}
    cleared = cleared_entry(lab, failed, row["scorer"])
    if row["status"] != "scored":
        return cleared
    key = f"{row['feature']}/{row['scorer']}/{row['protocol']}/{row['negatives']}"
    return {**cleared, f"label_scores/{key}": _short(row)}


def _short(row: dict[str, Any]) -> dict[str, Any]:
    """What a list of labels shows of a score."""
    kept = ("text", "scorer", "protocol", "negatives", "accuracy", "margin")
    return {name: row[name] for name in kept} | {"other": row["other"]["accuracy"], "random": row["random"]["accuracy"]}


def _labels(command: LabelsScore, lab: Lab, wanted: Target) -> dict[int, str]:
    """The labels to score by number.

    Raises:
        UsageError: there is none.
    """
    own: dict[int, str] = {}
    made: dict[int, int] = {}
    for name, entry in label_entries(lab.state).items():
        if name.startswith(f"{wanted.space}#"):
            own[number_of(name)] = str(entry.value["text"])
            made[number_of(name)] = entry.seq
    numbers = [wanted.number_of(text) for text in each_text(command.features)] or sorted(own)
    if command.failed:
        protocols = command.protocol or PROTOCOLS[:1]
        asked = {"model": command.model, "negatives": command.negatives, "protocol": protocols}
        numbers = numbers_without_answer(lab, wanted.space, "score", **asked)
    found = {number: own.get(number, "") for number in numbers}
    lacking = [number for number, text in found.items() if not text]
    if not found or (lacking and not command.concept.strip()):
        which = f"{_named(command, lacking[0])} has no label" if lacking else "there are no labels"
        raise UsageError(
            f"{which} to score",
            f"Suggest some: `workbench labels suggest{_of(command)}`, or give --concept TEXT.",
        )
    lab.uses |= {made[number] for number in found if number in made}
    return found


def _named(command: LabelsScore, number: int) -> str:
    return f"{GROUPS[command.of]} {number}" if command.of in GROUPS else f"#{number}"


def _of(command: LabelsScore) -> str:
    return "" if command.of == "features" else f" --of {command.of}"


def _other_labels(labels: dict[int, str], draw: Drawing) -> dict[int, tuple[int, str]]:
    """For each a label of another one, drawn by the seed: what a label gets that is about something else.

    The offline labeller names the other, so that the baseline does not depend on what else has a label. Its number is
    -1 where no other has one.
    """
    alive = draw.alive()
    found: dict[int, tuple[int, str]] = {}
    for number, text in labels.items():
        drawn = np.random.default_rng([draw.seed, number]).permutation(alive)[:_TRIES]
        for other in drawn.tolist():
            label = None if other == number else offline.suggest(draw.explain(other, offline.TOP, offline.EACH))
            if label is not None and label.text != text:
                found[number] = (other, label.text)
                break
        else:
            found[number] = (-1, _words_at_random(draw, number))
    return found


def _words_at_random(draw: Drawing, number: int) -> str:
    """As many words as a label has, from one window of the corpus: where no other feature has a label."""
    windows = draw.contrast()
    words = dict.fromkeys(forms_of(windows[number % len(windows)].text)) if windows else {}
    return " · ".join(list(words)[: offline.WORDS]) or "-"


def _jobs(command: LabelsScore, labels: dict[int, str], others: dict[int, tuple[int, str]]) -> list[Job]:
    concept = command.concept.strip()
    return [
        Job(number, text, target, protocol, command.negatives, others[number])
        for number, label in labels.items()
        for target, text in (("label", label), ("concept", concept))
        if text
        for protocol in dict.fromkeys(command.protocol or PROTOCOLS[:1])
    ]


def _by_words(prepared: Sequence[Prepared], draw: Drawing, lab: Lab) -> list[dict[str, Any]]:
    lab.tick(0, 1, "scoring")
    return scored(prepared, WordScorer(OfflineScorer(draw.reference())))


def _by_asking(command: LabelsScore, prepared: Sequence[Prepared], lab: Lab) -> tuple[list[dict[str, Any]], Outcome]:
    service = Service(command, lab)
    scorer = AskedScorer(
        command.model, service.ask, service.replies,
        where=service.where, seed=command.seed, retry=command.retry or command.failed, kind=command.of,
    )  # fmt: skip
    if command.dry_run:
        asks = [ask for one in prepared if one.trial.active and one.trial.silent for ask in one.asks()]
        cost = estimate(scorer.requests(asks), service.price, batch=command.batch)
        return [], Outcome({"dry_run": True, "scores": len(prepared), **cost})
    rows = scored(prepared, scorer)
    without = sum(row["status"] == "error" for row in rows)
    last = f"; the last: {scorer.failures[-1]}" if scorer.failures else ""
    warnings = [f"{without} of {len(rows)} scores have no answer{last}"] if without else []
    return rows, answered(lab, service, scorer.used, scorer.failures, warnings)


def cost(query: LabelsCost, lab: Lab) -> Outcome:
    """The estimate from the sizes of prompts, and the usage in the session's log."""
    price, number = price_of(query.model, lab.home), query.features or count(query.of, lab)
    windows = query.each * QUANTILES
    asked = 5 * windows  # active, silent and random ones by the label, active and silent ones by another
    calls = -(-3 * windows // AT_ONCE) + -(-2 * windows // AT_ONCE)
    label = {"input_tokens": LABEL_TOKENS[query.of], "output_tokens": OUTPUT_A_CALL}
    score_ = {"input_tokens": calls * CALL_TOKENS + asked * WINDOW_TOKENS, "output_tokens": calls * OUTPUT_A_CALL}
    each = price.of_usage(label, batch=query.batch), price.of_usage(score_, batch=query.batch)
    return Outcome(
        {
            "of": query.of,
            "features": number,
            "model": query.model,
            "batch": query.batch,
            "label": {**label, "usd": round(each[0], 6)},
            "score": {**score_, "calls": calls, "usd": round(each[1], 6)},
            "usd": round(number * (each[0] + query.protocols * each[1]), 4),
            "prices": price.as_of,
            "spent": _spent(lab),
        }
    )


def _spent(lab: Lab) -> dict[str, Any]:
    """Dollars of every log line in which a language model was asked; replies that were stored already cost nothing."""
    lines = [
        line
        for line in lab.record.lines
        if line.do in ("labels.suggest", "labels.score") and line.reused is None and "language_model" in line.provenance
    ]
    records = [line.provenance["language_model"] for line in lines]
    return {"lines": len(records), "usd": round(sum(float(one["spent_usd"]) for one in records), 6)}
