"""The requests of a front end, read from messages that may hold anything."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench.engine.wire import MESSAGE_LIMIT, ProtocolError
from workbench.uploads import UPLOAD_LIMIT, UploadedFile

RequestId = int | str


@dataclass(frozen=True)
class Request:
    """Carry a verb out."""

    id: RequestId
    do: str
    params: dict[str, Any]
    session: str | None
    sessions: Path | None
    fresh: bool = False
    detach: bool = False
    files: Mapping[str, UploadedFile] = field(default_factory=dict)
    carry: bool = False
    sent: dict[str, Any] = field(default_factory=dict)


def request_id(message: dict[str, Any]) -> RequestId:
    """The id under which the front end wants its answer.

    Raises:
        ProtocolError: it is missing, or neither a number nor a short text.
    """
    value = message.get("id")
    if isinstance(value, bool) or not isinstance(value, (int, str)) or (isinstance(value, str) and len(value) > 64):
        raise ProtocolError(f"a request has the id {value!r:.80}", "An id is a number or a short text.")
    return value


def read_request(message: dict[str, Any], size: int) -> Request:
    """The request of a message that was `size` bytes long.

    Raises:
        ProtocolError: a field is missing or has the wrong type, or the message is too long.
    """
    if size > MESSAGE_LIMIT and not message.get("files"):
        raise ProtocolError(f"a request of {size:,} bytes is over the limit of {MESSAGE_LIMIT:,}")
    return Request(
        request_id(message),
        _field(message, "do", str),
        _field(message, "params", dict, {}),
        _optional_text(message, "session"),
        sessions_folder(message),
        _field(message, "fresh", bool, False),
        _field(message, "detach", bool, False),
        {name: _file(name, value) for name, value in _field(message, "files", dict, {}).items()},
        _field(message, "carry", bool, False),
        _field(message, "sent", dict, {}),
    )


def sessions_folder(message: dict[str, Any]) -> Path | None:
    """The folder of sessions that a message names.

    Raises:
        ProtocolError: it is no absolute path.
    """
    text = _optional_text(message, "sessions")
    if text is None:
        return None
    path = Path(text)
    if not path.is_absolute() or "\0" in text:
        raise ProtocolError(f"sessions is {text!r:.80}", "It must be an absolute path.")
    return path


def optional_name(message: dict[str, Any], name: str) -> str | None:
    """A text or null.

    Raises:
        ProtocolError: it is something else.
    """
    return _optional_text(message, name)


def _optional_text(message: dict[str, Any], name: str) -> str | None:
    value = message.get(name)
    if value is not None and not isinstance(value, str):
        raise ProtocolError(f"{name} is {value!r:.80}", "It must be a text or null.")
    return value


def _field(message: dict[str, Any], name: str, kind: type, default: Any = None) -> Any:
    value = message.get(name)
    if value is None and default is not None:
        return default
    if not isinstance(value, kind):
        raise ProtocolError(f"{name} is {value!r:.80}", f"It must be a JSON {kind.__name__}.")
    return value


def _file(name: str, value: Any) -> UploadedFile:
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        raise ProtocolError(f"the file of {name!r:.80} has no name")
    try:
        content = base64.b64decode(value.get("base64", ""), validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise ProtocolError(f"the file of {name!r:.80} is not base64 ({error})") from error
    if len(content) > UPLOAD_LIMIT:
        raise ProtocolError(f"the file of {name!r:.80} has {len(content):,} bytes, over {UPLOAD_LIMIT:,}")
    return UploadedFile(value["name"], content)
