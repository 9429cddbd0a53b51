"""Files on their way to and from a front end on another machine.

A path that such a front end names is one of its own machine. The work writes into a private folder instead, laid out as
the paths were, and the front end fetches the files bit by bit over the link that it has (`carried.py`). A file that it
has, and that is too large to come along with a request, is sent before it in the same way.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench import paths
from workbench.engine.carried import CHUNK, PLACE
from workbench.engine.wire import ProtocolError
from workbench.errors import UsageError, storage_error
from workbench.uploads import marked
from workbench.verbs import Output, Sent, Verb

FOLDER = "carried"
OLD_SECONDS = 24 * 3600.0
"""After this, what an engine that was killed left behind is removed."""


@dataclass
class Box:
    """The files of one request.

    Attributes:
        root: the private folder.
        places: the path over here that stands for each field.
        files: field, path below it (empty where the field is the file) and path over here, once the work is done.
    """

    root: Path
    places: dict[str, Path]
    files: list[tuple[str, str, Path]]


class Outbox:
    """The boxes of one connection; what is not fetched goes with it."""

    def __init__(self) -> None:
        self._boxes: dict[str, Box] = {}

    def divert(self, verb: type[Verb], params: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """A box for a request, and its parameters with the paths in it.

        Raises:
            UsageError: an output is no absolute path.
            StorageError: the disk is full or the folder cannot be written.
        """
        wanted = {name: str(params[name]) for name in marked(verb, Output) if params.get(name)}
        for name, value in wanted.items():
            if not Path(value).is_absolute() or "\0" in value or ".." in Path(value).parts:
                raise UsageError(f"{name} is {value!r:.80}", "It must be an absolute path.")
        above = os.path.commonpath([str(Path(value).parent) for value in wanted.values()]) if wanted else "/"
        box = self._new()
        for name, value in wanted.items():
            box.places[name] = box.root / Path(value).relative_to(above)
            _make(box.places[name].parent)
        return box.root.name, {**params, **{name: str(place) for name, place in box.places.items()}}

    def open(self) -> dict[str, Any]:
        """An empty box for files that are to be sent."""
        return {"box": self._new().root.name}

    def store(self, message: dict[str, Any]) -> dict[str, Any]:
        """Put a part into a file of a box: at its `offset`, or at the end where none is given.

        Raises:
            ProtocolError: there is no such box, the place leads out of it, or the part is not base64.
            StorageError: the disk is full or the folder cannot be written.
        """
        box, place, offset = self._box(message.get("store")), message.get("place"), message.get("offset")
        if not isinstance(place, str) or not PLACE.fullmatch(place):
            raise ProtocolError(f"{place!r:.80} is no place in a box")
        if offset is not None and (type(offset) is not int or offset < 0):
            raise ProtocolError(f"there is no place {offset!r:.20} in a file")
        try:
            data = base64.b64decode(message.get("base64", ""), validate=True)
        except (binascii.Error, TypeError, ValueError) as error:
            raise ProtocolError(f"a part of {place!r:.80} is not base64 ({error})") from error
        path = box.root / place
        _make(path.parent)
        try:
            _put(path, data, offset)
        except OSError as error:
            raise storage_error(path, error) from error
        return {"stored": len(data)}

    def sent(self, verb: type[Verb], params: dict[str, Any], told: dict[str, Any]) -> dict[str, Any]:
        """The parameters with the paths of files that were sent before.

        Raises:
            ProtocolError: there is no such box or place in it, or the verb takes no such file.
        """
        box, places = self._box(told.get("box")), told.get("places")
        known = marked(verb, Sent)
        if not isinstance(places, dict) or not all(
            name in known and isinstance(place, str) and PLACE.fullmatch(place) for name, place in places.items()
        ):
            raise ProtocolError(f"{verb.dotted} takes no such file", f"It takes: {', '.join(known) or 'none'}.")
        return {**params, **{name: str(box.root / place) for name, place in places.items()}}

    def listing(self, name: str) -> dict[str, Any]:
        """What the work wrote: the box's name, the path that stood for each field, and every file with its digest."""
        box = self._box(name)
        for field, place in box.places.items():
            found = sorted(path for path in place.rglob("*") if path.is_file()) if place.is_dir() else [place]
            box.files += [
                (field, "" if path == place else path.relative_to(place).as_posix(), path)
                for path in found
                if path.is_file()
            ]
        return {
            "box": name,
            "paths": {field: str(place) for field, place in box.places.items()},
            "files": [
                {"field": field, "place": place, "bytes": path.stat().st_size, "sha256": _digest(path)}
                for field, place, path in box.files
            ],
        }

    def read(self, message: dict[str, Any]) -> dict[str, Any]:
        """A part of a file.

        Raises:
            ProtocolError: there is no such box, file or place in it.
        """
        box, number, offset = self._box(message.get("fetch")), message.get("file"), message.get("offset")
        if type(number) is not int or type(offset) is not int or not 0 <= number < len(box.files) or offset < 0:
            raise ProtocolError(f"there is no file {number!r:.20} at {offset!r:.20}")
        with box.files[number][2].open("rb") as file:
            file.seek(offset)
            return {"base64": base64.b64encode(file.read(CHUNK)).decode("ascii")}

    def drop(self, name: Any) -> dict[str, Any]:
        """Forget a box and its files."""
        shutil.rmtree(self._box(name).root, ignore_errors=True)
        del self._boxes[name]
        return {"dropped": name}

    def clear(self) -> None:
        """Forget all of them."""
        for name in list(self._boxes):
            self.drop(name)

    def _new(self) -> Box:
        parent = paths.home() / FOLDER
        _make(parent)
        try:
            _sweep(parent)
            root = Path(tempfile.mkdtemp(dir=parent))  # of mode 0700
        except OSError as error:
            raise storage_error(parent, error) from error
        self._boxes[root.name] = Box(root, {}, [])
        return self._boxes[root.name]

    def _box(self, name: Any) -> Box:
        if not isinstance(name, str) or name not in self._boxes:
            raise ProtocolError(f"there is no box {name!r:.40}")
        return self._boxes[name]


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(folder, error) from error


def _put(path: Path, data: bytes, offset: int | None) -> None:
    """Write at a place, whatever else is written to the file meanwhile; without one, at the end."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | (os.O_APPEND if offset is None else 0), 0o600)
    with open(handle, "wb", buffering=0) as file:  # noqa: PTH123 - of a descriptor
        if offset is not None:
            file.seek(offset)
        left = memoryview(data)
        while left:
            left = left[file.write(left) or 0 :]


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sweep(parent: Path) -> None:
    for folder in parent.iterdir():
        if time.time() - folder.stat().st_mtime > OLD_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)
