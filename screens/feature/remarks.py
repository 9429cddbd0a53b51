"""Tags and notes of a feature, typed on the line at the foot."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from screens import background, verbs
from screens.painting.text import short_id, visible
from screens.widgets.command_line import Question

if TYPE_CHECKING:
    from screens.app import WorkbenchApp

TAG = re.compile(r"[\w][\w .+-]{0,63}")
"""What a tag may be; the same as the verb's, which is not imported before it is needed."""
RULE = "letters and digits, and behind the first one spaces, dots, + and - too; 64 at most"
MOST_NOTE = 5000
OFF = "-"
"""Stands before a tag that is taken off; no tag begins with it."""
SHOWN = 8
"""Tags that the advice lists."""


def tag_question(app: WorkbenchApp, feature: str, own: Sequence[str], known: list[str]) -> Question:
    """Tags to put on a feature or to take off it.

    Args:
        app: carries them out.
        feature: the id.
        own: the tags that it has.
        known: the session's tags; may be filled while the line is open.
    """

    def submit(text: str) -> str | None:
        asked = [_asked(part) for part in text.split(",") if part.strip()]
        for tag, off in asked:
            if not TAG.fullmatch(tag):
                return f"'{visible(tag)}' is no tag: {RULE}"
            if off and tag not in own:
                return f"it has no tag '{visible(tag)}': {_listed(own) or 'none at all'}"
        app.close_line()
        commands = [verbs.FeaturesTag(feature=feature, tag=tag, remove=off) for tag, off in asked]
        background.start(app, partial(_one_by_one, app, commands), "do")
        return None

    def offered(text: str) -> tuple[str, list[str]]:
        """What stands before the tag that is being typed, and the tags that it could be."""
        start = text.rfind(",") + 1
        typed = text[start:].lstrip().removeprefix(OFF).lstrip()
        among = own if _asked(text[start:])[1] else [tag for tag in known if tag not in own]
        return text[: len(text) - len(typed)], [tag for tag in among if tag.startswith(typed)]

    def complete(text: str) -> str:
        lead, found = offered(text)
        return lead + found[0] if found else text

    def advise(text: str) -> str:
        _, found = offered(text)
        has = f"has {_listed(own)}; {OFF}NAME takes one off; " if own else ""
        return has + (f"tab: {_listed(found)}" if found else "type a tag, or several with commas")

    return Question(f"tag {short_id(feature)}: ", submit, complete, advise)


def _asked(part: str) -> tuple[str, bool]:
    """A tag that was typed, and whether it is to be taken off."""
    typed = part.strip()
    return typed.removeprefix(OFF).strip(), typed.startswith(OFF)


async def _one_by_one(app: WorkbenchApp, commands: Sequence[verbs.Verb]) -> None:
    for command in commands:
        if not await app.carry_out(command):
            return


def note_question(app: WorkbenchApp, feature: str, before: str) -> Question:
    """A note on a feature, in the investigator's own words; as it was `before`, nothing is done."""

    def submit(text: str) -> str | None:
        if len(text) > MOST_NOTE:
            return f"a note has at most {MOST_NOTE:,} signs, this has {len(text):,}"
        app.close_line()
        if text.strip() != before:
            app.do(verbs.FeaturesNote(feature=feature, text=text.strip()))
        return None

    return Question(f"note {short_id(feature)}: ", submit, advise=lambda _: "your words; empty removes the note")


def _listed(tags: Sequence[str]) -> str:
    more = f", and {len(tags) - SHOWN} more" if len(tags) > SHOWN else ""
    return ", ".join(visible(tag) for tag in tags[:SHOWN]) + more
