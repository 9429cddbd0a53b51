"""Documents of files, folders and Hugging Face datasets as streams in which every document keeps its number.

A `.txt` file is read as `source.py` says. In JSONL, Parquet and datasets each row is one document, also when its
text is empty or null. Files ending in `.gz` or `.zst` are unpacked on the way. Nothing of a dataset is executed.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any, Literal, cast

from workbench.corpus.source import DEMO, has_blank_lines, of_plain_text
from workbench.digests import value_digest
from workbench.errors import InputFileError, UnknownNameError, UsageError
from workbench.not_utf8 import not_utf8

HUB = "hf:"
KINDS = (".txt", ".jsonl", ".parquet")
PACKED = (".gz", ".zst")
Undecodable = Literal["refuse", "replace"]
_BATCH = 1024


@dataclass(frozen=True)
class Reading:
    """What to read and how; two equal ones give the same documents.

    Attributes:
        ref: `demo`, a file, a folder, or `hf:NAME`.
        field: the field that holds the text, where rows have several.
        split: the part of a dataset.
        subset: the configuration of a dataset, or "".
        revision: the commit of a dataset of the hub, or "".
        seed: which corpus of the demo's.
        undecodable: what to do with bytes that are not UTF-8.
    """

    ref: str
    field: str = "text"
    split: str = "train"
    subset: str = ""
    revision: str = ""
    seed: int = 0
    undecodable: Undecodable = "refuse"

    @property
    def path(self) -> Path:
        """The file or folder, where it is one."""
        return Path(self.ref).expanduser()

    @property
    def kind(self) -> str:
        """`demo`, `datasets`, `file` or `folder`.

        Raises:
            UnknownNameError: nothing is there.
        """
        if self.ref == DEMO:
            return DEMO
        if self.ref.startswith(HUB) or _is_saved(self.path):
            return "datasets"
        if self.path.is_file():
            return "file"
        if self.path.is_dir():
            return "folder"
        raise UnknownNameError(
            f"no corpus {self.ref!r}", f"Give `demo`, a file ({', '.join(KINDS)}), a folder, or hf:NAME."
        )

    @property
    def files(self) -> list[Path]:
        """The files that are read, in order.

        Raises:
            InputFileError: none is of a kind that can be read.
        """
        if self.kind == "file":
            return [self.path]
        found = sorted(path for path in self.path.rglob("*") if path.is_file() and _form(path)[0] in KINDS)
        if not found:
            raise InputFileError(f"{self.ref} has no {', '.join(KINDS)} file", "Name a folder with such files.")
        return found

    @property
    def digest(self) -> str:
        """Changes when the documents do; of a dataset of the hub only its name and revision are known beforehand.

        Raises:
            InputFileError: a file cannot be read.
        """
        about = {**asdict(self), "kind": self.kind}
        if self._contents:
            about["ref"] = [(path.name, digest) for path, digest in self._contents]
        return value_digest(about)

    @property
    def source_digest(self) -> str:
        """The digest of the file, or of the files below the folder with their relative names; of others an empty text.

        Raises:
            InputFileError: a file cannot be read.
        """
        if self.kind == "file":
            return f"sha256:{self._contents[0][1]}"
        if not self._contents:
            return ""
        return value_digest({path.relative_to(self.path).as_posix(): digest for path, digest in self._contents})

    @cached_property
    def _contents(self) -> list[tuple[Path, str]]:
        """The files on this machine with the digests of their bytes, read once."""
        if self.kind in ("file", "folder"):
            return [(path, _file_digest(path)) for path in self.files]
        if _is_saved(self.path):
            return [(path, _file_digest(path)) for path in sorted(self.path.rglob("*")) if path.is_file()]
        return []

    def documents(self, start: int = 0) -> Iterator[str]:
        """The documents from number `start` on.

        Raises:
            InputFileError: a file, a line or a row is not what it should be; the message names it.
        """
        if self.kind == DEMO:
            from workbench.demo.corpus import documents

            return (document.text for document in documents(self.seed, start))
        stream = self._of_dataset() if self.kind == "datasets" else self._of_files()
        return _from(stream, start)

    def _of_files(self) -> Iterator[str]:
        for path in self.files:
            yield from _of_file(path, self)

    def _of_dataset(self) -> Iterator[str]:
        rows = _saved(self) if _is_saved(self.path) else _loaded(self)
        columns = getattr(rows, "column_names", None)
        if columns and self.field not in columns:
            raise UnknownNameError.among("text field", self.field, columns, "Name it with --field.")
        for number, row in enumerate(rows, start=1):
            yield _text_of(row, self.field, f"row {number} of {self.ref}")


def _from(stream: Iterator[str], start: int) -> Iterator[str]:
    for number, text in enumerate(stream):
        if number >= start:
            yield text


def _form(path: Path) -> tuple[str, str]:
    """The kind of a file and how it is packed: (`.jsonl`, `.gz`)."""
    last = path.suffix.lower()
    if last in PACKED:
        return Path(path.stem).suffix.lower(), last
    return last, ""


def _file_digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputFileError(f"{path} cannot be read ({error.strerror})", "Check its permissions.") from error


def _of_file(path: Path, reading: Reading) -> Iterator[str]:
    kind, packing = _form(path)
    if kind not in KINDS:
        raise InputFileError(
            f"{path} is none of {', '.join(KINDS)}", "Rename it; .gz or .zst may follow, as in a.jsonl.zst."
        )
    try:
        if kind == ".parquet":
            yield from _of_parquet(path, reading.field)
        elif kind == ".jsonl":
            yield from _of_json_lines(path, packing, reading)
        else:
            yield from _of_text(path, packing, reading)
    except UnicodeDecodeError as error:
        with _open(path, packing) as raw:  # a decoder knows its place in what it read at once, not in the file
            raise not_utf8(str(path), raw, "add --undecodable replace") from error
    except (OSError, EOFError, zlib.error) as error:
        raise InputFileError(f"{path} cannot be read ({error})", "Check that the file is whole.") from error


def _open(path: Path, packing: str) -> IO[bytes]:
    if packing == ".gz":
        return cast("IO[bytes]", gzip.open(path, "rb"))
    if packing == ".zst":
        import pyarrow

        return io.BufferedReader(_Raw(pyarrow.input_stream(str(path), compression="zstd")))
    return path.open("rb")


class _Raw(io.RawIOBase):
    """A stream of pyarrow's as Python's own, so that it has lines."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        found = self._stream.read(len(buffer))
        buffer[: len(found)] = found
        return len(found)


