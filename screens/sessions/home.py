"""Home: the sessions, and what the open one knows."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.worker import WorkerError

from screens import background, verbs
from screens.pages.list_page import HeldPage
from screens.pages.page import Act
from screens.painting import palette
from screens.painting.text import in_app, short_space, thousands, visible
from screens.widgets.command_line import Question
from screens.widgets.lines import Column, Lines, Row
from screens.widgets.painted import Paragraph, Piece, TextLines
from workbench import demo
from workbench.errors import WorkbenchError

EMPTY = (
    "No session yet.\n\n"
    "Press d to make the session `demo` and run the demo's commands in it,\n"
    "or n to make an empty session of your own (:session.new NAME)."
)


COLUMNS = (Column("session", 18), Column("cmds", 5, "right"), Column("changed", 11), Column("features"))
"""The year of the last change and the hook's whole name stand below the list."""


class HomePage(HeldPage):
    """Sessions, the last changed first."""

    title = "Home"
    hints = (
        ("enter", "open"),
        ("n", "new session"),
        ("d", "demo"),
        (":", "command"),
        ("p", "all commands"),
        ("?", "help"),
        ("q", "quit"),
    )
    needs_session = False
    HELP: ClassVar[str | None] = (
        "Your sessions: each is one investigation, with its log, its results and where you were."
    )

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self.names: list[str] = []
        self._items: dict[str, dict[str, Any]] = {}
        self._folder = ""
        self._found: str | None = None
        """The session that the cursor was put on when it was opened."""

    def forget(self) -> None:
        """The list of sessions is the same for all of them; only what the open one knows goes."""
        self.outdated = True
        self.query_one(TextLines).show([])
        self.spell_out()

    def compose(self) -> ComposeResult:
        """The list, and what the open session knows below it."""
        yield Lines(
            COLUMNS,
            empty="Connecting to the engine …",
            id="sessions",
        )
        yield Paragraph(classes="detail")
        yield TextLines(id="session-summary")

    async def load(self) -> None:
        """List the sessions."""
        result = await self.ask(verbs.SessionList())
        sessions = result["sessions"]
        self.names = [item["name"] for item in sessions]
        self._folder = str(result["folder"])
        self._items = {item["name"]: item for item in sessions}
        self.show_found()
        if self.workbench.session and self._found != self.workbench.session:
            self._found = self.workbench.session
            self.lines.put_cursor(self._found)
            self.spell_out()  # the rows were spelled out with the cursor on another one
        self.query_one(TextLines).show(summary_lines(self.workbench.summary))

    def state(self) -> dict[str, Any]:
        """The filter is left out: it would hide the other sessions from who opens this one."""
        return {name: value for name, value in super().state().items() if name != "filter"}

    def show_found(self) -> None:
        """The sessions of which name, title or features contain what is wanted."""
        items = self._items.values()
        found = [one for one in items if self.found(one["name"], one["title"], one["sae"] or one["model"] or "")]
        self.lines.empty = f"No session matches {self.wanted!r}.\nesc shows all." if self.wanted else EMPTY
        note = " · ".join(filter(None, (self.matching, f"in {self._folder}")))
        self.show_rows([self._row(item) for item in found], note=note)

    def _row(self, item: dict[str, Any]) -> Row:
        about = " · ".join(
            part for part in (short_space(item["sae"] or item["model"] or "no model yet"), _kind(item)) if part
        )
        changed = str(item["changed"]).replace("T", " ")[5:16]
        style = palette.NAME if item["name"] == self.workbench.session else None
        return Row(item["name"], ((item["name"], style), thousands(item["commands"]), changed, about))

    def whole(self) -> str:
        """Title, features, origin and date of the session under the cursor, with nothing left out."""
        item = self._items.get(self.lines.key)
        if item is None:
            return ""
        changed = str(item["changed"]).replace("T", " ")[:16]
        parts = (item["sae"] or item["model"] or "no model yet", _kind(item), f"changed {changed}")
        return f"{item['title'] or item['name']}\n{' · '.join(part for part in parts if part)}"

    def on_lines_opened(self, event: Lines.Opened) -> None:
        """Open the session under the cursor."""
        self.workbench.enter_session(event.key)

    def acts(self) -> dict[str, Act]:
        """New session, demo."""
        return {"new": self._new, "demo": self._demo}

    def _new(self) -> None:
        def submit(text: str) -> str | None:
            if not text.strip():
                return "a session needs a name"
            if text.strip() in self.names:
                return f"there is a session {text.strip()!r} already: another name, or esc and enter on it"
            self.workbench.close_line()
            self.workbench.ahead.begin(submit, "the session is not made yet")
            background.start(self.workbench, partial(self._make, question, text), "new", latest=True)
            return None

        question = Question("new session: ", submit, advise=lambda _: "letters, digits, . _ -")
        self.workbench.open_line(question)

    async def _make(self, question: Question, name: str) -> None:
        """Make a session and open it; where its name is refused, the line is there again, to be mended."""
        app, made = self.workbench, ""
        try:
            made = str((await app.ask(verbs.SessionNew(name=name.strip())))["session"])
        except WorkbenchError as error:
            if app.page is not self or app.line.question is not None:
                raise
            app.open_line(question, name)
            app.line.refuse(in_app(str(error)))
        finally:
            app.ahead.end(question.submit, came=bool(made))
        if made:
            app.enter_session(made)

    def _demo(self) -> None:
        background.start(self.workbench, self._run_demo, "demo", latest=True)

    async def _run_demo(self) -> None:
        """Make or take the session `demo` and run its commands one after the other."""
        app = self.workbench
        if "demo" not in self.names and not await app.carry_out(verbs.SessionNew(name="demo", title="The demo")):
            return
        if app.session != "demo":
            app.enter_session("demo")
            entering = [worker for worker in app.workers if worker.group == "session"]
            try:
                await asyncio.shield(app.workers.wait_for_complete(entering))
            except WorkerError:
                return  # called off: another session is opened meanwhile
        for line in demo.script_lines():
            if app.session != "demo" or not await app.carry_out(verbs.parse_line(line)):
                return  # the commands are the demo's, and not of a session that was opened since


