"""The cosines inside a cluster: one member a row, the decoder cosine with each other one in five shades."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult

from screens import verbs
from screens.pages.list_page import ListPage
from screens.painting import palette
from screens.painting.text import number, short_id, thousands, visible
from screens.select.rdm import SHADES
from screens.widgets.lines import Column, Lines, Row

if TYPE_CHECKING:
    from screens.app import WorkbenchApp


class CosinesPage(ListPage):
    """It covers the screen until esc."""

    title = "Cosines"
    hints = (("enter", "feature"), ("j k", "move"), ("y", "copy"), ("esc", "back"))
    needs_session = False
    HELP: ClassVar[str | None] = (
        "Decoder cosines of the cluster's members, nearest to its middle first; columns stand in the order of the "
        "rows, at most 40. Five shades from 0 (blank, also what is negative) to 1 (full); the number is the mean "
        "with the other members shown."
    )

    def compose(self) -> ComposeResult:
        """The list."""
        yield Lines(
            [
                Column("feature", 8),
                Column("mean", 6, "right"),
                Column("cosines"),
            ],
            id="cosines-list",
        )

    def reload(self) -> None:
        """Nothing to ask: `show_reply` brought it."""

    def show_reply(self, reply: dict[str, Any]) -> None:
        """Show what `clusters.show` said."""
        told = reply["result"]
        self.lines.empty = "No directions are at hand: the clusters are of an SAE that is not loaded."
        self.lines.cursor = self.lines.top = 0
        rest = f" · the first {len(told['matrix'])} of {thousands(told['size'])}"
        note = f"cluster {told['cluster']}, mean cosine {number(told['cosine'])}"
        self.lines.show(cosine_rows(told), note=note + (rest if len(told["matrix"]) < told["size"] else ""))

    def on_lines_opened(self, event: Lines.Opened) -> None:
        """Open the feature."""
        self.workbench.visit("feature", event.key)

    def state(self) -> dict[str, str]:
        """Not part of the view."""
        return {}


def ask_cosines(app: WorkbenchApp, cluster: int) -> None:
    """Ask for a cluster's members, and show their cosines over the screen."""

    def show(reply: dict[str, Any]) -> None:
        app.query_one(CosinesPage).show_reply(reply)
        app.show_over("cosines")

    app.show_answer(verbs.ClustersShow(cluster=cluster), show)


def cosine_rows(told: dict[str, Any]) -> list[Row]:
    """A row for each member that is shown."""
    rows = []
    for at, (item, values) in enumerate(zip(told["features"], told["matrix"], strict=False)):
        others = [value for place, value in enumerate(values) if place != at]
        mean = sum(others) / len(others) if others else None
        drawn = "".join(SHADES[min(4, round(max(0.0, value) * 4))] * 2 for value in values)
        text = f"{drawn}  {visible(item['label'])}" if item["label"] else drawn
        rows.append(Row(item["feature"], ((short_id(item["feature"]), palette.NAME), number(mean, 2), text)))
    return rows
