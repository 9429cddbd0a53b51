"""Stimuli: the sets of sentences, and the sentences of the one under the cursor."""

from __future__ import annotations

from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult

from screens import background, palette, verbs
from screens.list_page import ListPage
from screens.page import Act
from screens.routes import show_reply
from screens.text import thousands, visible
from screens.widgets.box import Box
from screens.widgets.lines import Column, Lines, Row, cell_text
from screens.widgets.painted import Paragraph, Piece, TextLines


class StimuliPage(ListPage):
    """Sets on the left, sentences on the right."""

    title = "Stimuli"
    hints = (
        ("enter", "sentences"),
        ("c", "contrast"),
        ("tab", "other list"),
        (":", "command"),
        ("y", "copy"),
        ("?", "help"),
        ("esc", "back"),
    )
    HELP: ClassVar[str | None] = (
        "A stimulus set is lists of sentences by category; one category carries the concept. "
        "c ranks all features by how they tell it from the others."
    )

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self.names: list[str] = []
        self._sets: dict[str, dict[str, Any]] = {}

    def compose(self) -> ComposeResult:
        """Two lists."""
        yield Lines([Column("set"), Column("n", 4, "right"), Column("k", 2, "right")], id="sets")
        with Box(id="set-side"):
            yield TextLines(id="set-header")
            yield Lines([Column("category", 12), Column("sentence")], id="sentences")
            yield Paragraph(id="whole-sentence")

    def clear(self, text: str) -> None:
        """Show no set and no sentence, but this text."""
        self.query_one("#set-header", TextLines).show([])
        self.query_one("#sentences", Lines).show([])
        self.query_one(Paragraph).show("")
        super().clear(text)

    async def load(self) -> None:
        """List the sets, then the sentences of the one under the cursor."""
        result = await self.ask(verbs.StimuliList())
        self._sets = {item["name"]: item for item in result["sets"]}
        self.names = list(self._sets)
        self.lines.empty = "No stimulus sets.\n:stimuli.import FILE"
        self.lines.show([_row(item) for item in result["sets"]])
        if self.subject in self._sets:
            self.lines.put_cursor(self.subject)
        await self._load_sentences()

    async def _load_sentences(self) -> None:
        name = self.lines.key
        if not name:
            return
        sentences = self.query_one("#sentences", Lines)

        async def fetch(offset: int, limit: int) -> tuple[list[Row], int]:
            page = await self.ask(verbs.StimuliShow(set=name, offset=offset, limit=limit))
            return _sentence_rows(page, page["positive"]), int(page["total"])

        first = await self.ask(verbs.StimuliShow(set=name))
        rows = _sentence_rows(first, first["positive"])
        self.query_one("#set-header", TextLines).show(_header(first))
        if self.subject != name:
            sentences.cursor = sentences.top = 0
        self.subject = name
        sentences.show_source(fetch, rows, int(first["total"]))
        self._show_whole()

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
        self.query_one(Paragraph).show(str(row.cells[1]) if row else "")

    def on_lines_opened(self, _event: Lines.Opened) -> None:
        """Go on to the sentences."""
        self.query_one("#sentences", Lines).focus()

    def back_out(self) -> bool:
        """From the sentences back to the sets."""
        if self.query_one("#sentences", Lines).has_focus:
            self.lines.focus()
            return True
        return False

    def acts(self) -> dict[str, Act]:
        """Contrast the set under the cursor."""
        return {"contrast": self._contrast} if self._sets.get(self.lines.key, {}).get("positive") else {}

    def why_not(self, action: str) -> str:
        """A set without a positive category needs one to be named."""
        if action == "contrast" and self.lines.key:
            return f"{self.lines.key} names no positive category: :features.contrast {self.lines.key} positive=NAME"
        return ""

    def _contrast(self) -> None:
        verb = verbs.FeaturesContrast(stimuli=self.lines.key)
        self.workbench.do(verb, show_reply(self.workbench, verb))

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
        style = palette.GOOD if row["category"] == positive else palette.DIM
        mark = "+" if row["category"] == positive else " "
        rows.append(Row(str(place), ((mark + row["category"], style), row["text"])))
    return rows


def _header(page: dict[str, Any]) -> list[list[Piece]]:
    counts = ", ".join(f"{name} {count}" for name, count in page["categories"].items())
    positive = f"positive: {page['positive']} (+)" if page["positive"] else "no positive category"
    return [
        [(f"  {visible(page['name'])} ", palette.BOLD), (visible(positive), palette.GOOD)],
        [(f"  {visible(counts)}", palette.PLAIN)],
        [(f"  {visible(page.get('description') or '')}", palette.DIM)],
    ]
