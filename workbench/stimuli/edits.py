"""Changing a stimulus set: each function gives the set after one change, and refuses what would spoil it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from workbench.errors import UnknownNameError, UsageError
from workbench.stimuli.importers import check_sentence, has_surrogate
from workbench.stimuli.pairs import pair_by_order
from workbench.stimuli.sets import Steering, Stimulus, StimulusSet


def new_set(name: str, categories: Sequence[str], sentences: Sequence[Sequence[str]], positive: str) -> StimulusSet:
    """A set typed by hand.

    Args:
        categories: two or more names.
        sentences: of the categories in turn; there may be fewer lists than categories, and empty ones.
        positive: one of the categories; "" takes the first.

    Raises:
        UsageError: fewer than two categories, one twice, or a sentence that `with_sentences` refuses.
        UnknownNameError: `positive` is none of them.
    """
    if len(categories) < 2 or len(set(categories)) < len(categories):
        named = ", ".join(categories) or "none"
        raise UsageError(f"a stimulus set needs two different categories or more ({named})", "Repeat --category NAME.")
    if len(sentences) > len(categories):
        raise UsageError("there are more lists of sentences than categories", "Name another --category.")
    found = StimulusSet(name, (), declared=tuple(categories))
    for category in categories:
        if not category.strip() or has_surrogate(category):
            raise UsageError(f"a category named {category!r}", "Give it a name of whole letters.")
    for category, texts in zip(categories, sentences, strict=False):
        found = with_sentences(found, category, texts)
    return with_positive(found, positive or categories[0])


def find_sentence(found: StimulusSet, wanted: str) -> Stimulus:
    """The sentence with this very text, else with this id, else the only one that begins so.

    Raises:
        UnknownNameError: there is none.
        UsageError: several have the id, or begin so.
    """
    for key in ("text", "id"):
        same = [one for one in found.everything if getattr(one, key) == wanted and wanted]
        if len(same) == 1:
            return same[0]
        if same:
            raise UsageError(f"{len(same)} sentences of {found.name!r} have the {key} {wanted!r}", "Give the text.")
    begin = [one for one in found.everything if wanted.strip() and one.text.startswith(wanted)]
    if len(begin) == 1:
        return begin[0]
    if begin:
        raise UsageError(f"{len(begin)} sentences of {found.name!r} begin with {wanted!r}", "Give more of the text.")
    known = [one.id or one.text for one in found.everything]
    raise UnknownNameError.among(
        f"sentence of {found.name!r}", wanted, known, "Give its text, its id or its beginning."
    )


def with_sentences(found: StimulusSet, category: str, texts: Sequence[str]) -> StimulusSet:
    """The set with these sentences added to a category, which may be a new one.

    Raises:
        UsageError: a sentence is empty, broken, or in the set already.
    """
    if not category.strip() or has_surrogate(category):
        raise UsageError(f"no category to add to ({category!r})", f"Add --category with one of: {_listed(found)}.")
    for text in texts:
        _check_text(found, text)
        found = replace(found, stimuli=(*found.stimuli, Stimulus(text, category)))
    return found


def _check_text(found: StimulusSet, text: str) -> None:
    check_sentence(text, f"a sentence for {found.name!r}")
    for one in found.stimuli:
        if one.text == text:
            raise UsageError(
                f"{found.name!r} has the sentence {text[:60]!r} already (in {one.category!r})",
                "Repeated stimuli are not independent.",
            )


def without(found: StimulusSet, wanted: Sequence[str]) -> StimulusSet:
    """The set without these sentences; their categories stay."""
    gone = {find_sentence(found, each).text for each in wanted}
    return replace(found, stimuli=tuple(one for one in found.stimuli if one.text not in gone), declared=found.names)


def with_text(found: StimulusSet, wanted: str, text: str) -> StimulusSet:
    """The set with another text for a sentence; its columns stay, and its target where the words are still there.

    Raises:
        UsageError: the new text is empty, in the set already, or does not hold the sentence's target once.
    """
    old = find_sentence(found, wanted)
    if text == old.text:
        return found
    _check_text(found, text)
    span = None
    if old.span is not None:
        span = _span_of(old.target, text)
    return _changed(found, {old.text: replace(old, text=text, span=span)})


def _span_of(target: str, text: str) -> tuple[int, int]:
    times = text.count(target)
    if times != 1:
        raise UsageError(
            f"the target {target!r} stands {times} times in {text[:60]!r}",
            "Give words that stand there once, or take its target away first.",
        )
    start = text.index(target)
    return start, start + len(target)


def with_inclusion(found: StimulusSet, wanted: Sequence[str], include: bool) -> StimulusSet:
    """The set with these sentences used or left out."""
    return _changed(found, {(one := find_sentence(found, each)).text: replace(one, include=include) for each in wanted})


def with_positive(found: StimulusSet, category: str) -> StimulusSet:
    """The set with another positive category.

    Raises:
        UnknownNameError: it has no such category.
    """
    if category not in found.names:
        raise UnknownNameError.among(f"category of {found.name!r}", category, found.names)
    return replace(found, positive=category)


def with_column(found: StimulusSet, wanted: Sequence[str], column: str, value: str) -> StimulusSet:
    """The set with the `id`, `item`, `fold` or `target` of these sentences set; "" removes it.

    Raises:
        UsageError: the target does not stand in a sentence once, or an id is not its alone in its category.
    """
    changed = {}
    for each in wanted:
        one = find_sentence(found, each)
        if column == "target":
            changed[one.text] = replace(one, span=_span_of(value, one.text) if value else None)
        else:
            changed[one.text] = replace(one, **{column: value})  # type: ignore[arg-type]
    after = _changed(found, changed)
    ids = [(one.category, one.id) for one in after.stimuli if one.id]
    if len(set(ids)) < len(ids):
        raise UsageError(f"the id {value!r} would stand twice in a category", "Give each sentence its own.")
    return after


def with_pairs(found: StimulusSet, how: str) -> StimulusSet:
    """The set with its sentences paired in the order of each category (`order`), or with no pairs (`none`)."""
    items = pair_by_order(found) if how == "order" else {}
    return replace(
        found, stimuli=tuple(replace(one, item=items.get((one.category, one.text), "")) for one in found.stimuli)
    )


def with_steering(
    found: StimulusSet, prompts: Sequence[str], raises: Sequence[str], lowers: Sequence[str]
) -> StimulusSet:
    """The set with other prompts to steer on and words to watch; what is empty stays as it was."""
    now = found.steering
    return replace(
        found,
        steering=Steering(tuple(prompts) or now.prompts, tuple(raises) or now.raises, tuple(lowers) or now.lowers),
    )


def _changed(found: StimulusSet, by_text: dict[str, Stimulus]) -> StimulusSet:
    return replace(found, stimuli=tuple(by_text.get(one.text, one) for one in found.stimuli))


def _listed(found: StimulusSet) -> str:
    return ", ".join(found.names) or "a name"