def _kind(item: dict[str, Any]) -> str:
    if item.get("opened"):
        return "to read"
    return "example" if item["example"] else f"from {item['forked_from']}" if item["forked_from"] else ""


def _found(ranking: dict[str, Any]) -> str:
    """What a ranking discovered; one without tests discovers nothing."""
    tested = thousands(ranking["tested"])
    if ranking["discoveries"] is None:
        return f"{tested} ranked, no test"
    return f"{ranking['discoveries']} of {tested} discovered"


def summary_lines(summary: dict[str, Any]) -> list[list[Piece]]:
    """What a session knows, in a few lines."""
    if not summary:
        return []
    rankings = summary.get("rankings") or []
    last = rankings[-1] if rankings else None
    index, gate, opened = summary.get("index") or {}, summary.get("gate"), summary.get("opened")
    quanta = (summary.get("quanta") or {}).get("count")
    notes = [line for line in str(summary.get("notes") or "").splitlines() if line.strip()]
    found = f"{last['stimuli']}: {_found(last)}" if last else ""
    facts = [
        ("", f"open session {summary.get('name')}: {summary.get('title')}"),
        *([("reading", f"from {Path(summary['opened']).name}: it shows what is stored")] if opened else []),
        ("model", str((summary.get("model") or {}).get("name") or "none yet (:model.load demo)")),
        ("features", str((summary.get("sae") or {}).get("name") or "none yet (:sae.load demo)")),
        *([("gate", str(gate["text"]))] if gate else []),
        ("index", f"{thousands(index.get('tokens'))} tokens" if index else "none yet (b builds it)"),
        ("rankings", f"{len(rankings)}, the last {found}" if last else "none yet (2 Stimuli, then c)"),
        (
            "labels",
            f"{summary.get('labels', 0)}" + ("" if summary.get("clusters") else " · no clusters yet (5, then f)"),
        ),
        *([("quanta", f"{thousands(quanta)} clusters of predictions (6)")] if quanta else []),
        ("notes", notes[-1] if notes else "none (:session.note)"),
    ]
    return [
        [(f" {name:<9}", palette.DIM), (visible(text), palette.PLAIN)]
        if name
        else [(f" {visible(text)}", palette.BOLD)]
        for name, text in facts
    ]
