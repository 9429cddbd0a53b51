"""What `labels.suggest` and `labels.score` share: the index, the service, its price, and what was spent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from commands.labels import LabelsScore, LabelsSuggest
from workbench.errors import Cancelled, UsageError
from workbench.index.read import FeatureIndex
from workbench.lab import Lab
from workbench.labels.batches import BatchAsking
from workbench.labels.budget import LETTERS_A_TOKEN, Budget, Price, price_of
from workbench.labels.prompts import Request
from workbench.labels.replies import Replies, Reply
from workbench.labels.service import Answer, Asking, Failure, make_client
from workbench.verbs import Outcome

CONFIRM = 1.0
"""Dollars above which an estimate has to be confirmed."""
OUTPUT_A_CALL = 120
"""Tokens of an answer on the average, for estimates."""
SHOWN, PROMPTS = 200, 200
"""Rows of a result, and digests of prompts in its provenance: a reply has 256 KiB. The artifact has them all."""


def indexed(lab: Lab) -> FeatureIndex:
    """The session's feature index, with a list of what fires where.

    Raises:
        UsageError: there is none, or it is of raw units.
    """
    index = lab.index()
    if index is None:
        raise UsageError("labels need the corpus index", "Build it first: `workbench index build`.")
    if len(index.arrays["offsets"]) == 0:
        raise UsageError(
            f"the index of {index.meta['space']} keeps no list of activations (raw units are active everywhere)",
            "Load an SAE: its features are silent on most tokens.",
        )
    return index


class Service:
    """The language model as a command asks it.

    Args:
        command: with the model, the budget and how to ask.
        lab: of the command.
    """

    def __init__(self, command: LabelsSuggest | LabelsScore, lab: Lab) -> None:
        self._command = command
        self._lab = lab
        self.client: Any = None if command.dry_run else make_client()
        self.replies = Replies(lab.home)
        self.price = price_of(command.model, lab.home)
        self.budget = Budget(self.price, command.budget, batch=command.batch)
        self.where = "" if self.client is None else str(self.client.base_url)

    def ask(self, requests: Sequence[Request]) -> list[Answer]:
        """A reply or a failure for each request.

        Raises:
            UsageError: it would cost more than a dollar, and was not confirmed.
        """
        missing = [one for one in requests if self.replies.get(one.key) is None]
        cost = estimate(missing, self.price, batch=self._command.batch)["usd"]
        if cost > CONFIRM and not self._command.yes:
            raise UsageError(f"this would cost about ${cost:.2f}", "Add --yes to go on, or see --dry-run.")
        try:
            if self._command.batch and missing:
                return BatchAsking(self.client, self.replies, self.budget, self._lab.tick).ask(requests)
            asking = Asking(
                self.client, self.replies, self.budget, concurrency=self._command.concurrency, tick=self._lab.tick
            )
            return asking.ask(requests)
        except Cancelled as error:
            raise Cancelled(error.message, "What was answered is kept: repeat, and only the rest is asked.") from None
        finally:
            self.client.close()


def estimate(requests: Sequence[Request], price: Price, *, batch: bool) -> dict[str, Any]:
    """What requests cost on the average."""
    tokens = {
        "input_tokens": sum(round(one.letters / LETTERS_A_TOKEN) for one in requests),
        "output_tokens": OUTPUT_A_CALL * len(requests),
    }
    usd = round(price.of_usage(tokens, batch=batch), 6)
    return {"calls": len(requests), **tokens, "usd": usd, "prices": price.as_of}


def _usage_of(replies: Sequence[Reply], price: Price) -> dict[str, Any]:
    """What replies used; one that was read from the record was paid for then."""
    unique = {reply.key: reply for reply in replies}.values()
    names = sorted({name for reply in unique for name in reply.usage})
    usd = sum(price.of_usage(reply.usage, batch=reply.batch) for reply in unique)
    totals = {name: sum(reply.usage.get(name, 0) for reply in unique) for name in names}
    return {"replies": len(unique), **totals, "usd": round(usd, 6), "prices": price.as_of}


def _record_of(replies: Sequence[Reply], price: Price) -> dict[str, Any]:
    """Who answered what and when, for the log line."""
    return {
        "model": ", ".join(sorted({reply.model for reply in replies})),
        "prompts": [reply.prompt for reply in replies[:PROMPTS]],
        "usage": _usage_of(replies, price),
        "date": max((reply.date for reply in replies), default=""),
    }


def told_rows(lab: Lab, name: str, rows: list[dict[str, Any]], most: int = SHOWN) -> dict[str, Any]:
    """The rows of a result with how many there are in all and without an answer; the artifact has those beyond.

    Args:
        name: of the rows in the result, and of the file.
        most: rows of the result.
    """
    if len(rows) > most:
        lab.save_json(name, rows)
    errors = sum(row["status"] == "error" for row in rows)
    return {name: rows[:most], "total": len(rows), "errors": errors}


def _refuse_if_never(failures: Sequence[Failure], replies: Sequence[Reply]) -> None:
    """Where nothing was answered and nothing ever will be, nothing was done; what may be later is remembered instead.

    Raises:
        UsageError: the key, the credit, the model or the budget allows no call.
    """
    if failures and not replies and not any(one.later for one in failures):
        raise UsageError(failures[0].message, failures[0].hint)


def answered(
    lab: Lab, service: Service, replies: Sequence[Reply], failures: Sequence[Failure], warnings: list[str]
) -> Outcome:
    """What came of the asking: the replies in the command's artifact, who answered and for how much in its log line.

    Raises:
        UsageError: nothing was answered and nothing ever will be.
    """
    _refuse_if_never(failures, replies)
    lab.save_json("replies", [asdict(reply) for reply in replies])
    record = _record_of(replies, service.price) | {"spent_usd": round(service.budget.spent, 6)}
    return Outcome({"usage": record["usage"]}, warnings=warnings, provenance={"language_model": record})
