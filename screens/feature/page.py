"""Feature: everything known about one feature; tokens in heat, test, corpus, logits, label, steering."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widget import Widget
from typing_extensions import override

from screens import background, verbs
from screens.feature.feature_text import (
    WINDOWS,
    card_lines,
    corpus_facts,
    corpus_sentences,
    missing_text,
    stimulus_sentences,
)
from screens.feature.logits import Logits
from screens.feature.neighbours import ASKED, NeighboursView, feature_of
from screens.feature.pair import beside_question
from screens.feature.pane_line import PANES, PaneLine
from screens.feature.remarks import note_question, tag_question
from screens.feature.steering import SteeringView, steer_line, steering_facts
from screens.feature.walking import Walk
from screens.labels.blind import ask_rating, shown_text
from screens.line.questions import label_question
from screens.overlays.why import ask_line, ask_why, show_facts
from screens.pages.latest_page import LatestPage
from screens.pages.page import Act
from screens.select.page import SelectPage
from screens.select.ranking_facts import has_null, ranking_facts
from screens.widgets.bars import Bars
from screens.widgets.box import Box
from screens.widgets.heatmap import Heatmap
from screens.widgets.lines import Lines
from screens.widgets.painted import TextLines
from workbench.errors import WorkbenchError


class FeaturePage(LatestPage):
    """One feature."""

    title = "Feature"
    keeps_up = frozenset(("act('next_feature')", "act('previous_feature')"))
    parent_screen = "select"
    hints = (
        ("J K", "next, previous"),
        ("tab", "pane"),
        ("l", "label"),
        ("T", "tag"),
        ("n", "note"),
        ("s", "steer"),
        ("w", "why"),
        ("o", "windows"),
        ("=", "beside"),
        ("v", "digits"),
        ("y", "copy"),
        ("?", "help"),
        ("esc", "back"),
    )
    HELP: ClassVar[str | None] = (
        "One feature: its test in the latest ranking, what it does on the corpus, the tokens it promotes, and the "
        "sentences it fires on. Heat goes by eight levels of its largest activation; the line below the sentences "
        "gives the exact number at the cursor, v writes the levels as digits. J and K walk the ranking, or go "
        "by number. T puts a tag on it or takes one off, n writes a note. o turns from the strongest corpus windows "
        "to those of each fifth of the activations and to random ones; = puts another feature beside this one."
    )

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "turn(1)", "next pane", id="feature.next_pane", show=False),
        Binding("shift+tab", "turn(-1)", "previous pane", id="feature.previous_pane", show=False),
        Binding("equals_sign", "beside", "side by side", id="feature.beside", show=False),
    ]

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self.pane = PANES[0]
        self.pane_chosen = False
        """Whether a key chose the pane in front."""
        self.windows = "top"
        self.shown: dict[str, Any] = {}
        self._near_of = ""

    def compose(self) -> ComposeResult:
        """Card, histogram and logits, panes."""
        yield TextLines(id="feature-card")
        with Box(id="feature-body"):
            with Box(id="feature-panes"):
                yield PaneLine()
                yield Heatmap(id="feature-stimuli")
                yield Heatmap(id="feature-corpus")
                yield NeighboursView(id="feature-near")
                yield SteeringView(id="feature-steer")
            with Box(id="feature-side"):
                yield Bars(id="histogram")
                yield Logits(id="logits")

    def on_mount(self) -> None:
        """Only one pane is seen."""
        if self.workbench.is_running:  # else it was quit before its pages were made
            self._show_pane()

    # --- loading

    def forget(self) -> None:
        """No feature of the session before stays."""
        super().forget()
        self.pane, self.pane_chosen = PANES[0], False
        self._clear("")
        self.query_one(SteeringView).forget()
        self._show_pane()

    def explain_absence(self) -> None:
        """Say what is missing: the engine, or a session."""
        self._clear(self.absence)

    def _clear(self, text: str) -> None:
        self.shown = {}
        for heatmap in self.query(Heatmap):
            heatmap.show([], None, empty=text)
        self.query_one(SteeringView).clear(text)
        self.query_one(NeighboursView).clear(text)
        self._near_of = ""
        self.query_one("#feature-card", TextLines).show([])
        self.query_one(Bars).show("", (), ())
        self.query_one(Logits).show(None)

    def show_failure(self, error: WorkbenchError) -> None:
        """Put the error where the sentences would be."""
        self._clear(missing_text([f"{error.message}. {error.hint}"]))

    async def load(self) -> None:
        """Ask for the feature, or say how to choose one."""
        await self._load_ranking()
        select = self.workbench.query_one(SelectPage)
        asked = self.subject or select.lines.key_at(0)
        if not asked:
            self._clear("No feature is chosen.\nOpen Select (3) and press enter on one, or type :features.show NUMBER")
            return
        shown = await self.ask(verbs.FeaturesShow(feature=asked, ranking=select.ranking, effect=select.effect))
        self.shown, self._near_of = shown, ""
        if self.subject in ("", asked):  # else a key has gone on meanwhile
            self.subject = shown["feature"]
        self._show_card()
        self._show_sentences()
        self._show_side()
        self.query_one(SteeringView).show_feature(shown["feature"], self.workbench.summary)
        self._prefer_filled()
        if self.pane == "near" and not self.again:
            await self._load_neighbours()

    async def _load_neighbours(self) -> None:
        feature = self.shown.get("feature", "")
        if not feature or self._near_of == feature:
            return
        view = self.query_one(NeighboursView)
        try:
            result = await self.ask(verbs.FeaturesNeighbours(feature=feature, limit=ASKED))
        except WorkbenchError as error:
            view.clear(missing_text([f"{error.message}. {error.hint}"]))
        else:
            view.show_result(result)
        self._near_of = feature

    async def _load_ranking(self) -> None:
        """The ranking that J and K walk; a feature can be looked at without one."""
        select = self.workbench.query_one(SelectPage)
        if select.outdated:
            with suppress(WorkbenchError):  # the feature's own reply says that there is no ranking
                await select.load()
                select.outdated = False

    def _show_card(self) -> None:
        lines = card_lines(self.shown, self._walk.place(self.shown["feature"]))
        card = self.query_one("#feature-card", TextLines)
        if card.styles.height is None or card.styles.height.value != len(lines):
            card.styles.height = len(lines)
        card.show(lines)

    def _show_sentences(self) -> None:
        stimuli, corpus = self.shown.get("stimuli"), self.shown.get("corpus")
        missing = missing_text(self.shown.get("missing") or [])
        self.query_one("#feature-stimuli", Heatmap).show(
            stimulus_sentences(stimuli),
            stimuli and stimuli["maximum"],
            total=stimuli["total"] if stimuli else 0,
            empty=missing or "No sentences.",
        )
        fired = corpus and corpus["fired"]
        self.query_one("#feature-corpus", Heatmap).show(
            corpus_sentences(corpus, self.windows),
            corpus and corpus["maximum"],
            empty=("It never fired on the corpus." if fired == 0 else missing) or "No examples.",
        )

    def _show_side(self) -> None:
        corpus = self.shown.get("corpus")
        histogram = (corpus or {}).get("histogram") or {"edges": (), "counts": ()}
        title = "activations > 0, log count" if corpus else "no index yet: b builds it"
        self.query_one(Bars).show(title, histogram["edges"], histogram["counts"])
        self.query_one(Logits).show(self.shown.get("logits"))

    # --- panes

    @property
    def main(self) -> Widget:
        """The pane in front takes the keys."""
        return self.query_one(f"#feature-{self.pane}")

    def _show_pane(self) -> None:
        for pane in PANES:
            self.query_one(f"#feature-{pane}").display = pane == self.pane
        self.query_one("#feature-body").set_class(self.pane in ("near", "steer"), "listing")
        stimuli, corpus = self.shown.get("stimuli"), self.shown.get("corpus")
        names = (
            f"stimuli: {stimuli['name']}" if stimuli else "stimuli",
            f"corpus: {corpus['name']}, {WINDOWS[self.windows]}" if corpus else "corpus",
            "neighbours",
            "steering",
        )
        self.query_one(PaneLine).show(names, self.pane)

    def _prefer_filled(self) -> None:
        """Without a ranking there are no stimuli: the corpus is in front until there are, or another pane is chosen."""
        if not self.pane_chosen:
            instead = bool(self.shown.get("corpus")) and not self.shown.get("stimuli")
            self.pane = "corpus" if instead else PANES[0]
        self._show_pane()
        if self.workbench.page is self and not self.workbench.line.question and not self.main.has_focus:
            self.main.focus()

    def turn_pane(self, pane: str) -> None:
        """Bring a pane to the front."""
        self.pane, self.pane_chosen = pane, True
        self._show_pane()
        if self.workbench.page is self and not self.workbench.line.question:
            self.main.focus()
        if pane == "near" and not self.loading:
            background.start(self.workbench, self._load_neighbours, "neighbours", latest=True)
        self.workbench.saved_view.changed()

    def action_turn(self, step: int) -> None:
        """The pane after this one, or before it."""
        self.turn_pane(PANES[(PANES.index(self.pane) + step) % len(PANES)])

    def take_steering(self, result: dict[str, Any], reply: dict[str, Any]) -> None:
        """Show what clamping did."""
        self.subject = str(result["feature"])
        self.query_one(SteeringView).show_result(result, reply)
        self.turn_pane("steer")

    def back_out(self) -> bool:
        """From the panes that are lists back to the sentences."""
        if self.pane not in ("near", "steer"):
            return False
        instead = bool(self.shown.get("corpus")) and not self.shown.get("stimuli")
        self.turn_pane("corpus" if instead else PANES[0])
        return True

    # --- keys

    def acts(self) -> dict[str, Act]:
        """Label, steer, suggest, walk the ranking."""
        if not self.subject:
            return {}
        stored = self.query_one(SteeringView).stored
        return {
            **({"result": partial(self._show_stored, stored)} if stored else {}),
            **({"score": partial(ask_rating, self.workbench, self.subject)} if self.workbench.blind.on else {}),
            "label": self._label,
            "tag": self._tag,
            "new": self._note,
            "steer": self._steer,
            "suggest": lambda: self.workbench.do(verbs.LabelsSuggest(features=(self.subject,))),
            "why": self._why,
            "order": self._turn_windows,
            "next_feature": lambda: self._step(1),
            "previous_feature": lambda: self._step(-1),
        }

    @override
    def why_not(self, action: str) -> str:
        """Without a feature nothing can be done."""
        if action == "score" and self.subject:
            return "in blind mode (B on Labels, 7) S rates a feature here; labels are scored on Labels"
        return "" if self.subject else "no feature is chosen: open Select (3) and press enter on one"

    def _steer(self) -> None:
        """The line that steers this feature, as the last one was steered in this pane."""
        line = self.query_one(SteeringView).line_for(self.subject)
        self.workbench.open_command(line or steer_line(self.subject, self.workbench.summary))

    def _show_stored(self, steering: dict[str, Any]) -> None:
        """The result of a log line that steered this feature."""
        from screens.line.routes import show_result

        show_result(self.workbench, steering)

    def _why(self) -> None:
        """Where the numbers of the pane in front come from: the test's, or those of the steering."""
        steered = self.query_one(SteeringView)
        if self.pane == "steer" and steered.reply:
            facts = steering_facts(steered.reply["result"])
            show_facts(self.workbench, facts, {**steered.reply, "line": steered.line})
            return
        select = self.workbench.query_one(SelectPage)
        facts = corpus_facts(self.shown.get("corpus")) if self.pane == "corpus" else []
        head, test = self.shown.get("ranking"), self.shown.get("test")
        if head and not has_null(head):
            ask_line(self.workbench, int(head["seq"]), [*facts, *ranking_facts(test, head)])
            return
        ask_why(self.workbench, self.subject, select.ranking, select.effect, facts)

    def _label(self) -> None:
        if not self._is_shown():
            return
        label = self.shown.get("label") or {}
        text, own = shown_text(str(label.get("text", ""))), label.get("source") == "investigator"
        question = label_question(self.workbench, self.subject, "" if own else text)
        self.workbench.open_line(question, text if own else "")

    def _tag(self) -> None:
        """Put tags on the feature, or take them off; those of the session are offered once they are known."""
        if not self._is_shown():
            return
        own, known = [str(tag) for tag in self.shown.get("tags") or []], list[str]()
        self.workbench.open_line(tag_question(self.workbench, self.subject, own, known))

        async def learn() -> None:
            with suppress(WorkbenchError):  # they only spare typing
                known.extend(str(one["tag"]) for one in (await self.ask(verbs.FeaturesTags(limit=1)))["tags"])
                self.workbench.line.refresh()

        background.start(self.workbench, learn, "tags", latest=True)

    def _note(self) -> None:
        """Write a note on the feature, or change it."""
        if self._is_shown():
            text = " ".join(str(self.shown.get("note") or "").split())
            self.workbench.open_line(note_question(self.workbench, self.subject, text), text)

    def _is_shown(self) -> bool:
        """Whether what is shown is the feature that keys are about; says so where a key went ahead of the page."""
        if self.shown.get("feature") == self.subject:
            return True
        self.workbench.explain(self.not_ready or "this feature could not be read")
        return False

    def _turn_windows(self) -> None:
        """Other windows of the corpus; from another pane, first to those."""
        kinds = list(WINDOWS)
        if self.pane == "corpus":
            self.windows = kinds[(kinds.index(self.windows) + 1) % len(kinds)]
            self.query_one("#feature-corpus", Heatmap).put_cursor(0)
            self._show_sentences()
        self.turn_pane("corpus")

    def action_beside(self) -> None:
        """Put another feature beside this one."""
        if not self.shown:
            self.workbench.explain(self.why_not("beside"))
            return
        near = self.query_one(NeighboursView).feature if self.pane == "near" else ""
        before = [place.subject for place in self.workbench.trail.places if place.screen == "feature"]
        other = next((one for one in reversed(before) if one and one != self.subject), "")
        self.workbench.open_line(beside_question(self.workbench, self.subject, near or other))

    def on_lines_opened(self, event: Lines.Opened) -> None:
        """Open the neighbour under the cursor."""
        if self.pane == "near" and (feature := feature_of(event.key)):
            self.workbench.visit("feature", feature)

    @property
    def _walk(self) -> Walk:
        return Walk(self.workbench.query_one(SelectPage).lines, self.workbench.summary)

    def _step(self, step: int) -> None:
        """The next feature of the ranking, in the order it is shown in Select; without one, the next number."""
        feature, reason = self._walk.after(self.subject, step)
        if not feature:
            self.workbench.explain(reason)
            return
        self.workbench.query_one(SelectPage).lines.put_cursor(feature)
        self.workbench.visit("feature", feature)

    def copyable(self) -> str:
        """The sentence under the cursor with its feature; in the steering pane its table."""
        if self.shown.get("feature") != self.subject:
            return self.subject
        if self.pane == "steer":
            return self.query_one(SteeringView).copyable()
        if self.pane == "near":
            return self.query_one(NeighboursView).feature or self.subject
        heatmap = self.query_one(f"#feature-{self.pane}", Heatmap)
        sentence = heatmap.sentence
        return f"{self.subject}\t{sentence.text}" if sentence else self.subject

    def on_heatmap_moved(self) -> None:
        """Remember the cursor."""
        self.workbench.saved_view.changed()

    def state(self) -> dict[str, Any]:
        """Feature, pane, sentence and token of both heatmaps."""
        heatmap = self.query_one("#feature-stimuli", Heatmap)
        if not self.subject:
            return {}
        pane = self.pane if self.pane_chosen else PANES[0]
        return {"feature": self.subject, "pane": pane, "windows": self.windows, **heatmap.place,
                "corpus": self.query_one("#feature-corpus", Heatmap).place}  # fmt: skip

    def restore(self, state: dict[str, Any]) -> None:
        """Take them up again."""
        self.subject = str(state.get("feature", ""))
        self.pane_chosen = state.get("pane") in PANES[1:]
        self.pane = state["pane"] if self.pane_chosen else PANES[0]
        self.windows = state["windows"] if state.get("windows") in WINDOWS else "top"
        self.query_one("#feature-stimuli", Heatmap).put_place(state)
        corpus = state.get("corpus")
        self.query_one("#feature-corpus", Heatmap).put_place(corpus if isinstance(corpus, dict) else {})
        self._show_pane()
