"""The state of an investigation: a fold over its log, so that nothing has to be stored twice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from workbench.digests import value_digest
from workbench.session.log import LogLine

REPLACED = ("quanta/losses", "quanta/samples", "quanta/similarity", "quanta/clusters")
"""Entries of which the latest is taken without being named: a stale one is no basis, the one before it is in force."""


@dataclass(frozen=True)
class Entry:
    """One thing the investigation knows, and the log line that made it."""

    seq: int
    value: Any
    stale: bool = False


@dataclass
class State:
    """Entries by name (`model`, `sae`, `stimuli/NAME`, `labels/ID`, ...), with what was taken back."""

    entries: dict[str, Entry] = field(default_factory=dict)
    withdrawn: set[int] = field(default_factory=set)
    stale: set[int] = field(default_factory=set)

    def get(self, name: str) -> Any | None:
        """The value of an entry, or None."""
        entry = self.entries.get(name)
        return None if entry is None else entry.value

    def under(self, prefix: str) -> dict[str, Entry]:
        """Entries whose name starts with `prefix/`, by the rest of their name."""
        start = prefix + "/"
        return {name[len(start) :]: entry for name, entry in self.entries.items() if name.startswith(start)}

    def digest_of(self, prefixes: Iterable[str]) -> str:
        """One digest for the values of all entries named by, or under, the prefixes."""
        picked = {
            name: entry.value
            for name, entry in self.entries.items()
            if any(name == prefix or name.startswith(prefix + "/") for prefix in prefixes)
        }
        return value_digest(picked)

    def as_dict(self) -> dict[str, Any]:
        """The state as plain JSON, for the wire."""
        return {
            "entries": {
                name: {"seq": entry.seq, "value": entry.value, "stale": entry.stale}
                for name, entry in self.entries.items()
            },
            "withdrawn": sorted(self.withdrawn),
            "stale": sorted(self.stale),
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> State:
        """The state a peer sent."""
        entries = {name: Entry(item["seq"], item["value"], item["stale"]) for name, item in data["entries"].items()}
        return cls(entries, set(data["withdrawn"]), set(data["stale"]))


def fold(lines: list[LogLine]) -> State:
    """The state after `lines`.

    A line is withdrawn by a later line that is not itself withdrawn, so undoing an undo restores. A line
    is stale when something it used was withdrawn or is stale; its numbers stay readable, marked so. Of `REPLACED`
    a stale line sets and clears nothing.
    """
    withdrawn: set[int] = set()
    for line in reversed(lines):
        if line.seq not in withdrawn and line.outcome == "ok":
            withdrawn.update(line.withdraws)
    stale: set[int] = set()
    entries: dict[str, Entry] = {}
    for line in lines:
        if line.outcome != "ok":
            continue
        if any(used in withdrawn or used in stale for used in line.uses):
            stale.add(line.seq)
        if line.seq in withdrawn:
            continue
        for name, value in line.sets.items():
            if line.seq in stale and name in REPLACED:
                continue
            if value is None:
                entries.pop(name, None)
            else:
                entries[name] = Entry(line.seq, value, line.seq in stale)
    return State(entries, withdrawn, stale)
