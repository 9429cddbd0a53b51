"""Carries out `labels.suggest`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from commands.handlers.features.stored_rankings import ranking_line
from commands.handlers.labels.asking import Service, estimate, indexed, keep, record_of
from commands.labels import LabelsSuggest
from workbench.errors import UsageError
from workbench.index.read import FeatureIndex
from workbench.lab import Lab
from workbench.labels import offline
from workbench.labels.drawing import Draw
from workbench.labels.prompts import Request, read_label, to_explain
from workbench.labels.replies import Reply
from workbench.labels.service import Failure, current, trouble
from workbench.rankings import Ranking
from workbench.saes.ids import feature_id, feature_index
from workbench.verbs import Outcome

Row = dict[str, Any]


def suggest(command: LabelsSuggest, lab: Lab) -> Outcome:
    """Label the named features, or the top of the latest ranking, from their windows in the index."""
    index = indexed(lab)
    space = str(index.meta["space"])
    chosen = _chosen(command, lab, space, int(index.meta["features"]))
    draw = Draw(index, command.seed)
    if command.labeller == "offline":
        rows, outcome = _offline(chosen, draw, lab), Outcome({})
    else:
        rows, outcome = _asked(command, chosen, draw, index, lab)
    if command.dry_run:
        return outcome
    for row in rows:
        row["feature"] = feature_id(space, row["index"])
        outcome.sets |= _sets(lab, row, "offline" if command.labeller == "offline" else command.model)
    outcome.result = {"labeller": command.labeller, "labels": rows, **outcome.result}
    return outcome


def _sets(lab: Lab, row: Row, source: str) -> dict[str, Any]:
    """The suggestion, and the label in force where the investigator gave or accepted none and did not reject it."""
    if row["status"] != "suggested":
        return {}
    value = {"text": row["text"], "source": source, "status": "suggested"}
    if "by" in row:
        value["by"] = row["by"]
    name = row["feature"]
    before, label = lab.state.get(f"suggestions/{name}/{source}"), lab.state.get(f"labels/{name}")
    if before is not None and before["status"] == "rejected" and before["text"] == row["text"]:
        return {}
    sets = {f"suggestions/{name}/{source}": value}
    if label is None or (label["source"] != "investigator" and label["status"] != "accepted"):
        sets[f"labels/{name}"] = value
    return sets


def _offline(chosen: Sequence[int], draw: Draw, lab: Lab) -> list[Row]:
    rows = []
    for done, number in enumerate(chosen):
        lab.tick(done, len(chosen), "labelling")
        windows = draw.explain(number, offline.TOP, offline.EACH)
        row: Row = {"index": number, "windows": len(windows.active), "text": "", "tokens": [], "status": "silent"}
        if windows.active:
            found = offline.suggest(windows)
            row["status"] = "nothing stands out" if found is None else "suggested"
            if found is not None:
                tokens = [[term, bound] for term, bound in found.tokens]
                row |= {"text": found.text, "tokens": tokens, "covered": round(found.covered, 4)}
        rows.append(row)
    return rows


def _asked(
    command: LabelsSuggest, chosen: Sequence[int], draw: Draw, index: FeatureIndex, lab: Lab
) -> tuple[list[Row], Outcome]:
    """Ask for all labels at once; a feature whose reply is missing or of no use has the status `error`."""
    service = Service(command, lab)
    rows: list[Row] = []
    requests: dict[int, Request] = {}
    for done, number in enumerate(chosen):
        lab.tick(done, len(chosen), "drawing windows")
        windows = draw.explain(number)
        rows.append({"index": number, "windows": len(windows.active), "text": "", "tokens": [], "status": "silent"})
        if windows.active:
            request = to_explain(command.model, windows, index.logits(number), service.where)
            requests[number] = current(request, service.replies, _usable, retry=command.retry)
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
    _refuse_if_none(rows, [answer for answer in answers.values() if isinstance(answer, Failure)], replies)
    keep(lab, replies, asdict)
    record = record_of(replies, service.price) | {"spent_usd": round(service.budget.spent, 6)}
    return rows, Outcome({"usage": record["usage"]}, provenance={"language_model": record})


def _refuse_if_none(rows: Sequence[Row], failures: Sequence[Failure], replies: Sequence[Reply]) -> None:
    """Where nothing at all was answered, nothing was done."""
    if failures and not replies and all(row["status"] != "suggested" for row in rows):
        raise UsageError(failures[0].message, failures[0].hint)


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


def _chosen(command: LabelsSuggest, lab: Lab, space: str, width: int) -> list[int]:
    if command.features:
        return [feature_index(text, space, width) for text in command.features]
    line = ranking_line(lab, None)
    ranking = Ranking.from_arrays(str(lab.stored(line)["space"]), lab.arrays(line, "ranking"))
    if ranking.space != space:
        raise UsageError("the latest ranking is of other features than the index", "Name the features to label.")
    return [int(number) for number in ranking.order()[: command.top]]
