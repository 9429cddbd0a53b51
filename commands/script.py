"""Scripts: one command a line, comments with `#`, variables as ${NAME}, or ${NAME:-VALUE} with a value of their own."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from commands.line import of_words, split_line
from workbench.errors import UsageError, WorkbenchError
from workbench.verbs import Verb

_VARIABLE = re.compile(r"\$\{(\w+)(?::-([^{}]*))?\}")
_HELD = "\ue000"
"""Stands around the number of a value while a line is cut into words; a sign of no script."""
_PLACE = re.compile(f"{_HELD}(\\d+){_HELD}")
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
        UsageError: the first line that is wrong, by number, a script that tries to call itself, or a variable that is
            in no line.
    """
    verbs = []
    lines = [_without_comment(raw) for raw in text.splitlines()]
    for number, line in enumerate(lines, start=1):
        if not line:
            continue
        try:
            verb = of_words(_filled(line, variables))
        except WorkbenchError as error:
            raise UsageError(f"line {number} of {name}: {error.message}", error.hint) from error
        if verb.place == "front":
            raise UsageError(f"line {number} of {name}: {verb.dotted} cannot stand in a script", "Remove the line.")
        verbs.append(verb)
    _check_all_used("\n".join(lines), variables, name)
    if not verbs:
        raise UsageError(f"{name} has no command", "Write one command a line, such as features.contrast achievement.")
    return verbs


def variables_of(text: str) -> set[str]:
    """Names of the variables that a script, or a line of one, has."""
    return {match[1] for match in _VARIABLE.finditer(text)}


def _without_comment(line: str) -> str:
    """The line up to a word that begins with `#`; the # of a feature id or of a quoted text is none."""
    for word in _WORD.finditer(line):
        if word[0].startswith("#"):
            return line[: word.start()].strip()
    return line.strip()


def _filled(line: str, variables: Mapping[str, str]) -> list[str]:
    """The words of a line; the value of a variable stays in the word it stands in, whatever signs it holds."""
    values: list[str] = []

    def put_aside(match: re.Match[str]) -> str:
        found = variables.get(match[1], match[2])
        if found is None:
            given = f"Given: {', '.join(variables)}." if variables else ""
            raise UsageError(f"variable {match[1]!r} is not set", f"Add {match[1]}=VALUE to the call. {given}".rstrip())
        values.append(found)
        return f"{_HELD}{len(values) - 1}{_HELD}"

    words = split_line(_VARIABLE.sub(put_aside, line.replace(_HELD, "")))
    return [_PLACE.sub(lambda match: values[int(match[1])], word) for word in words]


def _check_all_used(text: str, variables: Mapping[str, str], name: str) -> None:
    """Refuse a variable that no line has: its default would be taken without a word."""
    known = variables_of(text)
    for given in variables:
        if given not in known:
            told = f"Its variables: {', '.join(sorted(known))}." if known else "It has no variables."
            raise UsageError(f"no line of {name} has the variable {given!r}", told)
