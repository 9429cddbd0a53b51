"""Which key goes where and does what: the same letter means the same on every screen."""

from __future__ import annotations

from textual.binding import Binding, BindingType

TABS = ("Home", "Stimuli", "Select", "Feature", "Clusters", "Quanta", "Labels", "Jobs", "Log")
ABSENT: frozenset[str] = frozenset()
SCREENS = frozenset(name.lower() for name in TABS if name not in ABSENT)
PLACES = SCREENS | {"result"}
"""Screens that the trail of visited places may hold."""
ACTIONS = {
    "label": "l",
    "steer": "s",
    "contrast": "c",
    "index": "b",
    "undo": "u",
    "new": "n",
    "cancel": "x",
    "detach": "D",
    "find": "f",
    "demo": "d",
    "suggest": "a",
    "edit": "e",
    "check": "C",
    "sign": "t",
    "tag": "T",
    "order": "o",
    "refresh": "r",
    "why": "w",
    "matrix": "m",
    "try": "i",
    "effect": "E",
    "result": "R",
    "planes": "P",
    "probe": "F",
    "accept": "A",
    "reject": "X",
    "score": "S",
    "blind": "B",
    "next_feature": "J",
    "previous_feature": "K",
}
"""Letter keys by action name."""
BINDINGS: list[BindingType] = [
    *[Binding(str(digit), f"go('{name.lower()}')", name, id=f"go.{name.lower()}", show=False)
      for digit, name in enumerate(TABS, start=1)],
    *[Binding(key, f"act('{name}')", name, id=f"act.{name}", show=False) for name, key in ACTIONS.items()],
    Binding("colon", "command", "command line", id="app.command", show=False),
    Binding("slash", "filter", "filter", id="app.filter", show=False),
    Binding("question_mark,f1", "help", "help", id="app.help", show=False),
    Binding("p,ctrl+p", "commands", "command list", id="app.commands", show=False),
    Binding("y", "copy", "copy", id="app.copy", show=False),
    Binding("left_square_bracket,backspace", "travel(-1)", "back", id="app.back", show=False),
    Binding("right_square_bracket", "travel(1)", "forward", id="app.forward", show=False),
    Binding("number_sign", "jump", "jump to a feature", id="app.jump", show=False),
    Binding("M", "set_mark", "mark this place", id="app.set_mark", show=False),
    Binding("apostrophe", "go_mark", "go to a mark", id="app.go_mark", show=False),
    Binding("escape", "back_out", "one level back", id="app.escape", show=False),
    Binding("q", "leave", "leave", id="app.leave", show=False),
    Binding("ctrl+z", "suspend", "to the shell", id="app.suspend", show=False),
    Binding("ctrl+q", "quit", "quit", id="app.quit", show=False, priority=True),
]  # fmt: skip
