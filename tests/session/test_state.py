"""The state is a fold over the log: withdrawn lines do not count, what used them is stale."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.session.log import LogLine
from workbench.session.state import State, fold


def line(seq: int, **more: Any) -> LogLine:
    return LogLine(seq=seq, utc="2025-01-01T00:00:00Z", do="toy.put", params={}, **more)


def values(lines: list[LogLine]) -> dict[str, Any]:
    return {name: entry.value for name, entry in fold(lines).entries.items()}


def test_later_lines_overwrite_earlier_ones() -> None:
    state = fold([line(1, sets={"a": 1, "b": 1}), line(2, sets={"a": 2})])
    assert (state.get("a"), state.entries["a"].seq) == (2, 2)
    assert (state.get("b"), state.entries["b"].seq) == (1, 1)


def test_none_removes_an_entry() -> None:
    assert values([line(1, sets={"model": 1, "sae": 1}), line(2, sets={"model": 2, "sae": None})]) == {"model": 2}


def test_undoing_restores_what_was_before() -> None:
    lines = [line(1, sets={"a": 1}), line(2, sets={"a": 2, "b": None}), line(3, withdraws=[2])]
    assert values(lines) == {"a": 1}
    assert fold(lines).withdrawn == {2}


def test_undoing_an_undo_restores_what_it_took_back() -> None:
    lines = [line(1, sets={"a": 1}), line(2, withdraws=[1]), line(3, withdraws=[2])]
    assert values(lines) == {"a": 1}
    assert fold(lines).withdrawn == {2}


def test_three_undos_deep() -> None:
    lines = [line(1, sets={"a": 1}), line(2, withdraws=[1]), line(3, withdraws=[2]), line(4, withdraws=[3])]
    assert values(lines) == {}
    assert fold(lines).withdrawn == {3, 1}


def test_staleness_runs_down_the_chain_and_leaves_the_numbers_readable() -> None:
    lines = [line(1), line(2, uses=[1], sets={"a": 2}), line(3, uses=[2], sets={"b": 3}), line(4, sets={"c": 4})]
    state = fold([*lines, line(5, withdraws=[1])])
    assert state.stale == {2, 3}
    assert {name: entry.stale for name, entry in state.entries.items()} == {"a": True, "b": True, "c": False}
    assert state.get("b") == 3


def test_a_stale_edit_of_clusters_gives_way_to_the_clusters_before_it() -> None:
    name = "quanta/clusters"
    made = [line(1, sets={name: "first"}), line(2, sets={name: "second"}), line(3, uses=[2], sets={name: "split"})]
    assert values(made) == {name: "split"}
    assert values([*made, line(4, withdraws=[2])]) == {name: "first"}
    assert values([*made, line(4, withdraws=[2]), line(5, withdraws=[1])]) == {}
    cleared = [*made, line(4, uses=[2], sets={"quanta/samples": "s", name: None})]
    assert values([*cleared, line(5, withdraws=[2])]) == {name: "first"}


def test_a_failed_line_counts_for_nothing() -> None:
    lines = [line(1, sets={"a": 1}), line(2, outcome="error", sets={"a": 2}, withdraws=[1])]
    assert values(lines) == {"a": 1}


def test_entries_are_found_by_whole_parts_of_their_names() -> None:
    state = fold([line(1, sets={"stimuli/a": 1, "stimuli/b/c": 2, "stimulib": 3, "stimuli": 4})])
    assert sorted(state.under("stimuli")) == ["a", "b/c"]
    without = fold([line(1, sets={"stimuli/a": 1, "stimuli/b/c": 2, "stimuli": 4})])
    assert state.digest_of(["stimuli"]) == without.digest_of(["stimuli"])
    assert state.digest_of(["stimulib"]) != without.digest_of(["stimulib"])


@st.composite
def logs(draw: st.DrawFn) -> list[LogLine]:
    size = draw(st.integers(0, 14))
    lines = []
    for seq in range(1, size + 1):
        earlier = st.lists(st.integers(1, seq - 1), max_size=2) if seq > 1 else st.just([])
        sets = st.dictionaries(st.sampled_from("abc"), st.one_of(st.none(), st.integers(0, 9)), max_size=2)
        lines.append(
            line(
                seq,
                outcome=draw(st.sampled_from(["ok", "ok", "ok", "error"])),
                sets=draw(sets),
                uses=draw(earlier),
                withdraws=draw(st.one_of(st.just([]), earlier)),
            )
        )
    return lines


def in_force(lines: list[LogLine], number: int) -> bool:
    """By definition: it worked, and no later line that is in force withdraws it."""
    own = lines[number]
    later = range(number + 1, len(lines))
    return own.outcome == "ok" and not any(own.seq in lines[k].withdraws and in_force(lines, k) for k in later)


def is_stale(lines: list[LogLine], number: int) -> bool:
    """By definition: it worked, and something it used was taken back or is stale."""
    if lines[number].outcome != "ok":
        return False
    withdrawn = {seq for k, other in enumerate(lines) if in_force(lines, k) for seq in other.withdraws}
    return any(used in withdrawn or is_stale(lines, used - 1) for used in lines[number].uses)


@settings(deadline=None, max_examples=300)
@given(logs())
def test_the_fold_is_its_definition(lines: list[LogLine]) -> None:
    state = fold(lines)
    assert state.stale == {found.seq for k, found in enumerate(lines) if is_stale(lines, k)}
    expected: dict[str, tuple[int, Any, bool]] = {}
    for k, found in enumerate(lines):
        for name, value in found.sets.items() if in_force(lines, k) else ():
            expected.pop(name, None)
            if value is not None:
                expected[name] = (found.seq, value, is_stale(lines, k))
    assert {name: (entry.seq, entry.value, entry.stale) for name, entry in state.entries.items()} == expected
    assert {found.seq for found in lines if found.outcome == "ok"} - state.withdrawn == {
        found.seq for k, found in enumerate(lines) if in_force(lines, k)
    }


@settings(deadline=None, max_examples=100)
@given(logs())
def test_the_state_survives_the_wire(lines: list[LogLine]) -> None:
    state = fold(lines)
    assert State.from_dict(state.as_dict()) == state
