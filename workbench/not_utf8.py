"""What is told of a file whose text is not UTF-8: line, byte, the text before it, and what converts the file."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import PurePath

from workbench.errors import InputFileError

BEFORE = 40
"""Characters shown of the line before the byte."""
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_PACKED = {".gz": ("zcat", "gzip"), ".zst": ("zstdcat", "zstd")}
"""What unpacks a file for a pipe, and packs it again."""


def not_utf8(file: str, lines: Iterable[bytes], option: str = "") -> InputFileError:
    """The error on a file whose text is not UTF-8.

    Args:
        file: its path, or its name where no more is known.
        lines: its lines, unpacked, or its whole content as one; no more than what is wrong first is read.
        option: what the command itself can be told to do about it, as the end of a sentence.
    """
    before = 0
    for raw in lines:
        try:
            raw.decode("utf-8")
        except UnicodeDecodeError as error:
            at = raw.rfind(b"\n", 0, error.start) + 1
            number = before + raw.count(b"\n", 0, error.start) + 1
            if error.reason == "unexpected end of data":
                return InputFileError(
                    f"{file} ends in the middle of a character, in line {number}{_after(raw[at : error.start])}",
                    "It was cut off: get it whole.",
                )
            end = raw.find(b"\n", error.start)
            return _wrong(file, number, raw[at : end if end >= 0 else len(raw)], error.start - at, option)
        before += raw.count(b"\n")
    return InputFileError(f"{file} is not UTF-8 text", "It changes while it is read: repeat when it is whole.")


def _wrong(file: str, number: int, line: bytes, start: int, option: str) -> InputFileError:
    encoding = _likely(line if number == 1 else line[start:])
    byte, convert = line[start : start + 1], _command(file, encoding or "ENCODING")
    meant = ""
    if encoding == "WINDOWS-1252":
        meant = f" (in {encoding} that is {byte.decode('cp1252')!r})"
    known = "" if encoding else ", with the ENCODING in which it was saved (`iconv -l` lists them)"
    perhaps = f", if {encoding} is what it was saved in" if encoding == "WINDOWS-1252" else known
    return InputFileError(
        f"{file} is not UTF-8 text: line {number} has the byte 0x{byte[0]:02x}{_after(line[:start])}{meant}",
        f"Convert it with `{convert}`{perhaps}{f', or {option}' if option else ''}.",
    )


def _after(before: bytes) -> str:
    """The text before a byte, which is sound."""
    text = before.decode("utf-8").removeprefix("\ufeff")
    if not text:
        return " at its beginning"
    return f" after {text[-BEFORE:]!r}" if len(text) <= BEFORE else f" after …{text[-BEFORE:]!r}"


def _likely(line: bytes) -> str:
    """The encoding that a line is likely in, or an empty text."""
    if line.startswith(_UTF16):
        return "UTF-16"
    try:
        line.decode("cp1252")
    except UnicodeDecodeError:
        return ""
    return "WINDOWS-1252"


def _command(file: str, encoding: str) -> str:
    path = PurePath(file)
    packing = path.suffix.lower() if path.suffix.lower() in _PACKED else ""
    name = path.name.removesuffix(path.suffix) if packing else path.name
    stem, ending = PurePath(name).stem, PurePath(name).suffix
    source, target = shlex.quote(file), shlex.quote(f"{stem}-utf8{ending}{packing}")
    convert = f"iconv -f {encoding} -t UTF-8"
    if not packing:
        return f"{convert} {source} > {target}"
    unpack, pack = _PACKED[packing]
    return f"{unpack} {source} | {convert} | {pack} > {target}"
