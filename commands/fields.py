"""What the front ends do with marked fields: files to send along, files to write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from workbench.session.inputs import read_upload
from workbench.verbs import Output, Upload, Verb


def marked(verb: type[Verb], mark: type) -> list[str]:
    """Names of the fields that carry a mark."""
    return [name for name, field in verb.model_fields.items() if any(isinstance(item, mark) for item in field.metadata)]


def uploads(verb: Verb) -> dict[str, tuple[str, bytes]]:
    """Name and content of every file that the verb names, by field.

    Raises:
        InputFileError: one is missing, a folder, unreadable or too large.
    """
    return {name: read_upload(getattr(verb, name)) for name in marked(type(verb), Upload) if getattr(verb, name)}


def with_absolute_outputs(verb: Verb) -> Verb:
    """The verb with the paths of files to write made absolute: the engine works in another folder."""
    changes: dict[str, Any] = {
        name: str(Path(getattr(verb, name)).expanduser().absolute())
        for name in marked(type(verb), Output)
        if getattr(verb, name)
    }
    return verb.model_copy(update=changes) if changes else verb
