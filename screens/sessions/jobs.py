"""Jobs: what the engine is doing, has waiting, and did."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.timer import Timer

from screens import verbs
from screens.pages.list_page import HeldPage
from screens.pages.page import Act
from screens.painting import palette
from screens.painting.glyphs import bar
from screens.painting.text import duration, in_app
from screens.sessions.rate import Rate
from screens.widgets.lines import Column, Lines, Row
from screens.widgets.painted import Paragraph

EMPTY = "No jobs.\n\nWhat runs for long appears here while it runs: b builds the corpus index, for example."
LOOK_AGAIN = 2.0
"""Seconds between two looks while a job runs and this screen is in front; nothing runs, nothing is sent."""


class JobsPage(HeldPage):
    """One job a row."""

    title = "Jobs"
    hints = (
        ("x", "cancel"),
        ("D", "let it go on"),
        ("enter", "result"),
        ("r", "look again"),
        ("y", "copy"),
        (":", "command"),
        ("?", "help"),
        ("esc", "back"),
    )
    needs_session = False
    HELP: ClassVar[str | None] = (
        "Jobs of every session and terminal on this engine, the newest first; • marks those of the open session. "
        "x cancels the one under the cursor at its next step. A job ends with the terminal that asked for it, unless D "
        "lets it go on (in the shell: --detach); open the session again, anywhere, and the foot shows how it goes. "
        "enter shows what a job that is done came to."
    )

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self._jobs: dict[str, dict[str, Any]] = {}
        self._timer: Timer | None = None
        self._rates: dict[str, Rate] = {}
        self._own: set[str] = set()
        """Jobs that this terminal asked for."""
        self._chosen = False
        """Whether a key put the cursor where it is."""
        self._seeking = False
        """Whether the page was just brought to the front."""

    def compose(self) -> ComposeResult:
        """The list."""
        yield Lines(
            [
                Column("job", 5),
                Column("state", 9),
                Column("progress", 16),
                Column("time", 7, "right"),
                Column("  session", 12),
                Column("command"),
            ],
            empty=EMPTY,
            id="job-list",
        )
        yield Paragraph(classes="detail")

    def bring(self, subject: str) -> None:
        """Where no row was chosen, the cursor is on the job that runs; it stays there while the page is looked at."""
        self._seeking = not self._chosen
        super().bring(subject)

    def on_lines_moved(self, event: Lines.Moved) -> None:
        """A row was chosen."""
        self._chosen = True
        super().on_lines_moved(event)

    def state(self) -> dict[str, Any]:
        """The filter alone: another engine numbers its jobs anew."""
        return {"filter": self.wanted} if self.wanted else {}

    async def load(self) -> None:
        """Ask the engine."""
        result = await self.ask(verbs.EngineJobs())
        self._jobs = {job["job"]: job for job in result["jobs"]}
        for job in result["jobs"]:
            self._time(job)
        self._show()
        running = [job["job"] for job in result["jobs"] if job["state"] == "running"]
        if self._seeking and running:
            own = [name for name in running if self._jobs[name].get("session") == self.workbench.session]
            self.lines.put_cursor((own or running)[-1])
            self.spell_out()
        self._seeking = False

    def _show(self) -> None:
        self.show_found()
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        running = any(job["state"] in ("running", "waiting") for job in self._jobs.values())
        if running and self.workbench.page is self:
            self._timer = self.set_timer(LOOK_AGAIN, self.reload)

    def show_found(self) -> None:
        """The jobs of which number, state, session or line contain what is wanted, the newest first."""
        own = self.workbench.session
        self.lines.empty = f"No job matches {self.wanted!r}.\nesc shows all." if self.wanted else EMPTY
        newest = sorted(self._jobs.values(), key=_number, reverse=True)
        found = [job for job in newest if self.found(job["job"], job["state"], job.get("session") or "", job["line"])]
        self.show_rows([_row(job, own) for job in found], note=self.matching)

    def job_changed(self, job: dict[str, Any]) -> None:
        """A job started, ended or was cancelled."""
        if not job.get("job"):
            return
        self._jobs[job["job"]] = {**self._jobs.get(job["job"], {}), **job}
        self._time(job)
        if job.get("line") in {verbs.format_line(verb) for verb in self.workbench.under_way}:
            self._own.add(job["job"])
        if self.workbench.page is self:
            self._show()
        else:
            self.outdated = True

    def _time(self, job: dict[str, Any]) -> None:
        """Watch how fast a running job goes."""
        if job["state"] == "running":
            rate = self._rates.setdefault(job["job"], Rate())
            rate.take(job.get("done") or 0, job.get("total") or 0, job.get("seconds") or 0.0)
        else:
            self._rates.pop(job["job"], None)

    def is_own(self, job: dict[str, Any]) -> bool:
        """Whether this terminal asked for a job, and so says itself what becomes of it."""
        return job.get("job") in self._own

    def own_open(self) -> list[dict[str, Any]]:
        """The jobs that would be cancelled if this terminal closed."""
        known = (self._jobs[name] for name in self._own if name in self._jobs)
        return [job for job in known if job["state"] in ("running", "waiting") and not job.get("detached")]

    def progress_of(self, name: str) -> str:
        """How much of a running job is done and how long it will still take, to stand before what it is doing."""
        rate = self._rates.get(name)
        return rate.lead if rate else ""

    def whole(self) -> str:
        """The whole line, with its error or what it is doing."""
        job = self._jobs.get(self.lines.key)
        if not job:
            return ""
        told = str(job.get("text") or "") if job["state"] == "running" else ""
        if (rate := self._rates.get(self.lines.key)) and rate.told:
            told = f"{rate.told} · {told}"
        if error := job.get("error"):
            told = f"{error['message']}. {in_app(error.get('hint', ''))}"
        return f":{job['line']}\n{told}"

    def acts(self) -> dict[str, Act]:
        """Cancel; let go on."""
        job, name = self._jobs.get(self.lines.key), self.lines.key
        if not job or job["state"] not in ("running", "waiting"):
            return {}
        found: dict[str, Act] = {
            "cancel": lambda: self.workbench.do(verbs.EngineCancel(job=name), lambda _: self.reload())
        }
        if not job.get("detached"):
            found["detach"] = lambda: self.workbench.do(verbs.EngineDetach(job=name), lambda _: self.reload())
        return found

    def why_not(self, action: str) -> str:
        """A job that has ended can neither be cancelled nor go on."""
        job = self._jobs.get(self.lines.key)
        if action not in ("cancel", "detach"):
            return ""
        if not job:
            return "there is no job"
        if job["state"] in ("running", "waiting"):
            return f"{job['job']} goes on without this terminal already"
        return f"{job['job']} is {job['state']} already"

    def on_lines_opened(self, event: Lines.Opened) -> None:
        """Show what a job that is done came to, as the log of the session has it."""
        job = self._jobs.get(event.key)
        if not job:
            return
        if job["state"] != "done":
            yet = "yet" if job["state"] in ("running", "waiting") else "to show"
            self.workbench.explain(f"{job['job']} is {job['state']}: it has no result {yet}")
            return
        log = self.workbench.summary.get("log") or []
        made = [item for item in log if item["line"] == job["line"] and item["outcome"] == "ok"]
        if made and job.get("session") == self.workbench.session:
            from screens.line.routes import show_result

            show_result(self.workbench, made[-1])
        else:
            self.workbench.explain(f"its result is in the session {job.get('session') or 'that asked for it'}")


def _number(job: dict[str, Any]) -> tuple[int, str]:
    """Jobs are numbered in the order they came in."""
    name = str(job["job"])
    return (int(name[1:]) if name[1:].isdigit() else 0, name)


def _row(job: dict[str, Any], own: str | None) -> Row:
    done, total = job.get("done") or 0, job.get("total") or 0
    ended = job["state"] not in ("running", "waiting")
    progress = "" if ended or not total else f"{bar(done / total, 10)} {done * 100 // total:>3}%"
    styles = {"running": palette.GOOD, "failed": palette.BAD, "cancelled": palette.WARN}
    error = job.get("error") or {}
    told = str(error.get("message", "")) if error else "" if ended else str(job.get("text") or "")
    line = f":{job['line']}" + (f"  {told}" if told else "") + ("  detached" if job.get("detached") else "")
    state = (job["state"], styles.get(job["state"]))
    session = str(job.get("session") or "")
    mine = bool(own) and session == own
    where = (f"{'•' if mine else ' '} {session}", palette.NAME if mine else palette.DIM)
    cells = (job["job"], state, progress, duration(job.get("seconds")), where, line)
    return Row(job["job"], cells)
