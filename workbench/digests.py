"""Digests: the names by which results, weights and texts are recognised again."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any


def canonical_json(value: Any) -> str:
    """JSON text that is the same for equal values: sorted keys, no spaces, no NaN.

    Raises:
        ValueError: a float is NaN or infinite, which JSON cannot say.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def text_digest(text: str) -> str:
    """`sha256:` and 64 hex digits of the text in UTF-8 (lone surrogates kept as they are)."""
    return "sha256:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def value_digest(value: Any) -> str:
    """The digest of a JSON value."""
    return text_digest(canonical_json(value))


def file_digest(path: Path) -> str:
    """The digest of a file's bytes."""
    with path.open("rb") as file:
        return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()


def folder_digest(folder: Path, names: list[str] | None = None) -> str:
    """The digest of a folder's files: their relative names and bytes, hidden files left out."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    if names is not None:
        files = [path for path in files if path.name in names]
    return value_digest({path.relative_to(folder).as_posix(): file_digest(path) for path in files})
