"""The codec of both hops: one JSON object a line, bounded in size, never trusted."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, NoReturn

from workbench import __version__
from workbench.errors import UsageError, WorkbenchError

PROTOCOL = 1
"""Raised when a message changes its meaning; part of the socket's name, so that versions never meet."""

CAPABILITIES = ("carry", "detach", "files", "parts", "view", "watch")
MESSAGE_LIMIT = 256 * 1024
"""Bytes of a message; uploads and the messages of the child may have `LINE_LIMIT`."""
LINE_LIMIT = 24 * 1024 * 1024
"""Bytes of a line that carries an upload: `uploads.UPLOAD_LIMIT` in base64, and room for the rest."""
READ_SIZE = 64 * 1024
_HELLO = b'{"hello":'


class ProtocolError(UsageError):
    """A message that is not what the protocol asks for; the connection goes on."""

    kind = "protocol"


@dataclass(frozen=True)
class TooLong:
    """Stands for a line that was longer than allowed and was skipped."""

    limit: int

    def error(self) -> ProtocolError:
        """What to tell the peer."""
        return ProtocolError(
            f"a message is longer than {self.limit:,} bytes", "Send less: page the result, or upload smaller files."
        )


class Lines:
    """Cuts a byte stream into lines; an over-long one is skipped up to its end and reported once."""

    def __init__(self, limit: int = LINE_LIMIT) -> None:
        self._limit = limit
        self._buffer = bytearray()
        self._skipping = False

    def feed(self, data: bytes) -> list[bytes | TooLong]:
        """The lines that `data` completes."""
        parts = data.split(b"\n")
        lines: list[bytes | TooLong] = []
        for part in parts[:-1]:
            self._extend(part)
            lines.append(TooLong(self._limit) if self._skipping else bytes(self._buffer))
            self._buffer.clear()
            self._skipping = False
        self._extend(parts[-1])
        return lines

    def _extend(self, part: bytes) -> None:
        if self._skipping:
            return
        self._buffer += part
        if len(self._buffer) > self._limit:
            self._buffer.clear()
            self._skipping = True


def encode(message: dict[str, Any], limit: int = MESSAGE_LIMIT) -> bytes:
    """One line for one message.

    Raises:
        ProtocolError: it holds NaN, something that is no JSON, or too much.
    """
    try:
        text = json.dumps(message, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (ValueError, TypeError, RecursionError) as error:
        raise ProtocolError(f"a message cannot be written as JSON ({error})") from error
    line = text.encode("utf-8", "surrogatepass") + b"\n"
    if len(line) > limit:
        raise ProtocolError(
            f"a message of {len(line):,} bytes is over the limit of {limit:,}", "Ask for fewer rows or a smaller page."
        )
    return line


def decode(line: bytes | TooLong, limit: int = LINE_LIMIT) -> dict[str, Any]:
    """The message of a line.

    Raises:
        ProtocolError: the line is too long, not JSON, or not an object.
    """
    if isinstance(line, TooLong):
        raise line.error()
    if len(line) > limit:
        raise TooLong(limit).error()
    try:
        message = json.loads(line.decode("utf-8", "surrogatepass"), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"a message is not JSON ({error})", "Send one JSON object a line, in UTF-8.") from error
    if not isinstance(message, dict):
        raise ProtocolError(f"a message is a JSON {type(message).__name__}, not an object")
    return message


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not allowed")


def hello(**more: Any) -> dict[str, Any]:
    """The first message of either side."""
    return {"hello": PROTOCOL, "version": __version__, **more}


def hello_in(lines: list[bytes | TooLong]) -> tuple[list[bytes | TooLong], str]:
    """The lines from the other side's hello on, and what a login shell said before it, also without a line's end."""
    said: list[str] = []
    for at, line in enumerate(lines):
        raw = line if isinstance(line, bytes) else b""
        start = raw.find(_HELLO) if _HELLO in raw else 0 if raw.startswith(b'{"id":') else -1
        if start >= 0:
            return [raw[start:], *lines[at + 1 :]], "\n".join(said)
        said.append(raw.decode("utf-8", "replace"))
    return [], "\n".join(said)


def check_hello(message: dict[str, Any]) -> None:
    """Refuse a peer that speaks another protocol.

    Raises:
        ProtocolError: it does, or said no hello.
    """
    theirs = message.get("hello")
    if theirs != PROTOCOL or isinstance(theirs, bool):
        raise ProtocolError(
            f"the other side says hello {theirs!r} (version {message.get('version')!r}), this one speaks {PROTOCOL}",
            "Use the same version on both sides; `workbench engine stop` ends an old engine.",
        )


def error_message(request: Any, error: WorkbenchError) -> dict[str, Any]:
    """The message that ends a request with an error."""
    return {"id": request, "error": error.as_dict()}
