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
from screens.widgets.lines import Column, Lines, Row, cell_text
from screens.widgets.painted import Paragraph

EMPTY = (
    "No labels yet.\n\n"
    "Press a to have the top of the latest ranking labelled offline (:labels.suggest),\n"
    "or open a feature and press l to write one yourself."
)


class LabelsPage(FilteredPage):
    """One label a row."""

    title = "Labels"
    hints = (
        ("enter", "feature"),
        ("l", "edit"),
        ("a", "suggest"),
        ("/", "filter"),
        ("y", "copy"),
        ("?", "help"),
        ("esc", "back"),
    )
    HELP: ClassVar[str | None] = (
        "Labels by feature. A suggestion never overwrites a label of yours; l edits, an empty text removes."
    )

    def compose(self) -> ComposeResult:
        """The list."""
        yield Lines(
            [
                Column("id", 7, "right"),
                Column("label"),
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
        note = f"matching {self.wanted!r}" if self.wanted else ""
        self.show_rows([_row(item) for item in result["labels"]], note=note)

    def on_lines_opened(self, event: Lines.Opened) -> None:
        """Open the feature."""
        self.workbench.visit("feature", event.key)

    def whole(self) -> str:
        """The feature with its whole label."""
        row = self.lines.row
        return f"{row.key}  {cell_text(row.cells[1])}" if row else ""

    def acts(self) -> dict[str, Act]:
        """Edit, suggest, steer."""
        found: dict[str, Act] = {"suggest": lambda: self.workbench.do(verbs.LabelsSuggest())}
        if key := self.lines.key:
            found["label"] = self._label
            found["steer"] = lambda: self.workbench.open_command(steer_line(key, self.workbench.summary))
        return found

    def _label(self) -> None:
        row = self.lines.row
        if row:
            text, own = cell_text(row.cells[1]), row.cells[2] == "investigator"
            question = label_question(self.workbench, row.key, "" if own else text)
            self.workbench.open_line(question, text if own else "")


def _row(item: dict[str, Any]) -> Row:
    own = item["source"] == "investigator"
    status = f"{item['status']} stale" if item.get("stale") else item["status"]
    style = palette.BOLD if own else None
    cells = ((short_id(item["feature"]), palette.NAME), (item["text"], style), item["source"], status, str(item["seq"]))
    return Row(item["feature"], cells)
