"""How far a session is on the way to quanta, and which line comes next."""

from __future__ import annotations

from typing import Any

STEPS = """

Quanta are clusters of predictions that the model makes with the same
parameters. Four steps lead to them, each on what the one before made:
:quanta.losses, :quanta.select, :quanta.similarity, :quanta.cluster.
enter types the next one, to be changed or sent."""
"""Where nothing was done yet."""


def _done(summary: dict[str, Any]) -> dict[str, Any]:
    """The steps that were taken in a session, from what `session.show` says of it."""
    return summary.get("quanta") or {}


def taken(summary: dict[str, Any]) -> bool:
    """Whether samples were taken."""
    return bool(_done(summary).get("samples"))


def next_line(summary: dict[str, Any]) -> str:
    """The step that comes next, as a line."""
    if not summary.get("model"):
        return "model.load demo"
    if not _done(summary).get("losses"):
        return "quanta.losses demo"
    return "quanta.cluster n_clusters=20" if _done(summary).get("similarity") else "quanta.similarity"


def title(summary: dict[str, Any]) -> str:
    """How far the session is, and what comes next, above the counts of the samples."""
    if not taken(summary):
        return "choose samples"
    if not _done(summary).get("similarity"):
        return "samples are taken; next :quanta.similarity, then :quanta.cluster"
    return "samples are taken and compared; next :quanta.cluster"
