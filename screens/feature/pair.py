"""Two features side by side, or one feature in two SAEs: their sentences scroll together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.widget import Widget

from screens import background, verbs
from screens.feature.feature_text import beside, corpus_sentences, missing_text, pair_lines
from screens.pages.page import Act, Page
from screens.painting.text import short_id
from screens.widgets.box import Box
from screens.widgets.command_line import Question
from screens.widgets.heatmap import Heatmap
from screens.widgets.painted import TextLines

if TYPE_CHECKING:
    from screens.app import WorkbenchApp

SHOWN = ("stimuli", "top", "fifths", "random")
SIDES = ("left", "right")


class PairPage(Page):
    """Both features' cards and sentences; it covers the screen until esc."""

    title = "Pair"
    hints = (("o", "which sentences"), ("j k", "move both"), ("v", "digits"), ("y", "copy"), ("esc", "back"))
    needs_session = False
    HELP: ClassVar[str | None] = (
        "Two features beside each other, below each other on a narrow terminal. On the stimuli each line is the same "
        "sentence on both sides, in the order of the first; o turns to the strongest windows of the corpus, to those "
        "of each fifth of the activations, and to random ones. Heat goes by each feature's own largest activation."
    )

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self.shown: dict[str, dict[str, Any]] = {}
        self.which = SHOWN[0]

    def compose(self) -> ComposeResult:
        """A card and sentences for each."""
        for side in SIDES:
            with Box(id=f"pair-{side}", classes="pair-side"):
                yield TextLines(id=f"pair-{side}-card", classes="pair-card")
                yield Heatmap(id=f"pair-{side}-heat")

    @property
    def main(self) -> Widget:
        """The first side takes the keys, the second follows."""
        return self._heat("left")

    def _heat(self, side: str) -> Heatmap:
        return self.query_one(f"#pair-{side}-heat", Heatmap)

    def reload(self) -> None:
        """Nothing to ask: `show_pair` brought it."""

    def forget(self) -> None:
        """No feature of the session before stays."""
        super().forget()
        self.shown = {}
        for side in SIDES:
            self.query_one(f"#pair-{side}-card", TextLines).show([])
            self._heat(side).show([], None)

    def show_pair(self, left: dict[str, Any], right: dict[str, Any]) -> None:
        """Show two replies to `features.show`."""
        self.shown = {"left": left, "right": right}
        self.which = SHOWN[0] if left.get("stimuli") and right.get("stimuli") else SHOWN[1]
        self._show()

    def _show(self) -> None:
        both = [self.shown[side] for side in SIDES]
        parts = [shown.get("stimuli" if self.which == "stimuli" else "corpus") for shown in both]
        if self.which == "stimuli":
            lists = list(beside(*parts))
        else:
            lists = [corpus_sentences(part, self.which) for part in parts]
        for side, sentences, part, shown in zip(SIDES, lists, parts, both, strict=True):
            self.query_one(f"#pair-{side}-card", TextLines).show(pair_lines(shown, self.which))
            missing = missing_text(shown.get("missing") or [])
            self._heat(side).show(sentences, part and part["maximum"], empty=missing or "No sentences.")
        self._heat("right").put_cursor(self._heat("left").cursor)

    def acts(self) -> dict[str, Act]:
        """Other sentences."""
        return {"order": self._turn} if self.shown else {}

    def _turn(self) -> None:
        self.which = SHOWN[(SHOWN.index(self.which) + 1) % len(SHOWN)]
        self._heat("left").put_cursor(0)
        self._show()

    def on_heatmap_moved(self, event: Heatmap.Moved) -> None:
        """The other side follows."""
        if event.heatmap is self._heat("left"):
            right = self._heat("right")
            right.put_cursor(event.heatmap.cursor)
            if right.digits != event.heatmap.digits:
                right.action_digits()

    def copyable(self) -> str:
        """Both ids."""
        return "\t".join(shown["feature"] for shown in self.shown.values())


def beside_question(app: WorkbenchApp, feature: str, suggested: str) -> Question:
    """Which feature to put beside this one; tab takes the suggested one."""

    def submit(text: str) -> str | None:
        other = text.strip() or suggested
        if not other:
            return "a number, or an id as y copies it"
        app.close_line()
        show_beside(app, feature, other)
        return None

    told = "a number, or an id of another SAE this session has loaded"
    told = f"tab takes {short_id(suggested)}; {told}" if suggested else told
    return Question(
        f"beside {short_id(feature)}: ", submit, complete=lambda text: text or suggested, advise=lambda _: told
    )


def show_beside(app: WorkbenchApp, feature: str, other: str) -> None:
    """Ask for both features, and show them over the screen."""

    place = (app.trail.here, app.over)

    async def ask() -> None:
        came = False
        try:
            left = await app.ask(verbs.FeaturesShow(feature=feature))
            right = await app.ask(verbs.FeaturesShow(feature=other))
            if came := (app.trail.here, app.over) == place:
                app.query_one(PairPage).show_pair(left, right)
                app.show_over("pair")
        finally:
            app.ahead.end(ask, came)

    app.ahead.begin(ask, "both features are not read yet")
    background.start(app, ask, "pair", latest=True)
