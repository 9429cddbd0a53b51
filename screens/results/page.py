"""The screen of one stored result: what a probe, a comparison, a replication or an RSA over sets came to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from textual import events
from textual.app import ComposeResult

from screens import verbs
from screens.line import doing
from screens.overlays.reply_view import flat
from screens.overlays.why import ask_why, show_facts
from screens.pages.list_page import ListPage
from screens.pages.page import Act
from screens.painting import palette
from screens.painting.text import in_app
from screens.results import compare, drawn, probe, replicate, rsa_sets
from screens.results.found import FOUND
from screens.results.tables import Result, Told, View, paragraph
from screens.widgets.lines import Column, Lines, Row
from screens.widgets.painted import Piece, TextLines
from screens.widgets.wide_lines import WideLines
from workbench.errors import WorkbenchError

VIEWS: dict[str, Callable[[Result, int], View]] = {
    "features.replicate": replicate.view,
    "features.probe": probe.view,
    "features.compare": compare.view,
    "features.rsa": rsa_sets.view,
    **drawn.views(),
    **FOUND,
}
"""How the result of each command is laid out; any other is what the shell prints, or its values."""
QUERY = ":"
"""Begins the subject of the page where it is a query's line rather than the number of a log line."""
MOST = 2000
"""Lines of a result that has no view of its own."""


class ResultPage(ListPage):
    """A stored result, by the number of its log line, or the answer to a query, by its `:` line."""

    title = "Result"
    parent_screen = "log"
    KEYS = (
        ("w", "why"),
        ("enter", "feature"),
        ("j k", "move"),
        ("y", "copy"),
        ("[ ]", "back, forward"),
        ("?", "help"),
    )
    HELP: ClassVar[str | None] = (
        "A result as it was stored, table below table. w says what the number under the cursor is, what it was "
        "compared with and which line makes it; enter opens the feature of a row that has one; y copies the row. R in "
        "the Log (9) or in Select (3) comes here again; [ and ] walk through the places visited."
    )

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self.stored: dict[str, Any] = {}
        self.view: View | None = None

    @property
    def hints(self) -> tuple[tuple[str, str], ...]:  # type: ignore[override] # esc means two things
        """Esc goes to the log, or back from the answer to a query."""
        return (*self.KEYS, ("esc", "back" if self.subject.startswith(QUERY) else "log"))

    def compose(self) -> ComposeResult:
        """What was done and what came out, then the tables."""
        yield TextLines(id="result-header")
        yield WideLines([Column("")], id="result-list")

    def clear(self, text: str) -> None:
        """Show no result, but this text."""
        self.stored, self.view = {}, None
        self.query_one("#result-header", TextLines).show([])
        super().clear(text)

    def bring(self, subject: str) -> None:
        """Another result begins at its top."""
        if subject and subject != self.subject:
            self.query_one(WideLines).begin()
            self.clear("")
        super().bring(subject)

    def take(self, verb: verbs.Verb, reply: dict[str, Any]) -> None:
        """Show the answer to a query that is at hand."""
        self.clear("")
        self.subject, self.outdated = subject_of(verb), False
        self._show_answer(reply)

    async def load(self) -> None:
        """Ask for the stored result, or ask the query again."""
        if self.subject.isdigit():
            self.stored = await self.ask(verbs.SessionResult(line=int(self.subject)))
            self._draw()
        elif (asked := asked_by(self.subject)) is not None:
            self._show_answer(await doing.request(self.workbench, asked))
        else:
            self.clear("No result is chosen.\nOpen the Log (9) and press R on a line.")

    def _show_answer(self, reply: dict[str, Any]) -> None:
        """A query has no log line: its own line stands for it."""
        again = bool(self.stored)
        self.stored = {
            "do": reply["command"], "line": self.subject.removeprefix(QUERY), "seq": None, "stale": False,
            "withdrawn": False, "warnings": reply.get("warnings") or [], "provenance": reply.get("provenance") or {},
            "result": reply["result"],
        }  # fmt: skip
        self._draw()
        if not again and self.view and self.view.features:
            self.lines.put_cursor(next(iter(self.view.features)))

    def show_failure(self, error: WorkbenchError) -> None:
        """A line that is gone or failed has no result."""
        self.clear(f"{error.message}\n{in_app(error.hint)}")

    def _draw(self) -> None:
        """Lay the result out for the width there is."""
        if not self.stored:
            return
        self.view = view_of(self.stored, self.app.size.width)
        lines: list[list[Piece]] = [[(text, style)] for text, style in self.view.head]
        self.query_one("#result-header", TextLines).show(lines)
        stale = " · STALE: it rests on something taken back" if self.stored["stale"] else ""
        gone = " · taken back" if self.stored["withdrawn"] else ""
        self.lines.columns = (Column(""),)
        rows = self.view.rows[1:] if self.view.rows[0].key.endswith(":gap") else self.view.rows
        told = [
            row
            for at, warning in enumerate(self.stored["warnings"])
            for row in paragraph(f"warning:{at}", f"warning: {in_app(warning)}", self.app.size.width, palette.WARN)
        ]
        where = "" if self.stored["seq"] is None else f"line {self.stored['seq']}{gone}{stale} · "
        self.lines.spell_cut = not where  # a hit may be longer than the room for it
        self.lines.show([*told, *rows], note=f"{where}:{self.stored['line']}")

    def on_resize(self, _event: events.Resize) -> None:
        """Lay it out anew."""
        self._draw()

    def on_lines_opened(self, event: Lines.Opened) -> None:
        """Open the feature of the row, where it has one."""
        feature = self.view.features.get(event.key) if self.view else None
        if feature:
            self.workbench.visit("feature", feature)
        elif tag := self.view.lists.get(event.key) if self.view else None:
            self.workbench.visit("result", subject_of(verbs.FeaturesTags(tag=tag)))
        else:
            self.workbench.explain("this row is not about one feature: w says what it is")

    def acts(self) -> dict[str, Act]:
        """Why this number."""
        return {"why": self._why} if self.view else {}

    def _why(self) -> None:
        assert self.view is not None  # the key is offered only then
        told = self.view.told.get(self.lines.key, self.view.about)
        if told.feature:
            ask_why(self.workbench, told.feature, told.ranking, facts=told.facts)
        else:
            show_facts(self.workbench, told.facts, self.stored)

    @property
    def why_no_filter(self) -> str:
        """A table is read as a whole."""
        return "a result is shown whole: / works on lists, such as Select (3) and Log (9)"

    def back_out(self) -> bool:
        """From the answer to a query back to where it was asked."""
        if not self.subject.startswith(QUERY) or not self.workbench.trail.at:
            return False
        self.workbench.action_travel(-1)
        return True

    def state(self) -> dict[str, str]:
        """Which result it is; its cursor is not kept."""
        return {"line": self.subject} if self.subject else {}

    def restore(self, state: dict[str, str]) -> None:
        """The line alone is taken up: what the trail does not say."""
        line = str(state.get("line", ""))
        if line.isdigit() or asked_by(line) is not None:
            self.subject = line


