"""Makes the shipped example sessions again: `python -m commands.examples [NAME ...]`.

They are computed in a folder of their own and marked as examples; the log keeps the time and the version.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from commands.handlers import handler_of
from commands.script import parse_script, variables_of
from commands.shell.leading import leading
from workbench import demo
from workbench.files import write_atomic
from workbench.run import Runner
from workbench.session import catalog
from workbench.session.layout import META_NAME, NOTES_NAME
from workbench.session.lock import LOCK_NAME
from workbench.verbs import Verb

TITLES = {
    "achievement": "Which features carry success and failure, and what they do",
    "weekdays": "A feature for each day of the week, and the clusters they form",
}


def make(name: str, target: Path) -> None:
    """Run an example's script and put the session into `target`."""
    with tempfile.TemporaryDirectory(prefix="workbench-example-") as scratch:
        sessions = Path(scratch)
        catalog.create(name, sessions, TITLES[name])
        runner = Runner(handler_of, sessions, "the examples")
        variables: dict[str, str] = {}
        text = (demo.HERE / "examples" / f"{name}.script").read_text("utf-8")
        for line in text.splitlines():
            for verb in _parsed(line, variables):
                variables |= _strongest(runner.do(verb, name))
        _mark(sessions / name)
        shutil.rmtree(target / name, ignore_errors=True)
        shutil.copytree(sessions / name, target / name)


def _parsed(line: str, variables: dict[str, str]) -> list[Verb]:
    if not line.strip() or line.startswith("#"):
        return []
    of_line = {name: value for name, value in variables.items() if name in variables_of(line)}
    return parse_script(line, of_line, "the example's script")


def _strongest(reply: dict[str, Any]) -> dict[str, str]:
    """The leading feature of each sign of a ranking, as the variables TOP and BOTTOM."""
    if reply["command"] != "features.contrast":
        return {}
    named = zip(("TOP", "BOTTOM"), leading(reply["result"]), strict=True)
    return {name: str(feature) for name, feature in named if feature is not None}


def _mark(path: Path) -> None:
    meta = json.loads((path / META_NAME).read_text("utf-8"))
    write_atomic(path / META_NAME, json.dumps({**meta, "example": True}, indent=1) + "\n")
    (path / LOCK_NAME).unlink(missing_ok=True)
    if not (path / NOTES_NAME).exists():
        write_atomic(path / NOTES_NAME, "")


def main() -> int:
    """Make the examples named on the command line, or all."""
    for name in sys.argv[1:] or TITLES:
        make(name, demo.HERE.parents[1] / "sessions")
        sys.stdout.write(f"made {name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
