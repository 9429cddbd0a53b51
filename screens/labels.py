"""Labels: what features were called, and by whom."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import ComposeResult

from screens import palette, verbs
from screens.list_page import FilteredPage
from screens.page import Act
from screens.select import steer_line
from screens.text import short_id
from screens.typing_lines import label_question
from screens.why import ask_line
from screens.widgets.lines import Column, Lines, Row, cell_text
from screens.widgets.painted import Paragraph

EMPTY = (
    "No labels yet.\n\n"
    "Press a to have the top of the latest ranking labelled offline (:labels.suggest),\n"
    "or open a feature and press l to write one yourself."
)

HIDDEN = "(hidden)"


class LabelsPage(FilteredPage):
    """One label a row."""

    title = "Labels"
    hints = (
        ("enter", "feature"),
        ("l", "edit"),
        ("a", "suggest"),
        ("A", "accept"),
        ("X", "reject"),
        ("S", "score"),
        ("B", "blind"),
        ("/", "filter"),
        ("w", "why"),
        ("y", "copy"),
        ("?", "help"),
        ("esc", "back"),
    )
    HELP: ClassVar[str | None] = (
        "Labels by feature. A suggestion never overwrites a label of yours or one you accepted (A); X rejects one for "
        "good; l edits, an empty text removes. S scores all labels offline: balanced accuracy, by words alone, with "
        "another feature's label and random windows as baselines. B hides all texts and scores, so that you can "
        "open a feature and judge it without having read its label."
    )

    blind = False
    """Whether texts and scores are hidden."""
    _items: dict[str, dict[str, Any]] = {}  # noqa: RUF012 - replaced, never changed
    _note = ""

    def compose(self) -> ComposeResult:
        """The list."""
        yield Lines(
            [
                Column("id", 7, "right"),
                Column("label"),
                Column("score", 12, "right"),
                Column("source", 12),
                Column("status", 10),
                Column("line", 4, "right"),
            ],
            empty=EMPTY,
            id="label-list",
        )
        yield Paragraph(classes="detail")

    async def load(self) -> None:
        """List the labels."""
        result = await self.ask(verbs.LabelsShow(filter=self.wanted))
        self.lines.empty = f"No label contains {self.wanted!r}.\nesc shows all." if self.wanted else EMPTY
        shown, total = len(result["labels"]), result.get("total", 0)
        more = f"the first {shown} of {total}; / narrows them" if total > shown else ""
        self._note = "; ".join(filter(None, (f"matching {self.wanted!r}" if self.wanted else "", more)))
        self._items = {item["feature"]: item for item in result["labels"]}
        self._show()

    def _show(self) -> None:
        hidden = "blind: texts and scores are hidden, B shows them" if self.blind else ""
        note = "; ".join(part for part in (self._note, hidden) if part)
        self.show_rows([_row(item, self.blind) for item in self._items.values()], note=note)

    def on_lines_opened(self, event: Lines.Opened) -> None:
        """Open the feature."""
        self.workbench.visit("feature", event.key)

    def whole(self) -> str:
        """The feature with its whole label, its scores with their baselines, and where it is from."""
        row = self.lines.row
        if row is None:
            return ""
        item = self._items.get(row.key, {})
        if self.blind:
            return f"{row.key}  {HIDDEN}"
        said = [_score_line(score) for score in item.get("scores") or []]
        return "\n".join([f"{row.key}  {cell_text(row.cells[1])}", *said[:2], *_origin(item.get("by"))])

    def acts(self) -> dict[str, Act]:
        """Edit, suggest, steer."""
        found: dict[str, Act] = {"suggest": lambda: self.workbench.do(verbs.LabelsSuggest())}
        if key := self.lines.key:
            found["label"] = self._label
            found["accept"] = lambda: self.workbench.do(verbs.LabelsAccept(feature=key))
            found["reject"] = lambda: self.workbench.do(verbs.LabelsReject(feature=key))
            if not self.blind:
                found["why"] = self._why
            found["score"] = lambda: self.workbench.do(verbs.LabelsScore())
            found["blind"] = self._toggle_blind
            found["steer"] = lambda: self.workbench.open_command(steer_line(key, self.workbench.summary))
        return found

    def why_not(self, action: str) -> str:
        """The line that gave a label holds its text."""
        return (
            "texts and scores are hidden, and w would tell them: B shows them" if action == "why" and self.blind else ""
        )

    def _why(self) -> None:
        item = self._items.get(self.lines.key)
        if item:
            ask_line(self.workbench, int(item["seq"]), label_facts(item))

    def _toggle_blind(self) -> None:
        self.blind = not self.blind
        self._show()

    def _label(self) -> None:
        item = self._items.get(self.lines.key)
        if item:
            text, own = str(item["text"]), item["source"] == "investigator"
            question = label_question(self.workbench, item["feature"], "" if own else text)
            self.workbench.open_line(question, text if own else "")


def label_facts(item: dict[str, Any]) -> list[tuple[str, str]]:
    """What `w` says of a label and its scores, before the line that gave it."""
    scores = item.get("scores") or []
    facts = [("label", f"{short_id(item['feature'])} “{item['text']}”, {item['source']}, {item['status']}")]
    definition = (
        "score: balanced accuracy of telling windows on which the feature fires from others by the label alone; in "
        "brackets its 95 % interval, joined from Wilson's intervals of sensitivity and specificity"
    )
    facts.append(("definition", definition))
    facts += [("observed", _score_line(score)) for score in scores] or [("observed", "not scored yet: S scores labels")]
    baselines = "no test: another feature's label and random windows are the baselines; chance is 0.5"
    return [*facts, ("null", baselines), *(("origin", told) for told in _origin(item.get("by")))]


def _row(item: dict[str, Any], blind: bool) -> Row:
    own = item["source"] == "investigator"
    status = f"{item['status']} stale" if item.get("stale") else item["status"]
    style = palette.BOLD if own else None
    text, score = (HIDDEN, "") if blind else (item["text"], _best(item.get("scores") or []))
    cells = (
        (short_id(item["feature"]), palette.NAME),
        (text, style),
        score,
        "" if blind else item["source"],
        status,
        str(item["seq"]),
    )
    return Row(item["feature"], cells)


def _best(scores: list[dict[str, Any]]) -> str:
    """The first score in a few letters: a model's before an offline one, which is marked."""
    ranked = sorted(scores, key=lambda score: (score["scorer"] == "offline", score["protocol"], score["negatives"]))
    if not ranked:
        return ""
    mark = " offline" if ranked[0]["scorer"] == "offline" else ""
    return f"{ranked[0]['accuracy']['value']:.2f}{mark}"


def _score_line(score: dict[str, Any]) -> str:
    own, above = score["accuracy"], score["margin"]
    beyond = f"{above['value']:+.2f} [{above['low']:+.2f}, {above['high']:+.2f}]"
    return (
        f"{score['scorer']} {score['protocol']}, {score['negatives']} windows: {own['value']:.2f} "
        f"[{own['low']:.2f}, {own['high']:.2f}]; another's label {score['other']['value']:.2f}, random windows "
        f"{score['random']['value']:.2f}; above the other {beyond}"
    )


def _origin(by: dict[str, Any] | None) -> list[str]:
    """Who gave a label and when, and what it used."""
    if not by:
        return []
    usage = by["usage"]
    tokens = f"{usage.get('input_tokens', 0)} tokens in, {usage.get('output_tokens', 0)} out"
    return [f"by {by['model']} on {by['date'][:10]}, {tokens}, prompt {by['prompt'].removeprefix('sha256:')[:12]}"]
