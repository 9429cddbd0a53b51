"""Carries out `labels.suggest`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from commands.handlers.labels.asking import Service, answered, estimate, told_rows
from commands.handlers.labels.failing import cleared_entry, failed_entry, numbers_without_answer
from commands.handlers.labels.targets import Target, target
from commands.labels import LabelsSuggest
from workbench.lab import Lab
from workbench.labels import offline
from workbench.labels.named import INVESTIGATOR, label_entry
from workbench.labels.prompts import Request, read_label, to_explain
from workbench.labels.replies import Reply
from workbench.labels.service import Failure, current, trouble
from workbench.verbs import Outcome

Row = dict[str, Any]
FEW = 10
"""Windows below which a quantum's label rests on too little."""


def suggest(command: LabelsSuggest, lab: Lab) -> Outcome:
    """Label what was named, or the top of the latest ranking, or the largest clusters or quanta."""
    wanted = target(command.of, command.seed, lab)
    if command.failed:
        chosen = numbers_without_answer(lab, wanted.space, "suggest", model=_source(command))
    else:
        chosen = wanted.chosen(command.features, command.top, lab)
    if command.labeller == "offline":
        rows, outcome = _offline(chosen, wanted, lab), Outcome({})
    else:
        rows, outcome = _asked(command, chosen, wanted, lab)
    if command.dry_run:
        return outcome
    for row in rows:
        row["feature"] = wanted.name(row["index"])
        outcome.sets |= _sets(lab, row, _source(command))
    outcome.warnings += _few(command, rows)
    told = told_rows(lab, "labels", rows)
    outcome.result = {"labeller": command.labeller, "of": command.of, **told, **outcome.result}
    return outcome


def _few(command: LabelsSuggest, rows: Sequence[Row]) -> list[str]:
    """A document gives one window: samples that stand close together are few windows, whatever their number."""
    few = sum(row["windows"] < FEW for row in rows)
    if command.of != "quanta" or not few:
        return []
    return [
        f"{few} of {len(rows)} quanta have samples in fewer than {FEW} of the documents that explain: take samples "
        "from more of the corpus, with `quanta select --skip`"
    ]


def _source(command: LabelsSuggest) -> str:
    return "offline" if command.labeller == "offline" else command.model


def _sets(lab: Lab, row: Row, source: str) -> dict[str, Any]:
    """The suggestion, and the label in force where the investigator gave or accepted none and did not reject it.

    What could not be labelled is remembered, so that it can be asked again.
    """
    name = row["feature"]
    failed = f"label_errors/suggest/{name}"
    if row["status"] == "error":
        return {failed: failed_entry(row["error"], source)}
    cleared = cleared_entry(lab, failed, source)
    if row["status"] != "suggested":
        return cleared
    value = {"text": row["text"], "source": source, "status": "suggested"}
    if "by" in row:
        value["by"] = row["by"]
    before, label = lab.state.get(f"suggestions/{name}/{source}"), label_entry(lab.state, name)
    if before is not None and before["status"] == "rejected" and before["text"] == row["text"]:
        return cleared
    sets = {**cleared, f"suggestions/{name}/{source}": value}
    given = label is not None and (label.value["source"] == INVESTIGATOR or label.value["status"] == "accepted")
    return sets if given else {**sets, f"labels/{name}": value}


def _offline(chosen: Sequence[int], wanted: Target, lab: Lab) -> list[Row]:
    rows = []
    for done, number in enumerate(chosen):
        lab.tick(done, len(chosen), "labelling")
        windows = wanted.draw.explain(number, offline.TOP, offline.EACH)
        row: Row = {"index": number, "windows": len(windows.active), "text": "", "tokens": [], "status": "silent"}
        if windows.active:
            found = offline.suggest(windows)
            row["status"] = "nothing stands out" if found is None else "suggested"
            if found is not None:
                tokens = [[term, bound] for term, bound in found.tokens]
                row |= {"text": found.text, "tokens": tokens, "covered": round(found.covered, 4)}
        rows.append(row)
    return rows


def _asked(command: LabelsSuggest, chosen: Sequence[int], wanted: Target, lab: Lab) -> tuple[list[Row], Outcome]:
    """Ask for all labels at once; what has no reply, or one of no use, has the status `error`."""
    service = Service(command, lab)
    rows: list[Row] = []
    requests: dict[int, Request] = {}
    for done, number in enumerate(chosen):
        lab.tick(done, len(chosen), "drawing windows")
        windows = wanted.draw.explain(number)
        rows.append({"index": number, "windows": len(windows.active), "text": "", "tokens": [], "status": "silent"})
        if windows.active:
            request = to_explain(command.model, windows, wanted.draw.logits(number), service.where, wanted.of)
            requests[number] = current(request, service.replies, _usable, retry=command.retry or command.failed)
    if command.dry_run:
        cost = estimate(list(requests.values()), service.price, batch=command.batch)
        return rows, Outcome({"dry_run": True, "features": len(chosen), **cost})
    answers = dict(zip(requests, service.ask(list(requests.values())), strict=True))
    replies: list[Reply] = []
    for row in rows:
        answer = answers.get(row["index"])
        if isinstance(answer, Reply):
            replies.append(answer)
            row |= _read(answer)
        elif answer is not None:
            row |= {"status": "error", "error": str(answer)}
    failures = [answer for answer in answers.values() if isinstance(answer, Failure)]
    return rows, answered(lab, service, replies, failures, _unanswered(failures, len(answers)))


def _unanswered(failures: Sequence[Failure], total: int) -> list[str]:
    """One warning for all calls that had no reply, with the words of the last."""
    if not failures:
        return []
    return [f"{len(failures)} of {total} calls had no reply; the last: {failures[-1]}"]


def _usable(reply: Reply) -> bool:
    return trouble(reply) is None and read_label(reply.text) is not None


def _read(reply: Reply) -> Row:
    failure, label = trouble(reply), read_label(reply.text)
    if failure is None and label is None:
        failure = Failure("the reply holds no label", "Repeat with --retry.")
    if failure is not None:
        return {"status": "error", "error": str(failure)}
    by = {"model": reply.model, "prompt": reply.prompt, "usage": reply.usage, "date": reply.date}
    return {"status": "suggested", "text": label, "by": by}
