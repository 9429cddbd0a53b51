"""Clusters as tables."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.text import Text

from commands.render.tables import Result, chance, number, percent, table, token_name, visible


def clusters(result: Result, console: Console) -> None:
    """The clusters, in the order asked for."""
    clusters = result["largest"] if "largest" in result else result["clusters"]
    scored = any(item.get("irreducibility") is not None for item in clusters)
    voted = any(item.get("returns") is not None for item in clusters)
    shown = clusters if "offset" in result else clusters[:FOUND]
    rows = [
        [
            item["cluster"],
            item["size"],
            number(item["cosine"], 2),
            *([number(item["returns"], 2)] if voted else []),
            *([number(item["irreducibility"])] if scored else []),
            " ".join(f"#{feature}" for feature in item["features"][:8]),
            "; ".join([*filter(None, (item.get("label"), item.get("name"))), *item.get("labels", [])]),
        ]
        for item in shown
    ]
    columns = [("#", True), ("size", True), ("cosine", True), *([("returns", True)] if voted else [])]
    columns += [("(1 - M) S", True)] if scored else []
    title = f"clusters of {how_found(result)}; {result['singletons']} features stand alone"
    table(console, [*columns, ("features", False), ("labels", False)], rows, title)
    whole = int(result.get("total") or (result["clusters"] if "largest" in result else len(clusters)))
    if whole > len(rows):
        first = int(result.get("offset", 0))
        console.print(
            Text(f"{first + 1} to {first + len(rows)} of {whole}: clusters list --offset {first + len(rows)}")
        )
    _stability(result, console)
    if result.get("consensus"):
        console.print(Text(_voted(result, voted)))


def _voted(result: Result, each: bool) -> str:
    """How the number of clusters was chosen."""
    vote = result["consensus"]
    told = (
        f"{vote['chosen']} of {vote['least']} to {vote['most']} clusters, features alone counted: the most within one "
        f"standard error of where halves of the documents agree best ({vote['runs']} runs, {vote['splits']} splits)"
    )
    return f"{told}; returns: Jaccard overlap with the best match in a half" if each else told


def cluster(result: Result, console: Console) -> None:
    """One cluster: its members, nearest to its middle first, and their cosines."""
    name = f" “{result['name']}”" if result["name"] else ""
    told = f"cluster {result['cluster']}{name}: {result['size']} features, mean cosine {number(result['cosine'], 2)}"
    console.print(Text(visible(told), "bold"))
    if result.get("label"):
        console.print(Text(visible(f"label: {result['label']} ({result['label_source']})")))
    columns = [("feature", True), ("cosine to the middle", True), ("density", True), ("label", False)]
    rows = [[f"#{row['index']}", number(row["cosine"]), percent(row["density"]), row["label"]]
            for row in result["features"][:20]]  # fmt: skip
    table(console, columns, rows)
    if len(result["features"]) > len(rows):
        console.print(Text(f"{len(rows)} of {result['size']} features given (--json has more)"))
    if result["matrix"]:
        _cosines(result, console)


def _cosines(result: Result, console: Console) -> None:
    """The matrix of cosines, as many members as the width holds."""
    wide = max(len(f"#{row['index']}") for row in result["features"])
    fit = max(1, (console.width - wide) // (max(wide, 5) + 2))
    names = [f"#{row['index']}" for row in result["features"][: len(result["matrix"])]][:fit]
    of = "" if len(names) == result["size"] else f" of the first {len(names)} of {result['size']} features"
    rows = [[name, *("-" if value is None else f"{value:.2f}" for value in row[:fit])]
            for name, row in zip(names, result["matrix"], strict=False)]  # fmt: skip
    table(console, [("", True), *((name, True) for name in names)], rows, f"cosines{of}")


def how_found(result: Result) -> str:
    """By what the clusters were made, in a few words."""
    method = result.get("method", "graph")
    settings = f"k {result['k']}, tau {result['tau']}"
    if method == "graph":
        return f"decoder directions ({settings})"
    if method == "import":
        return "a published file"
    if result.get("consensus"):
        settings = f"consensus, cut at {result['consensus']['chosen']}"
    elif result.get("n_clusters"):
        settings = f"spectral, {result['n_clusters']} clusters"
    named = {
        "spectral": f"decoder directions by {result['affinity']}",
        "coactivation": "features that fire together",
        "activation": "activations alike over tokens",
    }
    return f"{named.get(method, 'features near or firing together')} ({settings})"


def _stability(result: Result, console: Console) -> None:
    for row in result.get("sweep") or [{"stability": result.get("stability") or []}]:
        agreements = ", ".join(f"{item['setting']} {number(item['ari'], 2)}" for item in row["stability"])
        if agreements:
            count = f" of {row['n_clusters']} clusters (median size {row['median_size']:g})" if "found" in row else ""
            console.print(Text(visible(f"stability{count}, adjusted Rand index with: {agreements}")))


def imported(result: Result, console: Console) -> None:
    """What a published file holds, and whether the known clusters are those of the loaded SAE."""
    console.print(
        Text(
            visible(
                f"{result['file']}: {result['clusters']} clusters of {result['space']}, {result['singletons']} alone"
            )
        )
    )
    rows = [
        [item["cluster"], item["name"], item["size"], item["position"], number(item["cosine"], 2),
         number(item["published"], 2), item["check"]]
        for item in result["known"]
    ]  # fmt: skip
    columns = [("#", True), ("name", False), ("size", True), ("in the file", True), ("mean cosine", True)]
    table(console, [*columns, ("published", True), ("check", False)], rows, "clusters known by name")


def ranked(result: Result, console: Console) -> None:
    """The clusters by irreducibility, nulls beside the best planes; and by the ring test of their words."""
    rows = []
    for item in result["rows"]:
        null, ring = item["null"] or {}, item.get("ring") or {}
        rows.append(
            [
                item["rank"],
                item["legacy_rank"],
                item.get("ring_rank") or "-",
                item["cluster"],
                item["size"],
                item["points"],
                number(item["score"]),
                number(item["separability"], 2),
                number(item["mixture"], 2),
                "-".join(map(str, null.get("axes", []))),
                *_against(null, "separability"),
                *_against(null, "mixture"),
                ring.get("words", "-"),
                _what(item),
            ]
        )
    names = ["rank", "old", "ring", "#", "size", "N", "(1 - M) S", "S", "M", "plane"]
    names += ["S", "null", "p", "M", "null", "p", "words"]
    kind = NULLS[result["null"]]
    told = (
        f"mean (1 - M) S over planes, S in bits; N points above {result['threshold']:g}, {result['bins']} bins, "
        f"eps {result['eps']:g}",
        f"then the best plane beside the mean of {result['draws']} nulls ({kind}); old: with the published extra zero",
    )
    for line in told:
        console.print(Text(line))
    columns = [*((name, True) for name in names), ("labels, else tokens", False)]
    for part, held in _side_by_side(columns, rows, console.width):
        table(console, part, held)
    without = ", ".join(f"{count} {status}" for status, count in result["without"].items())
    console.print(Text(f"{result['ranked']} clusters ranked; without a score: {without or 'none'}"))
    whole = result.get("ringed", 0) if result.get("by") == "ring" else result["ranked"]
    if whole > len(rows):
        console.print(Text(f"{len(rows)} of {whole} shown: clusters list --sort irreducibility --offset {len(rows)}"))
    _intervals(result, console)
    _ringed(result, console)


def _side_by_side(
    columns: list[tuple[str, bool]], rows: list[list[Any]], width: int
) -> list[tuple[list[tuple[str, bool]], list[list[Any]]]]:
    """The whole table, or, where it would be cut, the scores first and then the best planes with their nulls."""
    if width >= RANKED:
        return [(columns, rows)]
    scores, planes = [*range(9), 16, 17], [3, *range(9, 16)]
    drawn = [row for row in rows if row[9]]
    parts = [(scores, rows), *([(planes, drawn)] if drawn else [])]
    return [([columns[at] for at in chosen], [[row[at] for at in chosen] for row in held]) for chosen, held in parts]


RANKED = 112
"""Columns that the table of ranked clusters takes."""
NULLS = {
    "permutation": "one coordinate shuffled",
    "gaussian": "Gaussians of the same covariance",
    "words": "the words put elsewhere, each with its points",
}
TOLD = 8
"""Clusters of the intervals and of the ring test that are printed."""
FOUND = 20
"""Clusters that are printed where they are found; the list prints as many as are asked for."""


def _what(item: Result) -> str:
    return item["name"] or "; ".join(item["labels"][:2]) or " ".join(token.strip() for token, _ in item["tokens"])


def _intervals(result: Result, console: Console) -> None:
    """(1 - M) S of the best planes, with what leaving out documents or words does to it."""
    rows = [
        [item["cluster"], "-".join(map(str, item["null"]["axes"])), number(item["null"]["score"]),
         _interval(item["null"]["documents_interval"]), _interval(item["null"]["words_interval"])]
        for item in result["rows"][:TOLD]
        if item["null"] and "words_interval" in item["null"]
    ]  # fmt: skip
    if rows:
        columns = [("#", True), ("plane", True), ("(1 - M) S", True), ("over documents", True), ("over words", True)]
        table(console, columns, rows, "95 % intervals of the best plane, tenths of the documents or words left out")


def _interval(ends: list[float] | None) -> str:
    return "–" if ends is None else f"{ends[0]:.2f} to {ends[1]:.2f}"


def _ringed(result: Result, console: Console) -> None:
    """The clusters whose words stand most like a ring."""
    found = [item for item in result["rows"] if item.get("ring_rank")]
    rows = [
        [item["ring_rank"], item["rank"], item["cluster"], item["ring"]["words"],
         "-".join(map(str, item["ring"]["axes"])),
         *(number(item["ring"][name], 2) for name in ("kurtosis", "expected", "z")),
         chance(item["ring"]["p"]), chance(item["ring"]["gaussian_p"]), _what(item)]
        for item in sorted(found, key=lambda item: int(item["ring_rank"]))[:TOLD]
    ]  # fmt: skip
    if not rows:
        return
    names = ["ring", "score", "#", "words", "plane", "kurtosis", "disc", "sd below", "p", "p Gaussian"]
    title = (
        f"ring test: mean points of words with {result['least']} points or more; kurtosis 4 is a ring, p against as "
        f"many words spread evenly over a disc, planes allowed for; {len(rows)} of {result['ringed']} clusters "
        "with 5 such words (--json and the report have the others)"
    )
    table(console, [*((name, True) for name in names), ("labels, else tokens", False)], rows, title)


def _against(null: Result, index: str) -> list[str]:
    if not null:
        return ["", "", ""]
    return [number(null[index], 2), f"{null[f'{index}_null']:.2f}", f"{null[f'{index}_p']:.3f}"]


def planes(result: Result, console: Console) -> None:
    """One cluster's planes, and what its points are."""
    if result["status"] != "ok":
        console.print(Text(f"cluster {result['cluster']} has no planes: {result['status']}"))
        return
    console.print(
        Text(
            f"cluster {result['cluster']}: {result['size']} features, {result['points']} of {result['active']} tokens "
            f"above {result['threshold']:g} (uniform sample, seed {result['seed']}), eps {result['eps']:g}"
        )
    )
    rings = {tuple(ring["axes"]): ring for ring in result["rings"]}
    rows = []
    for plane in result["planes"]:
        first, second = plane["axes"]
        shares = f"{100 * result['explained'][first - 1]:.1f} + {100 * result['explained'][second - 1]:.1f} %"
        ring = rings.get((first, second), {})
        rows.append(
            [
                f"{first}-{second}",
                shares,
                number(result["singular_values"][first - 1], 1),
                number(plane["separability"], 2),
                number(plane["mixture"], 2),
                plane["points"],
                plane["bins"],
                plane["status"],
                number(ring.get("r2")),
                number(ring.get("roundness")),
            ]
        )
    columns = [("plane", False), ("variance", False), ("singular value", True), ("S bits", True), ("M", True)]
    columns += [("points", True), ("bins", True), ("status", False), ("ring R2", True), ("roundness", True)]
    table(console, columns if rings else columns[:-2], [row if rings else row[:-2] for row in rows])
    for name in ("current", "next"):
        told = ", ".join(f"{token_name(token)} {count}" for token, count in result[name]["tokens"])
        console.print(Text(visible(f"{name} tokens: {told}; others {result[name]['others']}")))


def point(result: Result, console: Console) -> None:
    """The context of one point."""
    text = Text()
    for at, token in enumerate(result["tokens"]):
        text.append(visible(token), "bold reverse" if at == result["peak"] else "")
    console.print(text)
    console.print(Text(", ".join(f"#{feature} {number(value)}" for feature, value in result["features"]) or "silent"))


def shapes(result: Result, console: Console) -> None:
    """The indices of clouds whose answer is known, each beside its null."""
    rows = [
        [
            item["shape"],
            number(item["separability"]),
            number(item["separability_null"]),
            chance(item["separability_p"]),
            number(item["mixture"]),
            number(item["mixture_null"]),
            chance(item["mixture_p"]),
            number(item["score"]),
            item["answer"],
        ]
        for item in result["shapes"]
    ]
    columns = [
        ("shape", False),
        ("S bits", True),
        ("null", True),
        ("p", True),
        ("M", True),
        ("null", True),
        ("p", True),
    ]
    title = (
        f"separability S and mixture M of {result['points']} points ({result['bins']} bins, eps {result['eps']:g}); "
        f"null: mean of {result['draws']} Gaussians of the same covariance"
    )
    table(console, [*columns, ("(1 - M) S", True), ("what it is", False)], rows, title)
