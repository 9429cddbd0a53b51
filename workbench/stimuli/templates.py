"""Matched pairs from templates: `The {kin} <won|lost> the {race|exam}.` gives two sentences that differ in one place.

`{a|b|c}` is one of these, `{name}` one word of a slot, the same in both sentences and wherever it stands again;
`<one|other>` is what the two sentences differ in, and its sides may hold slots. A backslash takes a sign as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from workbench.demo import lexicon
from workbench.errors import UnknownNameError, UsageError

BUILT_IN: Mapping[str, tuple[str, ...]] = {
    "outcome": (
        "{moments} {names} felt <{glad}|{sad}>.",
        "The {kin} of {names} <{rejoiced}|{grieved}> after the {occasions}.",
        "The {judges} <{praised}|{blamed}> {names} after the {occasions}.",
        "The {occasions} was a <{success}|{defeat}> for {names}.",
    ),
}
"""Templates of the demo's own concepts, from its lexicon."""
LEAST = 2
"""Pairs below which there is nothing to test."""
_SIGN = re.compile(r"\\(.)|([{}<>|])|([^\\{}<>|]+)|(\\)", re.DOTALL)


@dataclass(frozen=True)
class Pair:
    """Two sentences that differ in the concept.

    Attributes:
        spans: where each differs, where it does so in one place.
    """

    texts: tuple[str, str]
    spans: tuple[tuple[int, int] | None, tuple[int, int] | None] = (None, None)


@dataclass(frozen=True)
class _Slot:
    """One of several words."""

    name: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class _Contrast:
    """What differs: parts of the one side and of the other."""

    sides: tuple[tuple[str | _Slot, ...], tuple[str | _Slot, ...]]


Part = str | _Slot | _Contrast


def lexicon_slots() -> dict[str, tuple[str, ...]]:
    """The demo's words by the name of their role."""
    found = {
        name.lower(): words for name, words in vars(lexicon).items() if name.isupper() and isinstance(words, tuple)
    }
    return {**found, "names": lexicon.WOMEN + lexicon.MEN}


def read_slots(given: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Slots as `name=word,word`.

    Raises:
        UsageError: one has no name or no word.
    """
    found = {}
    for text in given:
        name, sign, words = text.partition("=")
        listed = tuple(dict.fromkeys(word.strip() for word in words.split(",") if word.strip()))
        if not sign or not re.fullmatch(r"\w+", name.strip()) or not listed:
            raise UsageError(f"the slot {text!r} is not NAME=WORD,WORD", "Write it as --slot animal=cat,dog.")
        found[name.strip()] = listed
    return found


def parse_template(text: str, slots: Mapping[str, tuple[str, ...]]) -> tuple[Part, ...]:
    """The parts of a template.

    Raises:
        UsageError: a bracket does not close, or nothing differs.
        UnknownNameError: a slot that nobody filled.
    """
    signs = [(found[2] is not None, found[1] or found[2] or found[3] or "\\") for found in _SIGN.finditer(text)]
    parts: list[Part] = []
    at = 0
    while at < len(signs):
        mark, sign = signs[at]
        if mark and sign == "{":
            slot, at = _slot(signs, at, text, slots)
            parts.append(slot)
        elif mark and sign == "<":
            contrast, at = _contrast(signs, at, text, slots)
            parts.append(contrast)
        elif mark and sign in "}>":
            raise UsageError(
                f"{sign!r} closes nothing in the template {text!r}", f"Write \\{sign} for the sign itself."
            )
        else:
            parts.append(sign)
            at += 1
    if not any(isinstance(part, _Contrast) for part in parts):
        raise UsageError(f"nothing differs in the template {text!r}", "Mark it as <concept|other>.")
    return tuple(parts)


_Signs = list[tuple[bool, str]]


def _slot(signs: _Signs, at: int, text: str, slots: Mapping[str, tuple[str, ...]]) -> tuple[_Slot, int]:
    end = next((place for place in range(at + 1, len(signs)) if signs[place] == (True, "}")), None)
    if end is None or any(mark and sign != "|" for mark, sign in signs[at + 1 : end]):
        raise UsageError(f"a brace does not close in the template {text!r}", "Write {name} or {one|two}.")
    inside = signs[at + 1 : end]
    words = [""]
    for mark, sign in inside:
        if mark:
            words.append("")
        else:
            words[-1] += sign
    if len(words) > 1:
        return _Slot("|".join(words), tuple(words)), end + 1
    name = words[0].strip()
    if name not in slots:
        hint = f"Fill it with --slot NAME=WORD,WORD, or use one of the word lists: {', '.join(sorted(slots))}."
        raise UnknownNameError.among("slot", name, slots, hint)
    return _Slot(name, tuple(slots[name])), end + 1


def _contrast(signs: _Signs, at: int, text: str, slots: Mapping[str, tuple[str, ...]]) -> tuple[_Contrast, int]:
    sides: list[list[str | _Slot]] = [[]]
    at += 1
    while at < len(signs) and signs[at] != (True, ">"):
        mark, sign = signs[at]
        if mark and sign == "{":
            slot, at = _slot(signs, at, text, slots)
            sides[-1].append(slot)
        elif mark and sign == "|":
            sides.append([])
            at += 1
        elif mark:
            raise UsageError(f"{sign!r} stands inside <> in the template {text!r}", f"Write \\{sign} for the sign.")
        else:
            sides[-1].append(sign)
            at += 1
    if at == len(signs) or len(sides) != 2:
        raise UsageError(f"the template {text!r} has no <concept|other> with two sides", "Write <won|lost>.")
    return _Contrast((tuple(sides[0]), tuple(sides[1]))), at + 1


def write_pair(parts: Sequence[Part], random: Random) -> Pair:
    """One pair; a slot is drawn once and stands alike wherever its name does."""
    drawn: dict[str, str] = {}

    def word(part: str | _Slot) -> str:
        if isinstance(part, str):
            return part
        if part.name not in drawn:
            drawn[part.name] = random.choice(part.words)
        return drawn[part.name]

    texts, spans = ["", ""], [[], []]  # type: tuple[list[str], list[list[tuple[int, int]]]]
    for part in parts:
        for side in (0, 1):
            pieces = part.sides[side] if isinstance(part, _Contrast) else (part,)
            start = len(texts[side])
            texts[side] += "".join(map(word, pieces))
            if isinstance(part, _Contrast):
                spans[side].append((start, len(texts[side])))
    one, other = (text[:1].upper() + text[1:] for text in texts)
    first, second = (found[0] if len(found) == 1 and found[0][0] < found[0][1] else None for found in spans)
    return Pair((one, other), (first, second))


def draft_pairs(templates: Sequence[str], slots: Mapping[str, tuple[str, ...]], count: int, seed: int) -> list[Pair]:
    """At most `count` pairs without any sentence twice, from each template in turn; fewer where no more are to be had.

    Raises:
        UsageError: the templates give fewer than two.
    """
    parsed = [parse_template(template, slots) for template in templates]
    random = Random(f"draft {seed}")
    found: list[Pair] = []
    seen: set[str] = set()
    for attempt in range(50 * count):
        pair = write_pair(parsed[attempt % len(parsed)], random)
        if len(set(pair.texts)) == 2 and not seen & set(pair.texts):
            seen |= set(pair.texts)
            found.append(pair)
        if len(found) == count:
            break
    if len(found) < LEAST:
        raise UsageError(
            f"the templates gave {len(found)} different pairs of the {count} asked for; a set has {LEAST} or more",
            "Add templates or words.",
        )
    return found
