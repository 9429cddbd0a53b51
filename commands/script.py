"""Scripts: one command a line, comments with `#`, variables as ${NAME}, or ${NAME:-VALUE} with a value of their own."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from commands.line import parse_line
from workbench.errors import UsageError, WorkbenchError
from workbench.verbs import Verb

_VARIABLE = re.compile(r"\$\{(\w+)(?::-([^{}]*))?\}")
_WORD = re.compile(r"""(?:[^\s'"\\]|\\.|'[^']*'|"(?:[^"\\]|\\.)*")+""")
"""A word of a line as the line's parser cuts it, quoted parts whole."""


def parse_variables(pairs: Sequence[str]) -> dict[str, str]:
    """NAME=VALUE pairs as a mapping.

    Raises:
        UsageError: a word without `=`.
    """
    found = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign or not name.isidentifier():
            raise UsageError(f"{pair!r} sets no variable", "Write NAME=VALUE.")
        found[name] = value
    return found


def parse_script(text: str, variables: Mapping[str, str], name: str = "script") -> list[Verb]:
    """The verbs of a script, all checked before any runs.

    Raises:
        UsageError: the first line that is wrong, by number, or a script that tries to call itself.
    """
    verbs = []
    for number, raw in enumerate(text.splitlines(), start=1):
        line = _without_comment(raw)
        if not line:
            continue
        try:
            verb = parse_line(_filled(line, variables))
        except WorkbenchError as error:
            raise UsageError(f"line {number} of {name}: {error.message}", error.hint) from error
        if verb.place == "front":
            raise UsageError(f"line {number} of {name}: {verb.dotted} cannot stand in a script", "Remove the line.")
        verbs.append(verb)
    if not verbs:
        raise UsageError(f"{name} has no command", "Write one command a line, such as features.contrast achievement.")
    return verbs


def _without_comment(line: str) -> str:
    """The line up to a word that begins with `#`; the # of a feature id or of a quoted text is none."""
    for word in _WORD.finditer(line):
        if word[0].startswith("#"):
            return line[: word.start()].strip()
    return line.strip()


def _filled(line: str, variables: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        found = variables.get(match[1], match[2])
        if found is None:
            raise UsageError(f"variable {match[1]!r} is not set", f"Add {match[1]}=VALUE to the call.")
        return found

    return _VARIABLE.sub(value, line)
