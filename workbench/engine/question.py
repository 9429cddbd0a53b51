"""The message that asks the engine to carry a verb out, files included."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workbench.uploads import absolute_paths, as_message, read_uploads
from workbench.verbs import Verb


def question(
    verb: Verb,
    *,
    session: str | None,
    sessions: Path | None,
    fresh: bool = False,
    detach: bool = False,
    carry: bool = False,
    sent: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The request for a verb, without its id.

    Args:
        carry: the engine is on another machine, and what it writes is to be fetched from there.
        sent: the box and places of files that were sent there before.

    Raises:
        InputFileError: a file that the verb names cannot be read or is too large.
    """
    files = read_uploads(verb)
    params = absolute_paths(verb).params()
    params.update({name: file.name for name, file in files.items()})
    message: dict[str, Any] = {
        "do": verb.dotted,
        "params": params,
        "session": session,
        "sessions": None if sessions is None else str(sessions.absolute()),
        "fresh": fresh,
        "detach": detach,
    }
    if carry:
        message["carry"] = True
    if sent:
        message["sent"] = dict(sent)
    if files:
        message["files"] = as_message(files)
    return message
