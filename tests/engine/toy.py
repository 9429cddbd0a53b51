"""A registry of toy verbs: what the engine is tested with, since it knows no verb of its own."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from pydantic import Field

from workbench.engine.registry import Registry
from workbench.errors import MismatchError, UnknownNameError
from workbench.lab import Lab
from workbench.verbs import Command, InputFile, Outcome, OutputFile, Query, SentFile, Verb


class Note(Command):
    """A short command of the broker's."""

    dotted = "toy.note"
    place = "broker"
    reuse = False
    text: str = "hello"


class Work(Command):
    """A command for the model process that ticks."""

    dotted = "toy.work"
    heavy = True
    steps: int = Field(3, ge=0)
    pause: float = 0.01
    seed: int = 0


class Crash(Command):
    """A command that fails in a way that `how` says."""

    dotted = "toy.crash"
    how: str = "exit"


class Take(Command):
    """A command that takes a file of the user's."""

    dotted = "toy.take"
    file: InputFile = ""


class Make(Command):
    """A command that makes a session."""

    dotted = "toy.make"
    place = "broker"
    makes_session = True
    sessionless = True
    name: str


class Echo(Query):
    """A query of the broker's."""

    dotted = "toy.echo"
    text: str = ""
    size: int = 0


class Ask(Query):
    """A query for the model process."""

    dotted = "toy.ask"
    place = "child"
    text: str = ""


class Long(Query):
    """A long query for the model process: a job without a session."""

    dotted = "toy.long"
    place = "child"
    heavy = True
    steps: int = 3


class Write(Query):
    """A query that writes a file, and others into a folder."""

    dotted = "toy.write"
    out: OutputFile = "x.txt"
    folder: OutputFile = ""
    text: str = "written"


class Read(Query):
    """A query that reads a file or folder that is sent from another machine."""

    dotted = "toy.read"
    file: SentFile = ""


class Front(Query):
    """A verb of the front end's."""

    dotted = "toy.front"
    place = "front"


class EngineVerb(Query):
    """The base of verbs about the engine."""

    place = "engine"


class Status(EngineVerb):
    """Status."""

    dotted = "engine.status"


class Stop(EngineVerb):
    """Stop."""

    dotted = "engine.stop"


class Log(EngineVerb):
    """Log."""

    dotted = "engine.log"
    lines: int = 40


class Jobs(EngineVerb):
    """Jobs."""

    dotted = "engine.jobs"


class Cancel(EngineVerb):
    """Cancel."""

    dotted = "engine.cancel"
    job: str


class Detach(EngineVerb):
    """Detach."""

    dotted = "engine.detach"
    job: str


class Attach(EngineVerb):
    """Attach."""

    dotted = "engine.attach"
    job: str


VERBS: tuple[type[Verb], ...] = (
    Note, Work, Crash, Take, Make, Echo, Ask, Long, Write, Read, Front, Status, Stop, Log, Jobs, Cancel, Detach, Attach,
)  # fmt: skip


def note(verb: Note, lab: Lab) -> Outcome:
    return Outcome({"text": verb.text}, sets={"note": verb.text})


def work(verb: Work | Long, lab: Lab) -> Outcome:
    for step in range(verb.steps):
        lab.tick(step, verb.steps, f"step {step}")
        time.sleep(getattr(verb, "pause", 0.01))
    known = lab.entry("note") if lab.has_session else None
    return Outcome({"steps": verb.steps, "note": known, "pid": os.getpid()}, sets={"work": verb.steps})


def crash(verb: Crash, lab: Lab) -> Outcome:
    lab.tick(0, 1, "about to crash")
    if verb.how == "exit":
        print("the last words of the model process", flush=True)
        os._exit(7)
    if verb.how == "sleep":
        time.sleep(600)
    if verb.how == "usage":
        raise MismatchError("these do not fit", "Take others.")
    if verb.how == "nan":
        return Outcome({"value": float("nan")})
    if verb.how == "big":
        return Outcome({"text": "x" * 400_000})
    raise RuntimeError(f"what nobody expected: {verb.how}")


def take(verb: Take, lab: Lab) -> Outcome:
    return Outcome({"file": verb.file, "text": (lab.record.path / verb.file).read_text()})


def make(verb: Make, lab: Lab) -> Outcome:
    from workbench.session import catalog

    return Outcome({"path": str(catalog.create(verb.name, lab.sessions))})


def echo(verb: Echo, lab: Lab) -> Outcome:
    lines, title = (len(lab.record.lines), lab.record.title) if lab.has_session else (None, "")
    return Outcome({"text": verb.text + "x" * verb.size, "lines": lines, "title": title, "pid": os.getpid()})


def ask(verb: Ask, lab: Lab) -> Outcome:
    import sys

    if verb.text == "raise":
        raise RuntimeError("in a query")
    return Outcome({"text": verb.text, "pid": os.getpid(), "torch": "torch" in sys.modules})


def write(verb: Write, lab: Lab) -> Outcome:
    Path(verb.out).write_text(verb.text)
    if verb.folder:
        (Path(verb.folder) / "inner").mkdir(parents=True)
        (Path(verb.folder) / "inner" / "a.txt").write_text(verb.out)
        (Path(verb.folder) / "empty").touch()
    return Outcome({"out": verb.out, "folder": verb.folder, "same": os.path.relpath(verb.folder or ".", verb.out)})


def read(verb: Read, lab: Lab) -> Outcome:
    found = Path(verb.file)
    files = [found] if found.is_file() else sorted(path for path in found.rglob("*") if path.is_file())
    return Outcome({"file": verb.file, "texts": {path.name: path.read_text()[:40] for path in files}})


HANDLERS: dict[str, Any] = {
    "toy.note": note,
    "toy.work": work,
    "toy.long": work,
    "toy.crash": crash,
    "toy.take": take,
    "toy.make": make,
    "toy.echo": echo,
    "toy.ask": ask,
    "toy.write": write,
    "toy.read": read,
}


def lookup(name: str) -> type[Verb]:
    for verb in VERBS:
        if verb.dotted == name:
            return verb
    raise UnknownNameError.among("command", name, [verb.dotted for verb in VERBS])


def resolve(verb: type[Verb]) -> Any:
    return HANDLERS[verb.dotted]


REGISTRY = Registry(lookup, resolve, lambda verb: f"{verb.dotted} {verb.params()}")
