"""A feature's RDM beside the model's: mean dissimilarity within and between categories, in five shades."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult

from screens import verbs
from screens.overlays.why import ask_why
from screens.pages.list_page import ListPage
from screens.pages.page import Act
from screens.painting import palette
from screens.painting.text import chance, number, visible
from screens.widgets.lines import Cell, Column, Lines, Row

if TYPE_CHECKING:
    from screens.app import WorkbenchApp

SHADES = " ░▒▓█"
NAME = 14
MOST = 30
"""Categories that are drawn; more do not fit side by side."""


class RdmPage(ListPage):
    """One category a row: the model's row, then the feature's; it covers the screen until esc."""

    title = "RDM"
    hints = (("w", "why"), ("y", "copy"), ("j k", "move"), ("esc", "back"))
    needs_session = False
    HELP: ClassVar[str | None] = (
        "Left the model: how unlike the sentences of two categories should be. Right the feature: the mean squared "
        "distance of its pooled activations between them. Darker is further; each matrix has its own scale, from its "
        "least to its largest value, both said above it; `features rdm` in the shell prints the numbers."
    )

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self._result: dict[str, Any] = {}

    def compose(self) -> ComposeResult:
        """The list."""
        yield Lines([Column("category", NAME), Column("model, then feature")], id="rdm-list")

    def reload(self) -> None:
        """Nothing to ask: `show_reply` brought it."""

    def show_reply(self, reply: dict[str, Any]) -> None:
        """Show what `features.rdm` said."""
        self._result = reply["result"]
        self.lines.cursor = self.lines.top = 0
        cells = rdm_cells(reply["result"])
        self.lines.show([Row(str(at), pair) for at, pair in enumerate(cells)], note=f":{reply['command']}")

    def acts(self) -> dict[str, Act]:
        """Why these numbers."""
        return {"why": self._why} if self._result else {}

    def _why(self) -> None:
        found = self._result
        ask_why(self.workbench, str(found["feature"]), int(found["ranking"]["seq"]), facts=rdm_facts(found))

    def state(self) -> dict[str, str]:
        """Not part of the view."""
        return {}


def ask_rdm(app: WorkbenchApp, feature: str, ranking: int | None) -> None:
    """Ask for a feature's RDM, and show it over the screen."""
    app.show_answer(verbs.FeaturesRdm(feature=feature, ranking=ranking), lambda reply: show_rdm(app, reply))


def show_rdm(app: WorkbenchApp, reply: dict[str, Any]) -> None:
    """Put the answer over the screen."""
    app.query_one(RdmPage).show_reply(reply)
    app.show_over("rdm")


def rdm_cells(result: dict[str, Any]) -> list[tuple[Cell, Cell]]:
    """Name and text of each line: what is compared, both scales, then a line for each category."""
    test, head = result["test"], result["ranking"]
    names, model, seen = result["names"][:MOST], result["model"], result["distances"]
    size = 2 if len(names) <= MOST // 2 else 1
    score = test["status"] if test["status"] != "ok" else f"{head['statistic']} {number(test['score'], 3)}"
    chances = f", p {chance(test['p'])}, q {chance(test['q'])}" if test["status"] == "ok" else ""
    found: list[tuple[Cell, Cell]] = [
        (("feature", palette.BOLD), visible(str(result["feature"]))),
        (("model", palette.BOLD), visible(str(head["against"]))),
        (("score", palette.BOLD), score + chances),
        (("scales", palette.BOLD), f"model {_scale(model)} · feature {_scale(seen)}"),
        ("", ""),
    ]
    for name, left, right in zip(names, shades(model, size), shades(seen, size), strict=False):
        found.append(((visible(name)[:NAME], palette.NAME), f"{left}   {right}"))
    if len(result["names"]) > MOST:
        found.append(("", f"the first {MOST} of {len(result['names'])} categories"))
    return found


def rdm_facts(result: dict[str, Any]) -> list[tuple[str, str]]:
    """What `w` says of the two matrices, before it says where the score comes from."""
    model, seen = _scale(result["model"]), _scale(result["distances"])
    return [
        ("left", f"the model RDM ({result['ranking']['against']}), mean over pairs of sentences: {model}"),
        ("right", f"squared distances of the feature's pooled activations, mean over the same pairs: {seen}"),
        ("cells", f"{len(result['names'])} categories, with themselves and each other; the score is over the pairs"),
    ]


def shades(values: list[list[float]], size: int) -> list[str]:
    """A matrix as lines of shades, each cell `size` characters wide, from its least to its largest value."""
    low, high = _ends(values)
    span = (high - low) or 1.0
    steps = len(SHADES) - 1
    return [
        "".join(SHADES[round((value - low) / span * steps)] * size for value in row[:MOST]) for row in values[:MOST]
    ]


def _scale(values: list[list[float]]) -> str:
    low, high = _ends(values)
    return f"{number(low, 3)} to {number(high, 3)}"


def _ends(values: list[list[float]]) -> tuple[float, float]:
    flat = [value for row in values for value in row]
    return min(flat, default=0.0), max(flat, default=0.0)
