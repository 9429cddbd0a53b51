"""The investigator's own keys: `keys.toml` in the settings folder, checked against every key there is.

A line names an action and its keys: `act.label = "L"` or `lines.down = "down,n"`. What cannot be obeyed is
reported by its name and left as it was.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from textual.binding import Binding
from textual.keys import Keys, _character_to_key
from textual.widget import Widget

from screens.keys import BINDINGS
from workbench.paths import settings

NAME = "keys.toml"
EVERYWHERE = frozenset(("go", "act", "app"))
"""First words of actions that work on every screen."""
_WRITTEN = {"escape": "esc", "pagedown": "page down", "pageup": "page up"}
_NAMED = frozenset(str(key.value) for key in Keys) | {"space", "slash", "minus", "plus"}


@dataclass
class Keymap:
    """The keys that differ from the usual ones, and what could not be obeyed."""

    keys: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def shown(self, key: str) -> str:
        """What a key of the hints is now: only keys that work everywhere are told anew."""
        return " ".join(self._renamed.get(part, part) for part in key.split(" ")) if self.keys else key

    @property
    def _renamed(self) -> dict[str, str]:
        return {
            display(binding.key.split(",")[0]): display(self.keys[binding.id].split(",")[0])
            for binding in _app_bindings()
            if binding.id in self.keys
        }


def display(key: str) -> str:
    """A key as people write it: its sign where it has one."""
    from textual.keys import REPLACED_KEYS, key_to_character

    if key in _WRITTEN:
        return _WRITTEN[key]
    sign = key_to_character(REPLACED_KEYS.get(key, key))
    return sign if sign and sign.isprintable() and sign != " " else key


def read() -> Keymap:
    """The keymap of the settings folder; an empty one where there is no such file."""
    path = settings() / NAME
    if not path.is_file():
        return Keymap()
    import tomllib

    try:
        given = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        return Keymap({}, [f"{path}: {error}: all keys are the usual ones"])
    return checked(dict(_flat(given)), path)


def checked(given: dict[str, Any], path: Path) -> Keymap:
    """The entries that can be obeyed; the others are told."""
    usual = all_keys()
    found = Keymap()
    for name, value in given.items():
        if name not in usual:
            near = difflib.get_close_matches(name, usual, 1)
            advice = f"did you mean {near[0]}?" if near else f"actions are such as {', '.join(sorted(usual)[:3])}"
            found.problems.append(f"{path.name}: there is no action {name!r}; {advice}")
        elif keys := _keys_of(value):
            found.keys[name] = ",".join(keys)
        else:
            found.problems.append(
                f"{path.name}: {value!r} of {name} is no key; write a sign, or a name such as f2, ctrl+l, space"
            )
    _drop_clashes(found, usual, path)
    return found


def _drop_clashes(keymap: Keymap, usual: dict[str, str], path: Path) -> None:
    """Leave out what takes the key of something else that is heard at the same time."""
    while True:
        now = {**usual, **keymap.keys}
        clash = next(((mine, key, other) for mine in keymap.keys for key in now[mine].split(",")
                      for other in now if other != mine and key in now[other].split(",") and _meet(mine, other)),
                     None)  # fmt: skip
        if clash is None:
            return
        mine, key, other = clash
        del keymap.keys[mine]
        keymap.problems.append(
            f"{path.name}: {display(key)} of {mine} is the key of {other}; {mine} stays {display(usual[mine])}"
        )


def _meet(one: str, other: str) -> bool:
    """Whether two actions can be heard at the same time: those of two widgets cannot."""
    first, second = one.partition(".")[0], other.partition(".")[0]
    return first == second or bool({first, second} & EVERYWHERE)


def _keys_of(value: Any) -> list[str]:
    """The keys of an entry by Textual's names; none where one is not a key."""
    if not isinstance(value, str) or not value:
        return []
    keys = [value] if len(value) == 1 else [part.strip() for part in value.split(",")]
    named = [_character_to_key(key) if len(key) == 1 else key for key in keys]
    return named if all(_is_key(key) for key in named) else []


def _is_key(key: str) -> bool:
    plain = key
    for prefix in ("ctrl+", "shift+", "alt+"):
        plain = plain.removeprefix(prefix)
    return key in _NAMED or len(plain) == 1 or plain in _NAMED or len(display(plain)) == 1


def _flat(given: dict[str, Any], name: str = "") -> Iterable[tuple[str, Any]]:
    for key, value in given.items():
        full = f"{name}.{key}" if name else key
        if isinstance(value, dict):
            yield from _flat(value, full)
        else:
            yield full, value


def _app_bindings() -> list[Binding]:
    return [binding for binding in BINDINGS if isinstance(binding, Binding)]


def all_keys() -> dict[str, str]:
    """Every action that can be given another key, with its usual keys."""
    found = {str(binding.id): binding.key for binding in _app_bindings()}
    for widget in _widgets(Widget):
        for binding in widget.__dict__.get("BINDINGS", ()):
            if isinstance(binding, Binding) and binding.id:
                found[binding.id] = binding.key
    return found


def _widgets(base: type[Widget]) -> Iterable[type[Widget]]:
    for widget in base.__subclasses__():
        if widget.__module__.startswith("screens."):
            yield widget
        yield from _widgets(widget)
