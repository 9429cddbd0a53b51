"""Replies of a language model on disk: stored before they are used, found again by what was asked."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

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


@dataclass(frozen=True)
class SentBatch:
    """A message batch that was sent, or was about to be when the process ended.

    Attributes:
        intent: names it here; of its requests alone.
        name: the service's; None where it is not known whether the service took it.
        prompts: digest of the prompt of each request, by its key.
        at: when it was about to be sent.
    """

    intent: str
    name: str | None
    prompts: dict[str, str]
    at: str


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

    def intend_batch(self, prompts: dict[str, str]) -> SentBatch:
        """Store which requests a batch will hold, before it is sent; the name that the service gives comes after.

        Args:
            prompts: the digest of the prompt of each request, by its key.

        Raises:
            StorageError: the disk is full or cannot be written.
        """
        intent = text_digest(",".join(sorted(prompts))).removeprefix("sha256:")[:32]
        batch = SentBatch(intent, None, prompts, datetime.now(UTC).isoformat(timespec="seconds"))
        self._keep_batch(batch)
        return batch

    def name_batch(self, batch: SentBatch, name: str) -> SentBatch:
        """Store the service's name of a batch, before anything is waited for.

        Raises:
            StorageError: the disk is full or cannot be written.
        """
        named = replace(batch, name=name)
        self._keep_batch(named)
        return named

    def batches(self) -> list[SentBatch]:
        """The batches that were sent, or were about to be, and whose replies are not all stored."""
        found = []
        for path in sorted((self._folder / "batches").glob("*.json")):
            try:
                told = json.loads(path.read_text("utf-8"))
                keys = told["keys"]
                prompts = keys if isinstance(keys, dict) else dict.fromkeys(keys, "")
                found.append(SentBatch(path.stem, told["id"], prompts, told.get("at", "")))
            except (OSError, ValueError, LookupError, TypeError):
                continue
        return found

    def forget_batch(self, batch: SentBatch) -> None:
        """Drop a batch whose replies are all stored, or that was never sent."""
        self._batch_path(batch.intent).unlink(missing_ok=True)

    def _keep_batch(self, batch: SentBatch) -> None:
        told = {"id": batch.name, "keys": batch.prompts, "at": batch.at}
        write_atomic(self._batch_path(batch.intent), json.dumps(told))

    def _batch_path(self, intent: str) -> Path:
        return self._folder / "batches" / f"{intent}.json"

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / f"{key}.json"
