"""What a language model gave no label or score for: remembered in the session, so that it is asked again by one key."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

from workbench.errors import UsageError
from workbench.features.evidence import cut
from workbench.lab import Lab
from workbench.labels.named import number_of, of_name

LONGEST = 300
"""Bytes of an error in a list."""
SHOWN = 20
"""Failures that a list has."""
ASKED = ("what", "of", "model", "protocol", "negatives")
"""What has to be said to ask again."""


def failed_entry(error: str, model: str, **asked: Any) -> dict[str, Any]:
    """The state entry of a failure; its time keeps a repeated command from taking the stored failure for an answer.

    Args:
        error: in words, with what to do.
        model: that was asked.
        asked: what else has to be said to ask again.
    """
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    return {"error": cut(error, LONGEST), "model": model, "date": now, **asked}


def cleared_entry(lab: Lab, key: str, model: str) -> dict[str, Any]:
    """Takes a failure away once the same model has answered; another's answer leaves it."""
    before = lab.state.get(key)
    return {key: None} if before is not None and before["model"] == model else {}


def failures(lab: Lab) -> list[dict[str, Any]]:
    """What is without an answer, labels first.

    Returns:
        `{"feature", "index", "of", "what": "suggest" or "score", "error", "model", "seq", ...}`
    """
    found = []
    for key, entry in lab.state.under("label_errors").items():
        what, _, name = key.partition("/")
        if what == "score":
            name = name.rpartition("/")[0].rpartition("/")[0]
        head = {"feature": name, "index": number_of(name), "of": of_name(name), "what": what, "seq": entry.seq}
        found.append({**head, **{field: value for field, value in entry.value.items() if field != "date"}})
    return sorted(found, key=lambda one: (one["what"] == "score", one["of"], one["index"]))


def grouped(failed: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Failures by what has to be said to ask again, with how many there are of each."""
    counts = Counter(tuple(one.get(name) for name in ASKED) for one in failed)
    return [{**dict(zip(ASKED, group, strict=True)), "count": count} for group, count in counts.items()]


def numbers_without_answer(lab: Lab, space: str, what: str, **asked: Any) -> list[int]:
    """The numbers of a space for which a model gave no label (`suggest`) or score before.

    Raises:
        UsageError: there is none.
    """
    found = [
        one["index"]
        for one in failures(lab)
        if one["what"] == what
        and one["feature"].startswith(f"{space}#")
        and all(one.get(name) in (value if isinstance(value, tuple) else (value,)) for name, value in asked.items())
    ]
    if not found:
        raise UsageError("nothing is without an answer", "Leave --failed out, and say what to ask for.")
    return sorted(dict.fromkeys(found))
