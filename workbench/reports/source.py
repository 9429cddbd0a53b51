"""What a report is made from: the log lines in force, their stored results, and the index if it is here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, TypeVar

from workbench.errors import WorkbenchError
from workbench.features.evidence import label_of, labels_by_index, scores_of
from workbench.features.marks import notes_by_feature, tags_by_feature
from workbench.features.rankings import Ranking
from workbench.figures import Figure
from workbench.index.read import FeatureIndex
from workbench.lab import Lab
from workbench.labels.named import Of, clusters_space, label_entries, label_entry, of_name, quanta_space
from workbench.reports.document import Block, Notice, at_line
from workbench.session.log import LogLine
from workbench.session.record import SessionRecord
from workbench.session.state import Entry

LineText = Callable[[LogLine], str]
"""Writes a log line as the `:` line that makes it again."""
Older = Callable[[LogLine], str]
"""Says that an older revision of its command computed a line's numbers, and what gives those of now; else nothing."""
Found = TypeVar("Found")
RANKING_VERBS = ("features.contrast",)


def plain_line(line: LogLine) -> str:
    """A log line as verb and parameters, where no front end is at hand to write it properly."""
    return " ".join([line.do, *(f"{name}={value}" for name, value in line.params.items())])


def none_older(_line: LogLine) -> str:
    """Where no front end is at hand that knows the commands, no line is said to be of an older revision."""
    return ""


