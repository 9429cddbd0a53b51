"""What every number rests on: model, features, corpus, stimuli, seeds and versions, line by line."""

from __future__ import annotations

from typing import Any

from workbench.reports.document import Block, Cell, Code, Column, Fold, Section, Table, at_line
from workbench.reports.source import ReportSource
from workbench.session.log import LogLine

_SHORT = 12


def provenance_section(source: ReportSource) -> Section | None:
    """The things the session rests on with full digests, then every line with its own."""
    blocks: list[Block] = [
        Table(
            "What the numbers rest on",
            [Column("What"), Column("Name"), Column("Details"), Column("Digest"), Column("From")],
            _things(source),
        ),
        Fold("Provenance of every line", [_lines(source)]),
    ]
    return Section("Provenance", "provenance", blocks) if source.in_force else None


def _things(source: ReportSource) -> list[list[Cell]]:
    state = source.record.state
    rows = [
        _thing(source, name, title, keys)
        for name, title, keys in (
            ("model", "Model", ("architecture", "layers", "width", "vocabulary", "revision", "dtype")),
            ("sae", "Features", ("architecture", "site", "width", "units")),
            ("index", "Corpus index", ("tokens", "documents", "features")),
        )
        if name in state.entries
    ]
    seen: dict[str, LogLine] = {}
    for line in source.in_force:
        if digest := (line.provenance.get("stimuli") or {}).get("digest"):
            seen.setdefault(str(digest), line)
    for digest, line in seen.items():
        name = (Code(str(line.provenance["stimuli"].get("name", ""))),)
        rows.append(["Stimuli", name, "", (Code(digest),), (at_line(line.seq),)])
    return rows


def _thing(source: ReportSource, name: str, title: str, keys: tuple[str, ...]) -> list[Cell]:
    entry = source.record.state.entries[name]
    value: dict[str, Any] = entry.value
    shown = ", ".join(f"{key} {value[key]}" for key in keys if value.get(key) not in (None, ""))
    called = str(value.get("name") or value.get("corpus") or value.get("ref", ""))
    return [title, (Code(called),), shown, (Code(str(value.get("digest", "")) or "none"),), (at_line(entry.seq),)]


def _lines(source: ReportSource) -> Table:
    names = ("Line", "Command", "Version", "Seed", "Model", "SAE", "Result")
    rows = [_line(line) for line in source.in_force]
    return Table("Provenance of every line in force", [Column(name) for name in names], rows)


def _line(line: LogLine) -> list[Cell]:
    about = line.provenance
    version = f"{about.get('version', '–')} (revision {about.get('command_revision', '–')})"
    digests = [(about.get(name) or {}).get("digest", "") for name in ("model", "sae")]
    return [
        str(line.seq),
        (Code(line.do),),
        version,
        str(about.get("seed", "–")),
        *((Code(_short(digest)),) if digest else "–" for digest in digests),
        (Code(line.digest),),
    ]


def _short(digest: str) -> str:
    """Enough of a digest to find it in the table above, where it stands in full."""
    kind, sign, value = str(digest).rpartition(":")
    return f"{kind}{sign}{value[:_SHORT]}…"
