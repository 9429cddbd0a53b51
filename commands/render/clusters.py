"""Clusters as tables."""

from __future__ import annotations

from rich.console import Console

from commands.render.tables import Result, number, table


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
