"""Where the result of a `:` line is seen: on the screen that is about it, or as plain text."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from screens import verbs
from screens.clusters.planes import show_planes
from screens.feature.own_text import OwnTextPage
from screens.feature.page import FeaturePage
from screens.overlays.reply_view import ReplyPage
from screens.overlays.why import show_why
from screens.pages.page import Page
from screens.painting.text import in_app, size
from screens.results.page import ResultPage, has_view, is_list, subject_of
from screens.select.map_view import show_map
from screens.select.page import SelectPage

if TYPE_CHECKING:
    from screens.app import WorkbenchApp

_SCREEN_OF = {
    "session.list": "home",
    "stimuli.list": "stimuli",
    "stimuli.show": "stimuli",
    "clusters.list": "clusters",
    "clusters.show": "clusters",
    "labels.show": "labels",
    "engine.jobs": "jobs",
    "features.show": "feature",
    "features.contrast": "select",
    "features.rsa": "select",
    "features.maxact": "select",
    "clusters.find": "clusters",
    "clusters.import": "clusters",
    "clusters.rank": "clusters",
    "steer.clamp": "feature",
    **dict.fromkeys(("quanta.list", "quanta.show", "quanta.counts", "quanta.losses", "quanta.select"), "quanta"),
    **dict.fromkeys(("quanta.cluster", "quanta.split", "quanta.merge", "quanta.label"), "quanta"),
    "quanta.stimuli": "stimuli",
    "stimuli.import": "stimuli",
    "stimuli.new": "stimuli",
    "stimuli.edit": "stimuli",
    "stimuli.draft": "stimuli",
}
_WRITERS = ("features.export", "clusters.export", "quanta.export")
"""What they say is where the file went, and how large it is."""
_RANKINGS = ("features.contrast", "features.rsa", "features.maxact", "features.probe")
_RESULT_SUBJECT = {"steer.clamp": "feature", "stimuli.import": "name", "stimuli.new": "name", "stimuli.edit": "name",
                   "stimuli.draft": "name", "quanta.stimuli": "name"}  # fmt: skip
_SUBJECT_OF = {"stimuli.show": "set", "clusters.show": "cluster", "features.show": "feature", "quanta.show": "cluster"}


def run_line(app: WorkbenchApp, verb: verbs.Verb) -> None:
    """Carry out what a line says, and go where its result is seen."""
    if verb.dotted == "features.list":
        app.query_one(SelectPage).take_query(verb)
        app.visit("select")
    elif isinstance(verb, verbs.SessionResult):
        app.visit("result", str(verb.line))
    elif verb.dotted in _SCREEN_OF and not isinstance(verb, verbs.Command):
        subject = getattr(verb, _SUBJECT_OF[verb.dotted], "") if verb.dotted in _SUBJECT_OF else ""
        app.visit(_SCREEN_OF[verb.dotted], str(subject))
    elif isinstance(verb, verbs.Command):
        app.do(verb, show_reply(app, verb))
    else:
        app.show_answer(verb, show_reply(app, verb))


def show_reply(app: WorkbenchApp, verb: verbs.Verb) -> Callable[[dict[str, Any]], None]:
    """What happens to the reply: unless the investigator has moved on, it comes to the front."""
    origin = (app.trail.here, app.over)

    def then(reply: dict[str, Any]) -> None:
        if _shown_at_once(app, verb, reply):
            return
        _hand_to_screens(app, verb, reply)
        if (app.trail.here, app.over) == origin:
            _bring_to_front(app, verb, reply)
        elif has_view(verb) and not is_list(verb):
            app.explain(f"{verb.dotted} is done: its result is in the Log (9), R shows it")

    return then


def _shown_at_once(app: WorkbenchApp, verb: verbs.Verb, reply: dict[str, Any]) -> bool:
    """Show the replies that come to the front wherever the investigator is by then; whether this is one of them."""
    match verb.dotted:
        case "session.new" | "session.fork" | "session.import":
            app.enter_session(str(reply["result"]["session"]))
        case "features.why":
            show_why(app, reply)
        case "features.map":
            show_map(app, reply)
        case "features.activate" | "features.diff":
            app.query_one(OwnTextPage).take(verb, reply["result"])
            app.show_over("try")
        case "clusters.planes":
            show_planes(app, reply)
        case _:
            return False
    return True


def _hand_to_screens(app: WorkbenchApp, verb: verbs.Verb, reply: dict[str, Any]) -> None:
    """Tell the screens that show such a result, in front or not, that there is a new one."""
    if verb.dotted == "steer.clamp":
        app.query_one(FeaturePage).take_steering(reply["result"], reply)
    if verb.dotted in _RANKINGS and getattr(verb, "ranks_features", True):
        app.query_one(SelectPage).take_new()


def _bring_to_front(app: WorkbenchApp, verb: verbs.Verb, reply: dict[str, Any]) -> None:
    """Show a reply on the screen that is about it, else as a notice or as plain text."""
    result = reply["result"]
    if result.get("dry_run"):
        app.query_one(ReplyPage).show_reply(reply)
        app.show_over("reply")
    elif verb.dotted == "quanta.stimuli" and app.trail.here.screen == "quanta":
        name = str(result["name"])  # what follows is done there: the same key contrasts it
        app.query_one("#stimuli", Page).subject = name
        app.explain(f"{name} is made: c contrasts it, 2 shows it")
    elif is_list(verb):
        app.query_one(ResultPage).take(verb, reply)
        app.visit("result", subject_of(verb))
    elif has_view(verb):
        app.visit("result", str(reply["seq"]))
    elif verb.dotted in _SCREEN_OF:
        named = _RESULT_SUBJECT.get(verb.dotted)
        app.visit(_SCREEN_OF[verb.dotted], str(result[named]) if named else "")
    elif verb.dotted in _WRITERS:
        missing = [f"missing: {in_app(sentence)}" for sentence in result.get("missing") or []]
        app.notify_text([f"written: {result['path']} ({size(result['bytes'])})", *missing])
    elif not isinstance(verb, verbs.Command) or not (verb.changes_session or verb.makes_session):
        app.query_one(ReplyPage).show_reply(reply)
        app.show_over("reply")


def show_result(app: WorkbenchApp, item: dict[str, Any]) -> None:
    """Go where the stored result of a log line is seen; `item` is the line as `session.show` gives it."""
    verb = verbs.parse_line(item["line"])
    if verb.dotted in _RANKINGS and not has_view(verb):
        app.query_one(SelectPage).take_new(int(item["seq"]))
        app.visit("select")
    elif verb.dotted == "steer.clamp":
        app.show_answer(
            verbs.SessionResult(line=int(item["seq"])), lambda reply: _show_steering(app, verb, reply["result"])
        )
    else:
        app.visit("result", str(item["seq"]))


def _show_steering(app: WorkbenchApp, verb: verbs.Verb, stored: dict[str, Any]) -> None:
    """A stored steering is seen in the pane of its feature, as when it was made."""
    result = stored["result"]
    reply = {"result": result, "params": verb.params(), "provenance": stored["provenance"], "reused": stored["seq"]}
    app.visit("feature", str(result["feature"]))
    app.query_one(FeaturePage).take_steering(result, reply)
