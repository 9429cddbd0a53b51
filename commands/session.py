"""Verbs about investigation sessions."""

from __future__ import annotations

from pydantic import Field

from workbench.verbs import Command, OutputFile, Query, SentFile


class SessionNew(Command):
    """Make a new, empty session."""

    dotted = "session.new"
    place = "broker"
    positional = ("name",)
    makes_session = True
    sessionless = True

    name: str = Field(description="Its name: letters, digits, '.', '_' and '-'")
    title: str = Field("", description="One line that says what is investigated")


class SessionList(Query):
    """List the sessions, newest first."""

    dotted = "session.list"
    sessionless = True


class SessionShow(Query):
    """Show what a session knows and has done."""

    dotted = "session.show"

    tail: int = Field(50, ge=0, le=500, description="How many of the last log lines to show")


class SessionResult(Query):
    """Show the stored result of a log line again, as it was when it was computed."""

    dotted = "session.result"
    positional = ("line",)

    line: int = Field(ge=1, description="Log line whose result to show")


class SessionNote(Command):
    """Add a line to the session's notes."""

    dotted = "session.note"
    place = "broker"
    positional = ("text",)
    reuse = False

    text: str = Field(min_length=1, max_length=20_000, description="The note")


class SessionUndo(Command):
    """Take back a command; nothing is deleted, and what depended on it is shown as stale."""

    dotted = "session.undo"
    place = "broker"
    positional = ("line",)
    reuse = False

    line: int | None = Field(None, ge=1, description="Log line to take back (default: the last one)")


class SessionFork(Command):
    """Copy a session, up to a log line, into a new one."""

    dotted = "session.fork"
    place = "broker"
    positional = ("name",)
    too_many = "The one word is the new name; the session to copy is named with --session SESSION. "
    makes_session = True

    name: str = Field(description="Name of the new session")
    upto: int | None = Field(None, ge=1, description="Last log line to copy (default: all)")


class SessionExport(Query):
    """Write a session as one archive or folder for a colleague, every file with its digest.

    What its pages show of the corpus comes along, texts included, unless --no-index says so. `workbench open FILE`
    shows it with no model; `workbench session import FILE` goes on with it. It reads and writes every byte, which may
    take minutes where the index or the results have gigabytes.
    """

    dotted = "session.export"
    positional = ("target", "out")

    target: str = Field("", description="Session to export (default: the current one)")
    out: OutputFile = Field("", description="FILE.zip, or a new folder (default: SESSION.zip here)")
    index: bool = Field(
        True, description="Take along the feature index, the losses and similarities of quanta, and their corpora"
    )


class SessionImport(Command):
    """Take over a session that a colleague exported; every file is checked before anything is unpacked."""

    dotted = "session.import"
    place = "broker"
    positional = ("file", "name")
    makes_session = True
    sessionless = True

    file: SentFile = Field(min_length=1, description="The exported archive or folder")
    name: str = Field("", description="Name of the new session (default: the name it was exported with)")


class SessionCompare(Query):
    """Compare two sessions: which commands, settings and numbers differ."""

    dotted = "session.compare"
    positional = ("first", "second")

    first: str = Field(min_length=1, description="One session")
    second: str = Field("", description="The other (default: the current one)")
    most: int = Field(10, ge=1, le=100, description="At most this many differing numbers of each command")
