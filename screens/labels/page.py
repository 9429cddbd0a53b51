"""Labels: what features, clusters and quanta were called, by whom, and how good it is; the queue that makes them."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from screens import verbs
from screens.feature.steering import steer_line
from screens.labels.beside import ask_beside
from screens.labels.blind import HIDDEN, ask_rating, shown_text
from screens.labels.queue import LabelQueue, label_id
from screens.labels.text import NAMES, best_score, origin, rating_text, score_line
from screens.line.questions import label_question
from screens.overlays.why import ask_line
from screens.pages.list_page import FilteredPage
from screens.pages.page import Act
from screens.painting import palette
from screens.widgets.lines import Column, Lines, Row, cell_text
from screens.widgets.painted import Paragraph

EMPTY = (
    "No labels yet.\n\n"
    "Press a to have the top of the latest ranking labelled offline (:labels.suggest),\n"
    "or open a feature and press l to write one yourself."
)


class LabelsPage(FilteredPage):
    """One label a row, below the queue."""

    title = "Labels"
    FILTERS_LABELS = True
    rests_on = ("model", "sae")
    SEEING: ClassVar[tuple[tuple[str, str], ...]] = (
        ("enter", "feature"),
        ("l", "edit"),
        ("a", "suggest"),
        ("A", "accept"),
        ("X", "reject"),
        ("S", "score"),
        ("B", "blind"),
        ("/", "filter"),
        ("=", "beside"),
        ("w", "why"),
        ("y", "copy"),
        ("?", "help"),
        ("esc", "back"),
    )
    BLIND: ClassVar[tuple[tuple[str, str], ...]] = (
        ("enter", "feature"),
        ("S", "rate 0 to 3"),
        ("B", "show all"),
        ("?", "help"),
        ("esc", "back"),
    )
    HELP: ClassVar[str | None] = (
        "Labels of features (#), clusters (c) and quanta (q). A suggestion never overwrites a label of yours or one "
        "you accepted (A); X rejects one for good; l edits, an empty text removes; = puts what different models say "
        "side by side. S scores the labels offline: balanced accuracy, by words alone, with another's label and random "
        "windows as baselines. B hides all texts and scores, on every screen: open a feature, judge it, and S takes "
        "your rating from 0 to 3, then shows the label. While a language model is asked the queue stands above: x "
        "cancels it, r asks again for what had no answer."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("equals_sign", "beside", "side by side", id="labels.beside", show=False),
    ]

    _items: dict[str, dict[str, Any]] = {}  # noqa: RUF012 - replaced, never changed
    _note = ""

    def compose(self) -> ComposeResult:
        """The queue, where there is one, and the list."""
        yield LabelQueue(id="label-queue")
        yield Lines(
            [
                Column("id", 7, "right"),
                Column("label"),
                Column("score", 13, "right"),
                Column("source", 12),
                Column("status", 10),
                Column("line", 4, "right"),
            ],
            empty=EMPTY,
            id="label-list",
        )
        yield Paragraph(classes="detail")

    @property
    def hints(self) -> tuple[tuple[str, str], ...]:  # type: ignore[override] # they differ in blind mode
        """The keys of the mode."""
        return self.BLIND if self.workbench.blind.on else self.SEEING

    @property
    def queue(self) -> LabelQueue:
        """What is being asked."""
        return self.query_one(LabelQueue)

    def forget(self) -> None:
        """Neither labels nor failures of the session before stay."""
        super().forget()
        self.queue.forget()

    async def load(self) -> None:
        """List the labels, and what makes more of them."""
        result = await self.ask(verbs.LabelsShow(filter=self.wanted))
        none = EMPTY + self.beforehand
        self.lines.empty = f"No label contains {self.wanted!r}.\nesc shows all." if self.wanted else none
        shown, total = len(result["labels"]), result.get("total", 0)
        more = f"the first {shown} of {total}; / narrows them" if total > shown else ""
        self._note = "; ".join(filter(None, (f"matching {self.wanted!r}" if self.wanted else "", more)))
        self._items = {item["feature"]: item for item in result["labels"]}
        self.queue.take_failures(result)
        self._show()
        jobs = await self.ask(verbs.EngineJobs())
        self.queue.take_jobs(jobs["jobs"], self.workbench.session)

    def job_changed(self, job: dict[str, Any]) -> None:
        """A job began, goes on or ended; what it made is announced apart."""
        self.queue.take_job(job, self.workbench.session)

    def _show(self) -> None:
        hidden = "blind: texts and scores are hidden, B shows them" if self.workbench.blind.on else ""
        note = "; ".join(part for part in (self._note, hidden) if part)
        self.show_rows([_row(item, self._hidden(item)) for item in self._items.values()], note=note)

    def _hidden(self, item: dict[str, Any]) -> bool:
        return self.workbench.blind.hides(item.get("of", "features"), int(item["index"]))

    def on_lines_opened(self, event: Lines.Opened) -> None:
        """Open the feature, the cluster or the quantum."""
        item = self._items.get(event.key, {})
        screen = {"clusters": "clusters", "quanta": "quanta"}.get(item.get("of", "features"))
        if screen is None:
            self.workbench.visit("feature", event.key)
        elif item.get("stale"):
            self.workbench.explain(f"{label_id(item)} is of {screen} that were found before those of today")
        else:
            self.workbench.visit(screen, str(item["index"]))

    def whole(self) -> str:
        """The feature with its whole label, its rating, its scores with their baselines, and where it is from."""
        row = self.lines.row
        if row is None:
            return ""
        item = self._items.get(row.key, {})
        if self._hidden(item):
            return f"{_spelled(item)}  {HIDDEN}: enter opens it, S rates it from 0 to 3"
        scores = item.get("scores") or []
        rated = rating_text(item.get("rating"))
        told = [score_line(score) for score in scores[: 1 if rated else 2]]
        head = f"{_spelled(item)}  {cell_text(row.cells[1])}"
        return "\n".join([head, *([rated] if rated else []), *told, *origin(item.get("by"))])

    def acts(self) -> dict[str, Act]:
        """Edit, suggest, score, rate, steer, and what the queue can do."""
        do = self.workbench.do
        item = self._items.get(self.lines.key)
        of: Any = (item or {}).get("of", "features")
        found: dict[str, Act] = {"suggest": lambda: do(verbs.LabelsSuggest(of=of)), "blind": self._toggle_blind}
        if job := self.queue.running:
            found["cancel"] = lambda: do(verbs.EngineCancel(job=job))
        if retries := self.queue.retries():
            found["refresh"] = partial(self._ask_again, retries)
        if item is None:
            return found
        key = item["feature"]
        found["label"] = self._label
        found["accept"] = lambda: do(verbs.LabelsAccept(feature=key, of=of))
        found["reject"] = lambda: do(verbs.LabelsReject(feature=key, of=of))
        if self.workbench.blind.on:
            found["score"] = partial(ask_rating, self.workbench, key, of)
        else:
            found["score"] = lambda: do(verbs.LabelsScore(of=of))
        if not self._hidden(item):
            found["why"] = self._why
        if of == "features":
            found["steer"] = lambda: self.workbench.open_command(steer_line(key, self.workbench.summary))
        return found

    def why_not(self, action: str) -> str:
        """The line that gave a label holds its text; what is asked for is cancelled, nothing else."""
        if action == "why" and self.workbench.blind.on:
            return "texts and scores are hidden, and w would tell them: B shows them"
        return "nothing is being asked: x cancels the queue of labels" if action == "cancel" else ""

    def action_beside(self) -> None:
        """What different models suggest for the one under the cursor."""
        item = self._items.get(self.lines.key)
        if item is None:
            self.workbench.explain("there is no label to put others beside")
        elif self._hidden(item):
            self.workbench.explain("texts and scores are hidden: B shows them")
        else:
            ask_beside(self.workbench, item)

    def _why(self) -> None:
        item = self._items.get(self.lines.key)
        if item:
            ask_line(self.workbench, int(item["seq"]), label_facts(item))

    def _ask_again(self, retries: list[verbs.Verb]) -> None:
        for verb in retries:
            self.workbench.do(verb)

    def _toggle_blind(self) -> None:
        self.workbench.blind.turn()
        self.workbench.blind_turned()
        self._show()  # hidden at once; to be shown they are asked for again
        self.reload()

    def _label(self) -> None:
        item = self._items.get(self.lines.key)
        if item:
            own = item["source"] == "investigator"
            text = shown_text(str(item["text"]))
            question = label_question(self.workbench, item["feature"], "" if own else text, item.get("of", "features"))
            self.workbench.open_line(question, text if own else "")


def label_facts(item: dict[str, Any]) -> list[tuple[str, str]]:
    """What `w` says of a label and its scores, before the line that gave it."""
    scores = item.get("scores") or []
    facts = [("label", f"{label_id(item)} “{item['text']}”, {item['source']}, {item['status']}")]
    definition = (
        "score: balanced accuracy of telling windows on which the feature fires from others by the label alone; in "
        "brackets its 95 % interval, joined from Wilson's intervals of sensitivity and specificity"
    )
    facts.append(("definition", definition))
    facts += [("observed", score_line(score)) for score in scores] or [("observed", "not scored yet: S scores labels")]
    if rated := rating_text(item.get("rating")):
        facts.append(("rating", rated))
    baselines = "no test: another feature's label and random windows are the baselines; chance is 0.5"
    return [*facts, ("null", baselines), *(("origin", told) for told in origin(item.get("by")))]


def _spelled(item: dict[str, Any]) -> str:
    """What a label is of, in full: a feature's id, or the cluster or quantum by its number."""
    of = item.get("of", "features")
    if of == "features":
        return str(item.get("feature", ""))
    return f"{NAMES[of]} {item['index']}"


def _row(item: dict[str, Any], blind: bool) -> Row:
    own = item["source"] == "investigator"
    status = f"{item['status']} stale" if item.get("stale") else item["status"]
    style = palette.BOLD if own else None
    text, score = (HIDDEN, "") if blind else (item["text"], best_score(item.get("scores") or []))
    cells = (
        (label_id(item), palette.NAME),
        (text, style),
        score,
        "" if blind else item["source"],
        status,
        str(item["seq"]),
    )
    return Row(item["feature"], cells)
