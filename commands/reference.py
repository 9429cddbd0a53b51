"""Writes docs/commands.md from the registry: `python -m commands.reference`."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from pydantic.fields import FieldInfo

from commands.cli import find_verb, parse_verb
from commands.line import choices, format_line, is_flag, is_list
from commands.registry import ABOUT, VERBS, in_group, lookup
from commands.shell.overview import OPTIONS
from commands.shell.usage import example
from workbench.files import write_atomic
from workbench.verbs import Verb

PLACE = Path(__file__).resolve().parents[1] / "docs" / "commands.md"

HEAD = """\
# Commands

Written from the verbs themselves by `python -m commands.reference`; `workbench GROUP VERB --help` says the same.

A verb is typed in three ways: in the shell (`workbench features show 459`), after a colon in the app, and as a line of
a script (`features.show 459`). Words without a name fill the parameters marked *in place*, in their order; the others
are `--name VALUE` in the shell and `name=VALUE` elsewhere. A list is the same parameter several times. A **command**
changes the investigation: it is logged and replayed. A **query** only reads.
"""


def reference() -> str:
    """The whole page: contents, the options that every verb takes, then every verb by group."""
    contents = [f"- [{name}](#{name}): {about}" for name, about in ABOUT.items() if name not in VERBS]
    alone = [name for name in ABOUT if name in VERBS]
    contents.append(f"- [without a group](#without-a-group): {', '.join(f'`{name}`' for name in alone)}")
    parts = [HEAD, "\n".join(contents), f"```\n{OPTIONS}```"]
    for group in (name for name in ABOUT if name not in VERBS):
        parts += [f"## {group}", f"{ABOUT[group].capitalize()}."]
        parts += [_verb(f"{group}.{name}") for name in in_group(group)]
    parts += ["## without a group", *map(_verb, alone)]
    return "\n\n".join(part.rstrip() for part in parts) + "\n"


def _verb(name: str) -> str:
    verb, shell = lookup(name), example(name)
    typed, words = find_verb(shlex.split(shell)[1:])
    line = format_line(parse_verb(typed, words))
    said = " ".join(part for part in (verb.summary(), _kind(verb), verb.explanation()) if part)
    lines = [f"### {name.replace('.', ' ')}", "", _escaped(said), "", "```sh", shell, "```"]
    if verb.place != "front":
        lines += ["", f"In the app and in scripts: `:{line}`"]
    if verb.model_fields:
        lines += ["", "| parameter | takes | default | meaning |", "|---|---|---|---|"]
        lines += [_parameter(verb, name, field) for name, field in verb.model_fields.items()]
    return "\n".join(lines)


def _kind(verb: type[Verb]) -> str:
    said = "A query." if verb.is_query() else "A command."
    return said + (" It may run for minutes, can be detached and cancelled, and stands on Jobs." if verb.heavy else "")


def _parameter(verb: type[Verb], name: str, field: FieldInfo) -> str:
    place = " (in place)" if name in verb.positional else ""
    cells = (f"`{name}`{place}", _takes(field), _default(field), _escaped(field.description or ""))
    return f"| {' | '.join(cells)} |"


def _takes(field: FieldInfo) -> str:
    if is_flag(field):
        return "yes or no"
    words = [f"`{choice}`" for choice in choices(field) if choice]
    kind = " or ".join(words) or _sort(field)
    return f"{kind}, several times" if is_list(field) else kind


def _sort(field: FieldInfo) -> str:
    """Number with its bounds, or text."""
    shown = str(field.annotation)
    number = "whole number" if "int" in shown else "number" if "float" in shown else "text"
    bounds = [
        f"{word} {getattr(bound, key):g}"
        for bound in field.metadata
        for key, word in (("ge", "from"), ("gt", "above"), ("le", "to"), ("lt", "below"))
        if getattr(bound, key, None) is not None
    ]
    return " ".join([number, *bounds])


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "needed"
    if field.default in ("", (), None):
        return ""
    if isinstance(field.default, bool):
        return "yes" if field.default else "no"
    items = field.default if isinstance(field.default, tuple) else (field.default,)
    return ", ".join(f"`{item}`" for item in items)


def _escaped(text: str) -> str:
    """Text whose bars and angle brackets stay themselves in a Markdown table; code spans keep theirs."""
    parts = text.replace("|", "\\|").split("`")
    return "`".join(part if at % 2 else part.replace("<", "\\<").replace("*", "\\*") for at, part in enumerate(parts))


def main() -> int:
    """Write the page."""
    write_atomic(PLACE, reference())
    sys.stdout.write(f"wrote {PLACE.name}: {len(VERBS)} verbs\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
