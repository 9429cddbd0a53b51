"""Rows in aligned columns with a cursor: every list of the workbench, windowed so that any length is fine."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from rich.cells import cell_len
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from screens import background
from screens.painting import palette
from screens.painting.text import fit, thousands, visible, wrapped
from screens.widgets.painted import Painted, Piece, fitted

Cell = str | Piece


@dataclass(frozen=True)
class Column:
    """One column: a fixed width in cells, or 0 for the one that takes what is left."""

    title: str
    width: int = 0
    align: str = "left"


@dataclass(frozen=True)
class Row:
    """One row: a key that names it for ever, and a cell for each column; a single cell spans them all.

    A row of another table on the same page brings its own `columns`.
    """

    key: str
    cells: tuple[Cell, ...]
    style: Style | None = None
    columns: tuple[Column, ...] = ()


def cell_text(cell: Cell) -> str:
    """The text of a cell, without its style."""
    return cell if isinstance(cell, str) else cell[0]


Fetch = Callable[[int, int], Awaitable[tuple[list[Row], int]]]
"""Gives the rows from `offset`, at most `limit` of them, and how many there are in all."""

BLOCK = 100
"""Rows asked for at a time."""


class Lines(Painted, can_focus=True):
    """A list with a header line above and a count line below; `50 of 1,024` is always said."""

    HELP = "Move with j k g G and the page keys; enter opens the row, space marks it, y copies it."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", "down", id="lines.down", show=False),
        Binding("up,k", "move(-1)", "up", id="lines.up", show=False),
        Binding("pagedown,ctrl+f", "page(1)", "page down", id="lines.page_down", show=False),
        Binding("pageup,ctrl+b", "page(-1)", "page up", id="lines.page_up", show=False),
        Binding("home,g", "edge(0)", "first", id="lines.first", show=False),
        Binding("end,G", "edge(1)", "last", id="lines.last", show=False),
        Binding("enter", "open", "open", id="lines.open", show=False),
        Binding("space", "mark", "mark", id="lines.mark", show=False),
    ]

    @dataclass
    class Moved(Message):
        """The cursor is on another row."""

        lines: Lines
        key: str

        @property
        def control(self) -> Lines:
            """The list that sent this."""
            return self.lines

    @dataclass
    class Opened(Message):
        """Enter was pressed on a row."""

        lines: Lines
        key: str

        @property
        def control(self) -> Lines:
            """The list that sent this."""
            return self.lines

    def __init__(
        self, columns: Sequence[Column], *, empty: str = "", id: str | None = None, spell_cut: bool = False
    ) -> None:
        super().__init__(id=id)
        self.spell_cut = spell_cut
        """Whether the count line tells the cells of the row under the cursor that their columns cut."""
        self.columns: tuple[Column, ...] = tuple(columns)
        self.empty = empty
        self._empty_shown = empty
        """The text for no rows when rows were last given: another one is painted though there are still none."""
        self.plain = False
        """Whether all rows have one style: a list that changes with every letter then costs fewer bytes."""
        self.note = ""
        self.total = 0
        self.cursor = 0
        self.top = 0
        self.marks: set[str] = set()
        self._rows: dict[int, Row] = {}
        self._fetch: Fetch | None = None
        self._wanted: str | None = None
        self._left_at: tuple[int, int] | None = None
        """Where the cursor was left, as its row and how many rows above it were in sight."""

    # --- what is shown

    def show(self, rows: Sequence[Row], *, note: str = "") -> None:
        """Show these rows, all of them at hand; the cursor stays on the row it was on."""
        self._fetch = None
        self._replace(dict(enumerate(rows)), len(rows), note)

    def show_source(self, fetch: Fetch, rows: Sequence[Row], total: int, *, note: str = "") -> None:
        """Show `total` rows of which the first are at hand and others are fetched when they come in sight."""
        self._fetch = fetch
        self._replace(dict(enumerate(rows)), total, note)
        self._fill()

    def _replace(self, rows: dict[int, Row], total: int, note: str) -> None:
        key = self._wanted or self.key
        same = (self._rows, self.total, self.note, self._empty_shown) == (rows, total, note, self.empty)
        self._rows, self.total, self.note, self._empty_shown = rows, total, note, self.empty
        found = next((index for index, row in rows.items() if row.key == key), None)
        if found is not None:
            self.cursor, self._wanted = found, None
        elif self._left_at is not None and self._left_at[0] < total:
            self.cursor, self._wanted = self._left_at[0], None  # far down a long list: its block is fetched next
        self.cursor = max(0, min(self.cursor, total - 1))
        if self._left_at is not None and total:
            self.top, self._left_at = max(0, self.cursor - self._left_at[1]), None
            same = False
        if self._scroll_into_view() or not same:
            self.repaint_changed()

    def show_plain(self, plain: bool) -> None:
        """Leave the styles of the rows out, from the next rows on, or show them again at once."""
        if self.plain and not plain:
            self.plain = False
            self.repaint_changed()
        self.plain = plain

    def put_cursor(self, key: str) -> None:
        """Move the cursor to the row with this key, now or when the rows arrive."""
        for index, row in self._rows.items():
            if row.key == key:
                self._wanted = None
                self._go(index, tell=False)
                return
        self._wanted = key

    @property
    def place(self) -> tuple[str, int, int]:
        """The row under the cursor, where it stands, and how many rows above it are in sight."""
        return self.key, self.cursor, self.cursor - self.top

    def put_place(self, key: str, at: int, above: int) -> None:
        """Take up a place that was left, now or when the rows arrive."""
        self._left_at = (max(0, at), max(0, above))
        self._wanted = key

    def to_top(self) -> None:
        """Begin at the first row, whatever rows come next."""
        self.cursor = self.top = 0
        self._rows, self._wanted, self._left_at = {}, None, None

    @property
    def row(self) -> Row | None:
        """The row under the cursor, or None when there is none or it has not arrived."""
        return self._rows.get(self.cursor)

    @property
    def key(self) -> str:
        """The key of the row under the cursor, or an empty text."""
        row = self.row
        return row.key if row else ""

    @property
    def keys(self) -> list[str]:
        """The keys of the rows at hand, in order."""
        return [self._rows[index].key for index in sorted(self._rows)]

    def place_of(self, key: str) -> int | None:
        """Where the row with this key stands, or None where it is not at hand."""
        if self.key == key:
            return self.cursor
        return next((index for index, row in self._rows.items() if row.key == key), None)

    def key_at(self, index: int) -> str:
        """The key of a row, or an empty text where it is not at hand."""
        row = self._rows.get(index)
        return row.key if row else ""

    def reach(self, index: int) -> None:
        """Fetch the block of a row that may soon be needed."""
        index = max(0, min(index, self.total - 1))
        if self._fetch is not None and self.total and index not in self._rows:
            background.start(self, partial(self._load, index // BLOCK * BLOCK), f"reach-{self.id}-{index // BLOCK}")

    # --- moving

    @property
    def body_height(self) -> int:
        """How many rows fit between the header and the count line."""
        return max(1, self.size.height - 2)

    def action_move(self, step: int) -> None:
        """Move the cursor by some rows."""
        self._go(self.cursor + step)

    def action_page(self, step: int) -> None:
        """Move the cursor by screenfuls."""
        self._go(self.cursor + step * max(1, self.body_height - 1))

    def action_edge(self, end: int) -> None:
        """Move the cursor to the first or the last row."""
        self._go(self.total - 1 if end else 0)

    def action_open(self) -> None:
        """Say that the row under the cursor is to be opened."""
        if self.row:
            self.post_message(self.Opened(self, self.row.key))
        elif not self.total:
            self.workbench.explain("there is nothing to open")
        else:
            self.workbench.explain("this row is still being read; wait a moment and repeat")

    def action_mark(self) -> None:
        """Mark or unmark the row under the cursor and go to the next."""
        if self.row:
            self.marks ^= {self.row.key}
            self._repaint_row(self.cursor)
            self.action_move(1)
        elif not self.total:
            self.workbench.explain("there is nothing to mark")

    def _go(self, index: int, tell: bool = True) -> None:
        index = max(0, min(index, self.total - 1))
        if index == self.cursor and not self._scroll_into_view():
            return
        old, self.cursor = self.cursor, index
        if self._scroll_into_view():
            self.refresh()
        else:
            self._repaint_row(old)
            self._repaint_row(index)
            self.repaint_line(self.size.height - 1)
        self._fill()
        if tell and self.row:
            self.post_message(self.Moved(self, self.row.key))

    def _repaint_row(self, index: int) -> None:
        self.repaint_line(index - self.top + 1)

    def _scroll_into_view(self) -> bool:
        """Bring the cursor into sight; says whether anything moved. Before the first layout nothing does."""
        if not self.size.height:
            return False
        height, top = self.body_height, self.top
        if self.cursor < top:
            top = max(0, self.cursor - height // 3)  # room on both sides: fewer full repaints
        elif self.cursor >= top + height:
            top = self.cursor - height + 1 + height // 3
        top = max(0, min(top, self.total - height))
        moved, self.top = top != self.top, top
        return moved

    def _fill(self) -> None:
        """Fetch the block of rows in sight that is not at hand yet."""
        if self._fetch is None or not self.is_mounted:
            return
        last = min(self.total, self.top + self.body_height)
        missing = next((index for index in range(self.top, last) if index not in self._rows), None)
        if missing is not None:
            start = missing // BLOCK * BLOCK
            background.start(self, partial(self._load, start), f"fetch-{self.id}", latest=True)

    async def _load(self, start: int) -> None:
        fetch = self._fetch
        if fetch is None:
            return
        rows, total = await fetch(start, BLOCK)
        if fetch is not self._fetch:
            return  # another list is shown by now
        self._rows.update((start + place, row) for place, row in enumerate(rows))
        self.total = total
        self.refresh()
        if rows:
            self._fill()  # a tall screen can show parts of two blocks

    # --- events

    def on_resize(self) -> None:
        """Fetch what a larger terminal shows; the cursor is brought into sight when line 0 is painted."""
        self._fill()

    def focus_changed(self) -> None:
        """Show the cursor as active or resting."""
        self._repaint_row(self.cursor)

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on the row that was clicked; a second click opens it."""
        index = self.top + event.y - 1
        if not 0 < event.y < self.size.height - 1 or index >= self.total:
            return
        if index == self.cursor and event.chain > 1:
            self.action_open()
        self._go(index)

    def on_mouse_scroll_down(self) -> None:
        """Move down three rows."""
        self.action_move(3)

    def on_mouse_scroll_up(self) -> None:
        """Move up three rows."""
        self.action_move(-3)

    # --- painting

    def pieces(self, y: int, width: int) -> Iterable[Piece]:
        """Header, rows, count line."""
        if y == self.size.height - 1:
            return self._count_line(width)
        if y == 0:
            self._scroll_into_view()
            titles = (fit(column.title, size, column.align) for column, size in self._sized(width))
            return [(fit("  " + " ".join(titles), width), palette.TITLE)] if self.total else []
        if not self.total:
            lines = wrapped(self.empty, width - 4)
            return [("  " + lines[y - 2], palette.PLAIN)] if 2 <= y < len(lines) + 2 else []
        index = self.top + y - 1
        return self._row_pieces(index, width) if index < self.total else []

    def _sized(self, width: int, own: tuple[Column, ...] = ()) -> list[tuple[Column, int]]:
        columns = own or self.columns
        fixed = sum(column.width for column in columns)
        left = width - 2 - fixed - (len(columns) - 1)
        return [(column, column.width or max(4, left)) for column in columns]

    def _row_pieces(self, index: int, width: int) -> list[Piece]:
        row = self.shown_row(index)
        here = index == self.cursor
        if row is None:
            return [("› …" if here else "  …", palette.DIM)]
        mark = "•" if row.key in self.marks else " "
        pieces: list[Piece] = [(("›" if here else " ") + mark, None)]
        columns = self._sized(width, row.columns)
        if len(row.cells) == 1:  # a title over all columns
            columns = [(Column(""), width - 2)]
        for (column, size), cell in zip(columns, row.cells, strict=False):
            text, style = cell if isinstance(cell, tuple) else (cell, None)
            if len(pieces) > 1:
                pieces.append((" ", None))
            pieces.append((fit(text, size, column.align), None if self.plain else style or row.style))
        if not here:
            return pieces
        style = palette.CURSOR if self.has_focus else palette.BLURRED
        return [(fit("".join(text for text, _ in pieces), width), style)]

    def shown_row(self, index: int) -> Row | None:
        """A row as it is painted, or None where it is not at hand."""
        return self._rows.get(index)

    def noted(self, width: int) -> str:  # noqa: ARG002 - for the lists that are wider
        """What the count line says beside the count."""
        return self.note

    def _cut(self, width: int) -> str:
        """The cells of the row under the cursor that are longer than their columns, the last first."""
        row = self.row
        if row is None or len(row.cells) < 2:
            return ""
        columns = self._sized(width, row.columns)
        if len(row.cells) != len(columns):
            return ""
        texts = ((visible(cell_text(cell)), size) for cell, (_, size) in zip(row.cells, columns, strict=True))
        return " · ".join(reversed([text for text, size in texts if cell_len(text) > size]))

    def _count_line(self, width: int) -> list[Piece]:
        told = self.noted(width)
        if not self.total:
            return [(fit(visible(told), width), palette.DIM)] if told else []
        count = f"  {thousands(self.cursor + 1)} of {thousands(self.total)}"
        marks = f" · {len(self.marks)} marked" if self.marks else ""
        note = f" · {visible(told)}" if told else ""
        if self.spell_cut and (cut := self._cut(width)):
            return fitted([(count + marks + note + " · ", palette.DIM), (cut, palette.BOLD)], width)
        return fitted([(count + marks + note, palette.DIM)], width)
