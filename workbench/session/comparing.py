"""Two sessions side by side: which commands they share, and how settings, foundations and numbers differ.

Commands are paired in the order of the logs: first those that are equal, then those that differ in what is shown and in
the seed alone, then those of one name and the same subject (the positional parameters), then those of one name between
them. What failed or was withdrawn is left out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import islice
from typing import Any

from workbench.session.log import LogLine
from workbench.session.record import SessionRecord
from workbench.session.replay import Difference, Tolerances, compare

Pair = tuple[LogLine | None, LogLine | None]
Subject = Callable[[LogLine], tuple[Any, ...]]
"""What a line is about, beside its command."""

SLIGHT = ("seed", "top")
"""Settings that leave a question what it was: a contrast within pairs is the nearest kin of another within pairs."""
CUT = 160
"""Characters of a value that are shown."""


@dataclass(frozen=True)
class Compared:
    """One command of either session, or the same command of both."""

    first: LogLine | None
    second: LogLine | None
    settings: list[Difference]
    foundations: list[Difference]
    numbers: list[Difference]
    differing: int
    """How many numbers differ; `numbers` are the first of them."""

    @property
    def what(self) -> str:
        """`same`, `numbers`, `settings`, `foundations`, `only first` or `only second`."""
        if self.first is None or self.second is None:
            return "only second" if self.first is None else "only first"
        if self.settings:
            return "settings"
        if self.foundations:
            return "foundations"
        return "numbers" if self.differing else "same"


def in_force(record: SessionRecord) -> list[LogLine]:
    """The lines that count, undone ones and the undoing left out."""
    gone = record.state.withdrawn
    return [line for line in record.lines if line.outcome == "ok" and line.seq not in gone and not line.withdraws]


def paired(first: Sequence[LogLine], second: Sequence[LogLine], subject: Subject) -> Iterator[Pair]:
    """The lines of both, in order, each with the most like it that the order leaves."""

    def but(left_out: Sequence[str]) -> Subject:
        return lambda line: (line.do, {name: value for name, value in line.params.items() if name not in left_out})

    names = [but(()), but(SLIGHT), lambda line: (line.do, *subject(line)), lambda line: (line.do,)]
    yield from _paired(first, second, names)


def _paired(first: Sequence[LogLine], second: Sequence[LogLine], names: Sequence[Subject]) -> Iterator[Pair]:
    if not names:
        yield from ((line, None) for line in first)
        yield from ((None, line) for line in second)
        return
    name, rest = names[0], names[1:]
    left, right = [_key(name(line)) for line in first], [_key(name(line)) for line in second]
    at, other = 0, 0
    for block in SequenceMatcher(None, left, right, autojunk=False).get_matching_blocks():
        yield from _paired(first[at : block.a], second[other : block.b], rest)
        at, other = block.a + block.size, block.b + block.size
        yield from zip(first[block.a : at], second[block.b : other], strict=True)


def _key(value: tuple[Any, ...]) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=True)


def compared(pair: Pair, one: SessionRecord, other: SessionRecord, tolerance: Tolerances, most: int) -> Compared:
    """How the two lines of a pair differ."""
    first, second = pair
    if first is None or second is None:
        return Compared(first, second, [], [], [], 0)
    settings = list(_named(first.params, second.params))
    foundations = list(_named(_foundation(first), _foundation(second)))
    if first.digest == second.digest:
        return Compared(first, second, settings, foundations, [], 0)
    results = one.artifact(first)["result"], other.artifact(second)["result"]
    told = {(item.field, _key((item.recorded, item.recomputed))) for item in settings}
    found = (item for item in compare_both(*results, tolerance) if _name(item) not in told)
    numbers = [_cut(difference) for difference in islice(found, most)]
    return Compared(first, second, settings, foundations, numbers, len(numbers) + sum(1 for _ in found))


def _name(found: Difference) -> tuple[str, str]:
    """A difference of a result as one of the settings that it may repeat."""
    short = _cut(found)
    return found.field.rpartition(".")[2], _key((short.recorded, short.recomputed))


def compare_both(first: Any, second: Any, tolerance: Tolerances) -> Iterator[Difference]:
    """The differences of two stored results, fields that only the second has included."""
    yield from compare(first, second, tolerance)
    for found in compare(second, first, tolerance):
        if found.recomputed == "missing":
            yield Difference(found.field, "missing", found.recorded)


def _named(first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[Difference]:
    for name in sorted(first.keys() | second.keys()):
        left, right = first.get(name, "not known then"), second.get(name, "not known then")
        if left != right:
            yield _cut(Difference(name, left, right))


def _foundation(line: LogLine) -> dict[str, Any]:
    """What the numbers rest on, by dotted names: model, features, index, seed, revision of the command."""
    found: dict[str, Any] = {}
    for name, value in line.provenance.items():
        if name in ("gate", "version"):
            continue
        inner = value if isinstance(value, dict) else {"": value}
        found |= {f"{name}.{key}".rstrip("."): item for key, item in inner.items()}
    return found


def _cut(found: Difference) -> Difference:
    return Difference(found.field, _short(found.recorded), _short(found.recomputed))


def _short(value: Any) -> Any:
    if isinstance(value, (int, float, bool)) or value is None:
        return value
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= CUT else f"{text[:CUT]}…"
