"""Writing rows to a file as they come: CSV, Parquet, JSONL, a JSON list; whole or not at all."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Literal, cast

from workbench.errors import UsageError
from workbench.exports.rows import BLOCK, COLUMNS
from workbench.files import replacing

Format = Literal["csv", "parquet", "jsonl", "neuronpedia"]
BY_ENDING: dict[str, Format] = {".csv": "csv", ".parquet": "parquet", ".jsonl": "jsonl", ".json": "neuronpedia"}
PACKED = ".gz"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins so is a formula to a spreadsheet."""
Rows = Iterable[dict[str, Any]]


def format_of(path: Path, asked: str) -> Format:
    """The form of a file: the one asked for, else that of its ending.

    Raises:
        UsageError: the ending says nothing, or packs what packs itself.
    """
    packed = path.suffix.lower() == PACKED
    ending = (Path(path.stem) if packed else path).suffix.lower()
    found = cast("Format", asked) if asked else BY_ENDING.get(ending)
    if found is None:
        raise UsageError(
            f"{path.name} has no ending that says its form",
            f"Use {', '.join(BY_ENDING)}, also with {PACKED}; or add --format.",
        )
    if found == "parquet" and packed:
        raise UsageError(f"{path.name} would pack Parquet, which packs itself", "Leave out .gz.")
    return found


def write_rows(path: Path, form: Format, rows: Rows) -> int:
    """Write rows to a file and give its size in bytes; nothing but a block of them is ever in memory.

    Raises:
        StorageError: the disk is full or the folder cannot be written; an older file is untouched.
    """
    write: Callable[[BinaryIO, Rows], None] = {
        "csv": _csv, "parquet": _parquet, "jsonl": _json_lines, "neuronpedia": _json_list
    }[form]  # fmt: skip
    with replacing(path) as raw, _packed(raw, path) as file:
        write(file, rows)
    return path.stat().st_size


@contextmanager
def _packed(raw: BinaryIO, path: Path) -> Iterator[BinaryIO]:
    """The file itself, or what packs into it; without a time, so that the same rows give the same bytes."""
    if path.suffix.lower() != PACKED:
        yield raw
        return
    with gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as file:
        yield cast("BinaryIO", file)


def _csv(file: BinaryIO, rows: Rows) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    try:
        writer = csv.DictWriter(text, list(COLUMNS), lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow({name: _cell(value) for name, value in row.items()})
    finally:
        text.detach()


def _cell(value: Any) -> Any:
    """A cell; a text that a spreadsheet would carry out as a formula gets an apostrophe in front."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _json_lines(file: BinaryIO, rows: Rows) -> None:
    for row in rows:
        file.write(_json(row) + b"\n")


def _json_list(file: BinaryIO, rows: Rows) -> None:
    file.write(b"[")
    for number, row in enumerate(rows):
        file.write((b",\n" if number else b"\n") + _json(row))
    file.write(b"\n]\n")


def _json(row: dict[str, Any]) -> bytes:
    return json.dumps(row, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")


def _parquet(file: BinaryIO, rows: Rows) -> None:
    import pyarrow
    from pyarrow import parquet

    kinds = {"text": pyarrow.string(), "whole": pyarrow.int64(), "number": pyarrow.float64()}
    schema = pyarrow.schema([(name, kinds[kind]) for name, kind in COLUMNS.items()])
    stream = iter(rows)
    with parquet.ParquetWriter(file, schema) as writer:
        while block := list(islice(stream, BLOCK)):
            writer.write_table(pyarrow.Table.from_pylist(block, schema=schema))
