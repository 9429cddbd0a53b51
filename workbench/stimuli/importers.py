"""Reading stimulus sets from files, with a clear word about everything that is wrong with one."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from workbench.errors import InputFileError, UnknownNameError
from workbench.stimuli.sets import StimulusSet, from_dict


def read_set(path: Path, name: str, positive: str = "", file: str = "") -> StimulusSet:
    """Read a set from JSON (`{category: [sentences]}`, or the workbench's own form) or CSV (category, text).

    Args:
        path: the file; `.csv` and `.tsv` are read as tables, everything else as JSON.
        name: the set's name.
        positive: the category that carries the concept; "" takes the file's own, else the first.
        file: what messages call the file; "" takes the name it has.

    Raises:
        InputFileError: the file is missing, empty, of another form, has one category, or an empty or
            repeated sentence.
        UnknownNameError: `positive` is no category of the file.
    """
    file = file or path.name
    text = _text(path, file)
    data = _from_table(text, file) if path.suffix.lower() in {".csv", ".tsv"} else _from_json(text, file)
    found = from_dict(name, data)
    _check(found, file)
    chosen = positive or found.positive or found.categories[0][0]
    if chosen not in found.counts:
        raise UnknownNameError.among("category", chosen, found.counts)
    return replace(found, positive=chosen)


def _text(path: Path, file: str) -> str:
    try:
        raw = path.read_bytes()
    except FileNotFoundError as error:
        raise InputFileError(f"no file {str(path)!r}", "Check the path.") from error
    except OSError as error:
        raise InputFileError(f"cannot read {str(path)!r} ({error.strerror})", "Check the path.") from error
    if not raw.strip():
        raise InputFileError(f"{file} is empty", "It should hold a JSON object {category: [sentences]} or a CSV.")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputFileError(f"{file} is not UTF-8 text (byte {error.start})", "Save it as UTF-8.") from error


def _from_json(text: str, file: str) -> dict[str, Any]:
    try:
        data = json.loads(text, object_pairs_hook=_once)
    except _RepeatedKeyError as error:
        raise InputFileError(f"{file} has {error.args[0]!r} twice", "Merge the two, or rename one.") from error
    except (ValueError, RecursionError) as error:
        raise InputFileError(
            f"{file} is not JSON ({error})", "Give {category: [sentences]}, or a .csv with category and text."
        ) from error
    if isinstance(data, dict) and isinstance(data.get("categories"), dict):
        body = dict(data)
    elif isinstance(data, dict):
        body = {"categories": data}
    else:
        raise InputFileError(f"{file} holds no JSON object", "Give {category: [sentences]}.")
    for category, texts in body["categories"].items():
        if not isinstance(texts, list) or not all(isinstance(item, str) for item in texts):
            raise InputFileError(
                f"category {category!r} of {file} is no list of sentences", "Give {category: [sentences]}."
            )
    _check_extras(body, file)
    return body


class _RepeatedKeyError(Exception):
    """A key that stands twice in one object: a reader that keeps the last would lose sentences silently."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _RepeatedKeyError(key)
        found[key] = value
    return found


def _check_extras(body: dict[str, Any], file: str) -> None:
    """Types of what may stand beside the categories."""
    for name in ("positive", "description"):
        if not isinstance(body.get(name) or "", str):
            raise InputFileError(f"{name!r} of {file} is {body[name]!r}, no text", "Give a text.")
    steering = body.get("steering") or {}
    lists = steering.values() if isinstance(steering, dict) else [None]
    if not all(isinstance(words, list) and all(isinstance(word, str) for word in words) for words in lists):
        raise InputFileError(
            f"'steering' of {file} is not made of lists of texts",
            'Give {"prompts": [], "raise": [], "lower": []}.',
        )


def _from_table(text: str, file: str) -> dict[str, Any]:
    separator = "\t" if Path(file).suffix.lower() == ".tsv" else ","
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        columns = [column.strip() for column in reader.fieldnames or ()]
    except csv.Error as error:
        raise InputFileError(f"line 1 of {file} cannot be read ({error})", "Mend it.") from error
    for needed in ("category", "text"):
        if needed not in columns:
            raise InputFileError(
                f"{file} has no column {needed!r} (its columns: {', '.join(columns) or 'none'})",
                "The first line must name the columns category and text.",
            )
    reader.fieldnames = columns
    categories: dict[str, list[str]] = {}
    try:
        for row in reader:
            where = f"line {reader.line_num} of {file}"
            if row["category"] is None or row["text"] is None or not row["category"].strip():
                raise InputFileError(f"{where} has no category or no text", "Fill both columns.")
            if None in row:
                raise InputFileError(
                    f"{where} has more columns than the first line ({row['text'][:60]!r}...)",
                    "Put a sentence that holds the separator in double quotes.",
                )
            categories.setdefault(row["category"].strip(), []).append(row["text"])
    except csv.Error as error:
        raise InputFileError(f"line {reader.line_num} of {file} cannot be read ({error})", "Mend it.") from error
    return {"categories": categories}


def _check(found: StimulusSet, file: str) -> None:
    if len(found.categories) < 2:
        have = ", ".join(found.counts) or "none"
        raise InputFileError(
            f"{file} has {len(found.categories)} category ({have})", "A contrast needs at least two categories."
        )
    seen: dict[str, str] = {}
    for category, texts in found.categories:
        if not category.strip() or _has_surrogate(category):
            raise InputFileError(f"{file} has a category named {category!r}", "Give it a name of whole letters.")
        if len(texts) < 2:
            raise InputFileError(f"category {category!r} of {file} has {len(texts)} sentence", "Give at least two.")
        for number, text in enumerate(texts, start=1):
            _check_sentence(text, f"sentence {number} of category {category!r} in {file}")
            if text in seen:
                raise InputFileError(
                    f"{file} has the sentence {text[:60]!r} twice (in {seen[text]!r} and {category!r})",
                    "Remove one; repeated stimuli are not independent.",
                )
            seen[text] = category


def _check_sentence(text: str, where: str) -> None:
    if not text.strip():
        raise InputFileError(f"{where} is empty", "Remove it or write it.")
    if _has_surrogate(text):
        raise InputFileError(f"{where} holds half of a character (a lone surrogate)", "Save the file as UTF-8 again.")


def _has_surrogate(text: str) -> bool:
    return any("\ud800" <= letter <= "\udfff" for letter in text)
