"""Help: what the focused thing is, and the keys that work here."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding
from textual.widget import Widget

from screens.keymap import display
from screens.pages.list_page import ListPage
from screens.pages.page import Page
from screens.painting import palette
from screens.painting.text import wrapped
from screens.widgets.lines import Column, Lines, Row

EVERYWHERE = (
    ("1 to 9", "the nine screens, as the line at the top names them"),
    (":", "the command line: tab completes, up recalls"),
    ("p", "all commands"),
    ("/", "filter this list: enter keeps it, esc shows all"),
    ("esc", "one level back, as q; q quits on Home, ctrl+q anywhere"),
    ("ctrl+z", "to the shell; fg comes back"),
    ("[ ]", "back and forward through the places visited"),
    ("#", "jump to a feature by its number; :417 does too"),
    ("M", "mark this place with a letter"),
    ("'", "and the letter: back to the marked place"),
    ("y", "copy (says which way: tmux, the terminal, a file)"),
    ("b", "build the corpus index"),
    ("i", "type a sentence: which features fire on it"),
    ("u", "take the last command back"),
    ("n", "note; on Home a new session, on Feature a note on it"),
    ("e", "a note in your $EDITOR; on Stimuli rewrites a sentence"),
    ("r", "read everything again"),
    (":tour", "the tour of one minute"),
    ("?", "this help"),
)


class HelpPage(ListPage):
    """Keys and words; it covers the screen until esc."""

    title = "Help"
    hints = (("j k", "move"), ("esc", "back"))
    needs_session = False

    def compose(self) -> ComposeResult:
        """The list."""
        yield Lines([Column("key", 16), Column("what it does")], id="help-list")

    def reload(self) -> None:
        """Nothing to ask."""

    def explain(self, page: Page, focused: Widget | None) -> None:
        """Say what `page` is, what its focused widget takes, and the keys that work everywhere."""
        width = max(8, self.app.size.width - 22)
        rows = self._words(page.title, str(getattr(page, "HELP", "") or ""), width)
        keymap = self.workbench.keymap
        rows += [Row(f"hint{key}", ((keymap.shown(key), palette.KEY), meaning)) for key, meaning in page.hints]
        if focused is not None and focused is not page:
            rows += self._words("here", str(getattr(focused, "HELP", "") or ""), width)
            rows += [_binding_row(binding, keymap.keys) for _, binding in _bindings(focused)]
        rows += self._words("everywhere", "", width)
        rows += [Row(f"all{key}", ((keymap.shown(key), palette.KEY), meaning)) for key, meaning in EVERYWHERE]
        self.lines.cursor = self.lines.top = 0
        self.lines.show(rows)

    def _words(self, title: str, text: str, width: int) -> list[Row]:
        lines = wrapped(text, width)
        first = Row(f"title-{title}", ((title, palette.BOLD), (lines[0], palette.BOLD)))
        return [first, *(Row(f"{title}{at}", ("", line)) for at, line in enumerate(lines[1:]))]

    def state(self) -> dict[str, str]:
        """Not part of the view."""
        return {}


def _bindings(widget: Widget) -> list[tuple[str, Binding]]:
    found: dict[str, Binding] = {}
    for binding in widget.__class__.__dict__.get("BINDINGS", []) or getattr(widget, "BINDINGS", []):
        if isinstance(binding, Binding):
            found[binding.action] = binding
    return list(found.items())


def _binding_row(binding: Binding, own: dict[str, str]) -> Row:
    keys = " ".join(display(key) for key in own.get(binding.id or "", binding.key).split(","))
    return Row(f"bind{binding.id}", ((keys, palette.KEY), binding.description))
