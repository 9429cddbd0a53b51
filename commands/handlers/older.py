"""Results that an older revision of their command computed, whose numbers this version gives differently on purpose."""

from __future__ import annotations

from commands.handlers.log_text import text_of
from commands.registry import VERBS, lookup
from workbench.session.log import LogLine
from workbench.verbs import Command


def revisions(line: LogLine) -> tuple[int, int]:
    """The revision of the command that a line's numbers are of, and this version's; equal for a verb unknown here."""
    then = line.provenance.get("command_revision", 1)
    verb = lookup(line.do) if line.do in VERBS else None
    if verb is None or not isinstance(then, int):
        return 1, 1
    return then, verb.result_revision if issubclass(verb, Command) else 0


def older(line: LogLine) -> str:
    """A sentence on a line whose numbers this version would not give, with what computes them anew; else nothing."""
    then, now = revisions(line)
    if line.outcome != "ok" or then == now:
        return ""
    if then > now:
        return (
            f"revision {then} of {line.do}, of a newer workbench, computed these numbers; revision {now} here gives "
            "others: update the workbench"
        )
    return (
        f"revision {then} of {line.do} computed these numbers, and revision {now} gives others on purpose: for "
        f"those run the line again, :{text_of(line)}"
    )