def _of_text(path: Path, packing: str, reading: Reading) -> Iterator[str]:
    errors = "replace" if reading.undecodable == "replace" else "strict"
    with _open(path, packing) as raw:
        by_blank_lines = has_blank_lines(raw)
    with _open(path, packing) as raw, io.TextIOWrapper(raw, encoding="utf-8", errors=errors) as file:
        yield from of_plain_text(file, by_blank_lines)


def _of_json_lines(path: Path, packing: str, reading: Reading) -> Iterator[str]:
    errors = "replace" if reading.undecodable == "replace" else "strict"
    with _open(path, packing) as file:
        for number, line in enumerate(file, start=1):
            text = line.decode("utf-8", errors)
            if not text.strip():
                continue
            where = f"line {number} of {path}"
            try:
                row = json.loads(text)
            except ValueError as error:
                raise InputFileError(f"{where} is no JSON ({text.strip()[:60]!r})", "Mend or remove it.") from error
            yield _text_of(row, reading.field, where)


def _of_parquet(path: Path, field: str) -> Iterator[str]:
    import pyarrow
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            if field not in file.schema_arrow.names:
                raise UnknownNameError.among("text field", field, file.schema_arrow.names, "Name it with --field.")
            rows = 0
            for batch in file.iter_batches(batch_size=_BATCH, columns=[field]):
                for value in batch.column(0).to_pylist():
                    rows += 1
                    yield _text_of({field: value}, field, f"row {rows} of {path}")
    except pyarrow.ArrowException as error:
        raise InputFileError(f"{path} is no Parquet file that can be read ({error})", "Get a sound copy.") from error


def _text_of(row: Any, field: str, where: str) -> str:
    """The text of a row; null is an empty document."""
    if not isinstance(row, dict) or field not in row:
        raise InputFileError(f"{where} is no object with {field!r} ({str(row)[:60]!r})", "Mend it, or name --field.")
    value = row[field]
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InputFileError(f"{where} has a {type(value).__name__} as {field}", "Make it a string, or name --field.")
    return value


def _is_saved(path: Path) -> bool:
    """Whether a folder was written by `datasets`' own `save_to_disk`."""
    return (path / "dataset_dict.json").is_file() or (path / "state.json").is_file()


def _saved(reading: Reading) -> Any:
    import datasets

    try:
        found = datasets.load_from_disk(reading.ref)
    except (OSError, ValueError) as error:
        raise InputFileError(f"{reading.ref} is no saved dataset ({error})", "Save it again.") from error
    if isinstance(found, datasets.DatasetDict):
        if reading.split not in found:
            raise UnknownNameError.among("split", reading.split, found, "Name it with --split.")
        found = found[reading.split]
    return found


def _loaded(reading: Reading) -> Any:
    """A dataset by name, streamed; scripts of a repository are never run."""
    import datasets

    name = reading.ref.removeprefix(HUB)
    if not name:
        raise UsageError("hf: without a name", "Write hf:NAME, for example hf:Salesforce/wikitext.")
    try:
        return datasets.load_dataset(
            name, reading.subset or None, split=reading.split, streaming=True, revision=reading.revision or None
        )
    except Exception as error:  # datasets raises whatever the hub, a parser or a script made
        if not Path(name).exists() and datasets.config.HF_HUB_OFFLINE:
            raise InputFileError(
                f"the dataset {name!r} is on the hub, which is switched off here (HF_HUB_OFFLINE)",
                "Unset HF_HUB_OFFLINE, or name a folder that `save_to_disk` wrote, or one of Parquet or JSONL files.",
            ) from error
        reason = str(error).strip().split("\n")[0][:200]
        raise InputFileError(
            f"cannot load the dataset {name!r} ({type(error).__name__}: {reason})",
            "Check the name, --subset, --split, and the network.",
        ) from error
