"""Files of the user's on their way into a session, and paths of files that come out.

Front ends read a field marked `Upload` and send its content; whoever owns the session keeps it under
`inputs/` by its digest, so that the log holds a relative path and a replay needs no other folder.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from workbench.errors import InputFileError, UsageError
from workbench.verbs import File, Folder, InItsPlace, Output, Upload, Verb

UPLOAD_LIMIT = 16 * 1024 * 1024
"""Bytes of one file."""
_KEPT = re.compile(r"inputs/[0-9a-f]{12}-[^/]+")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_INPUTS = "inputs"


@dataclass(frozen=True)
class UploadedFile:
    """The content of a file of the user's, sent along with a request."""

    name: str
    content: bytes


def marked(verb: type[Verb], mark: type) -> list[str]:
    """The fields of a verb that carry this mark."""
    return [name for name, field in verb.model_fields.items() if any(isinstance(item, mark) for item in field.metadata)]


def absolute_paths(verb: Verb) -> Verb:
    """The verb with the files it writes and the local files and folders it names as absolute paths.

    The engine works in another folder than whoever asks it. An empty output stays for the handler to choose, and
    a name that is no folder or file here stays a name.
    """
    outputs = {name: getattr(verb, name) for name in marked(type(verb), Output)}
    folders = {name: getattr(verb, name) for name in marked(type(verb), Folder)}
    files = {name: getattr(verb, name) for name in marked(type(verb), File)}
    lists = {name: folders.pop(name) for name, value in list(folders.items()) if isinstance(value, tuple)}
    named = {**outputs, **{name: value for name, value in folders.items() if _is_folder(value)}}
    named |= {name: value for name, value in files.items() if _is_file(value)}
    update: dict[str, Any] = {name: _absolute(value) for name, value in named.items() if value}
    update |= {name: tuple(_absolute(v) if _is_folder(v) else v for v in value) for name, value in lists.items()}
    update |= {name: tuple(map(_placed, getattr(verb, name))) for name in marked(type(verb), InItsPlace)}
    return verb.model_copy(update=update) if update else verb


def _absolute(path: str) -> str:
    return str(Path(path).expanduser().absolute())


def _placed(pair: str) -> str:
    """NAME=HERE with the path of a folder or file that is here absolute; either part may hold the sign."""
    for name, here in splits(pair):
        if _is_folder(here) or _is_file(here):
            return f"{name}={_absolute(here)}"
    return pair


def splits(pair: str) -> list[tuple[str, str]]:
    """The ways to read `NAME=FOLDER`, the shortest name first."""
    parts = pair.split("=")
    return [("=".join(parts[:cut]), "=".join(parts[cut:])) for cut in range(1, len(parts))]


def _is_folder(value: str) -> bool:
    return value not in ("", "demo", "raw") and Path(value).expanduser().is_dir()


def _is_file(value: str) -> bool:
    return value not in ("", "demo") and Path(value).expanduser().is_file()


def read_uploads(verb: Verb) -> dict[str, UploadedFile]:
    """The content of the files that a verb names, by field.

    A path that an earlier upload was given (`inputs/...`) is left alone: the session has that file.

    Raises:
        InputFileError: a file that is missing, a folder, unreadable or over 16 MiB.
    """
    files: dict[str, UploadedFile] = {}
    for name in marked(type(verb), Upload):
        value = getattr(verb, name)
        path = Path(value).expanduser()
        if value and (path.exists() or not _KEPT.fullmatch(value)):
            files[name] = UploadedFile(path.name, _content(path))
    return files


def _content(path: Path) -> bytes:
    try:
        if path.is_file() and path.stat().st_size > UPLOAD_LIMIT:
            raise InputFileError(
                f"{path} has {path.stat().st_size:,} bytes, over the limit of {UPLOAD_LIMIT:,}", "Split the file."
            )
        return path.read_bytes()
    except IsADirectoryError as error:
        raise InputFileError(f"{path} is a folder", "Name a file.") from error
    except FileNotFoundError as error:
        raise InputFileError(f"there is no file {path}", "Check the path; it is relative to where you are.") from error
    except (OSError, ValueError) as error:
        raise InputFileError(f"{path} cannot be read ({error})", "Check its permissions.") from error


def utf8_text(content: bytes, name: str) -> str:
    """The text of a file, without the mark that some editors put first.

    Raises:
        InputFileError: it is not UTF-8; the line where it stops being so is named, and what converts it.
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        from workbench.not_utf8 import not_utf8

        raise not_utf8(name, [content]) from error


def as_message(files: Mapping[str, UploadedFile]) -> dict[str, Any]:
    """The files as they travel."""
    return {
        name: {"name": file.name, "base64": base64.b64encode(file.content).decode("ascii")}
        for name, file in files.items()
    }


def keep_uploads(verb: Verb, files: Mapping[str, UploadedFile], folder: Path) -> Verb:
    """Store the files under `inputs/` of a session folder and name them so in the verb.

    Raises:
        UsageError: a file for a field that takes none, or a path without its file.
        StorageError: the disk is full or the folder cannot be written.
    """
    from workbench.files import write_atomic  # front ends only read files

    known = marked(type(verb), Upload)
    kept: dict[str, str] = {}
    for name in known:
        value = getattr(verb, name)
        if value and name not in files and not _KEPT.fullmatch(value):
            raise UsageError(f"{verb.dotted} names the file {value!r} without its content", "Send it in `files`.")
    for name, file in files.items():
        if name not in known:
            raise UsageError(f"{verb.dotted} takes no file as {name!r}", f"Files go to: {', '.join(known) or 'none'}.")
        digest = hashlib.sha256(file.content).hexdigest()[:12]
        kept[name] = f"{_INPUTS}/{digest}-{safe_name(file.name)}"
        target = folder / kept[name]
        if not target.exists():
            write_atomic(target, file.content)
    return verb.model_copy(update=kept) if kept else verb


def safe_name(name: str) -> str:
    """A file name without folders and with plain characters only."""
    last = PureWindowsPath(PurePosixPath(name).name).name
    return _UNSAFE.sub("-", last).strip("-.")[-80:] or "file"
