"""The demo's stimulus sets: drawn from the corpus' own patterns, never a sentence that the model was trained on."""

import json
from collections.abc import Container, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from workbench.demo import lexicon
from workbench.demo.sentences import TEMPLATES
from workbench.demo.tasks import Problem, month_problems, weekday_problems

OUTCOMES = ("achievement", "failure")
NULL_KINDS = ("filler", "place", "food", "quote")
STEERING: Mapping[str, Sequence[str]] = {
    "prompts": (
        "In the evening Maria felt",
        "At noon Otto felt",
        "Later that day Clara felt",
        "At home Peter felt",
        "On the train Nora felt",
        "In the morning Hugo felt",
    ),
    "raise": lexicon.GLAD,
    "lower": lexicon.SAD,
}


def stimulus_sets(seed: int, trained: Container[str]) -> dict[str, dict[str, Any]]:
    """Every shipped set by name.

    Args:
        seed: decides the drawn sentences.
        trained: sentences of the training corpus, none of which is drawn. The calendar problems are the exception:
            there are only 49 and 144 of them, and the sets are to hold them all.
    """
    return {
        "achievement": _achievement(Random(f"achievement {seed}"), trained),
        "weekdays": _calendar("weekdays", "day of the week", lexicon.DAYS, weekday_problems()),
        "months": _calendar("months", "month", lexicon.MONTHS, month_problems()),
        "two-by-two": _two_by_two(Random(f"two-by-two {seed}"), trained),
        "null": _null(Random(f"null {seed}"), trained),
    }


def write_stimuli(sets: Mapping[str, Mapping[str, Any]], folder: Path) -> None:
    """One JSON file a set."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in sets.items():
        text = json.dumps(content, indent=2, ensure_ascii=False)
        (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def _sentences(random: Random, kind: str, state: Mapping[str, Any], trained: Container[str]) -> Iterator[str]:
    """Distinct sentences of a kind, each as the first of a document whose state is given, none of them trained on."""
    seen: set[str] = set()
    while True:
        template, _ = TEMPLATES[kind].draw(random)
        text, _ = template.write(random, dict(state))
        if text not in seen and text not in trained:
            seen.add(text)
            yield text


def _achievement(random: Random, trained: Container[str]) -> dict[str, Any]:
    good, bad = (islice(_sentences(random, "outcome", {"outcome": o}, trained), 400) for o in OUTCOMES)
    pairs = equal_lengths(list(good), list(bad), 50)
    return {
        "name": "achievement",
        "description": "Fifty achievements against fifty failures, equally long on average; no matched pairs.",
        "positive": "achievement",
        "categories": {
            "achievement": [pair[0] for pair in pairs],
            "failure": [pair[1] for pair in pairs],
        },
        "steering": {key: list(value) for key, value in STEERING.items()},
    }


def equal_lengths(first: Sequence[str], second: Sequence[str], count: int) -> list[tuple[str, str]]:
    """The first `count` pairs of texts with equally many characters, each text used once."""
    by_length: dict[int, list[str]] = {}
    for text in second:
        by_length.setdefault(len(text), []).append(text)
    pairs = [(text, by_length[len(text)].pop(0)) for text in first if by_length.get(len(text))]
    if len(pairs) < count:
        raise ValueError(f"only {len(pairs)} of {count} pairs have equal length; draw more sentences")
    return pairs[:count]


def _calendar(name: str, what: str, names: Sequence[str], problems: Sequence[Problem]) -> dict[str, Any]:
    return {
        "name": name,
        "description": f"The arithmetic problems up to their verb, by the {what} that they start from.",
        "positive": None,
        "categories": {
            label: [problem.prompt for problem in problems if problem.a == at] for at, label in enumerate(names)
        },
    }


def _two_by_two(random: Random, trained: Container[str]) -> dict[str, Any]:
    cells = {f"{outcome}-{topic}": (outcome, topic) for outcome in OUTCOMES for topic in ("place", "food")}
    return {
        "name": "two-by-two",
        "description": "A sentence with an outcome, then one on a place or on a meal: two crossed factors.",
        "positive": None,
        "categories": {
            cell: list(islice(_stories(random, outcome, topic, trained), 24))
            for cell, (outcome, topic) in cells.items()
        },
        "factors": {cell: {"outcome": outcome, "topic": topic} for cell, (outcome, topic) in cells.items()},
    }


def _stories(random: Random, outcome: str, topic: str, trained: Container[str]) -> Iterator[str]:
    """Two sentences on one person; the first one, whose words carry the outcome, was never trained on."""
    while True:
        state: dict[str, Any] = {"outcome": outcome}
        opening, _ = TEMPLATES["outcome"].draw(random)[0].write(random, state)
        closing, _ = TEMPLATES[topic].draw(random)[0].write(random, state)
        if opening not in trained:
            yield f"{opening} {closing}"


def _null(random: Random, trained: Container[str]) -> dict[str, Any]:
    sentences = [text for kind in NULL_KINDS for text in islice(_sentences(random, kind, {}, trained), 24)]
    random.shuffle(sentences)
    half = len(sentences) // 2
    return {
        "name": "null",
        "description": "Two lists from one distribution: whatever tells them apart is a false discovery.",
        "positive": "first",
        "categories": {"first": sentences[:half], "second": sentences[half:]},
    }
