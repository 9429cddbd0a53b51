"""Where a file stops being UTF-8, and the command that converts it, which is tried as it is told."""

from __future__ import annotations

import gzip
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from workbench.corpus.readers import Reading
from workbench.corpus.source import open_corpus
from workbench.errors import InputFileError
from workbench.labels.published import read_explanations as read
from workbench.not_utf8 import not_utf8
from workbench.uploads import utf8_text

TEXT = "first line\nLe café est là\n"


def test_it_names_line_byte_the_text_before_and_the_mend() -> None:
    error = not_utf8("my set.csv", [TEXT.encode("cp1252")])
    assert error.message == (
        "my set.csv is not UTF-8 text: line 2 has the byte 0xe9 after 'Le caf' (in WINDOWS-1252 that is 'é')"
    )
    assert error.hint == (
        "Convert it with `iconv -f WINDOWS-1252 -t UTF-8 'my set.csv' > 'my set-utf8.csv'`, if WINDOWS-1252 is what it "
        "was saved in."
    )
    assert "at its beginning" in not_utf8("a", [b"\x81x"]).message
    assert "-f ENCODING" in not_utf8("a", [b"x\x81"]).hint
    assert "after …'" in not_utf8("a", [b"x" * 100 + b"\xff"]).message
    cut = not_utf8("a.txt", [b"one\n", "zwei é".encode()[:-1]])
    assert (cut.message, cut.hint) == (
        "a.txt ends in the middle of a character, in line 2 after 'zwei '",
        "It was cut off: get it whole.",
    )


@pytest.mark.parametrize(
    ("name", "encoding"), [("a.txt", "cp1252"), ("a.txt", "utf-16"), ("a b.txt.gz", "cp1252"), ("a.txt.gz", "utf-16")]
)
@pytest.mark.skipif(shutil.which("iconv") is None, reason="no iconv here")
def test_the_command_makes_a_file_that_is_read(tmp_path: Path, name: str, encoding: str) -> None:
    content = TEXT.encode(encoding)
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    with pytest.raises(InputFileError, match=r"is not UTF-8 text: line [12] has") as caught:
        list(Reading(str(tmp_path / name)).documents())
    assert caught.value.hint.endswith(", or add --undecodable replace.")
    (command,) = re.findall("`(.*)`", caught.value.hint)
    subprocess.run(command, shell=True, check=True, cwd=tmp_path)
    (made,) = tmp_path.glob("*-utf8*")
    assert list(Reading(str(made)).documents()) == TEXT.splitlines()


def test_every_reader_says_it(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(TEXT.encode("cp1252"))
    said = r"is not UTF-8 text: line 2 has the byte 0xe9 after 'Le caf'"
    with pytest.raises(InputFileError, match=rf"{re.escape(str(path))} {said}") as caught:
        list(open_corpus(str(path)).documents())
    assert "iconv" in caught.value.hint
    for reader in (utf8_text, read):  # of stimuli, scripts, matrices and spans; of published labels
        with pytest.raises(InputFileError, match=f"given.json {said}"):
            reader(TEXT.encode("cp1252"), "given.json")
