"""Quanta: clusters of predictions by what the model uses to make them; before there are any, the samples to take."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widget import Widget
from typing_extensions import override

from screens import verbs
from screens.labels.acts import label_acts
from screens.overlays.why import ask_line
from screens.pages.list_page import FilteredPage
from screens.pages.page import Act
from screens.painting.text import in_app
from screens.quanta.choosing import Choice, Counts, beside
from screens.quanta.steps import STEPS, next_line, taken, title
from screens.quanta.text import (
    OVERVIEW,
    SIDE,
    cluster_header,
    cluster_row,
    counts_lines,
    overview_header,
    quantum_facts,
    side_lines,
)
from screens.widgets.box import Box
from screens.widgets.command_line import Question
from screens.widgets.lines import Lines
from screens.widgets.painted import TextLines
from screens.widgets.samples import Samples
from workbench.errors import WorkbenchError

ALL = "all"
MAKERS = frozenset(("quanta.cluster", "quanta.split", "quanta.merge"))
"""Commands that make the clusters as they are."""
SORTS = ("size", "cohesion", "separation", "entropy", "number")
BEFORE = (10, 20, 40, 60, 100, 200, 300)
AFTER = (0, 4, 8, 20, 40, 80)
SAMPLES = 40
"""Samples of a cluster that are asked for; an export has all."""
BESIDE = 110
"""Cells from which the side panel stands beside the samples: `-wide` in app.py."""
NEXT = "next step"


class Side(TextLines, can_focus=True):
    """Answers, nearest clusters and similarities; takes the keys where it has the screen to itself."""

    HELP = "The answers of the cluster, the clusters nearest to it, and the similarities of its samples; m shows these."


class Clusters(Lines):
    """The list of clusters; where there are none, enter is the page's."""

    @override
    def action_open(self) -> None:
        """Open the row, if there is one."""
        page = next((one for one in self.ancestors if isinstance(one, QuantaPage)), None)
        if self.row is None and page is not None:
            page.action_take()
            return
        super().action_open()


