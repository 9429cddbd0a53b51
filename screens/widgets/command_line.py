"""One line to type on: the `:` line with completion and history, the filter, and short questions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from rich.cells import cell_len
from textual import events
from textual.geometry import Region

from screens.painting import palette
from screens.painting.text import fit, visible
from screens.widgets.painted import Painted, Piece, fitted

LONGEST = 20_000
"""Signs that are pasted into a line: what is read with each key must stay quick."""
Submit = Callable[[str], str | None]
"""Takes the text; an answer is an error to show while the line stays open."""


@dataclass
class Question:
    """What the line is open for."""

    prompt: str
    submit: Submit
    complete: Callable[[str], str] | None = None
    advise: Callable[[str], str] | None = None
    history: list[str] | None = None
    changed: Callable[[str], None] | None = None
    """Told the text whenever it changes."""
    dropped: Callable[[], None] | None = None
    """Called when the line was closed without an answer."""


class CommandLine(Painted, can_focus=True):
    """Two lines: advice or an error above, the prompt with the text below.

    An error that is longer than the line stands over the screen above it, whole: its end is what mends it.
    """

    HELP = "Tab completes, up and down recall earlier lines, enter runs, esc closes."

    def __init__(self) -> None:
        super().__init__(id="command-line")
        self.question: Question | None = None
        self.text = ""
        self.at = 0
        self.error = ""
        self._recalled = 0

    def open(self, question: Question, text: str = "") -> None:
        """Start asking, with `text` already there."""
        self.question, self.text, self.at = question, text, len(text)
        self.error = ""
        self._recalled = len(question.history or ())
        self.display = True
        self.focus()
        self.refresh()

    def close(self) -> None:
        """Stop asking and give the place back."""
        self.question = None
        self.display = False

    def focus_changed(self) -> None:
        """Keep the focus while something is asked: a click elsewhere, or a result that comes, would take it."""
        if self.question is not None and not self.has_focus and self.app.app_focus:
            self.focus()

    # --- typing

    def takes(self, event: events.Key) -> bool:
        """Whether the key is for the line: while it asks, every key is but those that quit or step aside."""
        return self.question is not None and event.key not in ("ctrl+q", "ctrl+c", "ctrl+z")

    def press(self, event: events.Key) -> None:
        """Edit the line."""
        before = (self.text, self.at, self.error)
        edit = getattr(self, f"_press_{event.key.replace('+', '_')}", None)
        if edit is not None:
            edit()
        elif event.is_printable and event.character:
            self._insert(event.character)
        if before != (self.text, self.at, self.error):
            self.refresh(Region(0, 0, self.size.width, 2))
        if before[0] != self.text:
            self._tell()

    def _tell(self) -> None:
        if self.question is not None and self.question.changed is not None:
            self.question.changed(self.text)

    def paste(self, text: str) -> None:
        """Take pasted text in, as one line."""
        if len(self.text) + len(text) > LONGEST:
            self.error = f"{len(text):,} signs are too many for a line: {LONGEST:,} at most"
        else:
            self._insert(" ".join(text.splitlines()))
        self.refresh()
        self._tell()

    def _insert(self, text: str) -> None:
        self._edit(self.text[: self.at] + text + self.text[self.at :], self.at + len(text))

    def _edit(self, text: str, at: int) -> None:
        if self._overlong:
            self.workbench.hide_notice()  # it told of the text as it was
        self.text, self.at, self.error = text, max(0, min(at, len(text))), ""

    def _press_backspace(self) -> None:
        if self.at:
            self._edit(self.text[: self.at - 1] + self.text[self.at :], self.at - 1)
        elif not self.text:
            self._press_escape()

    def _press_delete(self) -> None:
        self._edit(self.text[: self.at] + self.text[self.at + 1 :], self.at)

    def _press_left(self) -> None:
        self.at = max(0, self.at - 1)

    def _press_right(self) -> None:
        self.at = min(len(self.text), self.at + 1)

    def _press_home(self) -> None:
        self.at = 0

    def _press_end(self) -> None:
        self.at = len(self.text)

    _press_ctrl_a = _press_home
    _press_ctrl_e = _press_end

    def _press_ctrl_u(self) -> None:
        self._edit(self.text[self.at :], 0)

    def _press_ctrl_k(self) -> None:
        self._edit(self.text[: self.at], self.at)

    def _press_ctrl_w(self) -> None:
        kept = self.text[: self.at].rstrip().rpartition(" ")
        head = kept[0] + kept[1]
        self._edit(head + self.text[self.at :], len(head))

    def _press_tab(self) -> None:
        if self.question and self.question.complete:
            head = self.question.complete(self.text[: self.at])
            self._edit(head + self.text[self.at :], len(head))

    def _press_up(self) -> None:
        self._recall(-1)

    def _press_down(self) -> None:
        self._recall(1)

    def _recall(self, step: int) -> None:
        history = (self.question.history if self.question else None) or []
        place = self._recalled + step
        if 0 <= place <= len(history):
            self._recalled = place
            text = history[place] if place < len(history) else ""
            self._edit(text, len(text))

    def _press_enter(self) -> None:
        question = self.question
        if question is None:
            return
        self.refuse(question.submit(self.text) or "")
        if not self.error and self.question is question:
            self.workbench.close_line()

    def refuse(self, error: str) -> None:
        """Say what is wrong with the text, which stays to be mended."""
        self.error = error
        if self._overlong:
            self.workbench.notify_text([error], bad=True)
        self.refresh()

    def _press_escape(self) -> None:
        dropped = self.question.dropped if self.question else None
        self.workbench.close_line()
        if dropped is not None:
            dropped()

    _press_ctrl_g = _press_escape

    @property
    def _overlong(self) -> bool:
        """Whether there is an error that the line above the prompt has no room for."""
        return cell_len(self.error) > self.size.width

    # --- painting

    def pieces(self, y: int, width: int) -> Iterable[Piece]:
        """Advice or error, then prompt and text with a block cursor."""
        if self.question is None:
            return []
        if y == 0:
            advice = self.question.advise(self.text[: self.at]) if self.question.advise else ""
            told = "" if self._overlong else self.error
            return [(fit(told or advice, width), palette.BAD if told else palette.DIM)]
        return self._text_pieces(width)

    def _text_pieces(self, width: int) -> list[Piece]:
        prompt = visible(self.question.prompt) if self.question else ""
        room = max(8, width - cell_len(prompt) - 1)
        start = self._first_shown(room)
        shown = [visible(sign) for sign in self.text[start : start + room]]
        if start and shown:
            shown[0] = "…"  # what stands before it is out of sight
        place = self.at - start
        under = shown[place] if place < len(shown) else " "
        pieces: list[Piece] = [(prompt, palette.KEY), ("".join(shown[:place]), None), (under, palette.CURSOR)]
        return fitted([*pieces, ("".join(shown[place + 1 :]), None)], width)

    def _first_shown(self, room: int) -> int:
        """The sign from which on the text is shown, so that the cursor is in sight: some signs take several cells."""
        start, left = self.at, room - cell_len(visible(self.text[self.at : self.at + 1] or " "))
        while start and (left := left - cell_len(visible(self.text[start - 1]))) >= 0:
            start -= 1
        return start
