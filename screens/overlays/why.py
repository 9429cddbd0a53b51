"""Why this number: definition, n, the null it was compared with, where q comes from, provenance, the line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult

from screens import verbs
from screens.pages.list_page import ListPage
from screens.painting import glyphs, palette
from screens.painting.text import chance, number, thousands, visible, wrapped
from screens.widgets.lines import Cell, Column, Lines, Row

if TYPE_CHECKING:
    from screens.app import WorkbenchApp

BARS = 10
"""Lines of the histogram."""
NAME = 11
ASKED = "the session as it is now: a query, whose answers are not kept"
"""Stands where a number has no provenance of its own."""
Facts = Sequence[tuple[str, str]]
"""Name and text of what is known about a number."""


class WhyPage(ListPage):
    """One fact a row; it covers the screen until esc."""

    title = "Why"
    hints = (("y", "copy the : line"), ("j k", "move"), ("esc", "back"))
    needs_session = False
    HELP: ClassVar[str | None] = (
        "What one feature's numbers are and what they were compared with. The bars are the sizes of the same statistic "
        "under shuffled labels, drawn again for this feature alone; the arrow is where the true labels fall. p counts "
        "the bars at or beyond it. q pools the shuffles of many features and goes on by a formula where they end."
    )

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self._line = ""

    def compose(self) -> ComposeResult:
        """The list."""
        yield Lines([Column("", NAME), Column("why these numbers")], id="why-list")

    def reload(self) -> None:
        """Nothing to ask: `show_reply` brought it."""

    @property
    def _width(self) -> int:
        return max(12, self.app.size.width - NAME - 6)

    def show_reply(self, reply: dict[str, Any], facts: Facts = ()) -> None:
        """Show what `features.why` said, below what else is known about the number that was asked for."""
        told = facts_cells(facts, self._width)
        self._show(told + why_cells(reply["result"], self._width), str(reply["result"]["line"]))

    def show_facts(self, facts: Facts, line: str, provenance: dict[str, Any]) -> None:
        """Show what is known about a number that `features.why` knows nothing of."""
        foot = _foot({"provenance": provenance, "line": line}, self._width)
        self._show(facts_cells(facts, self._width) + foot, line)

    def _show(self, cells: list[tuple[Cell, Cell]], line: str) -> None:
        self._line = f":{line}"
        self.lines.cursor = self.lines.top = 0
        self.lines.show([Row(str(at), pair) for at, pair in enumerate(cells)], note=visible(self._line))

    def copyable(self) -> str:
        """The line that makes the number."""
        return self._line

    def state(self) -> dict[str, str]:
        """Not part of the view."""
        return {}


def ask_why(app: WorkbenchApp, feature: str, ranking: int | None, effect: str = "", facts: Facts = ()) -> None:
    """Ask where a feature's numbers come from, and show it over the screen, below what else is known."""
    verb = verbs.FeaturesWhy(feature=feature, ranking=ranking, effect=effect)
    app.show_answer(verb, lambda reply: show_why(app, reply, facts))


def show_why(app: WorkbenchApp, reply: dict[str, Any], facts: Facts = ()) -> None:
    """Put the answer over the screen."""
    app.query_one(WhyPage).show_reply(reply, facts)
    app.show_over("why")


def ask_line(app: WorkbenchApp, seq: int, facts: Facts) -> None:
    """Tell the facts of a number of a log line, with the line and its provenance, over the screen."""
    app.show_answer(verbs.SessionResult(line=seq), lambda reply: show_facts(app, facts, reply["result"]))


def show_facts(app: WorkbenchApp, facts: Facts, stored: dict[str, Any]) -> None:
    """Tell the facts of a number of a stored result that is at hand."""
    app.query_one(WhyPage).show_facts(facts, str(stored["line"]), stored["provenance"])
    app.show_over("why")


def facts_cells(facts: Facts, width: int) -> list[tuple[Cell, Cell]]:
    """Name and text of each line."""
    return [pair for name, text in facts for pair in _told(name, text, width)]


