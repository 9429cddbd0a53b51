"""What was read of files stays until the file is another one, or others were asked for since."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from workbench.kept import Kept


class Reader:
    """Counts how often it reads."""

    def __init__(self, path: Path) -> None:
        self.path, self.times = path, 0

    def __call__(self) -> str:
        self.times += 1
        return self.path.read_text()


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    path = tmp_path / "one"
    path.write_text("before")
    return Reader(path)


def test_a_file_is_read_once_and_again_when_it_changed(reader: Reader) -> None:
    kept = Kept[str](2)
    assert [kept.get(reader.path, reader) for _ in range(3)] == ["before"] * 3
    assert reader.times == 1
    stamp = reader.path.stat()
    reader.path.write_text("behind")
    os.utime(reader.path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns + 1))
    assert kept.get(reader.path, reader) == "behind"


def test_names_tell_what_is_made_of_the_same_file_apart(reader: Reader) -> None:
    kept = Kept[str](4)
    assert kept.get(reader.path, lambda: "a", "a") == "a"
    assert kept.get(reader.path, lambda: "b", "b") == "b"
    assert kept.get(reader.path, reader, "a") == "a"


def test_the_one_not_asked_for_longest_is_let_go(reader: Reader) -> None:
    kept = Kept[str](2)
    kept.get(reader.path, reader, "old")
    kept.get(reader.path, reader, "new")
    kept.get(reader.path, reader, "old")
    kept.get(reader.path, reader, "newest")
    assert reader.times == 3
    kept.get(reader.path, reader, "old")
    assert reader.times == 3
    kept.get(reader.path, reader, "new")
    assert reader.times == 4


def test_a_file_that_is_too_large_or_gone_is_read_each_time(reader: Reader) -> None:
    kept = Kept[str](2, heaviest=3)
    kept.get(reader.path, reader)
    kept.get(reader.path, reader)
    assert reader.times == 2
    reader.path.unlink()
    for _ in range(2):
        with pytest.raises(FileNotFoundError):
            kept.get(reader.path, reader)
