"""Names of files on this machine, for the `:` line."""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path

from screens import verbs

MOST = 500
"""Names that are looked at in a folder."""


def names_a_file(verb: type[verbs.Verb], name: str) -> bool:
    """Whether the parameter may name a file or folder that is there."""
    from workbench.uploads import marked
    from workbench.verbs import File, Folder, Upload

    return any(name in marked(verb, mark) for mark in (Upload, File, Folder))


def beginning_with(typed: str) -> list[str]:
    """The files and folders that begin so, folders with a slash at the end; hidden ones where a dot asks for them.

    A name with a blank or a quote is left out: it would have to be quoted, and a quoted word is not completed.
    """
    head, slash, last = typed.rpartition("/")
    folder = Path(head + slash).expanduser() if slash else Path()
    try:
        with os.scandir(folder) as entries:
            found = [f"{entry.name}/" if entry.is_dir() else entry.name for entry in islice(entries, MOST)]
    except OSError:
        return []
    fitting = [name for name in found if name.startswith(last) and (last.startswith(".") or not name.startswith("."))]
    return sorted(f"{head}{slash}{name}" for name in fitting if not set(name) & set(" \t'\"\\"))


def last_parts(options: list[str]) -> list[str]:
    """The options without the folder that they share, as a shell lists them."""
    return [option.rstrip("/").rpartition("/")[2] + "/" * option.endswith("/") for option in options]
