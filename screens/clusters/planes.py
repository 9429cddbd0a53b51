"""A cluster's principal planes: what it writes on the corpus as points, walked with the keys."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.widget import Widget

from screens import background, verbs
from screens.clusters.cosines import ask_cosines
from screens.overlays.why import show_facts
from screens.pages.page import Act, Page
from screens.painting import palette
from screens.painting.text import fit, number, percent, thousands, token_name, visible
from screens.widgets.box import Box
from screens.widgets.painted import Piece, TextLines
from screens.widgets.scatter import MARKS, Scatter, mark_style
from workbench.errors import WorkbenchError

if TYPE_CHECKING:
    from screens.app import WorkbenchApp

SIDE = 26
"""Cells of the legend."""
WHY_NOT = {
    "silent": "No member fires on the corpus above the threshold: there are no points.\nTry :clusters.planes with "
    "threshold=0, or an index of more tokens.",
    "one_feature": "A single feature writes along one line: there is no plane.",
}
SAME = ("cluster", "points", "threshold", "components", "bins", "eps", "ring", "seed")
"""Fields of `clusters.planes` that the export shares."""


class PlanesPage(Page):
    """One plane at a time with its legend, and the context of the point under the cursor."""

    title = "Planes"
    hints = (
        ("j k", "walk"),
        ("H L", "plane"),
        ("t", "next"),
        ("m", "cosines"),
        ("o", "HTML"),
        ("w", "why"),
        ("enter", "feature"),
        ("esc", "back"),
    )
    needs_session = False
    HELP: ClassVar[str | None] = (
        "Each point is a token on which a member fires: the sum of the members' decoder directions by their "
        "activations, on two principal components. Letters are the commonest tokens (t: current or next), braille "
        "dots all others. S is the separability index in bits (bias corrected, principal angle included), M the "
        "mixture index: high S with low M is a feature of two dimensions; compare at equal points and bins only. "
        ":clusters.planes N threshold=4 keeps stronger tokens; :clusters.rank sets every cluster beside its null."
    )

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self.result: dict[str, Any] = {}
        self.provenance: dict[str, Any] = {}
        self.plane = 0
        self.following = False
        """Whether points are marked by the token after them."""
        self.point: dict[str, Any] = {}

    def compose(self) -> ComposeResult:
        """Header, the plane and its legend, the context."""
        yield TextLines(id="planes-header")
        with Box(id="planes-body"):
            yield Scatter(id="planes-scatter")
            yield TextLines(id="planes-legend")
        yield TextLines(id="planes-context")

    @property
    def scatter(self) -> Scatter:
        """The points."""
        return self.query_one(Scatter)

    @property
    def main(self) -> Widget:
        """The points take the keys."""
        return self.scatter

    def reload(self) -> None:
        """Nothing to ask: `show_reply` brought it."""

    def forget(self) -> None:
        """Another session: no points of this one."""
        super().forget()
        self.result, self.point, self.plane = {}, {}, 0

    def show_reply(self, reply: dict[str, Any]) -> None:
        """Show what `clusters.planes` said."""
        self.result, self.params = reply["result"], dict(reply["params"])
        self.provenance = dict(reply["provenance"])
        self.plane, self.point, self.scatter.cursor = 0, {}, 0
        self._show_plane()
        self._ask_point()

    # --- the plane

    def _show_plane(self) -> None:
        told = self.result
        if told["status"] != "ok":
            self.scatter.show([], [])
            reason = str(WHY_NOT.get(told["status"], told["status"]))
            lines: list[list[Piece]] = [[(f"  {line}", None)] for line in reason.split("\n")]
            self.query_one("#planes-header", TextLines).show([self._title(), *lines])
            self.query_one("#planes-legend", TextLines).show([])
            self.query_one("#planes-context", TextLines).show([])
            return
        first, second = (axis - 1 for axis in told["planes"][self.plane]["axes"])
        self.scatter.show([(row[first], row[second]) for row in told["scores"]], self._legend["groups"])
        self.query_one("#planes-header", TextLines).show(self._head())
        self.query_one("#planes-legend", TextLines).show(self._legend_lines())

    @property
    def _legend(self) -> dict[str, Any]:
        legend: dict[str, Any] = self.result["next" if self.following else "current"]
        return legend

    def _title(self) -> list[Piece]:
        told = self.result
        named = f" ({visible(told['name'])})" if told["name"] else ""
        head = f"  cluster {told['cluster']}{named}: {thousands(told['size'])} features"
        kept = f"{thousands(told['points'])} of {thousands(told['active'])} tokens above {told['threshold']:g}"
        return [(head, palette.BOLD), (f" · {kept}", None)]

    def _head(self) -> list[list[Piece]]:
        told, plane = self.result, self.result["planes"][self.plane]
        first, second = plane["axes"]
        shares = f"{percent(told['explained'][first - 1])} + {percent(told['explained'][second - 1])} of variance"
        silent = f" · {len(told['silent'])} members not above {told['threshold']:g}" if told["silent"] else ""
        where: list[Piece] = [
            (f"  plane {first}-{second}", palette.NAME),
            (f" of {len(told['planes'])} · {shares}{silent}", None),
        ]
        values = " ".join(number(value, 1) for value in told["singular_values"])
        numbers: list[Piece] = [(f"  {self._indices(plane)}", None), (f" · singular values {values}", palette.DIM)]
        return [self._title(), where, numbers]

    def _indices(self, plane: dict[str, Any]) -> str:
        if plane["status"] != "ok":
            return f"no indices ({plane['status']}: {plane['points']} points)"
        ring = ring_of(self.result, plane)
        told = f"; ring R2 {number(ring['r2'])}, roundness {number(ring['roundness'])}" if ring else ""
        return (
            f"S {number(plane['separability'], 2)} bits, M {number(plane['mixture'], 2)} "
            f"({plane['points']} points, {plane['bins']} bins){told}"
        )

    def _legend_lines(self) -> list[list[Piece]]:
        lines: list[list[Piece]] = [[("next token" if self.following else "current token", palette.TITLE)]]
        for group, (token, count) in enumerate(self._legend["tokens"]):
            lines.append(
                [
                    (MARKS[group], mark_style(group)),
                    (f" {fit(token_name(token) or '(end)', SIDE - 9)}{count:>5}", None),
                ],
            )
        others = self._legend["others"]
        return [*lines, [("⠿", palette.PLAIN), (f" {fit('any other', SIDE - 9)}{others:>5}", palette.DIM)]]

    # --- the point under the cursor

    def on_scatter_moved(self, _event: Scatter.Moved) -> None:
        """Read the context of another point."""
        self._ask_point()

    def on_scatter_turned(self, event: Scatter.Turned) -> None:
        """Show another plane."""
        planes = self.result.get("planes") or []
        if planes:
            self.plane = (self.plane + event.step) % len(planes)
            self._show_plane()

    def on_scatter_opened(self, _event: Scatter.Opened) -> None:
        """Open the feature that is strongest at the point."""
        if self.point.get("features"):
            self.workbench.visit("feature", f"{self.result['space']}#{self.point['features'][0][0]}")

    def _ask_point(self) -> None:
        if self.result.get("status") != "ok":
            return
        verb = verbs.ClustersPoint(cluster=self.result["cluster"], at=self.result["places"][self.scatter.cursor])
        background.start(self.workbench, partial(self._load_point, verb), "cluster-point", latest=True)

    async def _load_point(self, verb: verbs.Verb) -> None:
        try:
            self.point = await self.ask(verb)
        except WorkbenchError as error:
            self.point = {}
            self.query_one("#planes-context", TextLines).show([[(f"  {visible(error.message)}", palette.BAD)]])
            return
        self._show_point()

    def _show_point(self) -> None:
        told = self.point
        head = f"  point {self.scatter.cursor + 1} of {self.result['points']} · document {told['document']}"
        before = visible("".join(told["tokens"][: told["peak"]]))
        after = visible("".join(told["tokens"][told["peak"] + 1 :]))
        here = f"[{visible(told['tokens'][told['peak']])}]"
        room = max(10, self.size.width - len(here) - 4)
        before = before[-(room // 2) :]
        members = " ".join(f"#{feature} {number(value, 2)}" for feature, value in told["features"])
        self.query_one("#planes-context", TextLines).show(
            [
                [(head, palette.DIM)],
                [(f"  {before}", None), (here, palette.BOLD), (after, None)],
                [(f"  {members}", palette.NAME)],
            ]
        )

    # --- keys

    def acts(self) -> dict[str, Act]:
        """The other token, the cosines, the page to write."""
        if self.result.get("status") != "ok":
            return {}
        return {"why": self._why, "sign": self._turn_colour, "matrix": self._cosines, "order": self._export}

    def why_not(self, action: str) -> str:
        """Without points there is no number to explain; the header says why there are none."""
        return "there are no points here: the screen says why" if action == "why" else ""

    def _why(self) -> None:
        line = verbs.format_line(verbs.ClustersPlanes.model_validate(self.params))
        stored = {"line": line, "provenance": self.provenance}
        show_facts(self.workbench, plane_facts(self.result, self.plane), stored)

    def _turn_colour(self) -> None:
        self.following = not self.following
        self._show_plane()

    def _cosines(self) -> None:
        ask_cosines(self.workbench, int(self.result["cluster"]))

    def _export(self) -> None:
        kept = {name: self.params[name] for name in SAME if name in self.params}
        verb = verbs.ClustersExport(**kept, colour="next" if self.following else "current")
        self.workbench.do(verb, lambda reply: self.workbench.notify_text([f"written: {reply['result']['path']}"]))

    def copyable(self) -> str:
        """The context of the point."""
        return visible("".join(self.point.get("tokens", [])))


def plane_facts(told: dict[str, Any], at: int) -> list[tuple[str, str]]:
    """What `w` says of the numbers of a plane."""
    plane = told["planes"][at]
    first, second = plane["axes"]
    definition = (
        "each point is a token: the sum of the members' decoder directions by their activations, on two principal "
        "components. S: separability in bits, the least mutual information of the two coordinates over all turns of "
        "the plane, bias corrected; M: mixture, the largest share of points in a narrow band around a line"
    )
    counts = f"{thousands(told['points'])} of {thousands(told['active'])} tokens above {told['threshold']:g}"
    indices = (
        f"S {number(plane['separability'])} bits, M {number(plane['mixture'])}" if plane["status"] == "ok"
        else f"no indices: {plane['status']}"
    )  # fmt: skip
    ring = ring_of(told, plane)
    return [
        ("plane", f"{first}-{second} of cluster {told['cluster']}, {thousands(told['size'])} features"),
        ("definition", definition),
        (
            "n",
            f"{counts}; {thousands(plane['points'])} of them in the indices, {told['bins']} bins, eps {told['eps']:g}",
        ),
        ("observed", indices),
        *([("ring", _ring_fact(ring))] if ring else []),
        ("null", "none here: :clusters.rank sets planes beside shuffled coordinates, words beside a disc"),
    ]


def ring_of(told: dict[str, Any], plane: dict[str, Any]) -> dict[str, Any] | None:
    """The ring that was fitted in a plane, where names were given."""
    return next((ring for ring in told.get("rings") or [] if ring["axes"] == plane["axes"]), None)


def _ring_fact(ring: dict[str, Any]) -> str:
    return (
        f"R2 {number(ring['r2'])}: how much of the names' mean points an ellipse through equal steps in their order "
        f"explains ({thousands(ring['points'])} points stand on a name); roundness {number(ring['roundness'])}: its "
        "short over its long axis, near 0 a line and no ring"
    )


def ask_planes(app: WorkbenchApp, cluster: int) -> None:
    """Ask for a cluster's planes, and show them over the screen."""
    app.show_answer(verbs.ClustersPlanes(cluster=cluster), lambda reply: show_planes(app, reply))


def show_planes(app: WorkbenchApp, reply: dict[str, Any]) -> None:
    """Put the planes over the screen."""
    app.show_over("planes")
    app.query_one(PlanesPage).show_reply(reply)
