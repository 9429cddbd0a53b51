"""Labels side by side: what different labellers and models suggest for one feature, cluster or quantum."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult

from screens import verbs
from screens.labels.text import best_score, origin, rating_text, score_line
from screens.pages.list_page import ListPage
from screens.pages.page import Act
from screens.widgets.lines import Column, Lines, Row, cell_text
from screens.widgets.painted import Paragraph

if TYPE_CHECKING:
    from screens.app import WorkbenchApp

EMPTY = "Nothing was suggested here: a suggests, or :labels.suggest NUMBER labeller=anthropic."


class BesidePage(ListPage):
    """One suggestion a row; it covers the screen until esc."""

    title = "Labels side by side"
    hints = (("A", "accept this one"), ("j k", "move"), ("y", "copy"), ("?", "help"), ("esc", "back"))
    HELP: ClassVar[str | None] = (
        "What each labeller or model suggests for the same feature, cluster or quantum, with the scores of its text. "
        "A puts the one under the cursor in force as yours to answer for; the others are kept. Scores of the offline "
        "scorer are marked `by words` and not to be compared with a model's."
    )

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self._item: dict[str, Any] = {}
        self._rows: dict[str, dict[str, Any]] = {}

    def compose(self) -> ComposeResult:
        """The list, and the whole of the one under the cursor."""
        columns = [Column("from", 18), Column("label"), Column("score", 13, "right"), Column("status", 10)]
        yield Lines([*columns, Column("line", 4, "right")], empty=EMPTY, id="beside-list")
        yield Paragraph(classes="detail")

    def reload(self) -> None:
        """Nothing to ask: `show_reply` brought it."""

    def show_reply(self, item: dict[str, Any], result: dict[str, Any]) -> None:
        """Show what `labels.compare` said of one."""
        self._item = item
        found = result["features"][0] if result["features"] else {"labels": []}
        self._rows = {one["source"]: one for one in found["labels"]}
        in_force = "in force: " + str(item["text"])
        rated = rating_text(found.get("rating"))
        self.lines.cursor = self.lines.top = 0
        self.lines.empty = EMPTY
        self.show_rows([_row(one) for one in self._rows.values()], note="; ".join(filter(None, (in_force, rated))))

    def whole(self) -> str:
        """The label whole, its scores, and where it is from."""
        one = self._rows.get(self.lines.key)
        if one is None:
            return ""
        return "\n".join([str(one["text"]), *map(score_line, one["scores"][:3]), *origin(one.get("by"))])

    def copyable(self) -> str:
        """Source and label."""
        row = self.lines.row
        return "\t".join(cell_text(cell).strip() for cell in row.cells[:2]) if row else ""

    def acts(self) -> dict[str, Act]:
        """Accept the one under the cursor."""
        return {"accept": self._accept} if self.lines.key else {}

    def _accept(self) -> None:
        item, app = self._item, self.workbench
        verb = verbs.LabelsAccept(feature=item["feature"], of=item.get("of", "features"), source=self.lines.key)
        app.do(verb, lambda _: app.show_place() if app.over == self.id else None)

    def state(self) -> dict[str, str]:
        """Not part of the view."""
        return {}


def _row(one: dict[str, Any]) -> Row:
    return Row(one["source"], (one["source"], one["text"], best_score(one["scores"]), one["status"], str(one["seq"])))


def ask_beside(app: WorkbenchApp, item: dict[str, Any]) -> None:
    """Ask what was suggested for one, and show it over the screen."""
    verb = verbs.LabelsCompare(features=(item["feature"],), of=item.get("of", "features"))

    def show(reply: dict[str, Any]) -> None:
        app.query_one(BesidePage).show_reply(item, reply["result"])
        app.show_over("beside")

    app.show_answer(verb, show)
