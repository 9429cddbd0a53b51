"""Marks: places kept under a letter, to go back to from anywhere; they are part of the saved view."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from screens.keys import PLACES
from screens.pages.page import Page
from screens.painting.text import visible
from screens.widgets.command_line import Question

if TYPE_CHECKING:
    from screens.app import WorkbenchApp

MOST = 52


@dataclass(frozen=True)
class Mark:
    """A screen, what it is about, and where its cursor was."""

    screen: str
    subject: str
    state: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The place in a few words: the screen, and the feature or row."""
        about = str(self.state.get("key") or self.subject)
        return f"{self.screen.capitalize()} {visible(about.rpartition('/')[2])[:24]}".rstrip()


class Marks(dict[str, Mark]):
    """Marks by their letters."""

    def told(self) -> str:
        """All of them in one line."""
        return " · ".join(f"{letter} {mark.name}" for letter, mark in sorted(self.items()))

    def as_json(self) -> dict[str, Any]:
        """For the view that is saved."""
        return {letter: [mark.screen, mark.subject, mark.state] for letter, mark in self.items()}

    @classmethod
    def from_view(cls, saved: Any) -> Marks:
        """The marks that a view recorded; whatever else stands there is passed over: a view is only a convenience."""
        found = cls()
        for letter, item in (saved if isinstance(saved, dict) else {}).items():
            if len(letter) != 1 or not isinstance(item, list) or len(item) != 3 or len(found) >= MOST:
                continue
            screen, subject, state = item
            if screen in PLACES and isinstance(subject, str) and isinstance(state, dict):
                found[letter] = Mark(screen, subject, state)
        return found


def set_question(app: WorkbenchApp) -> Question:
    """Ask for the letter that this place is to have."""
    here = app.trail.here

    def submit(letter: str) -> str | None:
        if not letter.isalnum():
            return f"{letter!r} is no letter or digit"
        page = app.query_one(f"#{here.screen}", Page)
        app.marks[letter] = mark = Mark(here.screen, here.subject or page.subject, page.state())
        app.close_line()
        app.saved_view.changed()
        app.explain(f"{letter} is {mark.name}: ' {letter} goes there")
        return None

    told = app.marks.told()
    return _one_letter(app, "mark this place as: ", submit, f"taken: {told}" if told else "a letter or digit")


def go_question(app: WorkbenchApp) -> Question:
    """Ask for the mark to go to."""

    def submit(letter: str) -> str | None:
        mark = app.marks.get(letter)
        app.close_line()
        if mark is None:
            app.explain(f"there is no mark {letter!r}: {app.marks.told()}")
            return None
        page = app.query_one(f"#{mark.screen}", Page)
        page.restore(mark.state)
        page.outdated = True
        app.visit(mark.screen, mark.subject)
        return None

    return _one_letter(app, "go to mark: ", submit, app.marks.told())


def _one_letter(app: WorkbenchApp, prompt: str, submit: Any, advice: str) -> Question:
    """A question that one sign answers."""

    def changed(text: str) -> None:
        if text:
            app.line.error = submit(text[-1]) or ""

    return Question(prompt, lambda text: submit(text) if text else None, advise=lambda _: advice, changed=changed)
