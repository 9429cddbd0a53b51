"""Predictions in context: each text whole, in lines as wide as the screen, the answer marked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from rich.cells import cell_len
from textual import events
from textual.binding import Binding, BindingType

from screens.painting import palette
from screens.painting.text import number, visible
from screens.widgets.painted import Painted, Piece


class Samples(Painted, can_focus=True):
    """A list of samples that scrolls by lines."""

    HELP = "Samples in context: j k g G and the page keys scroll."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "scroll(1)", "down", id="samples.down", show=False),
        Binding("up,k", "scroll(-1)", "up", id="samples.up", show=False),
        Binding("pagedown,ctrl+f,space", "page(1)", "page down", id="samples.page_down", show=False),
        Binding("pageup,ctrl+b", "page(-1)", "page up", id="samples.page_up", show=False),
        Binding("home,g", "edge(0)", "first", id="samples.first", show=False),
        Binding("end,G", "edge(1)", "last", id="samples.last", show=False),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.samples: list[dict[str, Any]] = []
        self.total = 0
        self.top = 0
        self._wrapped: tuple[int, list[list[Piece]]] = (0, [])

    def show(self, samples: Sequence[dict[str, Any]], total: int) -> None:
        """Show these samples, of so many; those of another cluster begin at the top."""
        first = [sample["sample"] for sample in samples[:1]]
        if first != [sample["sample"] for sample in self.samples[:1]]:
            self.top = 0
        self.samples, self.total = list(samples), total
        self._wrapped = (0, [])
        self.refresh()

    def lines_at(self, width: int) -> list[list[Piece]]:
        """All lines at this width."""
        if self._wrapped[0] != width:
            lines = [line for sample in self.samples for line in sample_lines(sample, width)]
            if len(self.samples) < self.total:
                lines.append([(f"… {self.total - len(self.samples):,} more: :quanta.show, or :quanta.export FILE",
                               palette.DIM)])  # fmt: skip
            self._wrapped = (width, lines)
        return self._wrapped[1]

    def pieces(self, y: int, width: int) -> Iterable[Piece]:
        """Line `y`."""
        lines = self.lines_at(width - 2)
        self.top = max(0, min(self.top, len(lines) - self.size.height))
        at = self.top + y
        return [(" ", None), *lines[at]] if at < len(lines) else []

    def action_scroll(self, step: int) -> None:
        """Scroll by lines."""
        lines = self.lines_at(self.size.width - 2)
        top = max(0, min(self.top + step, len(lines) - self.size.height))
        if top != self.top:
            self.top = top
            self.refresh()

    def action_page(self, step: int) -> None:
        """Scroll by screenfuls."""
        self.action_scroll(step * max(1, self.size.height - 2))

    def action_edge(self, end: int) -> None:
        """Scroll to the first or the last line."""
        self.action_scroll(10**9 if end else -(10**9))

    def on_mouse_scroll_down(self, _event: events.MouseScrollDown) -> None:
        """Three lines down."""
        self.action_scroll(3)

    def on_mouse_scroll_up(self, _event: events.MouseScrollUp) -> None:
        """Three lines up."""
        self.action_scroll(-3)


def sample_lines(sample: dict[str, Any], width: int) -> list[list[Piece]]:
    """A sample's head line, its text in lines of at most `width` cells, and an empty line."""
    head = f"document {sample['document']}, token {sample['position']}, loss {number(sample['loss'], 4)} nats"
    pieces: list[Piece] = [("…", palette.DIM)] if sample["cut"] else []
    pieces += [(visible(text), None) for text in sample["before"]]
    pieces.append((visible(sample["answer"]) or " ", palette.CURSOR))
    pieces += [(visible(text), palette.DIM) for text in sample["after"]]
    return [[(head, palette.DIM)], *folded(pieces, max(8, width)), []]


def folded(pieces: Iterable[Piece], width: int) -> list[list[Piece]]:
    """Pieces in lines of at most `width` cells: broken between pieces, inside one only where it is longer."""
    lines: list[list[Piece]] = [[]]
    used = 0
    for text, style in pieces:
        if used and used + cell_len(text) > width:
            lines.append([])
            used = 0
        for part in _parts(text, width):
            if used and used + cell_len(part) > width:
                lines.append([])
                used = 0
            lines[-1].append((part, style))
            used += cell_len(part)
    return lines


def _parts(text: str, width: int) -> list[str]:
    """A text in parts of at most `width` cells."""
    if cell_len(text) <= width:
        return [text]
    step = max(1, width // 2)  # a sign has at most two cells
    return [text[at : at + step] for at in range(0, len(text), step)]
