"""Windows made of words, for tests of labellers and scorers."""

from __future__ import annotations

from workbench.labels.windows import Part, Window


def window(text: str, part: Part = "explain", document: int = 0, strong: str = "") -> Window:
    """A window of words; the one named (the last by default) is where the feature is strongest."""
    words = text.split()
    tokens = tuple(word if place == 0 else f" {word}" for place, word in enumerate(words))
    peak = words.index(strong) if strong else len(words) - 1
    values = tuple(5.0 if place == peak else 0.0 for place in range(len(words)))
    return Window(tokens, values, peak, document, part)
