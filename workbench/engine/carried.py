"""Files of this machine that an engine on another one reads or writes: sent before, fetched after, over the same link.

What comes from over there is checked: no path leaves the place that was named, and every file has the size and digest
that were told. Nothing is left half-written.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Generator
from pathlib import Path
from typing import Any

from workbench.engine.protocol import Progress
from workbench.errors import EngineDied, InputFileError, UsageError
from workbench.paths import require_folder
from workbench.uploads import absolute_paths, marked
from workbench.verbs import Output, Sent, Verb

CAPABILITY = "carry"
CHUNK = 128 * 1024
"""Bytes of one answer."""
MEGABYTE = 10**6
PLACE = re.compile(r"(?!\.\.?(/|$))[^/\0\\]+(/(?!\.\.?(/|$))[^/\0\\]+)*")
"""A path below a folder, with no part that leads out of it."""
Asking = Generator[dict[str, Any], dict[str, Any], dict[str, Any]]
"""Messages to send, answers to them, and in the end the reply."""


def outputs(verb: Verb) -> dict[str, Path]:
    """The files and folders that a verb is to write, as absolute paths of this machine."""
    found = absolute_paths(verb)
    return {name: Path(getattr(found, name)) for name in marked(type(verb), Output) if getattr(found, name)}


def check_carry(verb: Verb, engine: dict[str, Any]) -> bool:
    """Whether the verb writes files that have to be fetched; asked before the work is done.

    Raises:
        UsageError: there is no folder for them here, or the engine over there does not know how to send them.
    """
    wanted = outputs(verb)
    for path in wanted.values():
        require_folder(path, path.name)
    if wanted and CAPABILITY not in engine.get("capabilities", ()):
        raise UsageError(
            f"the engine over there cannot send what {verb.dotted} writes", "Update the workbench over there."
        )
    return bool(wanted)


def to_send(verb: Verb) -> dict[str, Path]:
    """The files and folders of this machine that a verb reads and that are too large to come along with the request."""
    found = {name: Path(getattr(verb, name)).expanduser() for name in marked(type(verb), Sent) if getattr(verb, name)}
    return {name: path.absolute() for name, path in found.items() if path.exists()}


def sending(verb: Verb, engine: dict[str, Any], tell: Progress | None = None) -> Asking:
    """Send what a verb reads; gives what its request then says of it, or nothing where there is nothing to send.

    `tell` is called with the megabytes done, all of them, and a word on the file.

    Raises:
        UsageError: the engine over there does not know how to take them, or a folder holds a link.
        InputFileError: a file cannot be read.
    """
    wanted = to_send(verb)
    if not wanted:
        return {}
    if CAPABILITY not in engine.get("capabilities", ()):
        raise UsageError(f"the engine over there cannot take what {verb.dotted} reads", "Update the workbench there.")
    box = (yield {"open": True})["box"]
    places = {}
    for name, path in wanted.items():
        places[name] = f"{name}/{path.name}"
        for place, file in _files(path):
            yield from _told(_send(file, {"store": box, "place": f"{places[name]}{place}"}), file, tell)
    return {"box": box, "places": places}


def _files(path: Path) -> list[tuple[str, Path]]:
    """The files of a folder, or the one that it is, with their places below it."""
    if not path.is_dir():
        return [("", path)]
    found = sorted(path.rglob("*"))
    if any(one.is_symlink() for one in found):
        raise UsageError(
            f"{path} holds a link, which cannot be sent", "It is not what `workbench session export` writes."
        )
    return [(f"/{one.relative_to(path).as_posix()}", one) for one in found if one.is_file()]


def _told(
    parts: Generator[dict[str, Any], dict[str, Any]], file: Path, tell: Progress | None
) -> Generator[dict[str, Any], dict[str, Any]]:
    """Pass the parts of a file on, and say how far it is."""
    size, sent = file.stat().st_size, 0
    for part in parts:
        _tell(tell, sent, size, f"sending {file.name}")
        yield part
        sent += CHUNK


def _tell(tell: Progress | None, done: int, size: int, what: str) -> None:
    if tell is not None and size > CHUNK:  # a small file is there before anyone reads of it
        tell(done // MEGABYTE, -(-size // MEGABYTE), f"{what}, MB")


def _send(path: Path, head: dict[str, Any]) -> Generator[dict[str, Any], dict[str, Any]]:
    try:
        with path.open("rb") as file:
            data = file.read(CHUNK)
            while True:  # an empty file is a file
                yield {**head, "base64": base64.b64encode(data).decode("ascii")}
                if not (data := file.read(CHUNK)):
                    break
    except OSError as error:
        raise InputFileError(f"{path} cannot be read ({error.strerror})", "Check its permissions.") from error


def fetching(verb: Verb, reply: dict[str, Any], tell: Progress | None = None) -> Asking:
    """Fetch the files of a reply; gives it back with the paths of this machine in it; `tell` as in `sending`.

    Raises:
        EngineDied: what came is not what was told.
        StorageError: the disk is full or the folder cannot be written; what stood there is untouched.
    """
    carried = reply.pop("carried", None)
    if carried is None:
        return reply
    wanted = outputs(verb)
    for number, told in enumerate(carried["files"]):
        yield from _fetch(_target(wanted, told), {"fetch": carried["box"], "file": number}, told, tell)
    yield {"drop": carried["box"]}
    names = {str(carried["paths"][field]): str(path) for field, path in wanted.items() if field in carried["paths"]}
    return {key: _renamed(value, names) if key in ("result", "params") else value for key, value in reply.items()}


def _target(wanted: dict[str, Path], told: dict[str, Any]) -> Path:
    field, place = told.get("field"), told.get("place")
    if field not in wanted or not isinstance(place, str) or (place and not PLACE.fullmatch(place)):
        raise EngineDied(f"the engine sent {place!r:.80}, which was not asked for", "Do not trust that machine.")
    return wanted[field] / place if place else wanted[field]


def _fetch(
    target: Path, question: dict[str, Any], told: dict[str, Any], tell: Progress | None
) -> Generator[dict[str, Any], dict[str, Any]]:
    from workbench.files import replacing

    size, digest = 0, hashlib.sha256()
    with replacing(target) as file:
        while size < int(told["bytes"]):
            _tell(tell, size, int(told["bytes"]), f"fetching {target.name}")
            answer = yield {**question, "offset": size}
            data = _bytes(answer)
            if not data:
                break
            size += len(data)
            digest.update(data)
            file.write(data)
        if size != told["bytes"] or digest.hexdigest() != told["sha256"]:
            raise EngineDied(f"{target.name} did not come whole ({size:,} bytes)", "Repeat the command.")


def _bytes(answer: dict[str, Any]) -> bytes:
    try:
        return base64.b64decode(answer.get("base64", ""), validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise EngineDied("a part of a file is not base64", "Repeat the command.") from error


def _renamed(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _renamed(item, names) for key, item in value.items()}
    return names.get(value, value) if isinstance(value, str) else value
