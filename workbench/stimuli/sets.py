"""Stimulus sets as objects: named categories of sentences, one of them the positive class."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workbench import demo
from workbench.digests import value_digest
from workbench.errors import UnknownNameError

if TYPE_CHECKING:
    from workbench.lab import Lab


@dataclass(frozen=True)
class Steering:
    """Neutral prompts, and words that the concept should make likelier or unlikelier after them."""

    prompts: tuple[str, ...] = ()
    raises: tuple[str, ...] = ()
    lowers: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, list[str]]:
        """The form of the files."""
        return {"prompts": list(self.prompts), "raise": list(self.raises), "lower": list(self.lowers)}


@dataclass(frozen=True)
class StimulusSet:
    """Sentences in categories.

    Attributes:
        name: by which commands refer to it.
        categories: (category, sentences) in the order of the file; the order means nothing.
        positive: the category that carries the concept, or "" where each may be asked for.
    """

    name: str
    categories: tuple[tuple[str, tuple[str, ...]], ...]
    positive: str = ""
    description: str = ""
    steering: Steering = field(default_factory=Steering)

    @property
    def rows(self) -> list[tuple[str, str]]:
        """(category, sentence) of every stimulus, category by category."""
        return [(category, text) for category, texts in self.categories for text in texts]

    @property
    def counts(self) -> dict[str, int]:
        """Sentences in each category."""
        return {category: len(texts) for category, texts in self.categories}

    @property
    def digest(self) -> str:
        """Digest of the categories and sentences, independent of the name."""
        return value_digest([[category, list(texts)] for category, texts in self.categories])

    def entry(self) -> dict[str, Any]:
        """What the session's state keeps of the set."""
        return {
            "name": self.name,
            "digest": self.digest,
            "positive": self.positive,
            "description": self.description,
            "categories": self.counts,
            "steering": bool(self.steering.prompts),
        }

    def as_dict(self) -> dict[str, Any]:
        """The whole set as stored in an artifact."""
        return {
            "name": self.name,
            "description": self.description,
            "positive": self.positive,
            "categories": {category: list(texts) for category, texts in self.categories},
            "steering": self.steering.as_dict() if self.steering.prompts else None,
        }


def from_dict(name: str, data: dict[str, Any]) -> StimulusSet:
    """The set that `as_dict` or a shipped file describes."""
    steering = data.get("steering") or {}
    return StimulusSet(
        name=name,
        categories=tuple((category, tuple(texts)) for category, texts in data["categories"].items()),
        positive=data.get("positive") or "",
        description=data.get("description") or "",
        steering=Steering(
            tuple(steering.get("prompts", ())), tuple(steering.get("raise", ())), tuple(steering.get("lower", ()))
        ),
    )


def shipped_names() -> list[str]:
    """Names of the sets that come with the workbench."""
    return sorted(path.stem for path in demo.stimuli_dir().glob("*.json"))


def shipped_set(name: str) -> StimulusSet:
    """One of the sets that come with the workbench.

    Raises:
        UnknownNameError: there is none of that name.
    """
    if name not in shipped_names():
        raise UnknownNameError.among("stimulus set", name, shipped_names())
    data = json.loads((demo.stimuli_dir() / f"{name}.json").read_text("utf-8"))
    return from_dict(name, data)


def find_set(name: str, lab: Lab) -> StimulusSet:
    """A set of the lab's session, else a shipped one.

    Raises:
        UnknownNameError: there is none of that name; the hint gives the nearest ones.
    """
    own = lab.state.under("stimuli") if lab.has_session else {}
    if name in own:
        return from_dict(name, lab.stored_json(lab.record.line(own[name].seq), "set"))
    if name in shipped_names():
        return shipped_set(name)
    raise UnknownNameError.among(
        "stimulus set", name, [*own, *shipped_names()], "Import one with `workbench stimuli import FILE`."
    )
