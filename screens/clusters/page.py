"""Clusters: groups of features whose decoder directions point the same way."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import ComposeResult

from screens import verbs
from screens.clusters.cosines import ask_cosines
from screens.clusters.planes import ask_planes
from screens.feature.steering import steer_line
from screens.labels.acts import label_acts
from screens.labels.blind import shown_text
from screens.labels.text import short_score
from screens.line.questions import label_question
from screens.line.routes import show_reply
from screens.overlays.why import ask_line
from screens.pages.list_page import FilteredPage
from screens.pages.page import Act
from screens.painting import palette
from screens.painting.glyphs import bar
from screens.painting.text import number, percent, short_id, thousands, visible
from screens.widgets.lines import BLOCK, Column, Lines, Row
from screens.widgets.painted import Piece, TextLines
from workbench.errors import UsageError

OVERVIEW = (
    Column("cluster", 7, "right"),
    Column("size", 5, "right"),
    Column("cosine", 6, "right"),
    Column("", 10),
    Column("(1-M)S", 6, "right"),
    Column("labels, else features"),
)
ORDERS = ("size", "cosine", "irreducibility", "label", "ring")
RANKED = ("irreducibility", "ring")
"""Orders that `clusters rank` is needed for."""
MEMBERS = (
    Column("id", 7, "right"),
    Column("cosine", 6, "right"),
    Column("", 10),
    Column("density", 8, "right"),
    Column("label"),
)
ALL = "all"


class ClustersPage(FilteredPage):
    """The clusters, or the members of one."""

    title = "Clusters"
    FILTERS_LABELS = True
    rests_on = ("model", "sae")
    hints = (
        ("enter", "open"),
        ("P", "planes"),
        ("o", "order"),
        ("m", "cosines"),
        ("f", "find"),
        ("l", "label"),
        ("a", "suggest"),
        ("w", "why"),
        ("/", "filter"),
        ("y", "copy"),
        (":", "command"),
        ("?", "help"),
        ("esc", "back"),
    )
    HELP: ClassVar[str | None] = (
        "Clusters are connected features: each proposes its k nearest by decoder cosine, edges above tau count; "
        ":clusters.find method=activation joins what fires alike. enter shows the members, enter again opens the "
        "feature; P shows the cluster's points on its principal planes, m its cosines; o sorts by size, cosine, "
        "irreducibility ((1 - M) S, after :clusters.rank) or label; f finds clusters anew. l labels a cluster in your "
        "words, a suggests a label offline from where any member fires, A accepts it, X rejects, S scores it."
    )

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self._found: dict[str, Any] = {}
        """What was asked for last: all clusters, or one."""
        self._sort = ORDERS[0]
        self._was_inside: bool | None = None
        self._elsewhere = ("", self._left)
        """The filter of the other list, of the members or the clusters, and where its cursor was."""
        self._ranked = False
        """Whether the clusters have scores to sort by."""

    def compose(self) -> ComposeResult:
        """Header and list."""
        yield TextLines(id="clusters-header")
        yield Lines(OVERVIEW, id="cluster-list")

    @property
    def _inside(self) -> bool:
        return self.subject.isdigit()

    def blind_turned(self) -> None:
        """The filter of the other list goes too."""
        super().blind_turned()
        if self.workbench.blind.on:
            self._elsewhere = ("", ("", 0, 0))

    async def load(self) -> None:
        """List the clusters, or one cluster's members; each list has a filter of its own."""
        if self._was_inside is not None and self._inside != self._was_inside:
            here = (self.wanted, self._left)
            (self.wanted, self._left), self._elsewhere = self._elsewhere, here
        self._was_inside = self._inside
        if self._inside:
            await self._load_members(int(self.subject))
        else:
            await self._load_overview()

    async def _load_overview(self) -> None:
        self._found = first = await self._first_page()
        sort: Any = self._sort
        wanted = self.wanted
        self._ranked = first["ranked"] is not None

        async def fetch(offset: int, limit: int) -> tuple[list[Row], int]:
            page = await self.ask(verbs.ClustersList(offset=offset, limit=limit, sort=sort, filter=wanted))
            return [_cluster_row(item) for item in page["clusters"]], int(page["total"])

        alone = f"{thousands(first['singletons'])} features alone"
        by = "" if self._sort == ORDERS[0] else f" · by {self._sort}"
        count = thousands(first.get("count", first["total"]))
        self._header(f"{count} clusters, {alone}{by}", f"{_how(first)}{_stability(first)}")
        self.lines.columns = OVERVIEW
        none = "No clusters of two or more features.\nTry a lower tau: :clusters.find tau=0.3"
        self.lines.empty = f"No cluster matches {self.wanted!r}.\nesc shows all." if self.wanted else none
        rows = [_cluster_row(item) for item in first["clusters"]]
        self.lines.show_source(fetch, rows, int(first["total"]), note=self.matching)

    async def _first_page(self) -> dict[str, Any]:
        """The first clusters in the order in force; that of a ranking ends with the clusters it was of."""
        sort: Any = self._sort
        try:
            return await self.ask(verbs.ClustersList(limit=BLOCK, sort=sort, filter=self.wanted))
        except UsageError:
            if self._sort not in RANKED:
                raise
            self._sort = ORDERS[0]
            return await self.ask(verbs.ClustersList(limit=BLOCK, filter=self.wanted))

    async def _load_members(self, number_: int) -> None:
        self._found = shown = await self.ask(verbs.ClustersShow(cluster=number_))
        named = f" ({visible(shown['name'])})" if shown["name"] else ""
        score = short_score(shown.get("label_scores") or [])
        labelled = f" · “{visible(shown['label'])}”{f' ({score})' if score else ''}" if shown.get("label") else ""
        self._header(
            f"cluster {number_}{named}: {thousands(shown['size'])} features",
            f"mean cosine {number(shown['cosine'])}{labelled}",
        )
        self.lines.columns = MEMBERS
        wanted = self.wanted.casefold()
        found = [one for one in shown["features"] if wanted in f"{short_id(one['feature'])} {one['label']}".casefold()]
        self.lines.empty = f"No member matches {self.wanted!r}.\nesc shows all."
        self.lines.show([_member_row(item) for item in found], note=self.matching)

    def _header(self, title: str, about: str) -> None:
        lines: list[list[Piece]] = [[(f"  {title}", palette.BOLD)], [(f"  {about}", None)]]
        self.query_one("#clusters-header", TextLines).show(lines)

    def clear(self, text: str) -> None:
        """Show no rows, but this text."""
        self.query_one("#clusters-header", TextLines).show([])
        self._found = {}
        super().clear(text)

    def on_lines_opened(self, event: Lines.Opened) -> None:
        """Open the cluster, or the feature."""
        if self._inside:
            self.workbench.visit("feature", event.key)
        else:
            self.workbench.visit("clusters", event.key)

    def back_out(self) -> bool:
        """Drop the filter, else from the members back to the clusters."""
        if super().back_out():
            return True
        if not self._inside:
            return False
        cluster, self.lines.cursor = self.subject, 0
        self.lines.put_cursor(cluster)
        self.workbench.visit("clusters", ALL)
        return True

    def acts(self) -> dict[str, Act]:
        """Find clusters; label and steer a member."""
        found: dict[str, Act] = {"find": self._find}
        if self.lines.key and self.workbench.summary.get("clusters"):
            found["why"] = self._why
        if not self._inside and self._found:
            found["order"] = self._turn_order
        cluster = self.subject if self._inside else self.lines.key
        if cluster.isdigit():
            found |= {"label": lambda: self._label(cluster), **label_acts(self.workbench, cluster, "clusters")}
            found["planes"] = lambda: ask_planes(self.workbench, int(cluster))
            found["matrix"] = lambda: ask_cosines(self.workbench, int(cluster))
        if self._inside and self.lines.key:
            key = self.lines.key
            found["label"] = lambda: self.workbench.open_line(label_question(self.workbench, key))
            found["steer"] = lambda: self.workbench.open_command(steer_line(key, self.workbench.summary))
        return found

    def _label(self, cluster: str) -> None:
        items = self._found.get("clusters") or [self._found]
        item: dict[str, Any] = next((one for one in items if str(one["cluster"]) == cluster), {})
        text, own = shown_text(str(item.get("label", ""))), item.get("label_source") == "investigator"
        question = label_question(self.workbench, cluster, "" if own else text, "clusters")
        self.workbench.open_line(question, text if own else "")

    def _why(self) -> None:
        seq = int(self.workbench.summary["clusters"])
        items = self._found["features" if self._inside else "clusters"]
        name = "feature" if self._inside else "cluster"
        item = next((one for one in items if str(one[name]) == self.lines.key), None)
        ask_line(self.workbench, seq, cluster_facts(self._found, item))

    def why_not(self, action: str) -> str:
        """Members stand by their cosine; a feature is steered, no cluster."""
        if action == "order" and not self._found:
            return "there are no clusters yet: f finds some"
        if action == "order":
            return "members stand by their cosine: esc shows the clusters, which o sorts"
        return "open the cluster (enter) and put the cursor on a feature" if action == "steer" else ""

    def _turn_order(self) -> None:
        orders = [order for order in ORDERS if self._ranked or order not in RANKED]
        at = orders.index(self._sort) if self._sort in orders else -1
        self._sort = orders[(at + 1) % len(orders)]
        self.lines.to_top()  # the head of the new order is what was asked for
        self.reload()

    def state(self) -> dict[str, str]:
        """Cursor and order."""
        return {**super().state(), "order": self._sort}

    def restore(self, state: dict[str, str]) -> None:
        """Take up a saved cursor and order."""
        super().restore(state)
        self._sort = state["order"] if state.get("order") in ORDERS else ORDERS[0]

    def forget(self) -> None:
        """The order goes with the session that it was set in, and the filters of both lists."""
        self._sort, self._was_inside, self._elsewhere = ORDERS[0], None, ("", ("", 0, 0))
        super().forget()

    def _find(self) -> None:
        verb = verbs.ClustersFind()
        self.workbench.do(verb, show_reply(self.workbench, verb))


