"""Tags and notes that the investigator puts on features: entries of the session's state, each with its own log line.

A tag and a feature make one entry (`tags/TAG/FEATURE`), so that undoing one tagging leaves all the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.session.state import Entry, State

TAGS, NOTES = "tags", "feature-notes"


def tag_entry(tag: str, feature: str) -> str:
    """The name of the state entry of a tag on a feature."""
    return f"{TAGS}/{tag}/{feature}"


def note_entry(feature: str) -> str:
    """The name of the state entry of a feature's note."""
    return f"{NOTES}/{feature}"


def taggings(state: State) -> Iterator[tuple[str, str, Entry]]:
    """Every (tag, feature id, entry), in the order in which they were given."""
    for name, entry in state.under(TAGS).items():
        tag, _, feature = name.partition("/")
        yield tag, feature, entry


def tags_by_feature(state: State) -> dict[str, list[str]]:
    """The tags of each feature that has some, by its id, in alphabetical order."""
    found: dict[str, list[str]] = {}
    for tag, feature, _ in taggings(state):
        found.setdefault(feature, []).append(tag)
    return {feature: sorted(tags, key=lambda tag: (tag.casefold(), tag)) for feature, tags in found.items()}


def notes_by_feature(state: State) -> dict[str, str]:
    """The note of each feature that has one, by its id."""
    return {feature: str(entry.value["text"]) for feature, entry in state.under(NOTES).items()}


def tagged(state: State, tag: str) -> set[str]:
    """The ids of the features with a tag."""
    return set(state.under(f"{TAGS}/{tag}"))
