"""From a session to the text of its report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from workbench.errors import WorkbenchError
from workbench.lab import Lab
from workbench.reports.document import Code, Document, Notice, Rich, Section
from workbench.reports.figure_files import figure_files, pictures
from workbench.reports.html import to_html
from workbench.reports.markdown import to_markdown
from workbench.reports.sections.circles import circles_section
from workbench.reports.sections.cluster_ranking import cluster_ranking_section
from workbench.reports.sections.clusters import clusters_section
from workbench.reports.sections.design import design_section
from workbench.reports.sections.energy import energy_section
from workbench.reports.sections.features import features_section
from workbench.reports.sections.labels import labels_section, marks_section
from workbench.reports.sections.log import commands_section
from workbench.reports.sections.methods import methods_section
from workbench.reports.sections.notes import notes_section
from workbench.reports.sections.probing import probing_section
from workbench.reports.sections.provenance import provenance_section
from workbench.reports.sections.quanta import quanta_section
from workbench.reports.sections.ranking import ranking_section
from workbench.reports.sections.replication import replication_section
from workbench.reports.sections.rsa import rsa_section
from workbench.reports.sections.steering import steering_section
from workbench.reports.sections.summary import summary_section
from workbench.reports.sections.warnings import warnings_section
from workbench.reports.source import LineText, Older, ReportSource, none_older, plain_line
from workbench.session.record import SessionRecord

Format = Literal["html", "md"]


@dataclass(frozen=True)
class Written:
    """A report.

    Attributes:
        text: HTML or Markdown.
        figures: name and text of each file of figures and tables; empty where none were asked for.
    """

    text: str
    figures: dict[str, str]


def write_report(
    record: SessionRecord, lab: Lab, format: Format, line_text: LineText = plain_line, older: Older = none_older
) -> str:
    """The report of a session, from what it stored; the same session gives the same text.

    Args:
        record: the session to report.
        lab: says where sessions and the index cache are; no model is used.
        format: `html` for one offline page, `md` for Markdown with the same content.
        line_text: writes a log line as the `:` line that makes it again.
        older: says of a line's numbers that an older revision of its command computed them.

    Raises:
        InputFileError: the session cannot be read. A single result that cannot is told in the report instead.
    """
    document = compose(ReportSource(record, lab, line_text, older))
    return to_html(document) if format == "html" else to_markdown(document)


def write_with_figures(
    record: SessionRecord,
    lab: Lab,
    format: Format,
    folder: str,
    line_text: LineText = plain_line,
    older: Older = none_older,
) -> Written:
    """The report, and its figures and tables as files of their own; the arguments are those of `write_report`.

    Args:
        folder: the address of the files as seen from the report; Markdown shows the drawings from there.
    """
    document = compose(ReportSource(record, lab, line_text, older))
    files = figure_files(document)
    if format == "html":
        return Written(to_html(document), files)
    return Written(to_markdown(document, {key: f"{folder}/{name}" for key, name in pictures(document).items()}), files)


_BODY: tuple[Callable[[ReportSource], Section | None], ...] = (
    notes_section,
    design_section,
    ranking_section,
    replication_section,
    rsa_section,
    features_section,
    probing_section,
    steering_section,
    clusters_section,
    cluster_ranking_section,
    circles_section,
    energy_section,
    quanta_section,
    labels_section,
    marks_section,
    methods_section,
    commands_section,
)


def _shown(make: Callable[[ReportSource], Section | None], source: ReportSource) -> Section | None:
    """A section; one that meets what no command sets, or a file that is damaged, is told in its place."""
    try:
        return make(source)
    except WorkbenchError as error:
        reason = f"{error.message}. {error.hint}"
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        reason = f"the log or a result holds what no command sets ({type(error).__name__}: {error})"
    name = make.__name__.removesuffix("_section")
    told = Notice("missing", (f"This part of the report cannot be made: {reason}",))
    return Section(name.replace("_", " ").capitalize(), f"no-{name.replace('_', '-')}", [told])


def compose(source: ReportSource) -> Document:
    """The report as blocks, in the order a reader wants them."""
    body = [_shown(make, source) for make in _BODY]
    # the summary and the warnings speak of all others, so they are made after them
    last = [_shown(make, source) for make in (warnings_section, provenance_section)]
    sections = [_shown(summary_section, source), *body, *last]
    return Document(
        title=source.record.title,
        subtitle="Report of an investigation of language model features",
        facts=_facts(source),
        sections=[section for section in sections if isinstance(section, Section)],
    )


def _facts(source: ReportSource) -> list[tuple[str, Rich]]:
    record, state = source.record, source.record.state
    facts: list[tuple[str, Rich]] = [("Session", (Code(record.name),))]
    for name, title in (("model", "Model"), ("sae", "Features")):
        value = state.get(name)
        if value is not None:
            facts.append((title, (Code(str(value.get("name", value.get("ref", "")))),)))
    facts.append(("Created", (record.created,)))
    if record.lines:
        facts.append(("Last change", (record.lines[-1].utc,)))
    return facts
