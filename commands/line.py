"""One text line for one verb: `features.contrast achievement top=20`, parsed and written.

The `:` line of the app, script files and the log screen share this form. Values are read by the field's
type: a list is several `key=value` pairs or JSON, text with spaces is quoted as in a shell.
"""

from __future__ import annotations

import json
import shlex
import types
import typing
from collections.abc import Collection, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from commands.registry import VERBS, lookup
from workbench.errors import UnknownNameError, UsageError
from workbench.verbs import Verb

ACTIVE = '"\\$`!'
"""Signs that mean something between double quotes, here, in a script or in a shell."""


def parse_line(text: str) -> Verb:
    """The verb that a line says, with or without the colon before which the app shows it.

    Raises:
        UsageError: quotes that do not close, an unknown verb or parameter, or a value out of bounds.
    """
    return of_words(split_line(text))


def split_line(text: str) -> list[str]:
    """The words of a line, quotes taken off.

    Raises:
        UsageError: quotes that do not close.
    """
    try:
        return shlex.split(text.strip().removeprefix(":"), comments=False)
    except ValueError as error:
        raise UsageError(f"cannot read {text!r} ({error})", "Close the quotes.") from error


def of_words(words: list[str]) -> Verb:
    """The verb that the words of a line say.

    Raises:
        UsageError: an unknown verb or parameter, or a value out of bounds.
    """
    if not words:
        raise UsageError("empty command line", "Type a verb such as features.contrast.")
    _refuse_shell_form(words)
    verb = lookup(words[0])
    return build(verb, pairs_of(verb, words[1:]))


def _refuse_shell_form(words: list[str]) -> None:
    """Say how a command of the shell is written in a line."""
    start = 1 if words[0] == "workbench" else 0
    for many in (2, 1):
        dotted = ".".join(words[start : start + many])
        if dotted in VERBS and (start or many == 2) and start + many <= len(words):
            spoken = " ".join(words[: start + many])
            raise UnknownNameError(f"unknown command {spoken!r}", f"In a line it is written {dotted}.")


def pairs_of(verb: type[Verb], words: list[str], taken: Collection[str] = ()) -> dict[str, list[str]]:
    """Raw values by field: `key=value` words by name, the others by the verb's positional fields in turn.

    Positional fields in `taken` were given in another way and are passed over.

    Raises:
        UsageError: a word that no field takes.
    """
    values: dict[str, list[str]] = {}
    waiting = [name for name in verb.positional if name not in taken]
    for word in words:
        key, sign, value = word.partition("=")
        if sign and key.replace("-", "_") in verb.model_fields:
            name = key.replace("-", "_")
            values.setdefault(name, []).append(value)
            if name in waiting:
                waiting.remove(name)
        elif waiting:
            name = waiting[0]
            values.setdefault(name, []).append(word)
            if not is_list(verb.model_fields[name]):
                waiting.pop(0)
        elif sign:
            raise UnknownNameError.among(f"parameter of {verb.dotted}", key, verb.model_fields)
        else:
            raise UsageError(
                f"{verb.dotted} does not take {word!r}", f"{verb.too_many}Its parameters: {parameters(verb)}."
            )
    return values


def parameters(verb: type[Verb]) -> str:
    """The names of a verb's parameters, for messages."""
    return ", ".join(verb.model_fields) or "none"


def is_list(field: FieldInfo) -> bool:
    """Whether a field takes several values."""
    return any(typing.get_origin(part) is tuple for part in _parts(field.annotation))


def choices(field: FieldInfo) -> list[str]:
    """The words that a field takes, where it takes no others."""
    return [
        str(value)
        for part in _parts(field.annotation)
        if typing.get_origin(part) is typing.Literal
        for value in typing.get_args(part)
    ]


def is_flag(field: FieldInfo) -> bool:
    """Whether a field is a plain yes or no."""
    return field.annotation is bool


