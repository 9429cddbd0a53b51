"""The forms of stimulus files: JSON by category, JSON lines, and tables; all become the form of a stored set."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench.errors import InputFileError
from workbench.stimuli.records import read_record, unread

TABLES = {".csv": ",", ".tsv": "\t"}
LINES = (".jsonl", ".ndjson")


@dataclass
class Body:
    """What a file holds.

    Attributes:
        data: the set in the form of `StimulusSet.as_dict`.
        unread: columns that mean nothing here.
    """

    data: dict[str, Any]
    unread: dict[str, None] = field(default_factory=dict)


def read_form(text: str, file: str) -> Body:
    """Read a file by its suffix: `.csv` and `.tsv` as tables, `.jsonl` line by line, everything else as JSON.

    Raises:
        InputFileError: it is of another form.
    """
    suffix = Path(file).suffix.lower()
    if suffix in TABLES:
        return _from_rows(_table_rows(text, file, TABLES[suffix]))
    if suffix in LINES:
        return _from_rows(_json_lines(text, file))
    return _from_json(text, file)


def _from_json(text: str, file: str) -> Body:
    data = _json(text, file, "Give {category: [sentences]}, or a .csv with category and text.")
    if isinstance(data, dict) and isinstance(data.get("categories"), dict):
        body = Body(dict(data))
    elif isinstance(data, dict):
        body = Body({"categories": data})
    else:
        raise InputFileError(f"{file} holds no JSON object", "Give {category: [sentences]}.")
    body.data["categories"] = {
        category: _sentences(texts, category, file, body) for category, texts in body.data["categories"].items()
    }
    _check_extras(body.data, file)
    return body


def _sentences(texts: Any, category: str, file: str, body: Body) -> list[str | dict[str, Any]]:
    """Sentences as texts or, where more is known of one, as objects."""
    if not isinstance(texts, list) or not all(isinstance(item, (str, dict)) for item in texts):
        raise InputFileError(
            f"category {category!r} of {file} is no list of sentences",
            'Give {category: [sentences]}; a sentence is a text, or an object with "text".',
        )
    found: list[str | dict[str, Any]] = []
    for number, item in enumerate(texts, start=1):
        if isinstance(item, dict):
            body.unread |= dict.fromkeys(unread(item))
            found.append(read_record(item, f"sentence {number} of category {category!r} in {file}"))
        else:
            found.append(item)
    return found


class _RepeatedKeyError(Exception):
    """A key that stands twice in one object: a reader that keeps the last would lose sentences silently."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _RepeatedKeyError(key)
        found[key] = value
    return found


def _json(text: str, where: str, hint: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_once)
    except _RepeatedKeyError as error:
        raise InputFileError(f"{where} has {error.args[0]!r} twice", "Merge the two, or rename one.") from error
    except (ValueError, RecursionError) as error:
        raise InputFileError(f"{where} is not JSON ({error})", hint) from error


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
    factors = body.get("factors") or {}
    if not _is_factors(factors):
        raise InputFileError(f"'factors' of {file} is {factors!r}"[:200], "Give {category: {factor: level}}.")
    for category in factors:
        if category not in body["categories"]:
            raise InputFileError(f"'factors' of {file} names {category!r}, no category of it", "Mend the name.")


def _is_factors(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(levels, dict) and all(isinstance(level, str) and level for level in levels.values())
        for levels in value.values()
    )


def _json_lines(text: str, file: str) -> Iterable[tuple[str, dict[str, Any]]]:
    hint = 'Give an object with "category" and "text" on each line.'
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        where = f"line {number} of {file}"
        row = _json(line, where, hint)
        if not isinstance(row, dict) or not isinstance(row.get("category"), str) or not row["category"].strip():
            raise InputFileError(f"{where} has no category ({line.strip()[:60]!r})", hint)
        yield where, row


def _table_rows(text: str, file: str, separator: str) -> Iterable[tuple[str, dict[str, Any]]]:
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=_separator(text, separator))
    reader.fieldnames = _columns(reader, file)
    rows = iter(reader)
    while True:
        try:
            row = next(rows, None)
        except csv.Error as error:
            raise InputFileError(f"line {reader.line_num} of {file} cannot be read ({error})", "Mend it.") from error
        if row is None:
            return
        where = f"line {reader.line_num} of {file}"
        if row["category"] is None or row["text"] is None or not row["category"].strip():
            raise InputFileError(f"{where} has no category or no text", "Fill both columns.")
        if None in row:
            raise InputFileError(
                f"{where} has more columns than the first line ({row['text'][:60]!r}...)",
                "Put a sentence that holds the separator in double quotes.",
            )
        yield where, row


def _separator(text: str, usual: str) -> str:
    """The separator of the first line: spreadsheets write .csv with semicolons where a comma stands in numbers."""
    columns = {column.strip().strip('"') for column in text.partition("\n")[0].split(";")}
    return ";" if {"category", "text"} <= columns else usual


def _columns(reader: csv.DictReader[str], file: str) -> list[str]:
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
    for column in columns:
        if column and columns.count(column) > 1:
            raise InputFileError(f"{file} has the column {column!r} twice", "Remove or rename one.")
    return columns


def _from_rows(rows: Iterable[tuple[str, dict[str, Any]]]) -> Body:
    categories: dict[str, list[dict[str, Any]]] = {}
    body = Body({"categories": categories})
    for where, row in rows:
        body.unread |= dict.fromkeys(unread(row))
        categories.setdefault(row["category"].strip(), []).append(read_record(row, where))
    return body
