"""The tokens that a feature's decoder direction promotes and suppresses, beside its panes."""

from __future__ import annotations

from typing import Any

from typing_extensions import override

from screens.feature.feature_text import (
    logit_lines,
)
from screens.widgets.painted import Painted, Piece


class Logits(Painted):
    """Tokens that the feature's decoder direction promotes and suppresses, for the width there is."""

    indent = 2

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.logits: dict[str, list[list[Any]]] | None = None
        self._lines: list[list[Piece]] = []
        self._made_for: tuple[int, int] | None = None

    def show(self, logits: dict[str, list[list[Any]]] | None) -> None:
        """Show these tokens."""
        if logits != self.logits:
            self.logits, self._made_for = logits, None
            self.refresh()

    @override
    def pieces(self, y: int, width: int) -> list[Piece]:
        """A token of each kind, or of one."""
        if self._made_for != (width, self.size.height):
            self._made_for = width, self.size.height
            self._lines = logit_lines(self.logits, width, self.size.height)
        return self._lines[y] if y < len(self._lines) else []
