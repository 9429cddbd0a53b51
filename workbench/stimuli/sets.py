"""Stimulus sets as objects: sentences, and what is known of each, in named categories; one is the positive class."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workbench import demo
from workbench.digests import value_digest
from workbench.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from workbench.lab import Lab

Factors = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Stimulus:
    """One sentence.

    Attributes:
        id: the investigator's own name of it, or "".
        factors: (factor, level) pairs, for designs of several factors.
        item: what a matched pair (or a row of matched sentences) shares, or "".
        fold: the replicate it belongs to, for cross-validation over stimuli, or "".
        span: the target words, as first and last-but-one character of `text`.
        nuisances: (name, value) pairs that are to be held constant or partialled out.
        include: False for a sentence that is kept but not used.
    """

    text: str
    category: str
    id: str = ""
    factors: Factors = ()
    item: str = ""
    fold: str = ""
    span: tuple[int, int] | None = None
    nuisances: tuple[tuple[str, float], ...] = ()
    include: bool = True

    @property
    def target(self) -> str:
        """The words of the target span, or ""."""
        return "" if self.span is None else self.text[self.span[0] : self.span[1]]

    def columns(self) -> dict[str, Any]:
        """What is known beside text and category; only what there is."""
        found: dict[str, Any] = {key: value for key in ("id", "item", "fold") if (value := getattr(self, key))}
        if self.span is not None:
            found["span"] = list(self.span)
        if self.factors:
            found["factors"] = dict(self.factors)
        if self.nuisances:
            found["nuisances"] = dict(self.nuisances)
        return found if self.include else {**found, "include": False}


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
        stimuli: every sentence, excluded ones too.
        positive: the category that carries the concept, or "" where each may be asked for.
        declared: categories that exist even without a sentence, in the order that they are listed in; the order means
            nothing.
    """

    name: str
    stimuli: tuple[Stimulus, ...]
    positive: str = ""
    description: str = ""
    steering: Steering = field(default_factory=Steering)
    declared: tuple[str, ...] = ()

    @classmethod
    def of(cls, name: str, categories: Iterable[tuple[str, Sequence[str]]], **more: Any) -> StimulusSet:
        """A set of nothing but sentences by category."""
        pairs = [(category, tuple(texts)) for category, texts in categories]
        stimuli = tuple(Stimulus(text, category) for category, texts in pairs for text in texts)
        return cls(name, stimuli, declared=tuple(category for category, _ in pairs), **more)

    @property
    def names(self) -> tuple[str, ...]:
        """The categories, empty ones too."""
        return tuple(dict.fromkeys([*self.declared, *(one.category for one in self.stimuli)]))

    @property
    def everything(self) -> tuple[Stimulus, ...]:
        """Every sentence, excluded ones too, category by category."""
        place = {category: at for at, category in enumerate(self.names)}
        return tuple(sorted(self.stimuli, key=lambda one: place[one.category]))

    @property
    def included(self) -> tuple[Stimulus, ...]:
        """The sentences that analyses use, category by category: `rows` with all that is known of each."""
        return tuple(one for one in self.everything if one.include)

    @property
    def categories(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """(category, sentences in use)."""
        by_name: dict[str, list[str]] = {category: [] for category in self.names}
        for one in self.included:
            by_name[one.category].append(one.text)
        return tuple((category, tuple(texts)) for category, texts in by_name.items())

    @property
    def rows(self) -> list[tuple[str, str]]:
        """(category, sentence) of every stimulus in use, category by category."""
        return [(one.category, one.text) for one in self.included]

    @property
    def counts(self) -> dict[str, int]:
        """Sentences in use in each category."""
        return {category: len(texts) for category, texts in self.categories}

    @property
    def factors(self) -> dict[str, list[str]]:
        """Levels of each factor, in the order in which they first stand."""
        found: dict[str, dict[str, None]] = {}
        for one in self.included:
            for factor, level in one.factors:
                found.setdefault(factor, {})[level] = None
        return {factor: list(levels) for factor, levels in found.items()}

    @property
    def digest(self) -> str:
        """Digest of the sentences, their categories and columns, independent of the name.

        Factors that the categories' names already say are left out, so that a plain set keeps its digest.
        """
        body: list[Any] = [[category, [_digested(one) for one in self._of(category)]] for category in self.names]
        return value_digest(body)

    def _of(self, category: str) -> list[Stimulus]:
        return [one for one in self.stimuli if one.category == category]

    def entry(self) -> dict[str, Any]:
        """What the session's state keeps of the set."""
        entry = {
            "name": self.name,
            "digest": self.digest,
            "positive": self.positive,
            "description": self.description,
            "categories": self.counts,
            "steering": bool(self.steering.prompts),
        }
        return {**entry, "factors": self.factors} if self.factors else entry

    def as_dict(self) -> dict[str, Any]:
        """The whole set as stored in an artifact: a sentence of which no more is known is its text alone."""
        shared = self._shared_factors()
        body = {
            "name": self.name,
            "description": self.description,
            "positive": self.positive,
            "categories": {
                category: [_stored(one, shared.get(category, {})) for one in self._of(category)]
                for category in self.names
            },
            "steering": self.steering.as_dict() if self.steering.prompts else None,
        }
        return {**body, "factors": shared} if any(shared.values()) else body

    def _shared_factors(self) -> dict[str, dict[str, str]]:
        """Factors of the categories all of whose sentences have the same ones."""
        found = {}
        for category in self.names:
            different = {one.factors for one in self._of(category)}
            if len(different) == 1 and (factors := different.pop()):
                found[category] = dict(factors)
        return found

    def ready(self) -> StimulusSet:
        """The set itself, where it can be analysed.

        Raises:
            UsageError: fewer than two categories, or one of them has no sentence in use.
        """
        hint = f"Add sentences: `workbench stimuli edit {self.name} --category NAME --add TEXT`."
        for category, count in self.counts.items():
            if not count:
                raise UsageError(f"stimulus set {self.name!r} has no sentence in category {category!r}", hint)
        if len(self.counts) < 2:
            raise UsageError(f"stimulus set {self.name!r} has fewer than two categories", hint)
        return self


def _stored(one: Stimulus, shared: dict[str, str]) -> str | dict[str, Any]:
    columns = one.columns()
    if shared:
        columns.pop("factors", None)
    return {"text": one.text, **columns} if columns else one.text


def _digested(one: Stimulus) -> str | dict[str, Any]:
    said = any(separator.join(level for _, level in one.factors) == one.category for separator in "-_")
    return _stored(one, dict(one.factors) if said else {})


def from_dict(name: str, data: dict[str, Any]) -> StimulusSet:
    """The set that `as_dict` or a shipped file describes."""
    steering = data.get("steering") or {}
    shared = data.get("factors") or {}
    return StimulusSet(
        name=name,
        stimuli=tuple(
            stimulus(category, sentence, shared.get(category, {}))
            for category, sentences in data["categories"].items()
            for sentence in sentences
        ),
        positive=data.get("positive") or "",
        description=data.get("description") or "",
        steering=Steering(
            tuple(steering.get("prompts", ())), tuple(steering.get("raise", ())), tuple(steering.get("lower", ()))
        ),
        declared=tuple(data["categories"]),
    )


def stimulus(category: str, sentence: str | dict[str, Any], shared: dict[str, str]) -> Stimulus:
    """The sentence that a text, or an object as `as_dict` stores it, describes; its own factors go before `shared`."""
    known: dict[str, Any] = {"text": sentence} if isinstance(sentence, str) else sentence
    span = known.get("span")
    return Stimulus(
        text=known["text"],
        category=category,
        id=known.get("id", ""),
        factors=tuple({**shared, **known.get("factors", {})}.items()),
        item=known.get("item", ""),
        fold=known.get("fold", ""),
        span=None if span is None else (span[0], span[1]),
        nuisances=tuple(known.get("nuisances", {}).items()),
        include=known.get("include", True),
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
