"""Corpora: what counts as a document of a file, bounded pieces, digests, and errors that name the line."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path

import pytest

from workbench.corpus import source
from workbench.corpus.source import open_corpus
from workbench.errors import InputFileError, UnknownNameError


def texts(path: Path, start: int = 0) -> list[str]:
    return list(open_corpus(str(path)).documents(start))


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_the_demo_is_a_stream_without_end_and_begins_anywhere() -> None:
    from workbench.demo.corpus import document

    corpus = open_corpus("demo", seed=3)
    assert list(islice(corpus.documents(), 3)) == [document(3, index).text for index in range(3)]
    assert list(islice(corpus.documents(7), 2)) == [document(3, index).text for index in (7, 8)]
    assert corpus.digest != open_corpus("demo", seed=4).digest


def test_every_line_is_a_document_where_no_blank_line_parts_them(tmp_path: Path) -> None:
    assert texts(write(tmp_path / "a.txt", "one\ntwo words\nthree\n\n")) == ["one", "two words", "three"]


def test_blank_lines_part_documents_of_several_lines(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", "\none\nmore\n\n \ntwo\n\nthree")
    assert texts(path) == ["one\nmore", "two", "three"]
    assert texts(path, 1) == ["two", "three"]


def test_json_lines_are_a_document_each_and_empty_ones_are_none(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", '{"text": "one\\n\\ntwo"}\n\n{"text": "three", "id": 4}\n{"text": ""}\n')
    assert texts(path) == ["one\n\ntwo", "three"]


@pytest.mark.parametrize("line", ["{", "[1]", '{"txt": "a"}', '{"text": 3}'])
def test_a_line_that_is_no_document_is_named(tmp_path: Path, line: str) -> None:
    with pytest.raises(InputFileError, match="line 2 of"):
        texts(write(tmp_path / "a.jsonl", f'{{"text": "fine"}}\n{line}\n'))


@pytest.mark.parametrize("name", ["a.txt", "a.jsonl"])
def test_long_documents_come_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(source, "LONGEST", 10)
    text = "abcdefghij" * 3 + "k"
    path = write(tmp_path / name, text if name == "a.txt" else json.dumps({"text": text}))
    assert texts(path) == ["abcdefghij"] * 3 + ["k"]


def test_a_stretch_without_blank_lines_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "LONGEST", 10)
    path = write(tmp_path / "a.txt", "x\n\n" + "four\n" * 6)
    pieces = texts(path)
    assert max(map(len, pieces)) <= 10
    assert "".join(pieces).replace("\n", "") == "x" + "four" * 6


def test_the_digest_is_that_of_the_bytes(tmp_path: Path) -> None:
    one, same = write(tmp_path / "a.txt", "one\n"), write(tmp_path / "b.txt", "one\n")
    assert open_corpus(str(one)).digest == open_corpus(str(same)).digest
    write(same, "two\n")
    assert open_corpus(str(one)).digest != open_corpus(str(same)).digest


def test_what_is_no_corpus_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="'nosuch'"):
        open_corpus("nosuch")
    with pytest.raises(InputFileError, match="neither"):
        open_corpus(str(write(tmp_path / "a.pdf", "x")))
    with pytest.raises(InputFileError, match="no text"):
        open_corpus(str(write(tmp_path / "a.txt", " \n\n")))
    (tmp_path / "b.txt").write_bytes(b"fine\n\xff\xfe")
    with pytest.raises(InputFileError, match="not UTF-8"):
        texts(tmp_path / "b.txt")


def test_an_imported_corpus_gives_its_texts(tmp_path: Path, home: Path, loaded: object) -> None:
    path = write(tmp_path / "pets.jsonl", '{"text": "the cat won"}\n{"text": ""}\n{"text": "naïve dog"}\n')
    assert callable(loaded)
    done = loaded(f"corpus.import {path}")["result"]
    corpus = open_corpus("pets")
    assert list(corpus.documents()) == ["the cat won", "", "naïve dog"]
    assert list(corpus.documents(2)) == ["naïve dog"]
    assert (corpus.digest, corpus.endless, open_corpus("demo").endless) == (done["digest"], False, True)
    checked = loaded("sae.check pets tokens=100")["result"]
    assert checked["gate"]["numbers"]
