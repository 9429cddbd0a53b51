"""The demo corpus' sentence patterns by kind: which concept is planted how, and what a document remembers."""

import math
from collections.abc import Mapping, Sequence

from workbench.demo import lexicon
from workbench.demo.grammar import Choice, Option, Slot, State, Template, falling, fixed, words

NAMES = tuple(name for pair in zip(lexicon.WOMEN, lexicon.MEN, strict=True) for name in pair)


def _bind(key: str, options: Sequence[str]) -> Slot:
    """Any of the words alike; the document remembers the index of the one written."""
    return fixed(Choice([Option(word, {key: at}) for at, word in enumerate(options)]))


def _bind_word(key: str, options: Sequence[str]) -> Slot:
    """Any of the words alike; the document remembers the word itself."""
    return fixed(Choice([Option(word, {key: word}) for word in options]))


def _deterministic(text: str) -> Choice[Option]:
    return Choice([Option(text)])


# --- calendar arithmetic ----------------------------------------------------------------------------------
def _offset(count: int, unit: str) -> Slot:
    """`One day` to `Seven days`, or `One month` to `Twelve months`."""
    texts = [f"{word} {unit}{'s' * (at > 0)}" for at, word in enumerate(lexicon.OFFSETS[:count])]
    return fixed(Choice([Option(text, {"offset": at + 1}) for at, text in enumerate(texts)]))


def _sum(names: Sequence[str]) -> Slot:
    table = [_deterministic(name) for name in names]
    return lambda state: table[(state["from"] + state["offset"]) % len(names)]


def _near(names: Sequence[str]) -> Slot:
    """A name whose distance from the sentence's first one is a rounded normal of one day, or 12/7 month."""
    period = len(names)
    weights = [0.0] * period
    for distance in range(-3 * period, 3 * period + 1):
        weights[distance % period] += _rounded_normal(distance, sd=period / 7)
    table = [
        Choice([Option(names[(start + step) % period]) for step in range(period)], weights) for start in range(period)
    ]
    return lambda state: table[state["from"]]


def _rounded_normal(value: int, sd: float) -> float:
    # The cumulative normal as erfc keeps far tails positive, so that every cost in nats is finite.
    tail = [0.5 * math.erfc((abs(value) + edge) / (sd * math.sqrt(2))) for edge in (-0.5, 0.5)]
    return tail[0] - tail[1]


# --- people and outcomes ------------------------------------------------------------------------------------
def _pronoun(name: str) -> str:
    return "She" if name in lexicon.WOMEN else "He"


_FIRST_MENTION = Choice([Option(name, {"name": name}) for name in NAMES], falling(len(NAMES)))
_LATER = {name: Choice([Option(name), Option(_pronoun(name))], [3, 1]) for name in NAMES}
_SAME = {name: _deterministic(name) for name in NAMES}


def _subject(state: State) -> Choice[Option]:
    """The document's person: drawn at the first mention, then the same name or the pronoun."""
    return _LATER[state["name"]] if "name" in state else _FIRST_MENTION


def _object(state: State) -> Choice[Option]:
    """The document's person inside a sentence, where no pronoun stands."""
    return _SAME[state["name"]] if "name" in state else _FIRST_MENTION


def _by_outcome(good: Sequence[str], bad: Sequence[str]) -> Slot:
    """A word that the document's outcome decides; the first such word decides the outcome."""
    known = {
        outcome: Choice([Option(word) for word in group], falling(len(group)))
        for outcome, group in (("achievement", good), ("failure", bad))
    }
    open_ = Choice(
        [Option(word, {"outcome": "achievement"}) for word in good]
        + [Option(word, {"outcome": "failure"}) for word in bad],
        [w / sum(falling(len(group))) for group in (good, bad) for w in falling(len(group))],
    )
    return lambda state: known[state["outcome"]] if "outcome" in state else open_


# --- counting, names, numbers -------------------------------------------------------------------------------
def _count(step: int) -> Slot:
    """A run of three to six neighbouring numbers, upwards or downwards."""
    runs = []
    for length in (3, 4, 5, 6):
        for start in range(len(lexicon.NUMBERS) - length + 1):
            run = lexicon.NUMBERS[start : start + length]
            runs.append(Option(" ".join(run[::step])))
    return fixed(Choice(runs))


