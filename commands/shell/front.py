"""Verbs that the shell itself carries out, by issuing others: `run`, `demo`, `spec`."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from commands.cli import show_reply
from commands.line import format_line, parse_line
from commands.registry import all_verbs
from commands.report import Demo, Open, Report, Run, Spec
from commands.script import parse_script, parse_variables
from commands.session import SessionNew
from commands.shell.execute import clear_progress, shell_progress
from commands.shell.leading import leading
from workbench import demo
from workbench.errors import UsageError, WorkbenchError
from workbench.paths import require_folder
from workbench.uploads import UploadedFile, read_uploads, utf8_text
from workbench.verbs import Verb

if TYPE_CHECKING:
    from commands.shell.execute import Executor

DEMO = "demo"


def carry_out(verb: Verb, executor: Executor, *, as_json: bool, quiet: bool) -> int:
    """Carry out a front-end verb and give the exit code.

    Raises:
        WorkbenchError: what went wrong.
    """
    if isinstance(verb, Spec):
        sys.stdout.write(json.dumps(spec(), indent=None if as_json else 1) + "\n")
        return 0
    if isinstance(verb, Run):
        return _run(verb, executor, as_json=as_json, quiet=quiet)
    if isinstance(verb, Open):
        return _open(verb, executor)
    if isinstance(verb, Demo):
        return _demo(verb, executor, as_json=as_json, quiet=quiet)
    raise UsageError(f"{verb.dotted} cannot be run here")


def _open(verb: Open, executor: Executor) -> int:
    """The app on a colleague's session, unpacked for reading in a folder of its own."""
    from commands.shell.connect import open_app
    from workbench.paths import home
    from workbench.session.importing import open_beside

    if executor.host:
        raise UsageError("open shows a file of this machine", "Leave out --host.")
    found = open_beside(Path(verb.file).expanduser(), home())
    return open_app(found.path.name, str(found.path.parent), "")


def spec() -> dict[str, Any]:
    """The JSON Schema of every verb's parameters, by dotted name, with what kind it is."""
    return {
        verb.dotted: {
            "summary": verb.summary(),
            "kind": "query" if verb.is_query() else "command",
            "positional": list(verb.positional),
            "parameters": verb.model_json_schema(),
        }
        for verb in all_verbs()
    }


def _run(verb: Run, executor: Executor, *, as_json: bool, quiet: bool) -> int:
    if verb.script == "-":
        file = UploadedFile("standard input", sys.stdin.buffer.read())
    else:
        file = read_uploads(verb)["script"]
    verbs = parse_script(utf8_text(file.content, file.name), parse_variables(verb.variables), file.name)
    if verb.dry_run:
        from commands.shell.checking import check_names

        check_names(verbs, executor)
        lines = [format_line(item) for item in verbs]
        sys.stdout.write(json.dumps({"command": "run", "lines": lines}) + "\n" if as_json else "\n".join(lines) + "\n")
        return 0
    replies = _issue(verbs, executor, show=not as_json, quiet=quiet)
    if as_json:
        _print_summary(verb, replies, executor)
    return 0


def _issue(verbs: list[Verb], executor: Executor, *, show: bool, quiet: bool) -> list[dict[str, Any]]:
    """Issue verbs one after the other; a shipped example that was forked is left for its fork."""
    executor.progress = None if quiet or not show else shell_progress()
    replies = []
    for item in verbs:
        if not quiet:
            clear_progress()
            sys.stderr.write(f":{format_line(item)}\n")
        reply = executor.do(item)
        if executor.progress is not None:
            clear_progress()
        if reply.get("seq") is not None or type(item).dotted in ("session.new", "session.fork", "session.import"):
            executor.session = reply["result"].get("session") or reply["session"]
        replies.append(reply)
        if show:
            show_reply(reply, as_json=False, quiet=quiet)
    return replies


def _print_summary(verb: Verb, replies: list[dict[str, Any]], executor: Executor, **extra: Any) -> None:
    commands = [{key: value for key, value in reply.items() if key != "figures"} for reply in replies]
    body = {
        "command": verb.dotted,
        "params": verb.params(),
        "result": {"commands": commands, **extra},
        "artifact": None,
        "seconds": round(sum(reply["seconds"] for reply in replies), 3),
        "provenance": {},
        "session": executor.session,
    }
    sys.stdout.write(json.dumps(body) + "\n")


def _demo(verb: Demo, executor: Executor, *, as_json: bool, quiet: bool) -> int:
    """The main job: contrast map, ranked features, heatmap, label, steering check, session, report."""
    started = time.perf_counter()
    require_folder(Path(verb.out).absolute(), "the report")  # before the work, not after it
    executor.session = executor.session or DEMO  # the demo never writes into the session last worked in
    if executor.session not in executor.session_names():
        executor.do(SessionNew(name=executor.session, title="The main job on the embedded model"))
    lines = [parse_line(line) for line in demo.script_lines()]
    replies = _issue(lines, executor, show=not as_json, quiet=quiet)
    top = _top_feature(replies)
    steering = [parse_line(f"features.show {top}"), parse_line(f"steer.clamp {top} stimuli=achievement tokens=12")]
    replies += _issue(steering, executor, show=not as_json, quiet=quiet)
    report = Report(target=executor.session or DEMO, out=str(Path(verb.out).absolute()))
    written = executor.do(report)
    seconds = time.perf_counter() - started
    if as_json:
        _print_summary(verb, replies, executor, report=written["result"]["path"])
        return 0
    folder = f"{executor.session} on {executor.host}" if executor.host else executor.sessions / str(executor.session)
    workbench = f"workbench --host {executor.host}" if executor.host else "workbench"
    app = f"{workbench} --session {executor.session}" if executor.host else workbench
    sys.stdout.write(
        f"\nThe demo took {seconds:.0f} s.\n"
        f"  report   {written['result']['path']}  (one offline file: open it in a browser, send it to a colleague)\n"
        f"  session  {folder}\n"
        f"  replay   {workbench} replay {executor.session} --check\n"
        f"  the app  {app}   (opens this session; in a checkout: .venv/bin/workbench)\n"
    )
    return 0


def _top_feature(replies: list[dict[str, Any]]) -> int:
    """The feature that the demo steers.

    Raises:
        WorkbenchError: the ranking has none.
    """
    ranking = next(reply for reply in reversed(replies) if reply["command"] == "features.contrast")
    top, _ = leading(ranking["result"])
    if top is None:
        raise WorkbenchError("no feature is discovered on the positive class", "The ranking is empty on that side.")
    return top
