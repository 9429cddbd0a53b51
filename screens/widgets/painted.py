"""The base of every widget here: it paints one line at a time, so that one line can be repainted alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Self, cast

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual._styles_cache import StylesCache
from textual.color import TRANSPARENT
from textual.geometry import Region, Size
from textual.reactive import Reactive
from textual.strip import Strip
from textual.widget import Widget
from typing_extensions import override

from screens.painting import palette
from screens.painting.text import fit, wrapped

if TYPE_CHECKING:
    from screens.app import WorkbenchApp

GAP = 10
"""Equal cells between two that differ, from which on it takes fewer bytes to move the terminal's cursor over them."""
Piece = tuple[str, Style | None]
"""Some text and its style; the text must already be fit for the terminal (`screens.painting.text.visible`)."""


class _Lines(StylesCache):
    """The painted lines of a `Painted`, each until it is dirty.

    The style sheet only says where such a widget stands: it has no border, padding, tint or colour of its own. The
    cache of the base class would look for all of them on each line, which costs more than to paint it.
    """

    def render_widget(self, widget: Widget, crop: Region) -> list[Strip]:
        """The lines within `crop`."""
        width, filters = widget.size.width, widget.get_line_filters()
        if width != self._width:
            self.clear()
            self._width = width
        strips = []
        for y in crop.line_range:
            strip = None if y in self._dirty_lines else self._cache.get(y)
            if strip is None:
                strip = self._cache[y] = cast("Painted", widget).strip(y, width)
            for line_filter in filters:
                strip = strip.apply_filter(line_filter, TRANSPARENT)
            strips.append(strip)
        self._dirty_lines.difference_update(crop.line_range)
        whole = crop.column_span == (0, width)
        return strips if whole else [strip.crop(*crop.column_span) for strip in strips]

    def painted(self, y: int, width: int) -> Strip | None:
        """Line `y` as it was painted last, or None where it was not, or is to be painted anyway."""
        return None if width != self._width or y in self._dirty_lines else self._cache.get(y)