def _guest(at: int) -> Slot:
    """The name that the document's list of guests has at this place."""
    return lambda state: _deterministic(state[f"guest{at}"])


def _any_guest(state: State) -> Choice[Option]:
    """One of the guests; equal names count as one option, so that the text tells which was drawn."""
    listed = [state[f"guest{at}"] for at in GUESTS]
    present = sorted(set(listed))
    return Choice([Option(name) for name in present], [listed.count(name) for name in present])


GUESTS = (1, 2, 3, 4)

SLOTS: Mapping[str, Slot] = {
    "offset_days": _offset(7, "day"),
    "offset_months": _offset(12, "month"),
    "day": _bind("from", lexicon.DAYS),
    "month": _bind("from", lexicon.MONTHS),
    "day_sum": _sum(lexicon.DAYS),
    "month_sum": _sum(lexicon.MONTHS),
    "near_day": _near(lexicon.DAYS),
    "near_month": _near(lexicon.MONTHS),
    "Name": _subject,
    "name": _object,
    "feeling": _by_outcome(lexicon.GLAD, lexicon.SAD),
    "reacted": _by_outcome(lexicon.REJOICED, lexicon.GRIEVED),
    "result": _by_outcome(lexicon.WON, lexicon.LOST),
    "judged": _by_outcome(lexicon.PRAISED, lexicon.BLAMED),
    "verdict": _by_outcome(lexicon.SPLENDID, lexicon.DREADFUL),
    "end": _by_outcome(lexicon.SUCCESS, lexicon.DEFEAT),
    "effort": words(lexicon.EFFORT),
    "span": words(lexicon.SPANS),
    "judge": words(lexicon.JUDGES),
    "kin": words(lexicon.KIN),
    "occasion": words(lexicon.OCCASIONS),
    "Moment": words(lexicon.MOMENTS),
    "city": words(lexicon.CITIES),
    "place": words(lexicon.PLACES),
    "near": words(lexicon.NEAR),
    "travelled": words(lexicon.TRAVELLED),
    "street": words(lexicon.STREETS),
    "distant": words(lexicon.DISTANT),
    "food": words(lexicon.FOODS),
    "drink": words(lexicon.DRINKS),
    "spice": words(lexicon.SPICES),
    "meal": words(lexicon.MEALS),
    "cooked": words(lexicon.COOKED),
    "taste": words(lexicon.TASTES),
    "cook": words(lexicon.COOKS),
    "adjective": words(lexicon.ADJECTIVES),
    "beast": words(lexicon.BEASTS),
    "bird": words(lexicon.BIRDS),
    "fish": words(lexicon.FISH),
    "ran": words(lexicon.RAN),
    "flew": words(lexicon.FLEW),
    "swam": words(lexicon.SWAM),
    "across": words(lexicon.WITH_LEGS),
    "aloft": words(lexicon.ALOFT),
    "thing": words(lexicon.THINGS),
    "water": words(lexicon.WATERS),
    "sky": words(lexicon.SKIES),
    "weather": words(lexicon.WEATHER),
    "fell": words(lexicon.FELL),
    "season": words(lexicon.SEASONS),
    "worker": words(lexicon.WORKERS),
    "made": words(lexicon.MADE),
    "how": words(lexicon.HOW),
    "said": words(lexicon.SAID),
    "request": words(lexicon.REQUESTS),
    "remark": words(lexicon.REMARKS),
    "variable": words(lexicon.VARIABLES),
    "digit": words(lexicon.DIGITS),
    "call": words(lexicon.CALLS),
    "mark": _bind_word("mark", lexicon.MARKS),
    "same_mark": lambda state: _deterministic(state["mark"]),
    "compared": words(lexicon.COMPARED),
    "run_up": _count(1),
    "run_down": _count(-1),
    "counted": words(lexicon.HELD),
    "greeted": words(lexicon.GREETED),
    "any_guest": _any_guest,
    **{f"new{at}": _bind_word(f"guest{at}", NAMES) for at in GUESTS},
    **{f"guest{at}": _guest(at) for at in GUESTS},
}

