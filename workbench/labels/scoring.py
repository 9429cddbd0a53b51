"""Scores of labels: what is asked, of whom, and what the answers say; two baselines stand beside every score.

The baselines are another feature's label on the same windows, and the label itself with random windows where the
active ones stood. A label for which any answer is missing has no score and the status `error`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from typing import Protocol as Interface

import numpy as np

from workbench.labels.drawing import QUANTILES, Drawing
from workbench.labels.measures import Measured, balanced_accuracy, margin
from workbench.labels.offline_scorer import OfflineScorer
from workbench.labels.trials import RELEVANT, Protocol, Question, Trial, trial
from workbench.labels.windows import Negatives


@dataclass(frozen=True)
class Ask:
    """A label and the windows to answer by it."""

    label: str
    protocol: Protocol
    questions: tuple[Question, ...]


class Scorer(Interface):
    """Answers questions about labels."""

    name: str

    def answers(self, asks: Sequence[Ask]) -> list[list[int] | str]:
        """For each label and its windows the answers in their order; or in words why there are none."""
        ...


class WordScorer:
    """The offline scorer in the manner of one that is asked."""

    name = "offline"

    def __init__(self, scorer: OfflineScorer) -> None:
        self._scorer = scorer

    def answers(self, asks: Sequence[Ask]) -> list[list[int] | str]:
        """The answers to each label's windows."""
        return [self._scorer.answers(ask.label, ask.protocol, ask.questions) for ask in asks]


@dataclass(frozen=True)
class Job:
    """One score to be made.

    Attributes:
        feature: its number.
        label: the text that is scored.
        target: whether that is the feature's label, or the investigator's concept.
        other: a label of another feature, and that feature's number.
        negatives: how the silent windows are chosen.
    """

    feature: int
    label: str
    target: str
    protocol: Protocol
    negatives: Negatives
    other: tuple[int, str]


@dataclass(frozen=True)
class Prepared:
    """A job with its windows."""

    job: Job
    trial: Trial
    documents: int

    def asks(self) -> list[Ask]:
        """The label on all windows, and the other label on the feature's own."""
        job, own = self.job, self.trial.active + self.trial.silent
        return [
            Ask(job.label, job.protocol, own + self.trial.random),
            Ask(job.other[1], job.protocol, own),
        ]


def prepare(job: Job, draw: Drawing, each: int) -> Prepared:
    """Draw the windows of a job; they are of the documents that score, which no labeller saw.

    Args:
        draw: draws windows.
        each: active windows of each fifth of the activation.
    """
    windows = draw.score(job.feature, each, (job.negatives,))
    silent = windows.negatives[job.negatives]
    random = draw.null(job.feature, len(windows.active))
    asked = trial(job.protocol, windows, silent, random, draw.seed)
    return Prepared(job, asked, len({window.document for window in (*windows.active, *silent)}))


def score(prepared: Sequence[Prepared], scorer: Scorer) -> list[dict[str, Any]]:
    """The scores of all jobs; the `scores` of `labels.score` in docs/wire.md.

    Args:
        prepared: jobs with their windows.
        scorer: who answers.
    """
    ready = [one for one in prepared if one.trial.active and one.trial.silent]
    given = iter(scorer.answers([ask for one in ready for ask in one.asks()]))
    rows = []
    for one in prepared:
        if one.trial.active and one.trial.silent:
            rows.append(_row(one, next(given), next(given), scorer.name))
        else:
            rows.append(_head(one, scorer.name) | {"status": "too_few", "error": _lacking(one)})
    return rows


def _lacking(one: Prepared) -> str:
    if not one.trial.active:
        return "the feature is active in no document that scores. Index more of the corpus."
    return f"no {one.job.negatives} windows in which the feature is silent. Choose other --negatives."


def _head(one: Prepared, scorer: str) -> dict[str, Any]:
    job = one.job
    return {
        "index": job.feature,
        "text": job.label,
        "target": job.target,
        "protocol": job.protocol,
        "negatives": job.negatives,
        "scorer": scorer,
        "active": len(one.trial.active),
        "silent": len(one.trial.silent),
        "documents": one.documents,
    }


def _row(one: Prepared, own: list[int] | str, other: list[int] | str, scorer: str) -> dict[str, Any]:
    head = _head(one, scorer)
    if isinstance(own, str) or isinstance(other, str):
        return head | {"status": "error", "error": own if isinstance(own, str) else str(other)}
    a, s = len(one.trial.active), len(one.trial.active) + len(one.trial.silent)
    said = [_yes(answer, one.job.protocol) for answer in own]
    active, silent, random = said[:a], said[a:s], said[s:]
    theirs = [_yes(answer, one.job.protocol) for answer in other]
    body: dict[str, Any] = {
        "status": "scored",
        "accuracy": _dict(balanced_accuracy(active, silent)),
        "sensitivity": round(float(np.mean(active)), 4),
        "specificity": round(1 - float(np.mean(silent)), 4),
        "quantiles": _by_quantile(one.trial, active, silent),
        "other": {
            "index": one.job.other[0],
            "text": one.job.other[1],
            "accuracy": _dict(balanced_accuracy(theirs[:a], theirs[a:])),
        },
        "random": {"accuracy": _dict(balanced_accuracy(random, silent))},
        "margin": _dict(margin(active, silent, theirs[:a], theirs[a:])),
    }
    if one.job.protocol == "rubric":
        body["rating"] = {
            "active": round(float(np.mean(own[:a])), 4),
            "silent": round(float(np.mean(own[a:s])), 4),
            "other": round(float(np.mean(other[:a])), 4),
        }
    return head | body


def _yes(answer: int, protocol: Protocol) -> bool:
    return answer >= RELEVANT if protocol == "rubric" else answer == 1


def _dict(found: Measured | None) -> dict[str, float] | None:
    return None if found is None else found.as_dict()


def _by_quantile(asked: Trial, active: Sequence[bool], silent: Sequence[bool]) -> list[dict[str, Any]]:
    """Balanced accuracy with the active windows of each fifth of the activation, the weakest first."""
    found = []
    for number in range(1, QUANTILES + 1):
        some = [yes for yes, fifth in zip(active, asked.quantile, strict=True) if fifth == number]
        found.append({"fifth": number, "windows": len(some), "accuracy": _dict(balanced_accuracy(some, silent))})
    return found
