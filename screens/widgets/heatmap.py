"""Sentences with a feature's activation on each token: wrapped lines, heat in eight levels, exact values below."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar

from rich.cells import cell_len
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from screens.painting import glyphs, palette
from screens.painting.text import fit, number, percent, thousands, visible, wrapped
from screens.widgets.painted import Painted, Piece, fitted

NO_SENTENCES = "no sentence is shown: the screen says why"


@dataclass(frozen=True)
class Sentence:
    """One line of tokens with a value each; `title` says where it is from, `value` what it comes to."""

    title: str
    tokens: tuple[str, ...]
    values: tuple[float, ...]
    value: float | None = None

    @property
    def text(self) -> str:
        """The tokens as one readable text."""
        return visible("".join(self.tokens))


@dataclass
class _Strip:
    """One line on the terminal: part of a sentence, or the digits below it."""

    sentence: int
    first: bool
    tokens: list[int] = field(default_factory=list)
    digits: bool = False


class Heatmap(Painted, can_focus=True):
    """Sentences, strongest first; zero activations are unstyled, the cursor token's exact value stands below."""

    HELP = "j k: next, previous sentence; arrows or H L: token; v: heat as digits; tab: other pane; y: copy."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", "next sentence", id="heat.down", show=False),
        Binding("up,k", "move(-1)", "previous sentence", id="heat.up", show=False),
        Binding("right,L", "token(1)", "next token", id="heat.right", show=False),
        Binding("left,H", "token(-1)", "previous token", id="heat.left", show=False),
        Binding("pagedown,ctrl+f", "page(1)", "page down", id="heat.page_down", show=False),
        Binding("pageup,ctrl+b", "page(-1)", "page up", id="heat.page_up", show=False),
        Binding("home,g", "edge(0)", "first", id="heat.first", show=False),
        Binding("end,G", "edge(1)", "last", id="heat.last", show=False),
        Binding("v", "digits", "levels as digits", id="heat.digits", show=False),
    ]

    @dataclass
    class Moved(Message):
        """The cursor is on another sentence or token."""

        heatmap: Heatmap

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.sentences: tuple[Sentence, ...] = ()
        self.maximum = 0.0
        self.total = 0
        self.empty = ""
        self.cursor = 0
        self.token = 0
        self.digits = False
        self._strips: list[_Strip] = []
        self._starts: list[int] = []
        self._top = 0
        self._longest = 0
        """Cells of the longest title."""
        self._laid_out: tuple[int, bool] = (0, False)
        self._left_at: tuple[int, int] | None = None
        """Token and first line in sight, of a place that was left."""

    def on_mount(self) -> None:
        """Without colour the levels are written from the start."""
        self.digits = self.app.no_color

    # --- what is shown

    def show(
        self, sentences: Sequence[Sentence], maximum: float | None, *, total: int | None = None, empty: str = ""
    ) -> None:
        """Show these sentences; `maximum` is the activation of full heat, `total` how many there are in all."""
        self.sentences = tuple(sentences)
        self._longest = max((_size(title) for title in {one.title for one in sentences}), default=0)
        sizes = (abs(value) for sentence in sentences for value in sentence.values)
        self.maximum = maximum or max(sizes, default=0.0)
        self.total = len(sentences) if total is None else total
        self.empty = empty
        self.cursor = min(self.cursor, max(0, len(sentences) - 1))
        self.token = self._peak()
        self._laid_out, self._strips, self._starts = (0, False), [], []
        if self._left_at is not None and self.sentence:
            self.token = min(self._left_at[0], max(0, len(self.sentence.tokens) - 1))
            self._top, self._left_at = self._left_at[1], None
        self._lay_out()
        self.refresh()

    @property
    def sentence(self) -> Sentence | None:
        """The sentence under the cursor."""
        return self.sentences[self.cursor] if self.sentences else None

    def _peak(self) -> int:
        sentence = self.sentence
        if not sentence or not sentence.values:
            return 0
        return max(range(len(sentence.values)), key=lambda place: abs(sentence.values[place]))

    # --- layout

    def _gutter(self, width: int) -> int:
        return 12 + min(self._longest, 11 if width < 100 else 24)

    def _lay_out(self) -> None:
        width = self.size.width
        if not width or self._laid_out == (width, self.digits):
            return
        self._laid_out = (width, self.digits)
        room = max(8, width - self._gutter(width))
        self._strips, self._starts = [], []
        for index, sentence in enumerate(self.sentences):
            self._starts.append(len(self._strips))
            for strip in _broken(index, sentence, room):
                self._strips.append(strip)
                if self.digits:
                    self._strips.append(_Strip(index, False, strip.tokens, digits=True))
        self._keep_in_sight()

    @property
    def _body(self) -> int:
        return max(1, self.size.height - 1)

    def _extent(self, index: int) -> tuple[int, int]:
        if index >= len(self._starts):  # not laid out yet: a key was faster than the first layout
            return 0, 0
        start = self._starts[index]
        end = self._starts[index + 1] if index + 1 < len(self._starts) else len(self._strips)
        return start, end

    def _keep_in_sight(self) -> bool:
        if not self._starts:
            return False
        start, end = self._extent(self.cursor)
        top, body = self._top, self._body
        if start < top:
            top = max(0, start - body // 3)
        elif end > top + body:
            top = min(start, end - body + body // 3)
        top = max(0, min(top, len(self._strips) - body))
        moved, self._top = top != self._top, top
        return moved

    # --- moving

    def action_move(self, step: int) -> None:
        """Go to another sentence, to its strongest token."""
        self._go(self.cursor + step)

    def action_page(self, step: int) -> None:
        """Go on by about a screenful of sentences."""
        target = self._top + step * self._body
        index = next((at for at, start in enumerate(self._starts) if start >= target), len(self._starts) - 1)
        self._go(index if index != self.cursor else self.cursor + step)

    def action_edge(self, end: int) -> None:
        """Go to the first or the last sentence."""
        self._go(len(self.sentences) - 1 if end else 0)

    def action_token(self, step: int) -> None:
        """Go to another token of the sentence."""
        if self.sentence and self.sentence.tokens:
            self._go(self.cursor, max(0, min(self.token + step, len(self.sentence.tokens) - 1)))
        elif not self.sentence:
            self.workbench.explain(NO_SENTENCES)

    def action_digits(self) -> None:
        """Write the heat levels below the tokens, or stop doing so."""
        if not self.sentence:
            self.workbench.explain(NO_SENTENCES)
            return
        self.digits = not self.digits
        self._lay_out()
        self.refresh()
        self.post_message(self.Moved(self))

    @property
    def place(self) -> dict[str, int]:
        """Sentence, token and first line in sight; whether levels stand as digits."""
        return {"sentence": self.cursor, "token": self.token, "top": self._top, "digits": int(self.digits)}

    def put_place(self, place: dict[str, Any]) -> None:
        """Take up a place that was left when the sentences arrive; anything else than numbers in it is passed over."""
        kept = {name: value for name, value in place.items() if isinstance(value, int) and value >= 0}
        self.cursor = kept.get("sentence", 0)
        self.digits = bool(kept.get("digits", self.digits))
        self._left_at = (kept["token"], kept.get("top", 0)) if "token" in kept else None

    def put_cursor(self, index: int) -> None:
        """Go to a sentence, or to the last one, without saying so."""
        if self.sentences and min(index, len(self.sentences) - 1) != self.cursor:
            self._go(index, tell=False)

    def _go(self, index: int, token: int | None = None, tell: bool = True) -> None:
        if not self.sentences:
            return
        old, self.cursor = self.cursor, max(0, min(index, len(self.sentences) - 1))
        self.token = self._peak() if token is None else token
        if self._keep_in_sight():
            self.refresh()
        else:
            for at in {old, self.cursor}:
                self._repaint_sentence(at)
            self.repaint_line(self.size.height - 1)
        if tell:
            self.post_message(self.Moved(self))

    def _repaint_sentence(self, index: int) -> None:
        for line in range(*self._extent(index)):
            self.repaint_line(line - self._top)

    def on_resize(self) -> None:
        """Break the lines anew."""
        self._lay_out()

    def focus_changed(self) -> None:
        """Show the cursor as active or resting."""
        if self._starts:
            self._repaint_sentence(self.cursor)

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on the token that was clicked."""
        line = self._top + event.y
        if event.y >= self._body or line >= len(self._strips):
            return
        strip = self._strips[line]
        x = event.x - self._gutter(self.size.width)
        for place in strip.tokens:
            x -= _size(self.sentences[strip.sentence].tokens[place])
            if x < 0:
                self._go(strip.sentence, place)
                return
        self._go(strip.sentence)

    def on_mouse_scroll_down(self) -> None:
        """Go to the next sentence."""
        self.action_move(1)

    def on_mouse_scroll_up(self) -> None:
        """Go to the previous sentence."""
        self.action_move(-1)

    # --- painting

    def pieces(self, y: int, width: int) -> Iterable[Piece]:
        """A line of tokens, or the exact value at the cursor on the last line."""
        self._lay_out()
        if not self.sentences:
            lines = wrapped(self.empty, width - 4)
            return [("  " + lines[y - 1], palette.PLAIN)] if 1 <= y <= len(lines) else []
        if y == self.size.height - 1:
            return fitted(self._readout(), width)
        line = self._top + y
        return self._strip_pieces(self._strips[line], width) if line < len(self._strips) else []

    def _strip_pieces(self, strip: _Strip, width: int) -> list[Piece]:
        sentence = self.sentences[strip.sentence]
        gutter = self._gutter(width)
        if strip.digits:
            return [(" " * gutter + "".join(self._digit(sentence, place) for place in strip.tokens), palette.DIM)]
        pieces = self._title(strip, sentence, gutter)
        here = strip.sentence == self.cursor and self.has_focus
        dark, color = self.app.current_theme.dark, not self.app.no_color
        few = self.app.console.color_system == "standard"
        for place in strip.tokens:
            level = palette.level_of(sentence.values[place], self.maximum)
            style = palette.heat(level, dark, color, few)
            if here and place == self.token:
                style = palette.CURSOR
            pieces.append((_shown(sentence.tokens[place]), style))
        return pieces

    def _title(self, strip: _Strip, sentence: Sentence, gutter: int) -> list[Piece]:
        if not strip.first:
            return [(" " * gutter, None)]
        here = strip.sentence == self.cursor
        level = palette.level_of(sentence.value or 0.0, self.maximum)
        head = f"{'›' if here else ' '}{number(sentence.value):>7} {glyphs.spark(level)} "
        return [
            (head, palette.BOLD if here else None),
            (fit(sentence.title, gutter - 12) + " ", palette.BOLD if here else palette.DIM),
        ]

    def _digit(self, sentence: Sentence, place: int) -> str:
        shown = _shown(sentence.tokens[place])
        level = palette.level_of(sentence.values[place], self.maximum)
        lead = len(shown) - len(shown.lstrip()) if shown.strip() else 0
        return fit(" " * lead + (str(abs(level)) if level else ""), cell_len(shown))

    def _readout(self) -> list[Piece]:
        sentence = self.sentences[self.cursor]
        count = f" {thousands(self.cursor + 1)} of {thousands(self.total)}"
        if not sentence.tokens:
            return [(count, palette.DIM)]
        value = sentence.values[self.token]
        level = palette.level_of(value, self.maximum)
        share = percent(abs(value) / self.maximum) if self.maximum else "–"
        token = fit(sentence.tokens[self.token], min(24, max(1, cell_len(visible(sentence.tokens[self.token])))))
        return [
            (count + " · ", palette.DIM),
            (f"token {self.token + 1}/{len(sentence.tokens)} ", palette.DIM),
            (f"{token!s}", palette.BOLD),
            (f" {number(value)}", palette.BOLD),
            (f" · heat {abs(level)} of {palette.LEVELS} · {share} of {number(self.maximum)}", palette.DIM),
        ]


@lru_cache(maxsize=16_384)
def _shown(token: str) -> str:
    return visible(token) or "∅"


@lru_cache(maxsize=16_384)
def _size(token: str) -> int:
    """Cells of a token as it is shown: of most pages most tokens were on the page before."""
    return cell_len(_shown(token))


def _broken(index: int, sentence: Sentence, room: int) -> Iterable[_Strip]:
    """The strips of one sentence, broken between tokens; a token longer than a line is cut there."""
    strip, used = _Strip(index, True), 0
    for place, token in enumerate(sentence.tokens):
        size = _size(token)
        if strip.tokens and used + size > room:
            yield strip
            strip, used = _Strip(index, False), 0
        strip.tokens.append(place)
        used += size
    yield strip