def why_cells(result: dict[str, Any], width: int) -> list[tuple[Cell, Cell]]:
    """Name and text of each line."""
    from commands.render.why import counted_sides, drawn

    test, null, count = result["test"], result["null"], result["n"]
    label = f" “{visible(test['label'])}”" if test["label"] else ""
    pairs = f", {thousands(count['pairs'])} pairs" if count["pairs"] else ""
    found = _told("feature", f"{visible(result['feature'])}{label}", width)
    found += _told("definition", result["definition"], width)
    found += _told("n", f"{counted_sides(result)}, {thousands(count['masked'])} masked{pairs}", width)
    if null is None:
        return found + _told("not drawn", not_drawn(test), width) + _foot(result, width)
    sizes = f"d {number(test['d'], 2)}, AUC {number(test.get('auc'), 2)}, rate {number(test.get('rate_difference'), 2)}"
    place = f"rank {thousands(test['rank'])} of {thousands(result['ranking']['tested'])}"
    effect = number(test["effect"], sign=True)
    rsa = result["ranking"].get("kind") == "rsa"
    score = f"{null['of']} {number(test['score'], 3)}" if rsa else f"t {number(test['score'], 2)}"
    found += _told("observed", f"{score}, effect {effect}{'' if rsa else ', ' + sizes} · {place}", width)
    found += _bars(null, width)
    sum_ = f"({thousands(null['exceeding'])} + 1) / ({thousands(null['draws'])} + 1)"
    found += _told("p", f"{chance(test['p'])} = {sum_}, {drawn(result)}", width)
    found += _told(
        "fwer", f"{chance(test['p_fwer'])}: the same for the largest {null.get('of', '|t|')} of all features", width
    )
    found += _told("q", f"{chance(test['q'])}: {result['tail']['source']}", width)
    return found + _foot(result, width)


def not_drawn(test: dict[str, Any]) -> str:
    """Why there is no null to look at."""
    if test["status"] == "ok":
        return "the units of a set are not stored one by one, so that its null cannot be drawn again"
    return f"not tested: {test['status']}"


def _told(name: str, text: str, width: int) -> list[tuple[Cell, Cell]]:
    """A name beside the first line of a text, nothing beside the others."""
    lines = wrapped(visible(text), width) or [""]
    return [((name if at == 0 else "", palette.BOLD), line) for at, line in enumerate(lines)]


def _bars(null: dict[str, Any], width: int) -> list[tuple[Cell, Cell]]:
    """The null's histogram on its side, an arrow where the true labels fall."""
    edges, counts, observed = null["edges"], null["counts"], null["observed"]
    step = -(-len(counts) // BARS)
    bars = [sum(counts[at : at + step]) for at in range(0, len(counts), step)]
    room = max(8, width - 24)
    found: list[tuple[Cell, Cell]] = []
    for at, count in enumerate(bars):
        low, high = edges[at * step], edges[min((at + 1) * step, len(edges) - 1)]
        bar = glyphs.bar(count / max([*bars, 1]), room).rstrip() or ("▏" if count else "")
        arrow = " ◄ here" if low <= observed < high else ""
        found.append(((f"{null.get('of', '|t|')} {number(low, 2)}"[:NAME], palette.DIM), f"{count:>6} {bar}{arrow}"))
    if observed >= edges[-1]:
        found.append(
            (
                (f"{null.get('of', '|t|')} {number(observed, 2)}"[:NAME], palette.BOLD),
                "       ◄ here, beyond every shuffle",
            )
        )
    return found


def _foot(result: dict[str, Any], width: int) -> list[tuple[Cell, Cell]]:
    """What the number rests on, and the line that makes it."""
    from commands.render.why import provenance_line

    known = provenance_line(result["provenance"]) or ASKED
    return _told("from", known, width) + _told("line", f":{result['line']}", width)
