"""The link to the engine and the session that is open on it: reaching both, reading, and hearing what changes."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from screens import background, verbs
from screens.keys import PLACES
from screens.labels.page import LabelsPage
from screens.line import doing
from screens.pages.page import Page
from screens.places.marks import Marks
from screens.sessions.jobs import JobsPage
from screens.widgets.foot import GateWarning
from workbench.errors import WorkbenchError

if TYPE_CHECKING:
    from screens.app import WorkbenchApp


class Link:
    """Keeps the app's `engine`, `unreached`, `session` and `summary` true."""

    def __init__(self, app: WorkbenchApp) -> None:
        self.app = app
        self._was_lost = False

    # --- reaching

    async def connect(self) -> None:
        """Reach the engine and take up the session that the app was opened on; a failure is kept and shown."""
        app = self.app
        try:
            opened = app.open_engine()
            engine = await opened if inspect.isawaitable(opened) else opened
        except WorkbenchError as error:
            app.unreached = error
            app.status.show(engine="no engine")
            app.page.reload()
            app.notify_error(error)
            return
        engine.on_event = self.heard
        app.engine = engine
        app.status.show(engine=engine.state)
        await self.enter(app.session)

    def try_again(self) -> None:
        """Look for the engine once more, where it could not be reached."""
        app = self.app
        if app.unreached is None:
            return
        app.unreached = None
        app.hide_notice()
        app.status.show(engine="connecting")
        app.page.reload()
        background.start(app, self.connect, "connect", latest=True)

    async def enter(self, session: str | None) -> None:
        """Take a session up: what it knows, where it was left, and what changes in it from now on."""
        app, engine = self.app, self.app.engine
        if engine is None:
            return
        app.session, app.summary, app.marks = session, {}, Marks()
        for page in app.pages:
            page.forget()
        try:
            await engine.watch(session)
            if session:
                await self.read_summary()
        except WorkbenchError as error:
            app.session = None
            app.notify_error(error)
        if app.session:
            app.saved_view.restore(app.summary.get("view") or {}, PLACES)
            app.remember_lines([str(item["line"]) for item in app.summary.get("log") or []])
        app.status.show(session=app.session or "")
        self._outdate()
        app.show_place()
        app.ahead.end(self, came=bool(app.session))
        app.greet()

    def moved(self, session: str) -> None:
        """A command went to another session than the one asked for: a shipped example is forked on its first change."""
        self.app.session = session
        self.app.status.show(session=session)
        background.start(self.app, self._watch, "session", latest=True)

    async def _watch(self) -> None:
        if self.app.engine is not None:
            await self.app.engine.watch(self.app.session)

    # --- reading

    async def read_summary(self) -> None:
        """Ask what the session knows."""
        app = self.app
        app.summary = await app.ask(verbs.SessionShow(tail=500))
        sae, model = app.summary.get("sae") or {}, app.summary.get("model") or {}
        gate = app.summary.get("gate") or {}
        app.status.show(
            features=str(sae.get("name") or model.get("name") or "no model"),
            gate="gate passed" if gate.get("passed") else "",
        )
        app.query_one(GateWarning).show_gate(gate)

    def refresh(self) -> None:
        """Read the session again and what is shown of it; several calls at once become one."""
        if self.app.engine is None:
            self.try_again()
            return
        self._outdate()
        background.start(self.app, self._read_again, "refresh", latest=True)

    async def _read_again(self) -> None:
        app = self.app
        if app.session:
            try:
                await self.read_summary()
            except WorkbenchError as error:
                app.notify_error(error)
                return
        page = app.query_one(f"#{app.trail.here.screen}", Page)
        if page.outdated:
            page.reload()

    def _outdate(self) -> None:
        for page in self.app.pages:
            page.outdated = True

    # --- hearing

    def heard(self, event: dict[str, Any]) -> None:
        """Take in what the engine says unasked."""
        kind = event.get("event")
        if kind == "changed" and event.get("session") == self.app.session:
            self.refresh()
        elif kind == "job":
            job = event.get("job") or {}
            self.app.query_one(JobsPage).job_changed(job)
            self.app.query_one(LabelsPage).job_changed(job)
            if job.get("state"):
                doing.tell_job(self.app, job)
        elif kind == "state":
            self._link_is(str(event.get("state")))
        elif kind == "sought":
            self._not_found(str((event.get("error") or {}).get("message")))

    def _not_found(self, why: str) -> None:
        """Say why a link that was lost is still being looked for."""
        if self._was_lost and self.app.where:  # here, an engine that was stopped is no news
            self.app.status.show(message=f"looking on: {why}", good=False)

    def _link_is(self, state: str) -> None:
        """Say how the link stands; one that was lost and is back may have missed changes, so all is read again."""
        if state == "lost":
            self._was_lost = True
            at = f" to {self.app.where}" if self.app.where else ""
            self.app.status.show(message=f"link{at} lost, looking for it; what was stored is safe", good=False)
        elif state == "connected" and self._was_lost:
            self._was_lost = False
            at = f" to {self.app.where}" if self.app.where else ""
            self.app.status.show(message=f"the link{at} is back")
        self.app.status.show(engine=state)
        if state == "connected":
            self.refresh()
