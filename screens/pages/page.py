"""What all screens share: loading when they come to the front, their subject, and the keys they answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual.widget import Widget

from screens import background, verbs
from screens.painting.text import in_app
from screens.widgets.box import Box
from workbench.errors import WorkbenchError

if TYPE_CHECKING:
    from screens.app import WorkbenchApp

Act = Callable[[], None]
PATIENCE = 0.5
"""Seconds after which a page without content says that it is being read; most answers come sooner."""


class Page(Box):
    """One screen. It asks the engine for what it shows and never holds a truth of its own."""

    title: ClassVar[str] = ""
    hints: tuple[tuple[str, str], ...] = ()
    parent_screen: ClassVar[str] = "home"
    needs_session: ClassVar[bool] = True
    rests_on: ClassVar[tuple[str, ...]] = ()
    """What must be loaded before there is anything to show: `model`, `sae`."""
    keeps_up: ClassVar[frozenset[str]] = frozenset()
    """Actions that need nothing of what is shown: they go on while it is read."""

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self.subject = ""
        self.outdated = True
        self.reading = False
        """Whether the engine was asked and has not answered yet."""
        self.behind = True
        """Whether what is shown is of another subject, or nothing."""
        self.failure: WorkbenchError | None = None

    @property
    def between(self) -> bool:
        """Whether its subject is being read, so that a key would act on what was shown before."""
        return self.behind and self.reading

    @property
    def workbench(self) -> WorkbenchApp:
        """The app, by its own type."""
        return cast("WorkbenchApp", self.app)

    def forget(self) -> None:
        """Another session is opened: nothing of the one before may stay in sight."""
        self.subject = ""
        self.outdated = self.behind = True
        self.failure = None

    # --- coming to the front

    def bring(self, subject: str) -> None:
        """Show this page about `subject` (empty: what it was about before)."""
        if subject and subject != self.subject:
            self.subject = subject
            self.outdated = self.behind = True
        if self.screen.focused is not self.main:  # `has_focus` follows later, and keys can come in one packet
            self.main.focus()
        if self.outdated:
            self.reload()

    def reload(self) -> None:
        """Ask the engine again, in the background; a newer request replaces an older one."""
        if self.workbench.engine is None or (self.needs_session and not self.workbench.session):
            self.explain_absence()
            return
        self.reading = True
        background.start(self.workbench, self._load, f"load-{self.id}", latest=True)

    async def _load(self) -> None:
        self.outdated, self.reading = False, True
        patience = self.workbench.set_timer(PATIENCE, self.say_reading)
        try:
            await self.load()
            self.failure = None
        except WorkbenchError as error:
            self.failure = error
            self.show_failure(error)
        finally:
            patience.stop()
        self.reading = self.behind = False
        self.workbench.page_loaded(self)

    async def load(self) -> None:
        """Ask for what this page shows and show it."""

    def say_reading(self) -> None:
        """The answer takes its time; pages with a list say so where there are no rows yet."""

    def show_failure(self, error: WorkbenchError) -> None:
        """Say what went wrong; pages with a list put it in its place."""
        self.workbench.notify_error(error)

    def explain_absence(self) -> None:
        """Say why there is nothing yet; pages with a list put it in its place."""

    @property
    def absence(self) -> str:
        """What is missing: the engine, with the reason where it could not be reached, or a session."""
        failure = self.workbench.unreached
        if failure is not None:
            return f"The engine could not be reached: {failure.message}\n{in_app(failure.hint)}\n\nr tries again."
        if self.workbench.engine is None:
            return "Connecting to the engine …"
        return "No session is open.\nGo Home (1) and open one."

    @property
    def beforehand(self) -> str:
        """The lines that come first where nothing is loaded yet, or an empty text."""
        missing = [name for name in self.rests_on if not self.workbench.summary.get(name)]
        lines = " and ".join(f":{name}.load demo" for name in missing)
        return f"\n\nBefore that: {lines}, or another name." if missing and self.workbench.summary else ""

    @property
    def not_ready(self) -> str:
        """Why a key that needs what this page shows can do nothing yet, or an empty text."""
        if self.workbench.unreached is not None:
            return "the engine could not be reached; r tries again"
        if self.workbench.engine is None:
            return "the engine is being reached; wait a moment and repeat"
        return f"{self.title} is still being read; wait a moment and repeat" if self.reading else ""

    async def ask(self, verb: verbs.Verb) -> dict[str, Any]:
        """The result of a query."""
        return await self.workbench.ask(verb)

    # --- what the app asks of a page

    @property
    def main(self) -> Widget:
        """The widget that takes the keys when the page comes to the front."""
        return self

    def acts(self) -> dict[str, Act]:
        """What the letter keys do here, by action name; a missing one is explained by the app."""
        return {}

    def why_not(self, action: str) -> str:  # noqa: ARG002 - for the pages that know why
        """Why an action does nothing here, or an empty text for the app's own reason."""
        return ""

    def back_out(self) -> bool:
        """Undo one level inside the page (a filter, a pane); False when there is none."""
        return False

    def copyable(self) -> str:
        """The text that `y` copies."""
        return ""

    def blind_turned(self) -> None:
        """Labels are hidden now, or shown again."""

    def filter_typed(self, text: str) -> None:
        """Show only what contains the text, which is still being typed."""

    def filter(self, text: str) -> None:
        """Show only what contains the text, until the filter is dropped."""

    @property
    def filtered(self) -> str | None:
        """The filter in force; None where the page has no filter."""
        return None

    @property
    def why_no_filter(self) -> str:
        """Why `/` does nothing here."""
        return "there is nothing to filter here: / works on lists"

    def state(self) -> dict[str, Any]:
        """Cursor and order, for the view that is saved."""
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """Take up a saved cursor and order."""
