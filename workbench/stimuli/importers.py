"""Reading stimulus sets from files, with a clear word about everything that is wrong with one, or was taken for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from workbench.errors import InputFileError, UnknownNameError
from workbench.stimuli.crossing import crossed_factors
from workbench.stimuli.forms import read_form
from workbench.stimuli.pairs import find_pairs
from workbench.stimuli.sets import Stimulus, StimulusSet, from_dict
from workbench.uploads import utf8_text

MEANT = {
    **dict.fromkeys(("pair", "pairs", "pair_id", "pairid", "match", "minimal_pair"), "item"),
    **dict.fromkeys(("replicate", "split", "block"), "fold"),
}
"""Columns of other names that most likely mean one of ours; they are told of, never read by guess."""


@dataclass(frozen=True)
class Imported:
    """A set from a file.

    Attributes:
        notices: what the file did not say and was taken, in words.
    """

    set: StimulusSet
    notices: tuple[str, ...]


def read_set(path: Path, name: str, positive: str = "", file: str = "") -> StimulusSet:
    """The set of `import_set`, without a word."""
    return import_set(path, name, positive, file).set


def import_set(path: Path, name: str, positive: str = "", file: str = "", factors: Sequence[str] = ()) -> Imported:
    """Read a set from JSON, JSON lines, CSV or TSV; docs/stimuli.md describes the forms.

    Args:
        path: the file; its suffix says the form, and anything unknown is read as JSON.
        name: the set's name.
        positive: the category that carries the concept; "" takes the file's own, else the first.
        file: what messages call the file; "" takes the name it has.
        factors: names for the factors that the categories' names cross.

    Raises:
        InputFileError: the file is missing, empty, of another form, has one category, an empty or repeated
            sentence, or a target that is not in its sentence.
        UnknownNameError: `positive` is no category of the file.
    """
    file = file or path.name
    body = read_form(_text(path, file), file)
    found = from_dict(name, body.data)
    _check(found, file)
    notices = []
    if body.unread:
        meant = [f"{name!r} as {MEANT[name]!r}" for name in body.unread if name in MEANT]
        told = f"; write {', '.join(meant)} if that is what it is" if meant else ""
        notices.append(f"not read, since no column of a stimulus: {', '.join(map(repr, body.unread))}{told}")
    found, said = _with_factors(found, factors)
    notices += said
    found, said = _with_pairs_by_id(found)
    notices += said
    chosen = positive or found.positive
    if chosen and chosen not in found.counts:
        raise UnknownNameError.among("category", chosen, found.counts)
    if not chosen:
        chosen = found.names[0]
        notices.append(
            f"the file names no positive category; {chosen!r}, the first, was taken: "
            f"`workbench stimuli edit {name} --positive NAME` takes another"
        )
    return Imported(replace(found, positive=chosen), (*notices, *find_pairs(found).words(name)))


def _with_factors(found: StimulusSet, names: Sequence[str]) -> tuple[StimulusSet, list[str]]:
    """Factors that the categories' names cross, where the file has none of its own."""
    if len(set(names)) < len(names):
        raise InputFileError(f"--factor names {names[0]!r} twice", "Give each factor its own name.")
    if found.factors:
        if names:
            raise InputFileError("the file has factors of its own", "Leave --factor out.")
        return found, []
    crossed = crossed_factors(found.names, names)
    if not crossed:
        if names:
            raise InputFileError(
                f"the categories' names cross no {len(names)} factors ({', '.join(found.names)})",
                "Leave --factor out, or give the sentences factors in the file.",
            )
        return found, []
    stimuli = tuple(replace(one, factors=crossed[one.category]) for one in found.stimuli)
    found = replace(found, stimuli=stimuli)
    levels = "; ".join(f"{factor}: {', '.join(values)}" for factor, values in found.factors.items())
    renamed = "" if names else " (--factor NAME, once for each, names them)"
    return found, [f"factors read from the names of the categories: {levels}{renamed}"]


def _with_pairs_by_id(found: StimulusSet) -> tuple[StimulusSet, list[str]]:
    """An id that stands in several categories names a matched pair, where no item does."""
    if any(one.item for one in found.stimuli):
        return found, []
    where: dict[str, set[str]] = {}
    for one in found.stimuli:
        if one.id:
            where.setdefault(one.id, set()).add(one.category)
    shared = {name for name, categories in where.items() if len(categories) > 1}
    if not shared:
        return found, []
    stimuli = tuple(replace(one, item=one.id) if one.id in shared else one for one in found.stimuli)
    return replace(found, stimuli=stimuli), [f"{len(shared)} ids stand in several categories: taken as matched pairs"]


def _text(path: Path, file: str) -> str:
    try:
        raw = path.read_bytes()
    except FileNotFoundError as error:
        raise InputFileError(f"no file {str(path)!r}", "Check the path.") from error
    except OSError as error:
        raise InputFileError(f"cannot read {str(path)!r} ({error.strerror})", "Check the path.") from error
    if not raw.strip():
        raise InputFileError(f"{file} is empty", "It should hold a JSON object {category: [sentences]} or a CSV.")
    return utf8_text(raw, file)


def _check(found: StimulusSet, file: str) -> None:
    if len(found.names) < 2:
        have = f"1 category ({found.names[0]})" if found.names else "0 categories"
        raise InputFileError(f"{file} has {have}", "A contrast needs at least two.")
    for category, count in found.counts.items():
        if not category.strip() or has_surrogate(category):
            raise InputFileError(f"{file} has a category named {category!r}", "Give it a name of whole letters.")
        if count < 2:
            raise InputFileError(f"category {category!r} of {file} has {count} sentence", "Give at least two.")
    seen: dict[str, str] = {}
    repeated: list[tuple[str, str, str]] = []
    place = dict.fromkeys(found.names, 0)
    for one in found.everything:
        place[one.category] += 1
        where = f"sentence {place[one.category]} of {one.category!r}"
        check_sentence(one.text, f"sentence {place[one.category]} of category {one.category!r} in {file}")
        if one.text in seen:
            repeated.append((one.text, seen[one.text], where))
        seen.setdefault(one.text, where)
    if repeated:
        text, first, second = repeated[0]
        more = f", and {len(repeated) - 1} more that repeat another" if repeated[1:] else ""
        raise InputFileError(
            f"{file} has the sentence {text[:60]!r} twice ({first}, {second}){more}",
            "Remove one; repeated stimuli are not independent."
            if not more
            else "Repeated stimuli are not independent.",
        )
    _check_ids(found.stimuli, file)


def _check_ids(stimuli: Sequence[Stimulus], file: str) -> None:
    seen = set()
    for one in stimuli:
        if one.id and (one.category, one.id) in seen:
            raise InputFileError(f"{file} has the id {one.id!r} twice in {one.category!r}", "Give each its own.")
        seen.add((one.category, one.id))


def check_sentence(text: str, where: str) -> None:
    """Refuse a sentence of nothing, or of half a character.

    Raises:
        InputFileError: it is one.
    """
    if not text.strip():
        raise InputFileError(f"{where} is empty", "Remove it or write it.")
    if has_surrogate(text):
        raise InputFileError(f"{where} holds half of a character (a lone surrogate)", "Save the file as UTF-8 again.")


def has_surrogate(text: str) -> bool:
    """Whether a text holds half of a character, which no file can."""
    return any("\ud800" <= letter <= "\udfff" for letter in text)