def cluster_facts(found: dict[str, Any], item: dict[str, Any] | None) -> list[tuple[str, str]]:
    """What `w` says of a cluster, or of a member of one."""
    if "matrix" in found:
        facts = [
            ("cosine", "of the member's decoder direction with the mean direction of the cluster"),
            ("density", "share of the corpus tokens on which the feature fires; a dash where no index was built"),
            ("n", f"{thousands(found['size'])} members, mean cosine of all pairs {number(found['cosine'])}"),
        ]
    else:
        facts = [
            ("cluster", _joined(found)),
            ("cosine", "of the members' decoder directions, mean over all pairs"),
            ("n", f"{thousands(found['total'])} clusters, {thousands(found['singletons'])} features alone"),
        ]
    if item is not None:
        what = item.get("feature") or f"cluster {item['cluster']}, {thousands(item['size'])} features"
        density = f", density {percent(item['density'])}" if "density" in item else ""
        facts.append(("observed", f"{what}: cosine {number(item['cosine'])}{density}"))
    return [*facts, ("null", _null(found, item))]


def _null(found: dict[str, Any], item: dict[str, Any] | None) -> str:
    """What the clusters were held against."""
    vote = found.get("consensus")
    if not vote:
        return "none: clusters.find describes directions and tests nothing"
    told = (
        f"halves of the documents, clustered apart: they agree by {number(vote['agreement'], 2)} (adjusted Rand index, "
        f"0 is chance) at {vote['chosen']} clusters, chosen of {vote['least']} to {vote['most']}"
    )
    if item is None or item.get("returns") is None:
        return told
    return f"{told}; this one overlaps its best match there by {number(item['returns'], 2)} (Jaccard)"


