"""The texts of `workbench --help`, which names every verb and imports none, and of `workbench GROUP --help`."""

from __future__ import annotations

import textwrap

from commands.registry import ABOUT, in_group, lookup

WIDTH = 80
_INDENT = " " * 13
OPTIONS = """\
Options, before or after the verb:
  --session NAME    session to work in (default: the last one;
                    WORKBENCH_SESSION)
  --sessions DIR    folder of sessions (default: ./sessions if there is one;
                    WORKBENCH_SESSIONS)
  --json            one JSON object on stdout
  --quiet           no narration on stderr
  --fresh           compute even where an equal result is stored
  --no-engine       run in this process, without the background engine
  --host USER@BOX[:PATH]   use the engine of another machine over ssh
  --version         print the version
"""


def of_all() -> str:
    """What the program is, its groups with their verbs, the lone verbs, and the options that every verb takes."""
    lines = [
        "workbench: investigate the features of language models in the terminal",
        "",
        "  workbench                      open the app on the last session",
        "  workbench GROUP VERB ...       run one command",
        "  workbench GROUP --help         what the group's verbs do",
        "  workbench GROUP VERB --help    the verb's parameters",
        "",
    ]
    for name, about in ABOUT.items():
        lines += [f"  {name:<10} {about}", *_verbs_of(name)]
    return "\n".join([*lines, "", OPTIONS])


def _verbs_of(group: str) -> list[str]:
    return textwrap.wrap(", ".join(in_group(group)), WIDTH, initial_indent=_INDENT, subsequent_indent=_INDENT)


def of_group(group: str) -> str:
    """What a group is about, and each of its verbs with its summary."""
    lines = [f"workbench {group}: {ABOUT[group]}", ""]
    for name in in_group(group):
        verb = lookup(f"{group}.{name}")
        mark = "*" if verb.is_query() else " "
        lines += textwrap.wrap(
            verb.summary(), WIDTH, initial_indent=f"  {name:<12} {mark} ", subsequent_indent=" " * 17
        )
    lines += ["", "  * reads only, never logged", f"  `workbench {group} VERB --help` shows a verb's parameters", ""]
    return "\n".join(lines)
