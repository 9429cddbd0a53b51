"""The tour of one minute: shown on the very first start, and by `:tour`."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult

from screens.pages.list_page import ListPage
from screens.painting import palette
from screens.painting.text import wrapped
from screens.widgets.lines import Cell, Column, Lines, Row
from workbench.errors import StorageError
from workbench.files import write_atomic
from workbench.paths import settings

SEEN = "tour-seen"
Card = tuple[str, tuple[tuple[str, str], ...]]
CARDS: tuple[Card, ...] = (
    ("What this is", (
        ("", "You ask which features of a model tell one concept from another, test them against chance, and read, "
             "steer and label what you find. Every action is a line of a log that makes the same numbers again."),
        ("1 to 9", "the nine screens, named at the top; any of these keys leaves this tour"),
        ("enter", "next card (six in all)"),
        ("esc", "no tour; it never comes back by itself, :tour shows it again"),
    )),
    ("Begin on Home (1)", (
        ("enter", "open a session: the examples are whole investigations to look around in"),
        ("n", "a session of your own"),
        ("d", "run the demo's commands, about a minute"),
        ("", "You can leave at any time: a session opens exactly where you left it."),
    )),
    ("From a concept to its features", (
        ("2", "Stimuli: sets of sentences for and against a concept; C checks one for confounds"),
        ("c", "contrast it: Select (3) ranks every feature, with what shuffled labels would give beside it"),
        ("w", "why this number: definition, n, null, provenance, and the line that made it"),
        ("enter", "Feature (4): the sentences it fires on, in heat; J and K walk on, tab turns the panes"),
        ("l s", "label it in your words; steer the model with it"),
    )),
    ("Moving about", (
        ("esc", "one level back"),
        ("[ ]", "back and forward through what you visited"),
        ("#", "jump to a feature by its number"),
        ("M '", "mark a place with a letter; go to a mark"),
        ("/", "filter a list"),
        ("?", "what the thing under your keys is, and every key it takes; a key that does nothing says why"),
    )),
    ("The line", (
        (":", "every key writes a line such as :features.contrast achievement; type your own: tab completes, "
              "up recalls"),
        ("p", "all commands with what they do"),
        ("9", "the Log: all lines so far; enter runs one again, R shows its result"),
        ("u", "undo: nothing is deleted, what rested on it is marked stale"),
        ("y", "copy what the cursor is on; it says which way it went"),
    )),
    ("Long work", (
        ("8", "Jobs: progress, rate and time left; x cancels"),
        ("D", "lets a job go on when you close the terminal; open the session again, anywhere, and it is shown"),
        ("e", "write a note in your $EDITOR"),
        ("", "That is all. Press 1, open the example achievement, and go to 3."),
    )),
)  # fmt: skip


class TourPage(ListPage):
    """One card at a time; it covers the screen until esc, or any key that goes elsewhere."""

    title = "Tour"
    hints = (("enter", "next"), ("esc", "skip the tour"), ("1 to 9", "go to a screen"))
    needs_session = False
    HELP: ClassVar[str | None] = "What the workbench is and the keys to live in it, on six cards."

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self._card = 0

    def compose(self) -> ComposeResult:
        """The card."""
        yield Lines([Column("", 8), Column("")], id="tour-list")

    def reload(self) -> None:
        """Nothing to ask."""
        self.outdated = False

    def start(self) -> None:
        """Begin with the first card."""
        self._show(0)

    def _show(self, card: int) -> None:
        self._card = card
        title, points = CARDS[card]
        width = max(8, self.app.size.width - 14)
        cells: list[tuple[Cell, Cell]] = [("", (f"{title} ({card + 1} of {len(CARDS)})", palette.BOLD)), ("", "")]
        for key, text in points:
            lines = wrapped(text, width)
            cells += [((key if at == 0 else "", palette.KEY), line) for at, line in enumerate(lines)]
            cells.append(("", ""))
        self.lines.to_top()
        self.lines.show([Row(str(at), pair) for at, pair in enumerate(cells)])

    def on_lines_opened(self, _event: Lines.Opened) -> None:
        """The next card; after the last one the screen beneath."""
        if self._card + 1 < len(CARDS):
            self._show(self._card + 1)
        else:
            self.workbench.action_back_out()

    def copyable(self) -> str:
        """The card's text."""
        title, points = CARDS[self._card]
        return "\n".join([title, *(f"{key}\t{text}" for key, text in points)])

    def state(self) -> dict[str, str]:
        """Not part of the view."""
        return {}


def was_seen() -> bool:
    """Whether the tour was shown on this account before."""
    return (settings() / SEEN).exists()


def note_seen() -> None:
    """Never show it unasked again; where that cannot be kept, it comes once more."""
    try:
        settings().mkdir(parents=True, exist_ok=True)
        write_atomic(settings() / SEEN, "The tour was shown. `:tour` shows it again.\n")
    except (OSError, StorageError):
        return
