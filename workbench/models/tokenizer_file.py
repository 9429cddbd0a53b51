"""A model's tokenizer without the model: from `tokenizer.json`, in milliseconds and without torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workbench.errors import WorkbenchError
from workbench.models import hub
from workbench.models import reference as references


def token_counts(entry: dict[str, Any], texts: Sequence[str]) -> list[int] | None:
    """Text tokens of each text, special ones not counted; None where the model's folder has no `tokenizer.json`.

    Args:
        entry: the session's model, as `model.load` keeps it.
        texts: whole sentences, however long.
    """
    folder = _folder(entry)
    if folder is None or not (folder / "tokenizer.json").is_file():
        return None
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    except Exception:  # the library raises nothing narrower for a file that it cannot read
        return None
    # some files ask to cut or to pad, which is no property of a sentence
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return [len(found.ids) for found in tokenizer.encode_batch(list(texts), add_special_tokens=False)]


def _folder(entry: dict[str, Any]) -> Path | None:
    """Where the model's files lie, as far as they are on this machine."""
    try:
        reference = references.resolve(str(entry["ref"]))
        if reference.folder is not None:
            return reference.folder
        return hub.cached_snapshot(reference.ref, str(entry.get("digest") or ""))
    except WorkbenchError:
        return None
