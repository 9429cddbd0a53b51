"""Blind mode: which labels and scores are hidden, until a rating was given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from screens import verbs
from screens.labels.queue import label_id
from screens.painting.text import visible
from screens.widgets.command_line import Question
from workbench.errors import UsageError

if TYPE_CHECKING:
    from screens.app import WorkbenchApp

HIDDEN = "(hidden)"
TOLD = "S rates it"
RATINGS = ("0", "1", "2", "3")
LABELLED = ("features", "clusters", "quanta")
REFUSED = "labels are hidden, and what matches would tell them: B on Labels (7) shows them"
FILTERED_BY_LABEL = ("labels.show", "features.list", "clusters.list", "quanta.list")
"""Commands whose `filter` is held against labels too."""
OF_LABELS = ("text", "scores", "labels")
"""Fields that tell a label where they stand beside an `index`: in the replies of `labels.*`."""


class Blind:
    """Whether labels are hidden, and those that a rating revealed."""

    def __init__(self) -> None:
        self.on = False
        self._revealed: set[tuple[str, int]] = set()

    def turn(self) -> None:
        """Hide all labels, or show all."""
        self.on = not self.on
        self._revealed.clear()

    def reveal(self, of: str, index: int) -> None:
        """Show one: it was rated."""
        self._revealed.add((of, index))

    def hides(self, of: str, index: int) -> bool:
        """Whether the label of a feature, cluster or quantum is hidden."""
        return self.on and (of, index) not in self._revealed

    def asked(self, verb: verbs.Verb) -> verbs.Verb:
        """A command as it may be asked now: while labels are hidden a search looks everywhere but in them.

        Raises:
            UsageError: it can be answered by the labels alone.
        """
        if not self.on:
            return verb
        if verb.dotted in FILTERED_BY_LABEL and verb.params().get("filter"):
            raise UsageError(REFUSED)
        if isinstance(verb, verbs.FeaturesSearch) and "label" in verb.where:
            elsewhere = tuple(place for place in verb.where if place != "label")
            if not elsewhere:
                raise UsageError(REFUSED)
            asked: verbs.Verb = verb.model_copy(update={"where": elsewhere})
            return asked
        return verb

    def scrubbed(self, value: Any, of: str = "features") -> Any:
        """A reply without the labels that are hidden: so no screen can show one, whichever it is.

        Args:
            value: the result, or a part of it.
            of: what the labels in it are of, where its rows do not say so.
        """
        if not self.on:
            return value
        if isinstance(value, list):
            return [self.scrubbed(one, of) for one in value]
        if not isinstance(value, dict):
            return value
        of = value["of"] if value.get("of") in LABELLED else of
        return {name: self._field(name, one, value, of) for name, one in value.items()}

    def _field(self, name: str, value: Any, row: dict[str, Any], of: str) -> Any:
        if name == "labels" and _texts(value):  # of the members of a cluster, or of features by number
            return [HIDDEN] if isinstance(value, list) else dict.fromkeys(value, HIDDEN)
        telling = name in ("label", "label_scores") or (name in OF_LABELS and isinstance(row.get("index"), int))
        if not telling or not value or not self._hides_row(row, of):
            return self.scrubbed(value, of)
        if isinstance(value, list):
            return []
        return HIDDEN if isinstance(value, str) else {**value, "text": HIDDEN, "source": "blind", "status": TOLD}

    def _hides_row(self, row: dict[str, Any], of: str) -> bool:
        if "index" in row:
            return self.hides(of, int(row["index"]))
        return self.hides("quanta" if "answers" in row else "clusters", int(row.get("cluster", -1)))


def _texts(value: Any) -> bool:
    rows = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return bool(rows) and all(isinstance(one, str) for one in rows)


def shown_text(text: str) -> str:
    """A label as it is offered to be edited: a hidden one is not."""
    return "" if text == HIDDEN else text


def ask_rating(app: WorkbenchApp, name: str, of: Any = "features") -> None:
    """Ask for a rating from 0 to 3 of what a feature, a cluster or a quantum does, before its label is shown.

    Args:
        app: carries it out.
        name: its id, or its number.
        of: which of them.
    """
    app.open_line(_rate_question(app, name, of, int(name.rpartition("#")[2])))


def _rate_question(app: WorkbenchApp, name: str, of: Any, index: int) -> Question:
    concept = asked_concept(app.summary)

    def rated() -> None:
        app.blind.reveal(of, index)
        app.page.reload()

    against = f"“{visible(concept)}”" if concept else "one clear concept"

    def submit(text: str) -> str | None:
        if text.strip() not in RATINGS:
            return "a rating is 0, 1, 2 or 3"
        hidden = app.blind.on
        verb = verbs.LabelsRate(
            feature=name, of=of, rating=int(text), concept=concept, blind=app.blind.hides(of, index)
        )
        app.close_line()
        app.do(verb, lambda _: rated() if hidden else None)
        return None

    told = f"its fit to {against}: 0 none, 1 vague, 2 near, 3 clean; then its label is shown"
    return Question(f"rate {label_id({'of': of, 'index': index})}: ", submit, advise=lambda _: told)


def asked_concept(summary: dict[str, Any]) -> str:
    """What the latest ranking looked for; empty where there is none."""
    rankings = summary.get("rankings") or []
    latest = max(rankings, key=lambda one: int(one["seq"]), default=None)
    return str(latest.get("positive") or latest.get("stimuli") or "") if latest else ""
