"""What the line at the foot is opened for: a `:` line, a filter, a label, a name."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from screens import leaving, verbs
from screens.labels.text import NAMES
from screens.line import completion, doing
from screens.pages.page import Page
from screens.painting.text import in_app, short_id, visible
from screens.widgets.command_line import Question
from workbench.errors import WorkbenchError

if TYPE_CHECKING:
    from screens.app import WorkbenchApp

NUMBER = re.compile(r"#?\d{1,9}")
"""A feature's number, on the `:` line."""
MOST_NOTE = 20_000
"""Signs of a note on the session; the verb's own bound."""


def command_question(app: WorkbenchApp) -> Question:
    """The `:` line."""

    def submit(text: str) -> str | None:
        if not text.strip():
            return None
        if own := own_line(app, text.strip().removeprefix(":")):
            own()
            return None
        try:
            verb = verbs.parse_line(text.strip().removeprefix(":"))
        except WorkbenchError as error:
            return in_app(str(error))
        if reason := doing.shell_only(type(verb)):
            return f"{verb.dotted} {reason}"
        app.close_line()
        from screens.line.routes import run_line

        run_line(app, verb)
        return None

    known = known_values(app)

    def advise(text: str) -> str:
        shown = completion.listed(text, known)
        told = completion.explanation(text, app.where)
        if " " not in text or (shown and not app.where and completion.names_a_file(text)):
            return shown or told
        return f"{told}  ({shown})" if told and shown else told or shown

    return Question(":", submit, lambda text: completion.completed(text, known), advise, app.history)


def open_undo(app: WorkbenchApp, item: dict[str, Any] | None = None) -> None:
    """The `:` line that takes back a line of the log, the latest in force if none is given, and says which it is."""
    log = app.summary.get("log") or []
    open_lines = [one for one in log if one["outcome"] == "ok" and not one["withdrawn"] and one["do"] != "session.undo"]
    taken = item or (open_lines[-1] if open_lines else None)
    if taken is None:
        app.open_command("session.undo")
        return
    text = f"session.undo {taken['seq']}"
    app.open_command(text)
    usual = command_question(app)
    told = f"enter takes back line {taken['seq']}: {visible(str(taken['line']))}"
    app.line.question = replace(
        usual, advise=lambda now: told if now == text or usual.advise is None else usual.advise(now)
    )


def own_line(app: WorkbenchApp, text: str) -> Callable[[], None] | None:
    """What a line does that only the app has: `tour`, `quit`, and a feature's number."""
    if text == "tour":
        return partial(_after_line, app, app.start_tour)
    if text in ("q", "quit"):
        return partial(_after_line, app, partial(leaving.leave, app))
    if NUMBER.fullmatch(text):
        return partial(_after_line, app, partial(app.visit, "feature", text.removeprefix("#")))
    return None


def _after_line(app: WorkbenchApp, act: Callable[[], None]) -> None:
    app.close_line()
    act()


def jump_question(app: WorkbenchApp) -> Question:
    """The number of a feature, or its whole id."""

    def submit(text: str) -> str | None:
        wanted = text.strip()
        if not wanted:
            return None
        if not NUMBER.fullmatch(wanted) and not NUMBER.fullmatch(wanted.rpartition("#")[2]):
            return f"{wanted!r} is no feature: type its number, such as 417"
        app.close_line()
        app.visit("feature", wanted.removeprefix("#"))
        return None

    return Question("feature #", submit, advise=lambda _: "its number in the loaded features, or its whole id")


def known_values(app: WorkbenchApp) -> dict[str, list[str]]:
    """Values that could be meant, by parameter name."""
    from screens.sessions.home import HomePage
    from screens.stimuli.page import StimuliPage

    sets = [*app.query_one(StimuliPage).names, *(app.summary.get("stimuli") or {})]
    unique = list(dict.fromkeys(sets))
    sessions = app.query_one(HomePage).names
    current = app.page.subject if app.page.id == "feature" else ""
    return {
        "stimuli": unique,
        "set": unique,
        "target": sessions,
        "feature": [current] if current else [],
        "ref": ["demo", "raw"],
    }


def filter_question(page: Page) -> Question:
    """The filter of a screen's list."""

    def typed(text: str) -> None:
        page.filter_typed(text.strip())

    def submit(text: str) -> None:
        page.filter(text.strip())

    def dropped() -> None:
        if page.filtered:
            page.filter("")

    told = "only what contains this: enter keeps it, esc shows all"
    return Question("/", submit, advise=lambda _: told, changed=typed, dropped=dropped)


def label_question(app: WorkbenchApp, feature: str, suggested: str = "", of: Any = "features") -> Question:
    """A label in the investigator's own words; tab takes a suggested one.

    Args:
        feature: its name, or that of a cluster or a quantum.
        of: which of them.
    """

    def submit(text: str) -> str | None:
        if len(text) > 500:
            return f"a label has at most 500 signs, this has {len(text)}"
        app.close_line()
        app.do(verbs.LabelsSet(feature=feature, text=text.strip(), of=of))
        return None

    told = f"suggested: {suggested}  (tab takes it)" if suggested else "your words; empty removes the label"
    what = short_id(feature) if of == "features" else f"{NAMES[of]} {feature.rpartition('#')[2]}"
    return Question(f"label {what}: ", submit, complete=lambda text: text or suggested, advise=lambda _: told)


def session_note_question(app: WorkbenchApp) -> Question:
    """A note on the session, in the investigator's own words: nothing in it is a quote."""

    def submit(text: str) -> str | None:
        if len(text) > MOST_NOTE:
            return f"a note has at most {MOST_NOTE:,} signs, this has {len(text):,}"
        app.close_line()
        if text.strip():
            app.do(verbs.SessionNote(text=text.strip()))
        return None

    return Question("note on the session: ", submit, advise=lambda _: "your words, as they are; e writes in $EDITOR")


def new_sentence_question(app: WorkbenchApp, stimuli: str, categories: Sequence[str], category: str) -> Question:
    """A sentence to add to a category of a stimulus set, typed as it is.

    Args:
        stimuli: the set.
        categories: all of its categories, among which tab turns.
        category: the one that the sentence is for.
    """

    def submit(text: str) -> str | None:
        app.close_line()
        if text.strip():
            app.do(verbs.StimuliEdit(set=stimuli, category=category, add=(text.strip(),)))
        return None

    def turn(text: str) -> str:
        after = categories[(categories.index(category) + 1) % len(categories)]
        app.line.question = new_sentence_question(app, stimuli, categories, after)
        app.line.refresh()
        return text

    others = len(categories) > 1 and category in categories
    told = "the sentence as it is, quotes and all" + ("; tab: another category" if others else "")
    return Question(f"add to {category}: ", submit, turn if others else None, advise=lambda _: told)


def rewrite_question(app: WorkbenchApp, stimuli: str, sentence: str) -> Question:
    """What a sentence of a stimulus set becomes, typed as it is."""

    def submit(text: str) -> str | None:
        if not text.strip():
            return "a sentence needs words; x leaves this one out"
        app.close_line()
        if text.strip() != sentence:
            app.do(verbs.StimuliEdit(set=stimuli, replace=sentence, text=text.strip()))
        return None

    return Question("rewrite: ", submit, advise=lambda _: "the sentence as it is, quotes and all; its columns stay")
