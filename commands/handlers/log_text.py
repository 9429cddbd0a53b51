"""The `:` line of what stands in a log."""

from __future__ import annotations

from commands.line import format_line, from_params
from commands.registry import find
from workbench.errors import WorkbenchError
from workbench.session.log import LogLine


def text_of(line: LogLine) -> str:
    """The `:` line of a log line; a verb that this version does not know is shown by its name."""
    verb = find(line.do)
    try:
        return line.do if verb is None else format_line(from_params(verb, line.params))
    except WorkbenchError:
        return line.do  # parameters of another version: the log keeps them, the line cannot be made again
