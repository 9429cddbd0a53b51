"""Select: a ranking of features by a concept, with its tests and its null arm."""

from __future__ import annotations

from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult

from screens import verbs
from screens.feature.steering import steer_line
from screens.labels.blind import shown_text
from screens.line.questions import label_question
from screens.overlays.why import ask_line, ask_why
from screens.pages.list_page import FilteredPage
from screens.pages.page import Act, Page
from screens.painting import palette
from screens.painting.text import thousands, visible
from screens.select.map_view import ask_map
from screens.select.ranking_facts import PROBES, has_null, ranking_facts, volcano_facts
from screens.select.ranking_text import COLUMNS, RSA_COLUMNS, columns_of, contrast_row, ranking_lines, rsa_row
from screens.select.rdm import ask_rdm
from screens.select.volcano import Volcano
from screens.widgets.box import Box
from screens.widgets.lines import BLOCK, Lines, Row
from screens.widgets.painted import Piece, TextLines

ORDERS = ("score", "effect", "q", "index")
SIGNS = ("both", "positive", "negative")


class SelectPage(FilteredPage):
    """A ranking, best first."""

    title = "Select"
    FILTERS_LABELS = True
    rests_on = ("model", "sae")
    hints: tuple[tuple[str, str], ...] = (
        ("enter", "feature"),
        ("l", "label"),
        ("s", "steer"),
        ("w", "why"),
        ("t", "sign"),
        ("o", "order"),
        ("/", "filter"),
        ("y", "copy"),
        ("?", "help"),
    )
    own_hints = hints
    HELP: ClassVar[str | None] = (
        "Features ranked by how they tell the positive sentences from the rest. effect: difference of means in "
        "activation units; d: the same in pooled standard deviations; auc: chance that a positive sentence is above "
        "another; t: the statistic; p and fwer (family-wise): by label permutations; q: false discovery rate, "
        "from the permuted t of many features pooled and a Student tail beyond them, so that it can be below p. "
        "Compare the discoveries with those of shuffled labels (null) before you believe them. "
        "w says where a number comes from; m shows the ranking's map by position or layer, where it has one. "
        "t turns through both signs, positive, negative; o through the orders; E through the effects of a two-by-two "
        "design (both main effects and the interaction). R shows the rest of a probe's result. By features.rsa, score: "
        "how the squared distances between sentences follow the model RDM; effect: their slope on it; p "
        "one-sided; m: its RDM. The latest ranking stands here; "
        "an earlier one comes back by R on its line of the Log (9)."
    )

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self._order, self._sign = "score", "both"
        self._ranking: int | None = None
        self._effect = ""
        """The effect asked for, of a factorial ranking; empty for the one it was made by."""
        self._head: dict[str, Any] = {}
        """The ranking in front."""
        self._known: dict[str, dict[str, Any]] = {}
        """Those of its rows that were read, by feature."""
        self.order: list[str] = []

    def compose(self) -> ComposeResult:
        """Header, list, and on wide terminals the volcano."""
        yield TextLines(id="ranking-header")
        with Box(id="ranking-body"):
            yield Lines(COLUMNS, id="ranking", spell_cut=True)
            yield Volcano(id="volcano")

    def forget(self) -> None:
        """Order and sign begin anew as well."""
        self._order, self._sign, self._ranking, self.order = "score", "both", None, []
        self._effect, self._head, self._known = "", {}, {}
        super().forget()

    def clear(self, text: str) -> None:
        """Show no rows and no picture of them, but this text."""
        self.query_one("#ranking-header", TextLines).show([])
        self.query_one(Volcano).show([], 0.0)
        self._head = {}
        super().clear(text)

    # --- loading

    def _query(self, offset: int, limit: int) -> verbs.FeaturesList:
        return verbs.FeaturesList.model_validate(
            {
                "ranking": self._ranking,
                "offset": offset,
                "limit": limit,
                "sort": self._order,
                "direction": self._sign,
                "filter": self.wanted,
                "effect": self.effect,
            }
        )

    async def load(self) -> None:
        """Read the head of the ranking; the rest comes when it is scrolled to."""
        first = await self.ask(self._query(0, BLOCK))
        header = first["ranking"]
        rsa = header.get("kind") == "rsa"
        bar = "score" if rsa else "effect"
        largest = max((abs(row[bar]) for row in first["rows"] if row[bar] is not None), default=0.0)
        made = rsa_row if rsa else contrast_row
        if self._head and self._head["seq"] != header["seq"]:
            self.lines.to_top()  # another ranking opens at its first rank, not where a feature of the last one is
        self._head = header
        self._known = {row["feature"]: row for row in first["rows"]}
        self.hints = self._hints()

        async def fetch(offset: int, limit: int) -> tuple[list[Row], int]:
            page = await self.ask(self._query(offset, limit))
            self._known |= {row["feature"]: row for row in page["rows"]}
            return [made(row, header["alpha"], largest) for row in page["rows"]], int(page["total"])

        rows = [made(row, header["alpha"], largest) for row in first["rows"]]
        self.order = [row["feature"] for row in first["rows"]]
        self.query_one("#ranking-header", TextLines).show(self._header(header))
        self.lines.empty = f"No feature matches {self.wanted!r}.\nesc shows all." if self.wanted else "No features."
        self.lines.columns = RSA_COLUMNS if rsa else columns_of(header.get("score_name", "t"), first["rows"])
        self.lines.show_source(fetch, rows, int(first["total"]), note=self._note(header))
        if not self.typing:
            volcano = self.query_one(Volcano)
            volcano.show([{**row, "effect": row[bar]} for row in first["rows"]], header["alpha"])
            volcano.point(self.lines.key)

    def _hints(self) -> tuple[tuple[str, str], ...]:
        """The keys, with those that only this ranking has in front of the more usual ones."""
        more = [("E", "effect")] if self._head.get("effects") else []
        more += [("R", "result")] if self._head["statistic"] in PROBES else []
        return (*self.own_hints[:4], *more, *self.own_hints[4:])

    def _note(self, header: dict[str, Any]) -> str:
        parts = [f"by {self._order}"]
        if self._sign != "both":
            parts.append(f"{self._sign} only")
        if self.wanted:
            parts.append(f"matching {self.wanted!r}, {thousands(header['tested'])} tested")
        return " · ".join(parts)

    def _header(self, ranking: dict[str, Any]) -> list[list[Piece]]:
        first, second, *rest = ranking_lines(ranking)
        loaded = (self.workbench.summary.get("sae") or {}).get("name")
        other = [] if ranking["space"] == loaded else [(f" · of {visible(ranking['space'])}", palette.WARN)]
        return [first, [*second, *other], *rest]

    def take_query(self, verb: verbs.Verb) -> None:
        """Take the order, the sign and the filter of a `:features.list` line over."""
        if isinstance(verb, verbs.FeaturesList):
            self._ranking, self._order = verb.ranking, verb.sort
            self._sign, self.wanted = verb.direction, verb.filter
            self._effect = verb.effect
            self.outdated = True

    def take_new(self, ranking: int | None = None) -> None:
        """Show a ranking from its first rank on: the one of a log line, or the latest."""
        self._ranking, self._effect, self.wanted = ranking, "", ""
        self._order, self._sign = "score", "both"
        self.lines.to_top()
        self.outdated = True

    @property
    def ranking(self) -> int | None:
        """Log line of the ranking that was asked for; None for the latest."""
        return self._ranking

    @property
    def effect(self) -> str:
        """The effect of a factorial ranking that was asked for; empty for its own, and where it has no such effect."""
        rankings = self.workbench.summary.get("rankings") or []
        asked = [one for one in rankings if self._ranking in (None, one["seq"])]
        return self._effect if asked and self._effect in asked[-1].get("effects", ()) else ""

    # --- keys

    def acts(self) -> dict[str, Act]:
        """Label, steer, sign, order, suggest."""
        turns: dict[str, Act] = {"suggest": self._suggest}
        if self._head:
            turns |= {"sign": self._turn_sign, "order": self._turn_order}
        if self._head.get("effects"):
            turns["effect"] = self._turn_effect
        if self._head.get("statistic") in PROBES:
            turns["result"] = lambda: self.workbench.visit("result", str(self._head["seq"]))
        if not self.lines.key:
            return turns
        turns["matrix"] = self._matrix
        return {**turns, "label": self._label, "steer": self._steer, "why": self._why}

    def _turn_sign(self) -> None:
        self._sign = SIGNS[(SIGNS.index(self._sign) + 1) % len(SIGNS)]
        self._again()

    def _turn_order(self) -> None:
        self._order = ORDERS[(ORDERS.index(self._order) + 1) % len(ORDERS)]
        self._again()

    def _turn_effect(self) -> None:
        """The next effect of a two-by-two design; the pages about its features follow."""
        names = self._head["effects"]
        self._effect = names[(names.index(self._head["effect"]) + 1) % len(names)]
        self.workbench.query_one("#feature", Page).outdated = True
        self._again()

    def why_not(self, action: str) -> str:
        """What this ranking lacks, or that there is none."""
        if action in ("sign", "order", "label", "steer", "why", "matrix") and not self._head:
            return "there is no ranking yet: the screen says how one is made"
        if action == "effect" and self._head:
            return "this ranking has no effects: E is for :features.contrast SET design=factorial"
        if action == "result" and self._head:
            return "this ranking is its whole result; R is for those by features.probe, and for the Log (9)"
        return ""

    def _again(self) -> None:
        self.lines.to_top()
        self.reload()
        self.workbench.saved_view.changed()

    def _label(self) -> None:
        label = str(self._known.get(self.lines.key, {}).get("label") or "")
        self.workbench.open_line(label_question(self.workbench, self.lines.key, shown_text(label)))

    def _steer(self) -> None:
        self.workbench.open_command(steer_line(self.lines.key, self.workbench.summary))

    def _matrix(self) -> None:
        if self._head.get("kind") == "rsa":
            ask_rdm(self.workbench, self.lines.key, self._ranking)
        else:
            ask_map(self.workbench, int(self._head["seq"]))

    def _why(self) -> None:
        feature = self.lines.key
        facts = volcano_facts(self._known.get(feature), self._head)
        if has_null(self._head):
            ask_why(self.workbench, feature, self._ranking, self.effect, facts)
        else:
            ask_line(self.workbench, int(self._head["seq"]), ranking_facts(self._known.get(feature), self._head))

    def _suggest(self) -> None:
        marked = tuple(key for key in self.lines.keys if key in self.lines.marks)
        self.workbench.do(verbs.LabelsSuggest(features=marked))

    def on_lines_opened(self, event: Lines.Opened) -> None:
        """Open the feature."""
        self.workbench.visit("feature", event.key)

    @on(Lines.Moved)
    def point_in_volcano(self, event: Lines.Moved) -> None:
        """Point at the feature in the volcano."""
        self.query_one(Volcano).point(event.key)

    def copyable(self) -> str:
        """The feature's id."""
        return self.lines.key

    def state(self) -> dict[str, Any]:
        """Cursor, order, sign, filter."""
        return {**super().state(), "order": self._order, "sign": self._sign, "filter": self.wanted,
                "effect": self._effect}  # fmt: skip

    def restore(self, state: dict[str, Any]) -> None:
        """Take them up again."""
        super().restore(state)
        self._order = state["order"] if state.get("order") in ORDERS else "score"
        self._sign = state["sign"] if state.get("sign") in SIGNS else "both"
        self.wanted = str(state.get("filter", ""))
        self._effect = str(state.get("effect", ""))
