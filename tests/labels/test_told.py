"""What is told of a queue and of many rows: a reply has 256 KiB, and all who wait read one line."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from commands.handlers.labels.asking import SHOWN, told_rows
from commands.handlers.labels.failing import cleared_entry, failed_entry
from tests.labels.conftest import PRICE
from workbench.labels.budget import Budget
from workbench.labels.named import label_entries, label_entry, own_label
from workbench.labels.service import queue_text
from workbench.session.state import Entry, State


class Kept:
    """Keeps what is stored in the artifact."""

    def __init__(self) -> None:
        self.stored: dict[str, Any] = {}

    def save_json(self, name: str, value: Any) -> None:
        self.stored[name] = value


def test_a_queue_tells_rate_time_left_spent_and_errors() -> None:
    budget = Budget(PRICE, 5.0)
    budget.settle(0.0, {"input_tokens": 12_300})
    assert queue_text("m", 0, 40, 0.0, budget, 0) == "asking m · $0.0123 of $5"
    assert queue_text("m", 10, 20, 2.0, budget, 1) == "asking m · 5/s · 4 s left · $0.0123 of $5 · 1 error"
    assert queue_text("m", 10, 10_000, 20.0, budget, 2) == "asking m · 0.5/s · 5.6 h left · $0.0123 of $5 · 2 errors"


def test_more_rows_than_a_reply_holds_are_in_the_artifact() -> None:
    few, many, kept = [{"status": "suggested"}] * SHOWN, [{"status": "error"}] * (SHOWN + 1), Kept()
    assert told_rows(kept, "labels", few) == {"labels": few, "total": SHOWN, "errors": 0}  # type: ignore[arg-type]
    assert kept.stored == {}
    told = told_rows(kept, "labels", many)  # type: ignore[arg-type]
    assert (len(told["labels"]), told["total"], told["errors"]) == (SHOWN, SHOWN + 1, SHOWN + 1)
    assert kept.stored["labels"] == many


def test_a_failure_is_forgotten_once_the_same_model_has_answered() -> None:
    key = "label_errors/suggest/space#5"
    state = State({key: Entry(2, failed_entry("it was cut off", "one"), False)}, set(), set())
    lab: Any = SimpleNamespace(state=state)
    assert cleared_entry(lab, key, "one") == {key: None}
    assert cleared_entry(lab, key, "another") == cleared_entry(lab, key + "0", "one") == {}


def test_ones_own_words_on_a_quantum_stand_before_a_suggestion_and_keep_their_note() -> None:
    suggested = {"text": "a skill", "source": "offline", "status": "suggested"}
    noted = {"text": "", "note": "look again"}
    entries = {"labels/quanta/abc#5": Entry(3, suggested, False), "quanta/labels/abc/5": Entry(2, noted, False)}
    state = State(entries, set(), set())
    assert label_entry(state, "quanta/abc#5") == Entry(3, suggested, False)
    sets = own_label(state, "quanta/abc#5", "mine")
    assert sets == {"quanta/labels/abc/5": {"text": "mine", "note": "look again"}}
    state.entries["quanta/labels/abc/5"] = Entry(4, sets["quanta/labels/abc/5"], False)
    found = label_entries(state)["quanta/abc#5"]
    assert (found.seq, found.value["text"], found.value["source"]) == (4, "mine", "investigator")
    assert own_label(state, "quanta/abc#5", "") == {
        "quanta/labels/abc/5": {"text": "", "note": "look again"}, "labels/quanta/abc#5": None,
    }  # fmt: skip
