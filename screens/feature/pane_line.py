"""The panes of the Feature screen, and the line with their names."""

from __future__ import annotations

from collections.abc import Sequence

from typing_extensions import override

from screens.painting import palette
from screens.widgets.painted import Painted, Piece

PANES = ("stimuli", "corpus", "near", "steer")


class PaneLine(Painted):
    """The names of the panes, the one in front reversed."""

    def __init__(self) -> None:
        super().__init__(id="pane-line")
        self.names: tuple[str, ...] = PANES
        self.current = PANES[0]

    def show(self, names: Sequence[str], current: str) -> None:
        """Show these names."""
        if (tuple(names), current) != (self.names, self.current):
            self.names, self.current = tuple(names), current
            self.refresh()

    @override
    def pieces(self, y: int, width: int) -> list[Piece]:
        """Names, two cells apart."""
        pieces: list[Piece] = [(" tab ", palette.KEY)]
        for pane, name in zip(PANES, self.names, strict=True):
            pieces += [(f" {name} ", palette.CURSOR if pane == self.current else None), (" ", None)]
        return pieces
