"""The command list: every verb with its summary; those that do not run here are dim, with the reason."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult

from screens import verbs
from screens.line.doing import shell_only
from screens.pages.list_page import HeldPage
from screens.painting import palette
from screens.widgets.lines import Column, Lines, Row, cell_text
from screens.widgets.painted import Paragraph


class CommandListPage(HeldPage):
    """One verb a row, in the order of the registry; it covers the screen until esc."""

    title = "Commands"
    hints = (("enter", "write it on the : line"), ("/", "filter"), ("y", "copy"), ("esc", "back"))
    needs_session = False
    HELP: ClassVar[str | None] = "Every command. enter writes it on the : line, where tab completes its parameters."

    def compose(self) -> ComposeResult:
        """The list."""
        yield Lines([Column("command", 18), Column("what it does")], id="command-list")
        yield Paragraph(classes="detail")

    def bring(self, subject: str) -> None:
        """Needs no engine."""
        super().bring(subject)
        self.show_found()

    def reload(self) -> None:
        """Nothing to ask."""
        self.show_found()

    def show_found(self) -> None:
        """The commands of which name or summary contain what is wanted."""
        self.lines.empty = f"No command contains {self.wanted!r}.\nesc shows all."
        rows = [self._row(verb) for verb in verbs.all_verbs()]
        self.show_rows([row for row in rows if self.found(f"{row.key} {cell_text(row.cells[1])}")], note=self.matching)

    def why_disabled(self, verb: type[verbs.Verb]) -> str:
        """Why a verb cannot be run now, or an empty text."""
        return shell_only(verb)

    def _row(self, verb: type[verbs.Verb]) -> Row:
        if reason := self.why_disabled(verb):
            return Row(verb.dotted, (verb.dotted, reason), palette.DIM)
        return Row(verb.dotted, ((verb.dotted, palette.NAME), verb.summary()))

    def on_lines_opened(self, event: Lines.Opened) -> None:
        """Write the verb on the `:` line."""
        if reason := self.why_disabled(verbs.lookup(event.key)):
            self.workbench.explain(f"{event.key} {reason}")
            return
        self.filter("")
        self.workbench.show_place()
        self.workbench.open_command(f"{event.key} ")

    def whole(self) -> str:
        """The whole summary, and the parameters."""
        verb = verbs.find(self.lines.key)
        if verb is None:
            return ""
        reason = self.why_disabled(verb)
        return f"{reason or verb.summary()}\nparameters: {', '.join(verb.model_fields) or 'none'}"

    def copyable(self) -> str:
        """The verb."""
        return self.lines.key

    def state(self) -> dict[str, str]:
        """Not part of the view."""
        return {}