def _parts(annotation: Any) -> list[Any]:
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return [part for option in typing.get_args(annotation) for part in _parts(option)]
    return [annotation]


def build(verb: type[Verb], values: Mapping[str, Any]) -> Verb:
    """The verb with these typed words: lists of texts, read as the field's type asks.

    Raises:
        UnknownNameError: a parameter the verb does not have.
        UsageError: a missing or unfit value, named with what was expected.
    """
    known = verb.model_fields
    typed = {name: _typed(known[name], value) if name in known else value for name, value in values.items()}
    made = from_params(verb, typed)
    for name in verb.zero_is_unset:
        if name in typed and not getattr(made, name):
            raise UsageError(f"{verb.dotted}: {name} is 0", f"Give more than 0, or leave {name} out for its default.")
    return made


def from_params(verb: type[Verb], params: Mapping[str, Any]) -> Verb:
    """The verb with these parameters as the log keeps them: values as they are, no text is read again.

    Raises:
        UnknownNameError: a parameter the verb does not have.
        UsageError: a missing or unfit value, named with what was expected.
    """
    for name in params:
        if name not in verb.model_fields:
            raise UnknownNameError.among(f"parameter of {verb.dotted}", name, verb.model_fields)
    try:
        return verb.model_validate(dict(params))
    except ValidationError as error:
        raise _usage(verb, error) from error


def _typed(field: FieldInfo, value: Any) -> Any:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        return value
    if is_list(field):
        return [part for item in value for part in _list_item(item)]
    text = value[-1]
    return None if text == "none" and type(None) in _parts(field.annotation) else text


def _list_item(text: str) -> list[str]:
    if text.startswith("["):
        try:
            items = json.loads(text)
        except ValueError:
            return [text]
        return [str(item) for item in items]
    return [text]


def _usage(verb: type[Verb], error: ValidationError) -> UsageError:
    first = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in first["loc"]) or "value"
    if first["type"] == "missing":
        return UsageError(f"{verb.dotted} needs {field}", f"Its parameters: {parameters(verb)}.")
    if first["type"] == "string_pattern_mismatch" and (described := verb.model_fields.get(field)):
        rule = first["ctx"]["pattern"]
        return UsageError(
            f"{verb.dotted}: {field} is {first['input']!r}", f"{described.description}. It has to match {rule}."
        )
    return UsageError(f"{verb.dotted}: {field} is {first['input']!r}", f"{first['msg'][:1].upper()}{first['msg'][1:]}.")


def format_line(verb: Verb) -> str:
    """The line that makes this verb again: positional values first, defaults left out."""
    words = [verb.dotted]
    values = verb.model_dump(mode="json", exclude_defaults=True)
    fields = type(verb).model_fields
    for name in verb.positional:
        # a text such as `top=3` would be read as a parameter
        if name not in values or is_list(fields[name]) or _names_field(str(values[name]), fields):
            break
        words.append(_quote(values.pop(name)))
    for name, value in values.items():
        items = [_item(item) for item in value] if is_list(fields[name]) else [value]
        words.extend(f"{name}={_quote(item)}" for item in items)
    return " ".join(words)


def _names_field(word: str, fields: Mapping[str, FieldInfo]) -> bool:
    key, sign, _ = word.partition("=")
    return bool(sign) and key.replace("-", "_") in fields


def _item(value: Any) -> Any:
    """An item of a list as it is written; one that looks like a JSON list is wrapped in one."""
    return json.dumps([value]) if isinstance(value, str) and _list_item(value) != [value] else value


def _quote(value: Any) -> str:
    return quoted(json.dumps(value) if isinstance(value, (bool, dict)) or value is None else str(value))


def quoted(text: str) -> str:
    """A text as a word of a line, quoted where it has to be."""
    if "'" in text and not any(sign in text for sign in ACTIVE):
        return f'"{text}"'  # as one types it; shlex would write 'it'"'"'s'
    return shlex.quote(text)