def view_of(stored: dict[str, Any], width: int) -> View:
    """The view of a stored result; one without a layout is what the shell prints, else its values."""
    result = stored["result"]
    sets = stored["do"] != "features.rsa" or "name" in (result["rows"][:1] or [{}])[0]
    made = VIEWS.get(stored["do"]) if sets else None
    if made is not None:
        return made(result, width)
    if drawn.lines_of(stored["do"], result, width):
        return drawn.view(stored["do"], result, width)
    columns = (Column("", 30), Column(""))
    rows = [Row(str(at), pair, columns=columns) for at, pair in enumerate(flat(result)[:MOST])]
    about = Told((("definition", f"a value of the stored result of {stored['do']}; docs/wire.md says what each is"),))
    return View(((f"  {stored['do']}", palette.BOLD),), tuple(rows), {}, {}, about)


def has_view(verb: verbs.Verb) -> bool:
    """Whether the result of a command is shown on a screen of its own."""
    if verb.dotted == "features.rsa":
        return not verb.ranks_features  # type: ignore[attr-defined] # sets of units
    return verb.dotted in VIEWS


def is_list(verb: verbs.Verb) -> bool:
    """Whether a query's answer is a list of features, shown here."""
    return verb.dotted in FOUND


def subject_of(verb: verbs.Verb) -> str:
    """The subject of the page that shows a query's answer."""
    return QUERY + verbs.format_line(verb)


def asked_by(subject: str) -> verbs.Verb | None:
    """The query of a subject; none where it is anything else, which a saved view may hold."""
    if not subject.startswith(QUERY):
        return None
    try:
        verb = verbs.parse_line(subject.removeprefix(QUERY))
    except WorkbenchError:
        return None
    return verb if is_list(verb) else None
