"""The message that asks the engine to carry a verb out, files included."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from workbench.uploads import absolute_paths, as_message, read_uploads
from workbench.verbs import Verb


def question(
    verb: Verb, *, session: str | None, sessions: Path | None, fresh: bool = False, detach: bool = False
) -> dict[str, Any]:
    """The request for a verb, without its id.

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
    if files:
        message["files"] = as_message(files)
    return message
