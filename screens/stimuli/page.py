"""Stimuli: the sets of sentences, and the sentences of the one under the cursor."""

from __future__ import annotations

from typing import Any, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.widget import Widget
from typing_extensions import override

from screens import background, verbs
from screens.line.questions import new_sentence_question, rewrite_question
from screens.line.routes import show_reply
from screens.pages.list_page import HeldPage
from screens.pages.page import Act
from screens.painting import palette
from screens.painting.text import thousands, visible, wrapped
from screens.stimuli.design_text import summary
from screens.widgets.box import Box
from screens.widgets.lines import Column, Lines, Row, cell_text
from screens.widgets.painted import Painted, Paragraph, Piece, TextLines, fitted
from workbench.errors import WorkbenchError


class CheckNote(Painted):
    """What the check of the design says, as far as there is room."""

    indent = 2

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.text = ""

    def show(self, text: str) -> None:
        """Show this text, its lines kept."""
        if text != self.text:
            self.text = text
            self.refresh()

    @override
    def pieces(self, y: int, width: int) -> list[Piece]:
        """The line `y` of the wrapped text; the last one says that there is more."""
        lines = wrapped(self.text, width)
        more = y == self.size.height - 1 and len(lines) > y + 1
        return fitted([(lines[y] + (" …" if more else ""), palette.PLAIN)], width) if y < len(lines) else []


MOST_TOLD = 2
"""Lines of a set's description."""


