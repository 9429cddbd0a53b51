"""Replies of a language model on disk: stored before they are used, found again by what was asked."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from workbench.digests import text_digest
from workbench.files import write_atomic

FOLDER = "replies"


@dataclass(frozen=True)
class Reply:
    """What came back.

    Attributes:
        key: of the request.
        model: that answered.
        text: of the answer.
        stop: why it ended.
        usage: tokens.
        date: when.
        prompt: digest of the prompt.
        batch: whether it came in a batch.
    """

    key: str
    model: str
    text: str
    stop: str
    usage: dict[str, int]
    date: str
    prompt: str
    batch: bool = False


class Replies:
    """A folder of replies.

    Args:
        home: the workbench's own folder.
    """

    def __init__(self, home: Path) -> None:
        self._folder = home / FOLDER

    def get(self, key: str) -> Reply | None:
        """The stored reply, or None; one that cannot be read counts as none."""
        try:
            return Reply(**json.loads(self._path(key).read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def put(self, reply: Reply) -> None:
        """Store a reply.

        Raises:
            StorageError: the disk is full or cannot be written.
        """
        write_atomic(self._path(reply.key), json.dumps(asdict(reply), ensure_ascii=True))

    def remember_batch(self, name: str, keys: list[str]) -> None:
        """Store the name of a batch with the requests in it, before anything is waited for.

        Raises:
            StorageError: the disk is full or cannot be written.
        """
        path = self._folder / "batches" / f"{text_digest(name).removeprefix('sha256:')[:32]}.json"
        write_atomic(path, json.dumps({"id": name, "keys": keys}))

    def batches(self) -> list[dict[str, Any]]:
        """The batches that were sent, with the keys of their requests."""
        found = []
        for path in sorted((self._folder / "batches").glob("*.json")):
            try:
                found.append(json.loads(path.read_text("utf-8")))
            except (OSError, ValueError):
                continue
        return found

    def forget_batch(self, name: str) -> None:
        """Drop the name of a batch whose replies are all stored."""
        path = self._folder / "batches" / f"{text_digest(name).removeprefix('sha256:')[:32]}.json"
        path.unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / f"{key}.json"
