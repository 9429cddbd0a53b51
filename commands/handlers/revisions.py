"""Log lines of other versions: numbers that this version gives differently on purpose, and what it does not know."""

from __future__ import annotations

import re
from collections.abc import Sequence

from commands.handlers.log_text import text_of
from commands.registry import VERBS, lookup
from workbench import __version__
from workbench.session.log import LogLine
from workbench.verbs import Command

SHOWN = 5
"""Lines named in a sentence."""


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


def newer(lines: Sequence[LogLine]) -> list[str]:
    """What to say of lines that a newer workbench wrote, and of commands that this one does not have."""
    found = []
    if late := [line for line in lines if _version(line.provenance.get("version")) > _version(__version__)]:
        version = max((str(line.provenance["version"]) for line in late), key=_version)
        found.append(
            f"{_numbered(late)} of the log {'was' if len(late) == 1 else 'were'} written by workbench {version}, and "
            f"this is {__version__}: what it does not know there is kept and not shown. Update the workbench to see it"
        )
    if unknown := [line for line in lines if line.do not in VERBS]:
        names = ", ".join(sorted({line.do for line in unknown}))
        found.append(f"{_numbered(unknown)}: this workbench has no command {names}, and takes its results as recorded")
    return found


def _numbered(lines: Sequence[LogLine]) -> str:
    shown = ", ".join(str(line.seq) for line in lines[:SHOWN])
    more = f" and {len(lines) - SHOWN} more" if len(lines) > SHOWN else ""
    return f"line{'s' * (len(lines) > 1)} {shown}{more}"


def _version(text: object) -> tuple[int, ...]:
    """A version as numbers that can be compared; nothing of what is none."""
    return tuple(int(part) for part in re.findall(r"\d{1,9}", str(text).partition("+")[0])[:4]) if text else ()