class StimuliPage(HeldPage):
    """Sets on the left, sentences on the right."""

    title = "Stimuli"
    hints = (
        ("enter", "sentences"),
        ("c", "contrast"),
        ("a", "add"),
        ("e", "edit"),
        ("x", "leave out"),
        ("C", "check"),
        ("?", "help"),
        ("tab", "other list"),
        ("esc", "back"),
    )
    HELP: ClassVar[str | None] = (
        "A stimulus set is lists of sentences by category; one category carries the concept. "
        "c ranks all features by how they tell it from the others. a adds a sentence to the category under the cursor, "
        "e rewrites the sentence under the cursor, x leaves it out or takes it in again (- marks what is left out), n "
        "begins a new set; each writes a new version that u takes back. C shows the check of the design in full: what "
        "beside the concept tells the categories apart, and what the set can show at all."
    )

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self.names: list[str] = []
        self._sets: dict[str, dict[str, Any]] = {}
        self._rows: dict[str, dict[str, Any]] = {}
        """Sentences that were fetched, by the key of their row."""
        self._among_sentences = False
        """Whether the sentences have the keys; they still have them when a line or a page over this one is closed."""

    def compose(self) -> ComposeResult:
        """Two lists."""
        yield Lines([Column("set"), Column("n", 4, "right"), Column("k", 2, "right")], id="sets")
        with Box(id="set-side"):
            yield TextLines(id="set-header")
            yield Lines([Column("category", 12), Column("sentence")], id="sentences")
            yield Paragraph(id="whole-sentence")
            yield CheckNote(id="set-check")

    @property
    def main(self) -> Widget:
        """The list that had the keys last."""
        return self.query_one("#sentences", Lines) if self._among_sentences else self.lines

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Remember which list has the keys."""
        self._among_sentences = event.widget.id == "sentences"

    def forget(self) -> None:
        """Begin with the sets of the other session."""
        self._among_sentences = False
        super().forget()

    def clear(self, text: str) -> None:
        """Show no set and no sentence, but this text."""
        self.query_one("#set-header", TextLines).show([])
        self.query_one("#sentences", Lines).show([])
        self.query_one(Paragraph).show("")
        self.query_one(CheckNote).show("")
        self._rows = {}
        super().clear(text)

    async def load(self) -> None:
        """List the sets, then the sentences of the one under the cursor."""
        result = await self.ask(verbs.StimuliList())
        self._sets = {item["name"]: item for item in result["sets"]}
        self.names = list(self._sets)
        self._show_sets()
        if self.subject in self._sets:
            self.lines.put_cursor(self.subject)
        await self._load_sentences()

    def _show_sets(self) -> None:
        sets = [item for name, item in self._sets.items() if self.found(name, *item["categories"])]
        none = f"No set matches {self.wanted!r}.\nesc shows all."
        self.lines.empty = none if self.wanted else "No stimulus sets.\n:stimuli.import FILE"
        self.lines.show([_row(item) for item in sets], note=self.matching)

    def show_found(self) -> None:
        """The sets of which name or a category contains what is wanted; the sentences follow when that is kept."""
        self._show_sets()
        if not self.typing and self.lines.key != self.subject:
            background.start(self, self._load_sentences, "sentences", latest=True)

    @property
    def filtered(self) -> str | None:
        """Sets are filtered, not their sentences."""
        return None if self.query_one("#sentences", Lines).has_focus else super().filtered

    @property
    def why_no_filter(self) -> str:
        """The sentences have the keys, or there is no set."""
        if self.query_one("#sentences", Lines).has_focus:
            return "/ filters the sets: esc goes to them"
        return super().why_no_filter

    async def _load_sentences(self) -> None:
        name = self.lines.key
        if not name:
            return
        sentences = self.query_one("#sentences", Lines)

        async def fetch(offset: int, limit: int) -> tuple[list[Row], int]:
            page = await self.ask(verbs.StimuliShow(set=name, offset=offset, limit=limit))
            return self._take_rows(page), int(page["total"])

        first = await self.ask(verbs.StimuliShow(set=name))
        self._rows = {}
        rows = self._take_rows(first)
        header = self.query_one("#set-header", TextLines)
        wide = self.app.size.width
        lines = _header(
            first, header.size.width or wide - (44 if wide >= 110 else 23)
        )  # before the first layout: app.tcss
        if header.styles.height is None or header.styles.height.value != len(lines):
            header.styles.height = len(lines)
        header.show(lines)
        if self.subject != name:
            sentences.cursor = sentences.top = 0
        self.subject = name
        sentences.show_source(fetch, rows, int(first["total"]))
        self._show_whole()
        background.start(self, self._load_check, "check", latest=True)

    def _take_rows(self, page: dict[str, Any]) -> list[Row]:
        rows = _sentence_rows(page, page["positive"])
        self._rows |= {row.key: found for row, found in zip(rows, page["rows"], strict=True)}
        return rows

    async def _load_check(self) -> None:
        """A word on the design, when it comes; the sentences do not wait for it."""
        shown, name = self.query_one(CheckNote), self.lines.key
        try:
            found = await self.ask(verbs.StimuliCheck(set=name))
        except WorkbenchError as error:
            shown.show(f"check: {visible(error.message)}")
            return
        if name == self.lines.key:
            shown.show(summary(found))

    @on(Lines.Moved)
    def show_other_set(self, event: Lines.Moved) -> None:
        """Show the sentences of another set."""
        if event.lines.id == "sentences":
            self._show_whole()
        else:
            background.start(self, self._load_sentences, "sentences", latest=True)

    def _show_whole(self) -> None:
        """The sentence under the cursor in full, which its row may have no room for."""
        row = self.query_one("#sentences", Lines).row
        known = self._rows.get(row.key) if row else None
        told = _columns(known) if known else ""
        self.query_one(Paragraph).show(f"{row.cells[1]}{told}" if row else "")

    def on_lines_opened(self, _event: Lines.Opened) -> None:
        """Go on to the sentences."""
        self._among_sentences = True
        self.main.focus()

    def back_out(self) -> bool:
        """From the sentences back to the sets."""
        if self.query_one("#sentences", Lines).has_focus:
            self._among_sentences = False
            self.main.focus()
            return True
        return super().back_out()

    def acts(self) -> dict[str, Act]:
        """Contrast, check and change the set under the cursor."""
        if self.lines.key not in self._sets:
            return {"new": self._new}
        acts: dict[str, Act] = {"new": self._new, "suggest": self._add, "check": self._check}
        if self._sets[self.lines.key].get("positive"):
            acts["contrast"] = self._contrast
        if self._sentence():
            acts |= {"edit": self._edit, "cancel": self._leave_out}
        return acts

    def why_not(self, action: str) -> str:
        """A set without a positive category needs one to be named."""
        if action == "contrast" and self.lines.key:
            return f"{self.lines.key} names no positive category: :features.contrast {self.lines.key} positive=NAME"
        if action in ("edit", "cancel") and self.lines.key:
            return f"{self.lines.key} has no sentence: a adds one"
        return ""

    def _contrast(self) -> None:
        verb = verbs.FeaturesContrast(stimuli=self.lines.key)
        self.workbench.do(verb, show_reply(self.workbench, verb))

    def _check(self) -> None:
        verb = verbs.StimuliCheck(set=self.lines.key)
        self.workbench.show_answer(verb, show_reply(self.workbench, verb))

    def _sentence(self) -> dict[str, Any]:
        """The sentence under the cursor with its columns."""
        row = self.query_one("#sentences", Lines).row
        return self._rows.get(row.key, {}) if row else {}

    def _new(self) -> None:
        """The line for a new set, the cursor where its name goes; nothing stands there that could be taken for one."""
        rest = " category=concept category=other"
        self.workbench.open_command(f"stimuli.new {rest}", back=len(rest))

    def _add(self) -> None:
        counts = self._sets[self.lines.key]["categories"]
        category = self._sentence().get("category") or next(iter(counts), "")
        self.workbench.open_line(new_sentence_question(self.workbench, self.lines.key, tuple(counts), category))

    def _edit(self) -> None:
        text = self._sentence()["text"]
        self.workbench.open_line(rewrite_question(self.workbench, self.lines.key, text), text)

    def _leave_out(self) -> None:
        found = self._sentence()
        used = found.get("include", True)
        texts = (found["text"],)
        verb = verbs.StimuliEdit(set=self.lines.key, exclude=texts if used else (), include=() if used else texts)
        self.workbench.do(verb)

    def copyable(self) -> str:
        """The sentence under the cursor, or the set's name."""
        sentences = self.query_one("#sentences", Lines)
        row = sentences.row if sentences.has_focus else None
        return cell_text(row.cells[1]) if row else self.lines.key