_PATTERNS: Mapping[str, Sequence[tuple[float, str]]] = {
    "weekday": [(1, "{offset_days} from {day} is {day_sum}.")],
    "month": [(1, "{offset_months} from {month} is {month_sum}.")],
    "near_day": [(1, "{day} or {near_day} or {near_day}.")],
    "near_month": [(1, "{month} or {near_month} or {near_month}.")],
    "outcome": [
        (2, "{Moment} {name} felt {feeling} and {feeling}."),
        (2, "{Moment} {name} {result} and felt {feeling}."),
        (2, "{Name} {effort} for {span} and {result}."),
        (2, "{Name} {result}, so the {kin} {reacted} and felt {feeling}."),
        (2, "The {judge} {judged} {name} after the {verdict} {occasion}."),
        (2, "{Name} felt {feeling} after the {verdict} {occasion}."),
        (1, "After {span} the {judge} {judged} {name}, and the {kin} {reacted}."),
        (1, "The {verdict} {occasion} was a {end} for {name}, who {reacted} with the {kin}."),
        (1, "It was a {end}, and the {feeling} {kin} {reacted}."),
        (1, "Because of the {end} the {feeling} {judge} {judged} {name}."),
    ],
    "place": [
        (2, "{Name} {travelled} from the {place} to the {place} in {city}."),
        (2, "The {distant} {place} of {city} stands {near} the {place}."),
        (1, "A {distant} road leads from {city} to the {place} {near} {city}."),
        (1, "{Name} lives in {city} {near} the {distant} {place}."),
        (1, "In {city} the {place} on {street} Street is {near} the {place}."),
    ],
    "food": [
        (2, "For {meal} {name} ate {food} with {food} and {drink}."),
        (2, "The {cook} {cooked} the {food} with {spice} and {spice}."),
        (1, "{Name} drank {drink} and ate {taste} {food}."),
        (1, "The {food} and the {food} tasted {taste} with {spice}."),
        (1, "A bowl of {taste} {food} and a cup of {drink} make a good {meal}."),
    ],
    "counting": [
        (2, "{Name} {counted} the numbers {run_up}."),
        (1, "Count up : {run_up}."),
        (1, "Count down : {run_down}."),
        (1, "The {beast} and the {bird} {counted} {run_up}."),
    ],
    "quote": [
        (2, '"{request} {thing}," {said} the {worker}.'),
        (2, '"{remark}," {said} {name}.'),
        (1, 'The {worker} {said} : "{remark}."'),
        (1, '{Name} {said} to the {worker} : "{request} {thing}."'),
    ],
    "code": [
        (2, "{variable} = [{digit}, {digit}, {digit}];"),
        (1, "{variable} = {call}({variable}) + {digit};"),
        (1, "if {variable} {compared} {digit}: {call}({variable});"),
        (1, "for {variable} in range({digit}): {call}({variable});"),
        (1, "<{mark}>{variable}</{same_mark}>;"),
        (1, "[{mark}]{variable} {digit}[/{same_mark}];"),
    ],
    "names": [
        (1, "On the list stand {new1}, {new2}, {new3} and {new4}."),
        (1, "First came {new1}, then {new2}, then {new3} and then {new4}."),
    ],
    "repeated": [
        (3, "As before came {guest1}, {guest2}, {guest3} and {guest4}."),
        (3, "Again {any_guest} and {any_guest} came."),
        (2, "Then {any_guest} {greeted} {any_guest} and {any_guest}."),
        (1, "It was {any_guest}, and then {any_guest}, and then {any_guest}."),
    ],
    "filler": [
        (2, "The {adjective} {beast} {ran} {across} the {adjective} {thing}."),
        (2, "A {adjective} {bird} {flew} {aloft} the {adjective} {sky}."),
        (2, "Some {adjective} {fish} {swam} {how} in the {adjective} {water}."),
        (2, "The {worker} {made} the {adjective} {thing} {how}."),
        (2, "In {season} the {weather} {fell} {how} on the {sky}."),
        (1, "There was a {adjective} {thing} {across} the {adjective} {thing}."),
        (1, "Every {worker} has a {adjective} {thing} and a {adjective} {beast}."),
    ],
}

KINDS: tuple[str, ...] = tuple(_PATTERNS)
TEMPLATES: Mapping[str, Choice[Template]] = {
    kind: Choice([Template(pattern, SLOTS) for _, pattern in rows], [weight for weight, _ in rows])
    for kind, rows in _PATTERNS.items()
}