class ReportSource:
    """A session as the report reads it.

    Attributes:
        record: the session.
        lab: reads that session's arrays; it holds no model.
        line_text: writes a log line as a `:` line.
        older: says of a line's numbers that an older revision of its command computed them, or nothing.
        problems: sentences on what could not be read, gathered while the report is made.
    """

    def __init__(
        self, record: SessionRecord, lab: Lab, line_text: LineText = plain_line, older: Older = none_older
    ) -> None:
        self.record = record
        self.lab = Lab(record, sessions=lab.sessions)  # the caller's may be of another session
        self.line_text = line_text
        self.older = older
        self.problems: list[tuple[LogLine, str]] = []

    @cached_property
    def in_force(self) -> list[LogLine]:
        """Lines that worked and were not taken back, undoing itself left out."""
        withdrawn = self.record.state.withdrawn
        return [
            line
            for line in self.record.lines
            if line.outcome == "ok" and line.seq not in withdrawn and line.do != "session.undo"
        ]

    def lines(self, *verbs: str) -> list[LogLine]:
        """Lines in force of some verbs, oldest first; of lines that share one stored result, the first."""
        found: dict[str, LogLine] = {}
        for line in self.in_force:
            if line.do in verbs:
                found.setdefault(line.artifact, line)
        return list(found.values())

    @cached_property
    def rankings(self) -> list[LogLine]:
        """The lines that ranked features."""
        return self.lines(*RANKING_VERBS)

    @cached_property
    def ranking(self) -> LogLine | None:
        """The ranking the report is about: the latest that found something and is not stale, else the latest.

        A check on the `null` stimuli after the main job thus does not take its place.
        """
        fresh = [line for line in self.rankings if not self.is_stale(line)]
        known = fresh or self.rankings
        found = [line for line in known if self.read(line, lambda line: int(self.result(line)["discoveries"] or 0))]
        return (found or known)[-1] if known else None

    def ranking_of(self, line: LogLine) -> Ranking:
        """All numbers of a ranking."""
        return Ranking.from_arrays(str(self.result(line)["space"]), self.lab.arrays(line, "ranking"))

    def result(self, line: LogLine) -> dict[str, Any]:
        """The stored result of a line."""
        return self.lab.stored(line)

    def figures(self, line: LogLine) -> list[Figure]:
        """The figures stored with a line."""
        return [Figure.model_validate(figure) for figure in self.record.artifact(line)["figures"]]

    def is_stale(self, line: LogLine) -> bool:
        """Whether something the line rests on was taken back."""
        return line.seq in self.record.state.stale

    def labels(self, space: str) -> Mapping[int, str]:
        """Label texts of a space's features."""
        return labels_by_index(self.lab, space)

    def label(self, feature: str) -> dict[str, str] | None:
        """The label of a feature: the session's own, else an imported one; None where that cannot be read."""
        try:
            return label_of(self.record, feature)
        except WorkbenchError:
            return None

    @cached_property
    def tags(self) -> dict[str, list[str]]:
        """The tags of the features that have some, by id."""
        return tags_by_feature(self.record.state)

    @cached_property
    def notes(self) -> dict[str, str]:
        """The notes on features, by id."""
        return notes_by_feature(self.record.state)

    @cached_property
    def labelled(self) -> list[tuple[str, int, Entry]]:
        """Space, number and label of every labelled feature, in that order."""
        return self.labels_of("features")

    def labels_of(self, of: Of) -> list[tuple[str, int, Entry]]:
        """Space, number and label of every labelled feature, cluster or quantum, in that order."""
        found = {name: entry for name, entry in label_entries(self.record.state).items() if of_name(name) == of}
        parts = [(*name.rpartition("#")[::2], entry) for name, entry in found.items()]
        known = [(space, int(number), entry) for space, number, entry in parts if number.isdecimal()]
        return sorted(known, key=lambda item: item[:2])

    def own_label(self, of: Of, number: int) -> str:
        """The label of one of the clusters or quanta in force, or an empty text."""
        entry = label_entry(self.record.state, f"{self.in_force_of(of)}#{number}")
        return "" if entry is None else str(entry.value["text"])

    def in_force_of(self, of: Of) -> str | None:
        """The name of the clusters or quanta in force, which stands before the numbers of their labels."""
        state = self.record.state
        return clusters_space(state) if of == "clusters" else quanta_space(state)

    def label_scores(self, name: str, text: str) -> list[dict[str, Any]]:
        """The scores of a label's text."""
        return scores_of(self.record.state, name, text)

    def rating(self, name: str) -> dict[str, Any] | None:
        """The investigator's rating, or None."""
        found: dict[str, Any] | None = self.record.state.get(f"ratings/{name}")
        return found

    @cached_property
    def index(self) -> FeatureIndex | None:
        """The corpus index of the session, if it is on this machine."""
        return self.lab.index()

    @property
    def space(self) -> str:
        """Name of the loaded features, or of the ranked ones where none are loaded any more."""
        sae = self.record.state.get("sae")
        if sae is not None:
            return str(sae["name"])
        if self.ranking is None:
            return ""
        return self.read(self.ranking, lambda line: str(self.result(line)["space"])) or ""

    def blocks(self, line: LogLine, make: Callable[[LogLine], list[Block]]) -> list[Block]:
        """What `make` says of a line, with the line's warnings, and marked where it is stale."""
        marks = self.revision(line)
        if self.is_stale(line):
            stale = " rests on a line that was withdrawn later: its numbers are of the state before."
            marks.append(Notice("stale", (at_line(line.seq), stale)))
        marks += [Notice("warning", (text,)) for text in line.warnings]
        return marks + self.attempt(line, make)

    def revision(self, line: LogLine) -> list[Block]:
        """What must stand beside a line's numbers where this version would give others."""
        told = self.older(line)
        return [Notice("older", (at_line(line.seq), f": {told}."))] if told else []

    def attempt(self, line: LogLine, make: Callable[[LogLine], list[Block]]) -> list[Block]:
        """What `make` says of a line; a result that cannot be read is told, not hidden."""
        found = self.read(line, make)
        if found is not None:
            return found
        reason = next(reason for other, reason in reversed(self.problems) if other is line)
        return [Notice("missing", ("What ", at_line(line.seq), f" found cannot be shown: {reason}"))]

    def read(self, line: LogLine, take: Callable[[LogLine], Found]) -> Found | None:
        """What `take` reads from a line's result; None where that fails, and the reason goes to `problems`."""
        try:
            return take(line)
        except WorkbenchError as error:
            reason = str(error)
        except (LookupError, TypeError, ValueError, OSError) as error:
            # a session of another version, or edited by hand: the rest of the report is still of use
            reason = f"it has not the expected shape ({type(error).__name__}: {error})"
        self.problems.append((line, reason))
        return None
