"""Files of this machine that an engine on another one reads or writes: sent before, fetched after, over the same link.

Several parts are on their way at once, so that a link of long delays is full; how many follows from the rate that was
measured, so that a slow link stays free for what is asked beside it. What comes from over there is checked: no path
leaves the place that was named, and every file has the size and digest that were told. Nothing is left half-written.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import time
from collections import deque
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench.engine.pace import Pace
from workbench.engine.protocol import Progress
from workbench.errors import EngineDied, InputFileError, UsageError
from workbench.paths import require_folder
from workbench.uploads import absolute_paths, marked
from workbench.verbs import Output, Sent, Verb

CAPABILITY = "carry"
PARTS = "parts"
"""What an engine can do that takes the parts of a file in any order."""
CHUNK = 128 * 1024
"""Bytes of one part."""
MOST_PARTS = 24
"""Parts on their way at once: 4 MB of messages, half of what an engine lets a front end leave unread."""
AHEAD_SECONDS = 0.5
"""As much as the link carries in this time is on its way."""
MEGABYTE = 10**6
PLACE = re.compile(r"(?!\.\.?(/|$))[^/\0\\]+(/(?!\.\.?(/|$))[^/\0\\]+)*")
"""A path below a folder, with no part that leads out of it."""
Parts = Generator[dict[str, Any] | None, dict[str, Any] | None, None]
Asking = Generator[dict[str, Any] | None, dict[str, Any] | None, dict[str, Any]]
"""Messages to send, or None to be given the oldest answer that was not given yet; in the end the reply."""


@dataclass
class Window:
    """How many parts of one file may be on their way, by what the link has carried, and how far the file is.

    Attributes:
        most: parts on their way at once, whatever the link carries.
        what: a word on the file, for the one who waits.
        size: bytes in all.
        tell: called with the megabytes done, all of them, and `what` with the rate.
    """

    what: str
    size: int
    tell: Progress | None
    most: int = MOST_PARTS
    done: int = 0
    under_way: int = 0
    _recent: deque[tuple[float, int]] = field(default_factory=lambda: deque([(time.monotonic(), 0)], maxlen=MOST_PARTS))
    _pace: Pace = field(default_factory=Pace)

    @property
    def full(self) -> bool:
        """Whether an answer has to come before the next part is asked for."""
        ahead = int(self.rate * AHEAD_SECONDS / CHUNK) + 2
        return self.under_way >= min(ahead, self.most)

    @property
    def rate(self) -> float:
        """Bytes a second, over the last parts."""
        seconds = time.monotonic() - self._recent[0][0]
        return (self.done - self._recent[0][1]) / max(seconds, 1e-3)

    def came(self, many: int) -> None:
        """So many bytes are over."""
        self.under_way -= 1
        self.done += many
        self._recent.append((time.monotonic(), self.done))
        self.say()

    def say(self) -> None:
        """Say how far it is; a small file is there before anyone reads of it."""
        if self.tell is None or self.size <= CHUNK or not self._pace.due():
            return
        rate = f" at {self.rate / MEGABYTE:.1f} MB/s" if self.done else ""
        self.tell(self.done // MEGABYTE, -(-self.size // MEGABYTE), f"{self.what}{rate}, MB")


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
    yield {"open": True}
    box = _given((yield None))["box"]
    places = {}
    for name, path in wanted.items():
        places[name] = f"{name}/{path.name}"
        for place, file in _files(path):
            yield from _send(file, {"store": box, "place": f"{places[name]}{place}"}, engine, tell)
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


def _given(answer: dict[str, Any] | None) -> dict[str, Any]:
    if answer is None:
        raise EngineDied("an answer that was waited for did not come", "Repeat the command.")
    return answer


def _send(path: Path, head: dict[str, Any], engine: dict[str, Any], tell: Progress | None) -> Parts:
    most = MOST_PARTS if PARTS in engine.get("capabilities", ()) else 1  # else they are put one after the other
    try:
        with path.open("rb") as file:
            window = Window(f"sending {path.name}", path.stat().st_size, tell, most)
            window.say()
            offset = 0
            data = file.read(CHUNK)
            while True:  # an empty file is a file
                yield {**head, "offset": offset, "base64": base64.b64encode(data).decode("ascii")}
                window.under_way += 1
                offset += len(data)
                data = file.read(CHUNK)
                while window.under_way and (window.full or not data):
                    window.came(int(_given((yield None))["stored"]))
                if not data:
                    break
    except OSError as error:
        raise InputFileError(f"{path} cannot be read ({error.strerror})", "Check its permissions.") from error
    except EngineDied as error:
        raise _broken(error, path.name, window) from error


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
    yield None
    names = {str(carried["paths"][field]): str(path) for field, path in wanted.items() if field in carried["paths"]}
    return {key: _renamed(value, names) if key in ("result", "params") else value for key, value in reply.items()}


def _target(wanted: dict[str, Path], told: dict[str, Any]) -> Path:
    field, place = told.get("field"), told.get("place")
    if field not in wanted or not isinstance(place, str) or (place and not PLACE.fullmatch(place)):
        raise EngineDied(f"the engine sent {place!r:.80}, which was not asked for", "Do not trust that machine.")
    return wanted[field] / place if place else wanted[field]


def _fetch(target: Path, question: dict[str, Any], told: dict[str, Any], tell: Progress | None) -> Parts:
    from workbench.files import replacing

    digest, asked = hashlib.sha256(), 0
    window = Window(f"fetching {target.name}", int(told["bytes"]), tell)
    window.say()
    with replacing(target) as file:
        while window.done < window.size:
            while asked < window.size and not window.full:
                yield {**question, "offset": asked}
                window.under_way += 1
                asked += CHUNK
            try:
                data = _bytes(_given((yield None)))
            except EngineDied as error:
                raise _broken(error, target.name, window) from error
            if not data:
                break
            digest.update(data)
            file.write(data)
            window.came(len(data))
        if window.done != window.size or digest.hexdigest() != told["sha256"]:
            raise EngineDied(f"{target.name} did not come whole ({window.done:,} bytes)", "Repeat the command.")


def _broken(error: EngineDied, name: str, window: Window) -> EngineDied:
    """The error of a link that broke under a file, with how far that was."""
    far = f"{window.done / MEGABYTE:.1f} of {window.size / MEGABYTE:.1f} MB of {name} were over"
    return EngineDied(f"{error.message} ({far})", "Nothing half-written is left on either side. Repeat the command.")


def _bytes(answer: dict[str, Any]) -> bytes:
    try:
        return base64.b64decode(answer.get("base64", ""), validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise EngineDied("a part of a file is not base64", "Repeat the command.") from error


def _renamed(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _renamed(item, names) for key, item in value.items()}
    return names.get(value, value) if isinstance(value, str) else value
