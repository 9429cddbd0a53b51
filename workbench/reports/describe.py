"""Figures in words: for those who do not see them, and for Markdown."""

from __future__ import annotations

from workbench.figures import Figure
from workbench.reports.text import count, number


def describe(figure: Figure) -> str:
    """What a figure shows, in one sentence without its final stop."""
    data = figure.data
    if figure.kind == "scatter":
        groups = data.get("groups") or []
        shares = "; ".join(f"{count(groups.count(name))} {name}" for name in group_names(groups))
        return (
            f"{count(len(data['x']))} points, {figure.y_label} against {figure.x_label}{': ' if shares else ''}{shares}"
        )
    if figure.kind == "curve":
        ends = "; ".join(
            f"{name}: {number(values[0])} at {number(data['x'][0])}, {number(values[-1])} at {number(data['x'][-1])}"
            for name, values in data["series"].items()
            if values
        )
        return f"{figure.y_label} over {figure.x_label}. {ends}"
    if figure.kind == "histogram":
        total = sum(data["counts"])
        return f"{count(total)} values between {_edge(data['edges'], 0)} and {_edge(data['edges'], -1)}"
    if figure.kind == "matrix":
        return f"{len(data['rows'])} by {len(data['columns'])} values"
    if figure.kind == "bars":
        said = zip(data["names"], data["values"], data["low"], data["high"], strict=True)
        return "; ".join(f"{name} {number(value)} ({number(low)} to {number(high)})" for name, value, low, high in said)
    if figure.kind == "sectors":
        names = count(len(data["names"]))
        return f"{len(data['radii'])} radii by {len(data['values'][0])} angles, each read as one of {names} names"
    if figure.kind == "colours":
        size = f"{len(data['rows'])} by {len(data['columns'])}"
        return f"{size} pixels of three components, full colour at {number(data['scale'])}"
    if figure.kind == "tokens":
        lines = data["lines"]
        return f"{count(len(lines))} lines of tokens, the strongest activation {number(data['maximum'])}"
    return figure.title


def _edge(edges: list[float], place: int) -> str:
    return number(edges[place]) if edges else "–"


def group_names(groups: list[str]) -> list[str]:
    """Group names in a steady order, `other` last."""
    return sorted(set(groups), key=lambda name: (name == "other", name))
