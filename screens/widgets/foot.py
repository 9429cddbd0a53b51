"""The two lines at the foot: what is open and what happens, and the keys that matter here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.cells import cell_len
from typing_extensions import override

from screens.painting import palette
from screens.painting.text import visible
from screens.widgets.painted import Painted, Paragraph, Piece, TextLines, fitted

MOST_HINTS = 8


class TabLine(Painted):
    """The screens with their digits; the one in front is reversed, absent ones are dim."""

    def __init__(self, names: tuple[str, ...], absent: frozenset[str]) -> None:
        super().__init__(id="tabs")
        self.names = names
        self.absent = absent
        self.current = ""

    def show(self, current: str) -> None:
        """Put this screen in front."""
        if current != self.current:
            self.current = current
            self.refresh()

    @override
    def pieces(self, y: int, width: int) -> Iterable[Piece]:
        """Nine names in 78 cells."""
        for digit, name in enumerate(self.names, start=1):
            if name == self.current:
                yield f"{digit} {name}", palette.CURSOR
            elif name in self.absent:
                yield f"{digit} {name}", palette.DIM
            else:
                yield f"{digit}", palette.KEY
                yield f" {name}", None
            yield " ", None


class HintLine(Painted):
    """At most eight keys with what they do, in as many cells as there are."""

    def __init__(self) -> None:
        super().__init__(id="hints")
        self.hints: tuple[tuple[str, str], ...] = ()

    def show(self, hints: tuple[tuple[str, str], ...]) -> None:
        """Show these keys."""
        if hints != self.hints:
            self.hints = hints
            self.refresh()

    @override
    def pieces(self, y: int, width: int) -> Iterable[Piece]:
        """Key, meaning, two cells apart; what does not fit whole is left out."""
        left = width
        for usual, meaning in self.hints[:MOST_HINTS]:
            key = self.workbench.keymap.shown(usual)
            left -= cell_len(key) + cell_len(meaning) + 3
            if left < -2:
                return
            yield key, palette.KEY
            yield f" {meaning}  ", None


class StatusLine(Painted):
    """Session, features, the engine and its machine on the left; the last action or the running job on the right."""

    def __init__(self) -> None:
        super().__init__(id="status")
        self.session = ""
        self.features = ""
        self.gate = ""
        self.where = ""
        self.engine = "connecting"
        self.message = ""
        self.style = palette.PLAIN
        self._before: tuple[str, Any] | None = None

    def remark(self, text: str) -> None:
        """Say something until the next key; then the message that stood here comes back."""
        before = (self.message, self.style) if self._before is None else self._before
        self.show(message=text)
        self._before = before

    def progress(self, text: str) -> None:
        """Say how far work is; a remark stays in sight until the next key, and then this is there."""
        if self._before is None:
            self.show(message=text)
        else:
            self._before = (text, palette.PLAIN)

    def recall(self) -> None:
        """Take a remark away."""
        if self._before is not None:
            (self.message, self.style), self._before = self._before, None
            self.refresh()

    def show(
        self,
        *,
        session: str | None = None,
        features: str | None = None,
        gate: str | None = None,
        where: str | None = None,
        engine: str | None = None,
        message: str | None = None,
        good: bool = True,
    ) -> None:
        """Change what is given, leave the rest."""
        before = self._all()
        self.session = self.session if session is None else session
        self.features = self.features if features is None else features
        self.gate = self.gate if gate is None else gate
        self.where = self.where if where is None else where
        self.engine = self.engine if engine is None else engine
        if message is not None:
            self.message, self.style = message, palette.PLAIN if good else palette.BAD
            self._before = None
        if before != self._all():
            self.refresh()

    def _all(self) -> tuple[Any, ...]:
        return self.session, self.features, self.gate, self.where, self.engine, self.message, self.style

    @override
    def pieces(self, y: int, width: int) -> Iterable[Piece]:
        """Where all does not fit, what is as it should be gives way to the message, and the features' name."""
        message = visible(self.message)
        session: Piece = (visible(self.session or "no session"), palette.BOLD)
        features: Piece = (visible(self.features), palette.PLAIN)
        gate: Piece = (self.gate, palette.DIM)
        connected = self.engine == "connected"
        engine: Piece = (self.engine, palette.GOOD if connected else palette.WARN)
        where: Piece = (visible(self.where), palette.PLAIN if connected else palette.WARN)
        shown = [piece for piece in (session, features, gate, where, engine) if piece[0]]
        for spare in (gate, features, engine, where) if connected else (gate, features):
            wide = sum(cell_len(text) + 3 for text, _ in shown) + cell_len(message) > width
            if wide and spare in shown and (message or self.where):
                shown.remove(spare)
        pieces: list[Piece] = []
        for piece in shown:
            pieces += [piece, (" · ", palette.DIM)]
        last: Piece = (" │ ", palette.DIM) if message else ("", None)
        return fitted([*pieces[:-1], last, (message, self.style)], width)


class GateWarning(Paragraph):
    """What is wrong with the SAE, above the foot of every screen; hidden where it is sound."""

    style = palette.WARN

    def show_gate(self, gate: dict[str, Any]) -> None:
        """Show a verdict that is not `passed`."""
        bad = bool(gate) and not gate["passed"]
        self.display = bad
        self.show(visible(gate["text"]) if bad else "")


class Notice(TextLines):
    """A message with its hint, over the lowest lines of the screen until the next key that acts."""
