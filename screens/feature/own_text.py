"""Your own sentence, or two of them: which features fire, and which differ, while you type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.widget import Widget

from screens import verbs
from screens.feature.own_text_rows import (
    ACTIVE,
    DIFFERENT,
    activate_note,
    activate_rows,
    activate_sentences,
    diff_note,
    diff_rows,
    diff_sentences,
    steer_own_line,
)
from screens.pages.latest_page import LatestPage
from screens.pages.page import Act
from screens.painting import palette
from screens.painting.text import in_app, visible
from screens.widgets.command_line import Question
from screens.widgets.heatmap import Heatmap
from screens.widgets.lines import Lines
from screens.widgets.painted import Piece, TextLines
from workbench.errors import WorkbenchError

if TYPE_CHECKING:
    from screens.app import WorkbenchApp

MOST = 2000
"""Letters of a sentence."""


class OwnTextPage(LatestPage):
    """Sentences above, features in the middle, the tokens of the feature under the cursor below."""

    title = "Try"
    hints = (
        ("i", "sentence"),
        ("e", "second one"),
        ("enter", "feature"),
        ("s", "steer"),
        ("j k", "move"),
        ("y", "copy"),
        ("esc", "back"),
    )
    HELP: ClassVar[str | None] = (
        "i takes a sentence and shows the features that fire on it while you type, the strongest first. e takes a "
        "second one: then the tokens are aligned and the features that differ are shown, the largest difference first. "
        "Below stands the feature under the cursor on each token. s writes the line that steers it on the sentence."
    )

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self.texts = ["", ""]
        self.result: dict[str, Any] = {}
        self.followed = False
        """Whether the cursor was moved to a feature; until then it stays at the strongest one, whichever that is."""

    def compose(self) -> ComposeResult:
        """Sentences, features, tokens."""
        yield TextLines(id="own-texts")
        yield Lines(
            ACTIVE, id="own-features", spell_cut=True,
            empty="Press i and type a sentence; e takes a second one to compare.",
        )  # fmt: skip
        yield Heatmap(id="own-heat")

    def on_mount(self) -> None:
        """The sentences are there, but empty."""
        self._show_texts()

    @property
    def main(self) -> Widget:
        """The features take the keys."""
        return self._lines

    @property
    def _lines(self) -> Lines:
        return self.query_one("#own-features", Lines)

    # --- asking

    def forget(self) -> None:
        """The sentences stay; what the features of the session before did on them does not."""
        super().forget()
        self.followed = False
        self._clear("Press i and type a sentence; e takes a second one to compare.")

    def reload(self) -> None:
        """Ask about the sentences; while a question is under way only the last of those asked meanwhile follows."""
        if self.workbench.engine is None or not self.workbench.session or not self.texts[0].strip():
            return
        if not self.loading and not self.result:
            self._clear("Reading it; the model is loaded first where it is not yet …")
        super().reload()

    async def load(self) -> None:
        """Activate on one sentence, or compare two."""
        first, second = self.texts
        if second.strip():
            self._show(await self.ask(verbs.FeaturesDiff(text_a=first, text_b=second)))
        elif first.strip():
            self._show(await self.ask(verbs.FeaturesActivate(text=first)))

    def _show(self, result: dict[str, Any]) -> None:
        self.result, lines = result, self._lines
        two = "columns" in result
        lines.columns = DIFFERENT if two else ACTIVE
        lines.empty = "No feature differs." if two else "No feature fires."
        rows, note = (diff_rows, diff_note) if two else (activate_rows, activate_note)
        if not self.followed:
            lines.to_top()
        lines.show(rows(result), note=note(result))
        lines.refresh()
        self._show_tokens()

    def show_failure(self, error: WorkbenchError) -> None:
        """Put the error where the features would be."""
        self._clear(f"{error.message}\n{in_app(error.hint)}")

    def _clear(self, text: str) -> None:
        self.result = {}
        self._lines.empty = text
        self._lines.show([])
        self._lines.refresh()
        self.query_one("#own-heat", Heatmap).show([], None)

    def take(self, verb: verbs.Verb, result: dict[str, Any]) -> None:
        """Show what a `:` line asked, with its sentences."""
        params = verb.params()
        self.texts = [str(params.get("text") or params.get("text_a") or ""), str(params.get("text_b") or "")]
        self.followed = False
        self._show_texts()
        self._show(result)
        self.outdated = False

    # --- showing

    def _show_texts(self) -> None:
        lines: list[list[Piece]] = []
        for key, text in zip(("i", "e"), self.texts, strict=True):
            absent = "no sentence yet" if key == "i" else "nothing to compare with"
            shown: Piece = (visible(text), palette.BOLD) if text else (absent, palette.DIM)
            lines.append([(f" {key} ", palette.KEY), (" ", None), shown])
        self.query_one("#own-texts", TextLines).show(lines)

    def _show_tokens(self) -> None:
        index = self._lines.cursor
        rows = self.result.get("features") or []
        if not 0 <= index < len(rows):
            self.query_one("#own-heat", Heatmap).show([], None)
            return
        make = diff_sentences if "columns" in self.result else activate_sentences
        sentences = make(self.result, rows[index])
        self.query_one("#own-heat", Heatmap).show(sentences, None)

    def on_lines_moved(self, _event: Lines.Moved) -> None:
        """The tokens are those of the feature under the cursor, which is followed from now on."""
        self.followed = True
        self._show_tokens()

    def on_lines_opened(self, event: Lines.Opened) -> None:
        """Open the feature."""
        self.workbench.visit("feature", event.key)

    # --- keys

    def acts(self) -> dict[str, Act]:
        """Both sentences, and steering on the first."""
        found: dict[str, Act] = {"try": lambda: self._type(0), "edit": lambda: self._type(1)}
        if self._lines.key:
            line = steer_own_line(self._lines.key, self.texts[0])
            found["steer"] = lambda: self.workbench.open_command(line)
        return found

    def why_not(self, action: str) -> str:
        """Steering needs a feature."""
        return "no feature to steer yet: i takes a sentence" if action == "steer" else ""

    def _type(self, place: int) -> None:
        def changed(text: str) -> None:
            self.texts[place] = text[:MOST]
            self._show_texts()
            self.reload()

        def submit(text: str) -> str | None:
            if len(text) > MOST:
                return f"a sentence has at most {MOST} letters here, this has {len(text)}"
            changed(text)
            return None

        told = "features follow as you type; enter keeps the sentence"
        question = Question(("sentence: ", "second: ")[place], submit, advise=lambda _: told, changed=changed)
        self.workbench.open_line(question, self.texts[place])

    def copyable(self) -> str:
        """The feature's id."""
        return self._lines.key


def open_own_text(app: WorkbenchApp) -> None:
    """Show the page, and begin to type where there is no sentence yet."""
    page = app.query_one(OwnTextPage)
    app.show_over("try")
    if not page.texts[0]:
        page.acts()["try"]()
