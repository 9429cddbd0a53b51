"""Files of the user's: read by the front end, kept in the session by their digest."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine import toy
from workbench import uploads
from workbench.engine.question import question
from workbench.errors import InputFileError, UsageError
from workbench.uploads import UploadedFile


def test_the_content_of_a_named_file_is_sent_and_its_path_is_not(tmp_path: Path) -> None:
    path = tmp_path / "set.json"
    path.write_text("{}")
    message = question(toy.Take(file=str(path)), session="s", sessions=tmp_path)
    assert message["params"] == {"file": "set.json"}
    assert message["files"] == {"file": {"name": "set.json", "base64": "e30="}}


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match=r"no file .*nothing\.json"):
        uploads.read_uploads(toy.Take(file=str(tmp_path / "nothing.json")))


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="is a folder"):
        uploads.read_uploads(toy.Take(file=str(tmp_path)))


def test_a_file_too_large_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "big"
    with path.open("wb") as file:
        file.truncate(uploads.UPLOAD_LIMIT + 1)
    with pytest.raises(InputFileError, match="over the limit"):
        uploads.read_uploads(toy.Take(file=str(path)))


def test_a_path_that_cannot_exist_is_refused() -> None:
    with pytest.raises(InputFileError):
        uploads.read_uploads(toy.Take(file="a\0b"))


def test_a_file_the_session_has_already_is_not_read_again() -> None:
    verb = toy.Take(file="inputs/0123456789ab-set.json")
    assert uploads.read_uploads(verb) == {}
    assert uploads.keep_uploads(verb, {}, Path("nowhere")) == verb


def test_a_path_without_its_content_is_refused_by_the_engine(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="without its content"):
        uploads.keep_uploads(toy.Take(file="/etc/hostname"), {}, tmp_path)


def test_a_kept_file_is_named_by_digest_and_a_safe_name(tmp_path: Path) -> None:
    verb = toy.Take(file="x")
    kept = uploads.keep_uploads(verb, {"file": UploadedFile("../../a b\n.json", b"{}")}, tmp_path)
    assert kept.params() == {"file": "inputs/44136fa355b3-a-b-.json"}
    assert (tmp_path / kept.params()["file"]).read_bytes() == b"{}"


@pytest.mark.parametrize(
    ("name", "safe"),
    [("..", "file"), ("", "file"), (r"C:\x\y.csv", "y.csv"), ("é.txt", "txt"), ("a" * 99, "a" * 80)],
)  # fmt: skip
def test_names_are_made_harmless(name: str, safe: str) -> None:
    assert uploads.safe_name(name) == safe


def test_a_file_for_a_field_that_takes_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="takes no file as 'text'"):
        uploads.keep_uploads(toy.Note(), {"text": UploadedFile("x", b"")}, tmp_path)


def test_a_file_that_is_here_becomes_absolute_and_a_name_stays(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from commands.sae import SaeTrain

    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.txt").write_text("one")
    (tmp_path / "demo").write_text("not this one")
    for given, expected in (("mine.txt", str(tmp_path / "mine.txt")), ("demo", "demo"), ("nosuch.txt", "nosuch.txt")):
        found = uploads.absolute_paths(SaeTrain(corpus=given))
        assert found.params()["corpus"] == expected


def test_outputs_become_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert uploads.absolute_paths(toy.Write(out="r.html")).params()["out"] == str(tmp_path / "r.html")
    assert uploads.absolute_paths(toy.Write(out="")).params()["out"] == ""
