"""Token stores: every source gives the same tokens, boundaries are kept, and nothing hostile or broken slips in."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import tiny
from workbench.corpus import importing
from workbench.corpus.finding import cut_slice, find
from workbench.corpus.importing import ImportRecipe, import_corpus
from workbench.corpus.readers import Reading
from workbench.corpus.store import TokenStore, corpora, give_name, names, open_name
from workbench.corpus.tokenizing import StoreTokenizer
from workbench.errors import Cancelled, InputFileError, MismatchError, StorageError, UnknownNameError, UsageError

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("torch_loaded")]
HOSTILE = [
    "bell\x07 and \x1b[31mred",
    "[bold]markup[/bold] <b>x</b>",
    "\u202eright to left\u202c",
    "naïve café 日本 😀",
    "x",
]


def nothing(done: int, total: int, text: str) -> None: ...


@pytest.fixture(scope="module")
def tokenizer(tiny_model: Any) -> StoreTokenizer:
    return StoreTokenizer(tiny_model.tokenizer, int(tiny_model.info["vocabulary"]))


def texts(count: int = 50) -> list[str]:
    draw = random.Random(3)
    return [" ".join(draw.choices(tiny.WORDS, k=draw.randint(1, 30))) for _ in range(count)]


def write_rows(path: Path, rows: list[Any], field: str = "text") -> Path:
    path.write_text("".join(json.dumps({field: row}) + "\n" for row in rows))
    return path


def imported(ref: Path | str, tokenizer: StoreTokenizer, home: Path, tick: Any = nothing, **more: Any) -> TokenStore:
    own = {key: more.pop(key) for key in ("max_tokens", "tokens") if key in more}
    return import_corpus(ImportRecipe(Reading(str(ref), **more), name="one", **own), tokenizer, home, tick)


def expected(tokenizer: StoreTokenizer, rows: list[str]) -> list[list[int]]:
    return [tokenizer.tokenizer(row)["input_ids"] for row in rows]


def rows_of(store: TokenStore) -> list[list[int]]:
    return [store.tokens[a:b].tolist() for a, b in zip(store.starts[:-1], store.starts[1:], strict=True)]


def test_every_source_gives_the_same_store(tmp_path: Path, tokenizer: StoreTokenizer) -> None:
    import datasets
    import pyarrow
    from pyarrow import parquet

    rows = texts()
    plain = write_rows(tmp_path / "a.jsonl", rows)
    (tmp_path / "b.txt").write_text("\n".join(rows))
    packed = tmp_path / "c.jsonl.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    zst = tmp_path / "d.jsonl.zst"
    with pyarrow.output_stream(str(zst), compression="zstd") as file:
        file.write(plain.read_bytes())
    table = pyarrow.table({"text": rows, "id": list(range(len(rows)))})
    parquet.write_table(table, tmp_path / "e.parquet")
    datasets.Dataset(table).save_to_disk(tmp_path / "f")
    (tmp_path / "g" / "inner").mkdir(parents=True)
    write_rows(tmp_path / "g" / "a.jsonl", rows[:20])
    write_rows(tmp_path / "g" / "inner" / "b.jsonl", rows[20:])
    (tmp_path / "h").mkdir()
    parquet.write_table(table, tmp_path / "h" / "train.parquet")
    sources = [plain, tmp_path / "b.txt", packed, zst, tmp_path / "e.parquet", tmp_path / "f", tmp_path / "g"]
    stores = [imported(ref, tokenizer, tmp_path / "home") for ref in [*sources, f"hf:{tmp_path / 'h'}"]]
    assert rows_of(stores[0]) == expected(tokenizer, rows)
    assert len({store.digest for store in stores}) == 1
    assert len([path for path in corpora(tmp_path / "home").iterdir() if path.name != ".building"]) == 1


def test_empty_documents_keep_their_number_and_long_ones_are_cut(tmp_path: Path, tokenizer: StoreTokenizer) -> None:
    path = write_rows(tmp_path / "a.jsonl", ["", "the cat won the prize", None, "a", "   "])
    store = imported(path, tokenizer, tmp_path / "home", max_tokens=4)
    assert store.meta["documents"] == 5
    assert (store.meta["empty"], store.meta["cut"]) == (3, 1)
    whole = expected(tokenizer, ["", "the cat won the prize", "", "a", "   "])
    assert rows_of(store) == [row[:4] for row in whole]
    assert list(store.document_of(np.arange(len(store.tokens)))) == [
        number for number, row in enumerate(whole) for _ in row[:4]
    ]


def test_a_tokenizer_without_bos_gives_empty_documents_no_token(tmp_path: Path, tokenizer: StoreTokenizer) -> None:
    class Bare:
        backend_tokenizer = None
        all_special_ids = tokenizer.tokenizer.all_special_ids

        def __len__(self) -> int:
            return len(tokenizer.tokenizer)

        def __getattr__(self, name: str) -> Any:
            return getattr(tokenizer.tokenizer, name)

        def __call__(self, text: Any, **options: Any) -> Any:
            return tokenizer.tokenizer(text, **{**options, "add_special_tokens": False})

    store = imported(
        write_rows(tmp_path / "a.jsonl", ["", "cat", "", "the dog"]), StoreTokenizer(Bare(), tokenizer.size), tmp_path
    )
    assert np.diff(store.starts).tolist() == [0, 1, 0, 2]
    assert store.document_of(np.arange(3)).tolist() == [1, 3, 3]


def test_hostile_texts_come_back_as_they_were(tmp_path: Path, tokenizer: StoreTokenizer) -> None:
    store = imported(write_rows(tmp_path / "a.jsonl", HOSTILE), tokenizer, tmp_path)
    assert list(store.documents()) == HOSTILE
    assert list(store.documents(3)) == HOSTILE[3:]


def test_half_a_surrogate_pair_is_repaired_and_counted(tmp_path: Path, tokenizer: StoreTokenizer) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "lone \\ud83d here"}\n{"text": "whole \\ud83d\\ude00"}\n')
    store = imported(tmp_path / "a.jsonl", tokenizer, tmp_path)
    assert list(store.documents()) == ["lone \ufffd here", "whole 😀"]
    assert store.meta["repaired"] == 1


def test_bytes_that_are_not_utf8(tmp_path: Path, tokenizer: StoreTokenizer) -> None:
    cases = (
        ("a.txt", b"fine\nbad \xff\n", "line 2 has the byte 0xff after 'bad '"),
        ("a.jsonl", b'{"text": "bad \xff"}\n', "line 1 has the byte 0xff after .*\"bad '"),
    )  # fmt: skip
    for name, content, place in cases:
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputFileError, match=rf"not UTF-8 text: {place}.*--undecodable replace"):
            imported(tmp_path / name, tokenizer, tmp_path / "home")
        store = imported(tmp_path / name, tokenizer, tmp_path / "home", undecodable="replace")
        assert list(store.documents())[-1] == "bad \ufffd"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", b" \n\n", "no text"),
        ("a.jsonl", b'{"text": ""}\n', "no text"),
        ("a.jsonl", b"", "no text"),
        ("a.jsonl", b'{"text": "a"}\n{"body": "b"}\n', "line 2 of .* no object with 'text'"),
        ("a.jsonl", b'{"text": "a"}\n{"text": 3}\n', "line 2 of .* int as text"),
        ("a.jsonl", b'{"text": "a"}\nnonsense\n', "line 2 of .* no JSON"),
        ("a.parquet", b"nonsense", "no Parquet"),
        ("a.jsonl.gz", b"nonsense", "cannot be read"),
        ("a.jsonl.zst", b"nonsense", "cannot be read"),
        ("a.csv", b"a,b", "none of"),
    ],
)
def test_what_is_no_corpus_is_refused(
    tmp_path: Path, tokenizer: StoreTokenizer, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputFileError, match=message):
        imported(tmp_path / name, tokenizer, tmp_path / "home")
    assert names(tmp_path / "home") == []


def test_names_and_fields_that_nobody_knows(tmp_path: Path, tokenizer: StoreTokenizer) -> None:
    import pyarrow
    from pyarrow import parquet

    with pytest.raises(UnknownNameError, match="nosuch"):
        imported("nosuch", tokenizer, tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputFileError, match=r"has no \.txt"):
        imported(tmp_path / "empty", tokenizer, tmp_path)
    parquet.write_table(pyarrow.table({"content": ["the cat"]}), tmp_path / "a.parquet")
    with pytest.raises(UnknownNameError, match=r"text field.*content"):
        imported(tmp_path / "a.parquet", tokenizer, tmp_path)
    assert list(imported(tmp_path / "a.parquet", tokenizer, tmp_path, field="content").documents()) == ["the cat"]
    with pytest.raises(UnknownNameError, match="corpus 'two'"):
        open_name(tmp_path, "two")


@pytest.mark.parametrize("calls", [0, 1, 3, 7])
def test_an_import_that_was_stopped_goes_on_and_ends_with_the_same_bytes(
    tmp_path: Path, tokenizer: StoreTokenizer, monkeypatch: pytest.MonkeyPatch, calls: int
) -> None:
    monkeypatch.setattr(importing, "BATCH", 5)
    monkeypatch.setattr(importing, "CHECKPOINT", 100)
    path = write_rows(tmp_path / "a.jsonl", [*texts(), "", *texts(7)])
    whole = imported(path, tokenizer, tmp_path / "whole")
    with pytest.raises(Cancelled):
        imported(path, tokenizer, tmp_path / "home", tiny.stop_after(calls))
    read: list[int] = []
    again = imported(path, tokenizer, tmp_path / "home", lambda done, total, text: read.append(int(text.split()[0])))
    assert tiny.snapshot(again.folder) == tiny.snapshot(whole.folder)
    if calls == 7:
        assert read[0] > 0, "it goes on, it does not begin again"


def test_a_full_disk_loses_nothing(tmp_path: Path, tokenizer: StoreTokenizer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "BATCH", 5)
    monkeypatch.setattr(importing, "CHECKPOINT", 100)
    path = write_rows(tmp_path / "a.jsonl", texts(400))
    whole = imported(path, tokenizer, tmp_path / "whole")
    with tiny.small_disk("64k") as disk:
        ballast = disk / "ballast"
        ballast.write_bytes(b"x" * 32_000)
        with pytest.raises(StorageError, match="the disk is full"):
            imported(path, tokenizer, disk)
        assert names(disk) == []
        ballast.unlink()
        assert tiny.snapshot(imported(path, tokenizer, disk).folder) == tiny.snapshot(whole.folder)


def test_the_demo_needs_a_number_of_tokens(tmp_path: Path, tokenizer: StoreTokenizer) -> None:
    from workbench.demo.corpus import document

    with pytest.raises(UsageError, match="no end"):
        imported("demo", tokenizer, tmp_path)
    store = imported("demo", tokenizer, tmp_path, tokens=500, seed=3)
    sizes = np.diff(store.starts)
    assert store.meta["tokens"] >= 500 > store.meta["tokens"] - sizes[-1]
    assert list(store.documents()) == [document(3, number).text for number in range(len(sizes))]


def test_damage_and_another_tokenizer_are_seen(tmp_path: Path, tokenizer: StoreTokenizer) -> None:
    store = imported(write_rows(tmp_path / "a.jsonl", texts()), tokenizer, tmp_path)
    store.check()
    store.need_tokenizer(tokenizer.digest, "tiny")
    with pytest.raises(MismatchError, match="another tokenizer"):
        store.need_tokenizer("sha256:0", "other")
    raw = bytearray((store.folder / "tokens.bin").read_bytes())
    raw[4] ^= 1
    (store.folder / "tokens.bin").write_bytes(raw)
    with pytest.raises(InputFileError, match="damaged"):
        TokenStore(store.folder).check()


FOUND = ["The cat won.", "the CAT won again and  won", "unwon wonder", "", "a dog lost", "naïve cat — café won"]


def test_finding_counts_documents_occurrences_and_tokens(tmp_path: Path, tokenizer: StoreTokenizer) -> None:
    store = imported(write_rows(tmp_path / "a.jsonl", FOUND), tokenizer, tmp_path)
    one = find(store, ["won"], 10, nothing)
    assert (one.documents, one.occurrences, one.each) == ([0, 1, 5], 4, [4])
    won = {tokenizer.tokenizer(form, add_special_tokens=False)["input_ids"][0] for form in ("won", " won")}
    in_words = [token for row in (0, 1, 5) for token in rows_of(store)[row]]
    assert one.tokens == sum(token in won for token in in_words)
    assert [line["match"] for line in one.first] == ["won"] * 3
    two = find(store, ["cat won", "café"], 1, nothing)
    assert (two.documents, two.each, len(two.first)) == ([0, 1, 5], [2, 1], 1)
    assert find(store, ["tiger"], 10, nothing).documents == []
    with pytest.raises(UsageError, match="no phrase"):
        find(store, [" "], 10, nothing)


def test_a_slice_says_what_it_is(tmp_path: Path, tokenizer: StoreTokenizer) -> None:
    store = imported(write_rows(tmp_path / "a.jsonl", FOUND), tokenizer, tmp_path)
    cut = cut_slice(store, ["won"], [0, 1, 5], "wins", tmp_path)
    give_name(tmp_path, "wins", cut.digest)
    assert list(open_name(tmp_path, "wins").documents()) == [FOUND[0], FOUND[1], FOUND[5]]
    assert cut.meta["enriched"] == {"phrases": ["won"], "of": store.digest, "of_name": "one", "share": 0.5}
    assert cut.digest != store.digest
    with pytest.raises(UsageError, match="no document"):
        cut_slice(store, ["tiger"], [], "none", tmp_path)


def test_the_verbs_import_list_and_find(loaded: Any, tmp_path: Path) -> None:
    path = write_rows(tmp_path / "wins.jsonl", FOUND)
    done = loaded(f"corpus.import {path}")
    assert done["result"]["name"] == "wins"
    assert (done["result"]["documents"], done["result"]["empty"]) == (6, 1)
    assert any("empty" in text for text in done["warnings"])
    assert [row["name"] for row in loaded("corpus.list")["result"]["corpora"]] == ["demo", "wins"]
    found = loaded("corpus.find won lost cut=outcomes")["result"]
    assert (found["documents"], found["of_documents"], found["occurrences"]) == (4, 6, 5)
    assert found["slice"]["enriched"]["share"] == pytest.approx(4 / 6)
    again = loaded("corpus.find won corpus=outcomes")
    assert again["result"]["documents"] == 3
    assert "slice" in again["warnings"][0]


def test_the_demos_corpus_is_searched_as_far_as_it_is_here(loaded: Any) -> None:
    with pytest.raises(UsageError, match="no corpus is on this machine"):
        loaded("corpus.find Monday")
    with pytest.raises(UsageError, match="no part of it is here"):
        loaded("corpus.find Monday corpus=demo")
    loaded("index.build tokens=2000")
    found = loaded("corpus.find Monday corpus=demo")["result"]
    assert found["of_tokens"] >= 2000
    assert loaded("corpus.find Monday")["result"] == found
    loaded("corpus.import demo tokens=3000")
    assert loaded("corpus.find Monday corpus=demo")["result"]["of_tokens"] >= 3000


def test_the_hub_switched_off_is_said(
    tmp_path: Path, tokenizer: StoreTokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    import datasets
    import huggingface_hub.constants

    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(InputFileError, match=r"'no/such' is on the hub, which is switched off here") as found:
        imported("hf:no/such", tokenizer, tmp_path)
    assert "save_to_disk" in found.value.hint


def test_a_slice_is_seen_wherever_its_numbers_are(
    loaded: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from rich.console import Console

    from commands.render.features import feature
    from commands.render.index import built

    path = tmp_path / "games.txt"
    path.write_text("".join(f"the {noun} won the prize today\na {noun} lost\n" for noun in ("cat", "dog", "sun")))
    loaded(f"corpus.import {path}")
    loaded("corpus.find won cut=won-games")
    reply = loaded("index.build won-games tokens=1000")
    assert any("densities on it are not those of the whole" in warning for warning in reply["warnings"])
    console = Console(width=200)
    built(loaded("index.info")["result"], console)
    assert "no fair sample: slice of games with 'won', 50 % of it" in capsys.readouterr().out
    feature(loaded("features.show 3")["result"], console)
    assert "slice of games with 'won': such a density is not that of the whole" in capsys.readouterr().out