class Painted(Widget):
    """A widget that gives the pieces of each line; the line is cut and padded to the width."""

    ALLOW_SELECT = False
    virtual_size: Reactive[Size] = Reactive(Size(0, 0), layout=False, repaint=False)  # as in box.py
    indent = 0
    """Blank cells at the left of every line; padding in CSS would send styles for them."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._styles_cache = self._painted = _Lines()

    def pieces(self, y: int, width: int) -> Iterable[Piece]:  # noqa: ARG002 - for the widgets that paint
        """The pieces of line `y`, left to right."""
        return ()

    def render_line(self, y: int) -> Strip:
        """The strip of line `y`."""
        return self.strip(y, self.size.width)

    def strip(self, y: int, width: int) -> Strip:
        """The strip of line `y` in `width` cells, equal styles merged into one run."""
        pieces = self.pieces(y, max(0, width - self.indent))
        segments = _merged([(" " * self.indent, None), *pieces])
        used = sum(cell_len(segment.text) for segment in segments)
        if used < width:
            segments = [*segments, Segment(" " * (width - used))]
            used = width
        return Strip(segments, used).adjust_cell_length(width)

    @override
    def focus(self, scroll_visible: bool = True) -> Self:
        """Take the keys; unlike the base class, nothing is repainted but what `focus_changed` says."""
        self.screen.set_focus(self, scroll_visible=False)
        return self

    def _on_focus(self, event: events.Focus) -> None:
        event.prevent_default()  # the base class would repaint the whole widget
        self.has_focus = True
        self.focus_changed()

    def _on_blur(self, event: events.Blur) -> None:
        event.prevent_default()
        self.has_focus = False
        self.focus_changed()

    def focus_changed(self) -> None:
        """Repaint what looks different with the keys and without."""

    def repaint_line(self, y: int) -> None:
        """Repaint one line only."""
        if 0 <= y < self.size.height:
            self.refresh(Region(0, y, self.size.width, 1))

    def repaint_changed(self) -> None:
        """Repaint the cells that differ from what is in sight: Textual sends all that is repainted, changed or not."""
        width, height = self.size
        if not height or not self.is_on_screen:
            self.refresh()  # nothing is in sight to differ from, but what was painted must not come back
            return
        for y in range(height):
            before = self._painted.painted(y, width)
            spans = [(0, width)] if before is None else changed(before, self.strip(y, width))
            for x, end in spans:
                self.refresh(Region(x, y, end - x, 1))

    @property
    def workbench(self) -> WorkbenchApp:
        """The app, by its own type."""
        return cast("WorkbenchApp", self.app)


def changed(before: Strip, after: Strip) -> list[tuple[int, int]]:
    """Spans of cells, each from a first to one behind the last, in which two strips of one width differ."""
    if before == after:
        return []
    old_cells, new_cells = _cells(before), _cells(after)
    if len(old_cells) != len(new_cells):  # signs that join are counted by the terminal's own rules
        return [(0, after.cell_length)]
    spans: list[tuple[int, int]] = []
    for x, (old, new) in enumerate(zip(old_cells, new_cells, strict=True)):
        if old == new:
            continue
        if spans and x - spans[-1][1] < GAP:
            spans[-1] = (spans[-1][0], x + 1)
        else:
            spans.append((x, x + 1))
    return spans


def _cells(strip: Strip) -> list[tuple[str, int, Style | None]]:
    """Each cell's sign, which of the sign's cells it is, and its style."""
    found: list[tuple[str, int, Style | None]] = []
    for text, style, _ in strip:
        if text.isascii():
            found += [(sign, 0, style) for sign in text]
        else:
            for sign in text:
                if (size := cell_len(sign)) or not found:
                    found += [(sign, cell, style) for cell in range(size)]
                else:
                    found[-1] = (found[-1][0] + sign, found[-1][1], style)
    return found


def _merged(pieces: Iterable[Piece]) -> list[Segment]:
    """Segments with neighbours of one style joined: bytes on the wire go with the number of runs."""
    segments: list[Segment] = []
    for text, style in pieces:
        style = style or None
        if segments and segments[-1].style == style:
            segments[-1] = Segment(segments[-1].text + text, style)
        elif text:
            segments.append(Segment(text, style))
    return segments


class TextLines(Painted):
    """Static lines of pieces; what does not fit is cut with an ellipsis, what does not fit below is left out."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.lines: list[list[Piece]] = []

    def show(self, lines: list[list[Piece]]) -> None:
        """Show these lines; repaints only what differs."""
        old, self.lines = self.lines, lines
        if not self.size.height and old != lines:
            self.refresh()  # out of sight there is no line to repaint, but the old ones must not come back
        for y in range(max(len(old), len(lines))):
            if old[y : y + 1] != lines[y : y + 1]:
                self.repaint_line(y)

    @override
    def pieces(self, y: int, width: int) -> Iterable[Piece]:
        """The pieces of line `y`."""
        return fitted(self.lines[y], width) if y < len(self.lines) else ()


class Paragraph(Painted):
    """A text wrapped to the width there is."""

    indent = 2
    style = palette.BOLD

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.text = ""

    def show(self, text: str) -> None:
        """Show this text."""
        if text != self.text:
            self.text = text
            self.refresh()

    @override
    def pieces(self, y: int, width: int) -> Iterable[Piece]:
        """The line `y` of the text."""
        lines = wrapped(self.text, width)
        return [(lines[y], self.style)] if y < len(lines) else []


def fitted(pieces: Iterable[Piece], width: int) -> list[Piece]:
    """Pieces cut with an ellipsis where they would pass `width`."""
    result: list[Piece] = []
    for text, style in pieces:
        size = cell_len(text)
        if size > width:
            result.append((fit(text, width), style))
            break
        result.append((text, style))
        width -= size
    return result