class QuantaPage(FilteredPage):
    """The clusters, one of them, or the selection that comes before."""

    title = "Quanta"
    keeps_up = frozenset(("step(1)", "step(-1)", "act('next_feature')", "act('previous_feature')"))
    FILTERS_LABELS = True
    rests_on = ("model",)
    OVER: ClassVar[tuple[tuple[str, str], ...]] = (
        ("enter", "open"), ("o", "order"), ("/", "filter"), ("space", "mark"), ("e", "merge, split"), ("l", "label"),
        ("?", "help"), ("c", "stimuli"), ("F", "probe"), ("esc", "back"),
    )  # fmt: skip
    INSIDE: ClassVar[tuple[tuple[str, str], ...]] = (
        ("← →", "cluster"), ("< > , .", "width"), ("m", "matrix"), ("e", "split"), ("l", "label"), ("c", "stimuli"),
        ("F", "probe"), ("esc", "back"),
    )  # fmt: skip
    CHOOSING: ClassVar[tuple[tuple[str, str], ...]] = (
        ("← →", "threshold"), ("t", "filter"), ("< >", "one in"), ("h", "models"), ("enter", "take"), (":", "command"),
        ("?", "help"),
    )  # fmt: skip
    PAIRED: ClassVar[tuple[tuple[str, str], ...]] = (
        ("← →", "low"), ("↑ ↓", "high"), ("t", "filter"), ("< >", "one in"), ("h", "models"), ("enter", "take"),
        ("?", "help"),
    )  # fmt: skip
    HELP: ClassVar[str | None] = (
        "Quanta are clusters of predictions that the model makes with the same parameters: :quanta.losses, "
        ":quanta.select, :quanta.similarity, :quanta.cluster. Cohesion is the mean cosine inside a cluster, separation "
        "that less the mean cosine to the nearest one, bits the entropy of its answers. l labels one in your words, a "
        "suggests a label offline from its samples, A accepts it, X rejects, S scores it. c makes the contexts of a "
        "cluster a stimulus set, then contrasts it; F takes its members as labels of a probe. Before there are "
        "clusters, the arrows move the threshold over the counts."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "step(-1)", "cluster before, or lower threshold", id="quanta.left", show=False),
        Binding("right", "step(1)", "next cluster, or higher threshold", id="quanta.right", show=False),
        Binding("less_than_sign", "widen('before', -1)", "less before", id="quanta.before_less", show=False),
        Binding("greater_than_sign", "widen('before', 1)", "more before", id="quanta.before_more", show=False),
        Binding("comma", "widen('after', -1)", "less after", id="quanta.after_less", show=False),
        Binding("full_stop", "widen('after', 1)", "more after", id="quanta.after_more", show=False),
        Binding("up", "step_high(1)", "higher threshold of the other model", id="quanta.high_more", show=False),
        Binding("down", "step_high(-1)", "lower threshold of the other model", id="quanta.high_less", show=False),
        Binding("h", "next_models", "next model, or pair: low here, high there", id="quanta.models", show=False),
        Binding("enter", "take", "take the samples", id="quanta.take", show=False),
    ]

    NOTHING: ClassVar[tuple[tuple[str, str], ...]] = (("enter", NEXT), (":", "command"), ("?", "help"))

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self._fresh()

    def _fresh(self) -> None:
        self.sort = SORTS[0]
        self.widths = {"before": 60, "after": 8}
        self.choice = Choice()
        self._counted_before: dict[str, Any] = self.choice.fields
        self.stage = "none"
        self.matrix_only = False
        self.shown: dict[str, Any] = {}
        self._listed: list[dict[str, Any]] = []

    def compose(self) -> ComposeResult:
        """Header; the list, or samples with a side panel, or counts."""
        yield TextLines(id="quanta-header")
        yield Clusters(OVERVIEW, id="quanta-list")
        with Box(id="quanta-inside"):
            yield Samples(id="quanta-samples")
            yield Side(id="quanta-side")
        yield Counts(id="quanta-counts")

    def on_mount(self) -> None:
        """Only one part is seen."""
        if self.workbench.is_running:  # else it was quit before its pages were made
            self._show_part()

    @property
    def _inside(self) -> bool:
        return self.subject.isdigit()

    @property
    @override
    def hints(self) -> tuple[tuple[str, str], ...]:  # type: ignore[override] # three screens in one
        if self.stage == "counts":
            keys = self.PAIRED if self.choice.high else self.CHOOSING
            return keys if self._chooses else tuple((key, NEXT if key == "enter" else does) for key, does in keys)
        if self.stage == "none":
            return self.NOTHING
        return self.INSIDE if self._inside else self.OVER

    @property
    @override
    def main(self) -> Widget:
        if self.stage == "counts":
            return self.query_one(Counts)
        if self._inside and self.stage == "clusters":
            return self.query_one(Side if self.matrix_only and self._one_at_a_time else Samples)
        return self.lines

    @property
    def _one_at_a_time(self) -> bool:
        """Whether samples and side panel have no room beside each other."""
        return self.app.size.width < BESIDE

    @property
    def _chooses(self) -> bool:
        """Whether enter takes the samples as they are counted; else they are taken, and it goes on with them."""
        return self.choice.fields != self._counted_before or not taken(self.workbench.summary)

    @override
    def forget(self) -> None:
        self._fresh()
        super().forget()

    # --- loading

    @override
    async def load(self) -> None:
        try:
            await self._load_clusters()
            self.stage = "clusters"
        except WorkbenchError as error:
            if error.kind == "unknown_name" and self._inside:
                self.subject = ALL  # split, merged, or clustered anew since it was opened
                await self._load_clusters()
                self.stage = "clusters"
            elif error.kind == "usage":
                await self._load_counts()
            else:
                raise
        self._show_part()
        if self.workbench.page is self and not self.workbench.line.question:
            self.main.focus()

    async def _load_clusters(self) -> None:
        if self._inside:
            shown = await self.ask(verbs.QuantaShow(cluster=int(self.subject), limit=SAMPLES, **self.widths))
            self.shown = shown
            self.query_one("#quanta-header", TextLines).show(cluster_header(shown))
            self.query_one(Samples).show(shown["samples"], int(shown["size"]))
            self._show_side()
            if self.subject in self.lines.keys:
                self.lines.put_cursor(self.subject)
                return
        page = await self.ask(verbs.QuantaList(sort=self.sort, limit=500, filter=self.wanted))
        self._listed = page["clusters"]
        if not self._inside:
            self.query_one("#quanta-header", TextLines).show(overview_header(page, self.wanted))
        self.lines.empty = f"No cluster has {self.wanted!r} in label or answers." if self.wanted else "No clusters."
        self.show_rows([cluster_row(item, self.workbench.size.width) for item in page["clusters"]], note=self.matching)
        if self._inside:
            self.lines.put_cursor(self.subject)

    async def _load_counts(self) -> None:
        """The selection, where losses were taken; else what to do first, which the error says."""
        try:
            counts = await self.ask(verbs.QuantaCounts(**self.choice.fields))
        except WorkbenchError as error:
            self.stage = "none"
            steps = STEPS if error.kind == "usage" else ""
            self.clear(f"{error.message}\n{in_app(error.hint)}{self.beforehand}{steps}")
            return
        self.stage = "counts"
        self.choice.models = counts["models"]
        lines = counts_lines(counts, self.workbench.size.width)
        self.query_one("#quanta-header", TextLines).show([[(f"  {title(self.workbench.summary)}", None)]])
        self.query_one(Counts).show([[("  ", None), *line] for line in lines])

    @override
    def clear(self, text: str) -> None:
        self.query_one("#quanta-header", TextLines).show([])
        self.query_one(Samples).show([], 0)
        super().clear(text)

    def _show_part(self) -> None:
        inside = self._inside and self.stage == "clusters"
        self.query_one("#quanta-inside").display = inside
        self.query_one("#quanta-counts").display = self.stage == "counts"
        self.lines.display = not inside and self.stage != "counts"
        self.query_one("#quanta-inside").set_class(self.matrix_only, "side-only")

    @override
    def show_failure(self, error: WorkbenchError) -> None:
        self.stage = "failed"
        self._show_part()
        super().show_failure(error)

    # --- keys

    def action_step(self, step: int) -> None:
        """The next cluster in the order of the list; while choosing, the next threshold."""
        if self.stage == "counts":
            self.choice.step(step)
            self.reload()
        elif self._inside:
            keys = self.lines.keys
            place = keys.index(self.subject) + step if self.subject in keys else 0
            if not 0 <= place < len(keys):
                self.workbench.explain("this is the last cluster" if step > 0 else "this is the first cluster")
                return
            self.workbench.visit("quanta", keys[place])

    def action_widen(self, side: str, step: int) -> None:
        """More or fewer tokens before or after the answer; while choosing, take one in more or fewer."""
        if self.stage == "counts":
            self.choice.thin(step)
        elif self._inside:
            self.widths[side] = int(beside(BEFORE if side == "before" else AFTER, self.widths[side], step))
        else:
            self.workbench.explain("< > , . widen the samples of an open cluster: enter opens one")
            return
        self.reload()

    def action_step_high(self, step: int) -> None:
        """The next threshold of the other model, where there is one."""
        if self.stage == "counts" and self.choice.high:
            self.choice.step_high(step)
            self.reload()

    def action_next_models(self) -> None:
        """Each model alone, then with each other one: low here, high there."""
        if self.stage != "counts":
            now = "they are chosen already" if self.stage == "clusters" else "the screen says what comes before"
            self.workbench.explain(f"h turns to the next model while samples are chosen: {now}")
            return
        if len(self.choice.models) < 2:
            self.workbench.explain("losses of one model were taken; others beside it: :quanta.losses models=REF")
            return
        self.choice.turn_models()
        self.reload()

    def action_take(self) -> None:
        """Take the samples as they are counted, or go on where nothing is left to choose."""
        if self.stage == "counts" and self._chooses:
            self._counted_before = self.choice.fields
            self.workbench.open_command(verbs.format_line(verbs.QuantaSelect(**self.choice.fields)))
        elif self.stage in ("counts", "none"):
            self.workbench.open_command(next_line(self.workbench.summary))

    def on_lines_opened(self, event: Lines.Opened) -> None:
        """Open the cluster."""
        if self.stage == "clusters":
            self.workbench.visit("quanta", event.key)

    @override
    def back_out(self) -> bool:
        if self._inside:
            if self.matrix_only:
                self._turn_matrix()
                return True
            self.workbench.visit("quanta", ALL)
            return True
        return super().back_out()

    @override
    def acts(self) -> dict[str, Act]:
        if self.stage == "counts":
            return {"sign": self._next_filter}
        if self.stage != "clusters":
            return {}
        found: dict[str, Act] = {"why": self._why, "edit": self._edit, "label": self._label,
                                 "contrast": self._stimuli, "probe": self._probe}  # fmt: skip
        if self._cluster:
            found |= label_acts(self.workbench, self._cluster, "quanta")
        if self._inside:
            return {**found, "matrix": self._turn_matrix, "next_feature": lambda: self.action_step(1),
                    "previous_feature": lambda: self.action_step(-1)}  # fmt: skip
        return {**found, "order": self._next_order}

    @property
    def _cluster(self) -> str:
        return self.subject if self._inside else self.lines.key

    def _why(self) -> None:
        """The numbers of the cluster under the cursor, and the line that made the clusters as they are."""
        item = next((one for one in self._listed if str(one["cluster"]) == self._cluster), None)
        log = self.workbench.summary.get("log") or []
        made = [one for one in log if one["do"] in MAKERS and one["outcome"] == "ok" and not one["withdrawn"]]
        if made:
            ask_line(self.workbench, int(made[-1]["seq"]), quantum_facts(item))
        else:
            self.workbench.explain("the line that made the clusters is older than what the Log shows")

    def _next_filter(self) -> None:
        self.choice.turn_filter()
        self.reload()

    def _next_order(self) -> None:
        self.sort = SORTS[(SORTS.index(self.sort) + 1) % len(SORTS)]
        self.reload()

    def _turn_matrix(self) -> None:
        if not self._one_at_a_time:
            self.matrix_only = False
            self.workbench.explain("the similarities stand beside the samples already")
            return
        self.matrix_only = not self.matrix_only
        self._show_part()
        self._show_side()
        self.call_after_refresh(self.main.focus)  # what had the keys is hidden

    def _show_side(self) -> None:
        """Beside the samples there is a narrow place; alone it has the screen."""
        if self.shown:
            alone = self.matrix_only and self.size.width < SIDE * 2 + SIDE
            width = self.size.width if alone else SIDE - 2
            self.query_one("#quanta-side", TextLines).show(side_lines(self.shown, width))

    def _edit(self) -> None:
        """Merge the marked clusters, else split this one; the line can still be changed."""
        marked = [key for key in self.lines.keys if key in self.lines.marks]
        if len(marked) > 1 and not self._inside:
            self.lines.marks.clear()
            self.workbench.open_command(f"quanta.merge {' '.join(marked)}")
        else:
            self.workbench.open_command(f"quanta.split {self._cluster} into=2")

    def _stimuli(self) -> None:
        """Make the contexts a stimulus set; where that was done, contrast it on the token before the answer."""
        name = f"cluster-{self._cluster}"
        if name in (self.workbench.summary.get("stimuli") or {}):
            self.workbench.open_command(f"features.contrast {name} window=last")
        else:
            self.workbench.open_command(f"quanta.stimuli {name} cluster={self._cluster}")

    def _probe(self) -> None:
        """Members of the cluster, or of the marked ones, against all other samples."""
        marked = [key for key in self.lines.keys if key in self.lines.marks] if not self._inside else []
        chosen = marked or [self._cluster]
        self.workbench.open_command(f"features.probe {' '.join(f'quanta={key}' for key in chosen)}")

    def _label(self) -> None:
        cluster = int(self._cluster)

        def submit(text: str) -> str | None:
            if len(text) > 200:
                return f"a label has at most 200 signs, this has {len(text)}"
            self.workbench.close_line()
            self.workbench.do(verbs.QuantaLabel(cluster=cluster, text=text.strip()))
            return None

        told = "your words; empty removes the label; :quanta.label has a note too"
        self.workbench.open_line(Question(f"label cluster {cluster}: ", submit, advise=lambda _: told))

    @override
    def why_not(self, action: str) -> str:
        if action in ("label", "edit", "contrast", "probe", "matrix", "order") and self.stage != "clusters":
            if self.stage == "failed":
                return "no cluster is shown: the screen says why"
            return "there are no clusters of predictions yet: the screen says what comes next"
        return "open a cluster first (enter)" if action == "matrix" else ""

    @property
    @override
    def filtered(self) -> str | None:
        return None if self._inside or self.stage != "clusters" else super().filtered

    @property
    @override
    def why_no_filter(self) -> str:
        if self.stage == "clusters" and not self._inside:
            return super().why_no_filter
        if self.stage == "clusters":
            return "/ filters the list of clusters: esc shows it"
        return f"/ filters clusters: {'none is shown' if self.stage == 'failed' else 'there are none yet'}"

    @override
    def state(self) -> dict[str, Any]:
        return {"cluster": self._cluster, "sort": self.sort, **self.widths}

    @override
    def restore(self, state: dict[str, Any]) -> None:
        if state.get("sort") in SORTS:
            self.sort = state["sort"]
        for side in self.widths:
            if isinstance(state.get(side), int):
                self.widths[side] = max(0, min(300, state[side]))
        if isinstance(key := state.get("cluster"), str):
            self.lines.put_cursor(key)
