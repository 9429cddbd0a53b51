"""Names in a script that stand for something that must be there: sets, sessions, files, before anything runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from commands.line import format_line
from commands.session import SessionList
from commands.stimuli import StimuliList
from workbench import demo
from workbench.errors import InputFileError, UnknownNameError
from workbench.uploads import marked, read_uploads
from workbench.verbs import Output, Upload, Verb

if TYPE_CHECKING:
    from commands.shell.execute import Executor

SETS = ("stimuli", "set", "direction")
"""Fields that name a stimulus set, alone or as SET:CLASS."""
SESSIONS = {
    "session.export": ("target",),
    "session.compare": ("first", "second"),
    "replay": ("target",),
    "report": ("target",),
}
MAKE_SETS = ("stimuli.new", "stimuli.draft", "quanta.stimuli")


def check_names(verbs: Sequence[Verb], executor: Executor) -> None:
    """Refuse a script with a name that is neither known before it nor made by a line above.

    Raises:
        UnknownNameError: the first such name, with its line and the nearest known ones.
        InputFileError: a file to read that is not there, and that no line above writes.
        WorkbenchError: the session that the script would work in cannot be read.
    """
    shipped = {path.stem for path in demo.stimuli_dir().glob("*.json")}
    sets = set(shipped)
    if verbs[0].dotted not in ("session.new", "session.import"):
        sets |= {str(row["name"]) for row in executor.do(StimuliList())["result"]["sets"]}
    sessions = {str(row["name"]) for row in executor.do(SessionList())["result"]["sessions"]}
    imported, nameless = False, False
    written: set[Path] = set()
    for verb in verbs:
        _need_files(verb, written)
        values = {name: value for name, value in verb.params().items() if isinstance(value, str) and value}
        named = [values[name].partition(":")[0] for name in SETS if name in values]
        for name in () if imported else named:
            _need("stimulus set", name, sets, verb)
        for name in () if nameless else SESSIONS.get(verb.dotted, ()):
            if name in values:
                _need("session", values[name], sessions, verb)
        sets |= _made_sets(verb, values)
        if verb.dotted == "session.new":
            sets, imported = set(shipped), False
        if verb.dotted == "session.import":
            imported = True  # what it holds is known when it is unpacked, and so is its own name
            nameless = nameless or "name" not in values
        if verb.dotted in ("session.new", "session.fork", "session.import") and "name" in values:
            sessions.add(values["name"])


def _need_files(verb: Verb, written: set[Path]) -> None:
    """Look for the files that are read here; what the line itself writes is added to `written`."""
    for name in marked(type(verb), Upload):
        value = getattr(verb, name)
        if value and Path(value).expanduser().absolute() not in written:
            try:
                read_uploads(verb)
            except InputFileError as error:
                raise InputFileError(f"{format_line(verb)}: {error.message}", error.hint) from error
    written |= {Path(getattr(verb, name)).expanduser().absolute() for name in marked(type(verb), Output)}


def _made_sets(verb: Verb, values: dict[str, str]) -> set[str]:
    if verb.dotted == "stimuli.import":
        return {values.get("to") or Path(values["file"]).stem}
    return {values["name"]} if verb.dotted in MAKE_SETS else set()


def _need(what: str, name: str, known: set[str], verb: Verb) -> None:
    if name not in known:
        found = UnknownNameError.among(what, name, sorted(known))
        raise UnknownNameError(f"{format_line(verb)}: {found.message}", found.hint)