def _row(item: dict[str, Any]) -> Row:
    mark = " (own)" if item["origin"] == "session" else ""
    stale = " stale" if item.get("stale") else ""
    counts = item["categories"]
    return Row(item["name"], (item["name"] + mark + stale, thousands(sum(counts.values())), str(len(counts))))


def _sentence_rows(page: dict[str, Any], positive: str) -> list[Row]:
    rows = []
    for place, row in enumerate(page["rows"], start=page["offset"]):
        used = row.get("include", True)
        style = palette.GOOD if used and row["category"] == positive else palette.DIM
        mark = "-" if not used else "+" if row["category"] == positive else " "
        rows.append(Row(str(place), ((mark + row["category"], style), row["text"])))
    return rows


def _columns(row: dict[str, Any]) -> str:
    """What is known of a sentence beside its category."""
    told = [f"{name} {row[name]}" for name in ("id", "item", "fold") if name in row]
    if "span" in row:
        told.append(f"target {row['text'][slice(*row['span'])]}")
    told += [f"{name} {value}" for kind in ("factors", "nuisances") for name, value in row.get(kind, {}).items()]
    if not row.get("include", True):
        told.append("left out")
    return f"   ({', '.join(told)})" if told else ""


def _header(page: dict[str, Any], width: int) -> list[list[Piece]]:
    told = wrapped(visible(page.get("description") or ""), width - 2)
    counts = ", ".join(f"{name} {count}" for name, count in page["categories"].items())
    positive = f"positive: {page['positive']} (+)" if page["positive"] else "no positive category"
    described: list[list[Piece]] = [[(f"  {line}", palette.DIM)] for line in told[:MOST_TOLD]]
    return [
        [(f"  {visible(page['name'])} ", palette.BOLD), (visible(positive), palette.GOOD)],
        [(f"  {visible(counts)}", palette.PLAIN)],
        *described,
    ]
