"""What the tests of a contrast compare with: activations by the plain model, stored arrays, rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file

from workbench.session import SessionRecord


def activations(model: Any, space: Any, texts: list[str]) -> list[np.ndarray]:
    """(tokens, features) of each text by the plain Hugging Face model, BOS out."""
    found = []
    for text in texts:
        ids = model.tokenizer(text)["input_ids"]
        hidden = model.plain(input_ids=model.pad([ids])[0], output_hidden_states=True).hidden_states[2]
        found.append(space.encode(hidden)[0, 1:].detach().numpy())
    return found


def artifact(sessions: Path, seq: int, name: str) -> dict[str, np.ndarray]:
    record = SessionRecord(sessions / "s")
    found: dict[str, np.ndarray] = load_file(record.artifact_path(record.line(seq)) / f"{name}.safetensors")
    return found


def rows_by_index(result: dict[str, Any]) -> dict[int, dict[str, Any]]:
    return {row["index"]: row for row in result["rows"]}
