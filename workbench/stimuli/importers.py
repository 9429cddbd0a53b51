"""Reading stimulus sets from files, with a clear word about everything that is wrong with one."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

from workbench.errors import InputFileError, UnknownNameError
from workbench.stimuli.sets import StimulusSet, from_dict


def read_set(path: Path, name: str, positive: str = "") -> StimulusSet:
    """Read a set from JSON (`{category: [sentences]}`, or the workbench's own form) or CSV (category, text).

    Args:
        path: the file; `.csv` and `.tsv` are read as tables, everything else as JSON.
        name: the set's name.
        positive: the category that carries the concept; "" takes the file's own, else the first.

    Raises:
        InputFileError: the file is missing, empty, of another form, has one category, or an empty or
            repeated sentence.
        UnknownNameError: `positive` is no category of the file.
    """
    text = _text(path)
    data = _from_table(text, path) if path.suffix.lower() in {".csv", ".tsv"} else _from_json(text, path)
    found = from_dict(name, data)
    _check(found, path)
    chosen = positive or found.positive or found.categories[0][0]
    if chosen not in found.counts:
        raise UnknownNameError.among("category", chosen, found.counts)
    return StimulusSet(name, found.categories, chosen, found.description, found.steering)


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except FileNotFoundError as error:
        raise InputFileError(f"no file {str(path)!r}", "Check the path.") from error
    except OSError as error:
        raise InputFileError(f"cannot read {str(path)!r} ({error.strerror})", "Check the path.") from error
    if not raw.strip():
        raise InputFileError(f"{path.name} is empty", "It should hold a JSON object {category: [sentences]} or a CSV.")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputFileError(f"{path.name} is not UTF-8 text (byte {error.start})", "Save it as UTF-8.") from error


def _from_json(text: str, path: Path) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except ValueError as error:
        raise InputFileError(
            f"{path.name} is not JSON ({error})", "Give {category: [sentences]}, or a .csv with category and text."
        ) from error
    if isinstance(data, dict) and isinstance(data.get("categories"), dict):
        body = dict(data)
    elif isinstance(data, dict):
        body = {"categories": data}
    else:
        raise InputFileError(f"{path.name} holds no JSON object", "Give {category: [sentences]}.")
    for category, texts in body["categories"].items():
        if not isinstance(texts, list) or not all(isinstance(item, str) for item in texts):
            raise InputFileError(
                f"category {category!r} of {path.name} is no list of sentences", "Give {category: [sentences]}."
            )
    return body


def _from_table(text: str, path: Path) -> dict[str, Any]:
    separator = "\t" if path.suffix.lower() == ".tsv" else ","
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=separator)
    columns = [column.strip() for column in reader.fieldnames or ()]
    for needed in ("category", "text"):
        if needed not in columns:
            raise InputFileError(
                f"{path.name} has no column {needed!r} (its columns: {', '.join(columns) or 'none'})",
                "The first line must name the columns category and text.",
            )
    reader.fieldnames = columns
    categories: dict[str, list[str]] = {}
    for number, row in enumerate(reader, start=2):
        if row["category"] is None or row["text"] is None or not row["category"].strip():
            raise InputFileError(f"line {number} of {path.name} has no category or no text", "Fill both columns.")
        categories.setdefault(row["category"].strip(), []).append(row["text"])
    return {"categories": categories}


def _check(found: StimulusSet, path: Path) -> None:
    if len(found.categories) < 2:
        have = ", ".join(found.counts) or "none"
        raise InputFileError(
            f"{path.name} has {len(found.categories)} category ({have})", "A contrast needs at least two categories."
        )
    seen: dict[str, str] = {}
    for category, texts in found.categories:
        if len(texts) < 2:
            raise InputFileError(
                f"category {category!r} of {path.name} has {len(texts)} sentence", "Give at least two."
            )
        for number, text in enumerate(texts, start=1):
            _check_sentence(text, f"sentence {number} of category {category!r} in {path.name}")
            if text in seen:
                raise InputFileError(
                    f"{path.name} has the sentence {text[:60]!r} twice (in {seen[text]!r} and {category!r})",
                    "Remove one; repeated stimuli are not independent.",
                )
            seen[text] = category


def _check_sentence(text: str, where: str) -> None:
    if not text.strip():
        raise InputFileError(f"{where} is empty", "Remove it or write it.")
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise InputFileError(f"{where} holds half of a character (a lone surrogate)", "Save the file as UTF-8 again.")