def _joined(found: dict[str, Any]) -> str:
    """What made the members one cluster."""
    if found["method"] == "graph":
        return f"features joined by edges: each proposes its {found['k']} nearest, a cosine above {found['tau']} counts"
    return _how(found) + _stability(found)


def _how(told: dict[str, Any]) -> str:
    """How the clusters were found, in a line."""
    method = told["method"]
    if method == "graph":
        return f"{told['k']} nearest by decoder cosine above {told['tau']}"
    if method == "import":
        return "published clusters"
    joined = {
        "spectral": f"decoder directions, {told['affinity']} affinity",
        "coactivation": "firing on the same tokens",
        "activation": "activations alike over tokens",
    }
    settings = f"{told['n_clusters']} spectral clusters" if told["n_clusters"] else f"k {told['k']}, tau {told['tau']}"
    if vote := told.get("consensus"):
        settings = f"{vote['chosen']} by vote"
    return f"{joined.get(method, 'near, or firing on the same tokens')} · {settings}"


def _stability(told: dict[str, Any]) -> str:
    """The least agreement with another seed or a neighbouring setting; of a vote, that of halves of the documents."""
    if vote := told.get("consensus"):
        return f" · halves agree {number(vote['agreement'], 2)}"
    if not told["stability"]:
        return ""
    worst = min(told["stability"], key=lambda item: float(item["ari"]))
    return f" · ARI at least {number(worst['ari'], 2)} ({worst['setting']})"


def _cluster_row(item: dict[str, Any]) -> Row:
    own = [text for text in (item.get("label"), item["name"]) if text]
    names = ", ".join(visible(label) for label in [*own, *item["labels"]])
    listed = " ".join(f"#{index}" for index in item["features"])
    cosine = item["cosine"]
    cells = (str(item["cluster"]), thousands(item["size"]), number(cosine), bar(max(0.0, cosine or 0.0), 10))
    score = item["irreducibility"]
    told = number(score) if score is not None or item["status"] in (None, "ok") else item["status"][:6]
    return Row(str(item["cluster"]), (*cells, told, names or (listed, palette.DIM)))


def _member_row(item: dict[str, Any]) -> Row:
    return Row(
        item["feature"],
        (
            (short_id(item["feature"]), palette.NAME),
            number(item["cosine"]),
            bar(item["cosine"] or 0.0, 10),
            percent(item["density"]),
            item["label"],
        ),
    )
