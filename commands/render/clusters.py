"""Clusters as tables."""

from __future__ import annotations

from rich.console import Console

from commands.render.tables import Result, chance, number, table


def clusters(result: Result, console: Console) -> None:
    """The clusters, largest first."""
    clusters = result["largest"] if "largest" in result else result["clusters"]
    rows = [
        [
            item["cluster"],
            item["size"],
            number(item["cosine"], 2),
            " ".join(f"#{feature}" for feature in item["features"][:8]),
            "; ".join(item.get("labels", [])),
        ]
        for item in clusters[:20]
    ]
    settings = f"k {result['k']}, tau {result['tau']}"
    title = f"clusters of decoder directions ({settings}); {result['singletons']} features stand alone"
    table(console, [("#", True), ("size", True), ("cosine", True), ("features", False), ("labels", False)], rows, title)


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
