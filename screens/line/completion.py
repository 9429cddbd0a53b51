"""Completing a `:` line: verbs, parameter names, and the values that are known."""

from __future__ import annotations

import typing
from collections.abc import Mapping, Sequence
from typing import Any

from screens import verbs
from screens.line import file_names
from screens.painting.text import in_app

Known = Mapping[str, Sequence[str]]
"""Values that exist now, by parameter name: stimulus sets, features, sessions, jobs."""


def candidates(text: str, known: Known) -> list[str]:
    """What the last word of the line could be, best first."""
    words = text.split(" ")
    last = words[-1]
    if len(words) == 1:
        names = [*verbs.VERBS, "tour"]
        return [name for name in names if name.startswith(last)] or [name for name in names if last in name]
    verb = verbs.find(words[0])
    if verb is None:
        return []
    name, sign, value = last.partition("=")
    if sign:
        return [f"{name}={option}" for option in _values(verb, name, known, value) if option.startswith(value)]
    return [word for word in _words(verb, words[1:-1], known, last) if word.startswith(last)]


def _words(verb: type[verbs.Verb], given: list[str], known: Known, typed: str) -> list[str]:
    """Values of the next positional parameter, then the parameters not given yet."""
    named = {word.partition("=")[0] for word in given if "=" in word}
    plain = sum("=" not in word for word in given)
    waiting = [name for name in verb.positional if name not in named][plain:]
    values = _values(verb, waiting[0], known, typed) if waiting else []
    taken = named | set(verb.positional[:plain])
    return values + [f"{name}=" for name in verb.model_fields if name not in taken]


def _values(verb: type[verbs.Verb], name: str, known: Known, typed: str) -> list[str]:
    field = verb.model_fields.get(name)
    if field is None:
        return []
    if typing.get_origin(field.annotation) is typing.Literal:
        return [str(value) for value in typing.get_args(field.annotation)]
    if field.annotation is bool:
        return ["true", "false"]
    files = file_names.beginning_with(typed) if typed and file_names.names_a_file(verb, name) else []
    return [*known.get(name, ()), *files]


def completed(text: str, known: Known) -> str:
    """The line with its last word lengthened as far as all candidates agree."""
    options = candidates(text, known)
    if not options:
        return text
    head = text[: len(text) - len(text.split(" ")[-1])]
    common = _common_start(options)
    if len(options) == 1:
        return head + common + ("" if common.endswith(("=", "/")) else " ")
    return head + common if len(common) > len(text.split(" ")[-1]) else text


def listed(text: str, known: Known, most: int = 12) -> str:
    """The candidates in one line, where there are several; of files the last part."""
    options = candidates(text, known)
    return "  ".join(file_names.last_parts(options[:most])) if len(options) > 1 else ""


def _common_start(options: list[str]) -> str:
    first, last = min(options), max(options)
    same = next((at for at, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
    return first[:same]


def explanation(text: str, where: str = "") -> str:
    """What the word being typed is for: the verb's summary, or the parameter's description and default.

    Over `where`, another machine, a path also says on which of the two it is meant.
    """
    if text == "tour":
        return "Show the tour of one minute again."
    verb, name = _asked(text)
    if verb is None:
        return ""
    field = verb.model_fields.get(name)
    if field is None:
        return verb.summary()
    side = _side(verb, name, where) if where else ""
    return f"{name}{side}: {in_app(field.description or '')}{_default(field.default)}"


def _side(verb: type[verbs.Verb], name: str, where: str) -> str:
    from workbench.engine.afar import side  # only once there is another machine

    told = side(verb, name, where)
    return f" ({told})" if told else ""


def names_a_file(text: str) -> bool:
    """Whether the word being typed may be a file's name."""
    verb, name = _asked(text)
    return verb is not None and file_names.names_a_file(verb, name)


def _asked(text: str) -> tuple[type[verbs.Verb] | None, str]:
    """The verb of a line, and the parameter that its last word is for; no name where there is none."""
    words = text.split(" ")
    verb = verbs.find(words[0])
    name, sign, _ = words[-1].partition("=")
    if sign or verb is None:
        return verb, name
    plain = sum("=" not in word for word in words[1:-1])
    waiting = verb.positional[plain:] if len(words) > 1 else ()
    return verb, waiting[0] if waiting else ""


def _default(value: Any) -> str:
    plain = isinstance(value, (int, float, str)) and not isinstance(value, bool) and value != ""
    return f" [{value}]" if plain else ""
