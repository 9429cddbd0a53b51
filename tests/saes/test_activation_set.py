"""Activation sets: the rows of the plain model, killed and resumed to the same bytes, shuffled by the seed alone."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from tests import tiny
from workbench.corpus.source import Corpus, open_corpus
from workbench.errors import Cancelled, InputFileError, StorageError, UsageError, WorkbenchError

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]


def nothing(done: int, total: int, text: str) -> None: ...


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    draw = random.Random(0)
    lines = [" ".join(draw.choices(tiny.WORDS, k=draw.randint(1, 24))) for _ in range(60)]
    lines[7] = "the cat won " * 30  # longer than the context: read in several stretches
    path = tmp_path_factory.mktemp("corpus") / "lines.txt"
    path.write_text("\n".join(lines))
    return open_corpus(str(path))


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shards of 50 float32 rows, and 3 stretches a batch, so that shards end within batches."""
    from workbench.saes import activation_set, shuffled

    monkeypatch.setattr(activation_set, "SHARD_BYTES", 50 * tiny.WIDTH * 4)
    monkeypatch.setattr(shuffled, "GROUP_BYTES", 2 * 50 * tiny.WIDTH * 4)
    monkeypatch.setattr(activation_set, "BATCH", 3)


def recipe_of(corpus: Corpus, model: Any, tokens: int = 330, **changes: Any) -> Any:
    from workbench.saes.activation_set import SetRecipe

    base = SetRecipe(model.info["digest"], tiny.SITE, corpus.digest, tokens, tiny.WIDTH, context=tiny.CONTEXT)
    return replace(base, **changes)


def record(model: Any, corpus: Corpus, recipe: Any, home: Path, tick: Any = nothing) -> Any:
    from workbench.models.site import parse_site
    from workbench.saes.activation_set import record

    return record(model, parse_site(recipe.site, model.layers), corpus, recipe, home, tick)[0]


def by_hand(model: Any, corpus: Corpus, special: bool = False) -> Any:
    """Rows of every document through the plain model one at a time, BOS in front of every stretch."""
    import torch

    rows = []
    for text in corpus.documents():
        body = model.tokenizer(text, add_special_tokens=False)["input_ids"]
        for at in range(0, len(body), tiny.CONTEXT - 1):
            ids = torch.tensor([[0, *body[at : at + tiny.CONTEXT - 1]]])
            with torch.no_grad():
                hidden = model.plain(input_ids=ids, output_hidden_states=True).hidden_states[2][0]
            rows.append(hidden if special else hidden[1:])
    return torch.cat(rows)


@pytest.mark.parametrize("special", [False, True])
def test_rows_are_those_of_the_plain_model(
    tmp_path: Path, small_shards: None, tiny_model: Any, corpus: Corpus, special: bool
) -> None:
    found = record(tiny_model, corpus, recipe_of(corpus, tiny_model, special=special), tmp_path)
    assert found.shards == (50,) * 6 + (30,)
    expected = by_hand(tiny_model, corpus, special)[:330]
    assert float((found.read(0, 330) - expected).abs().max()) < 1e-4
    assert float((found.read(45, 107) - expected[45:107]).abs().max()) < 1e-4


def test_an_encoder_is_read_with_what_stands_at_both_ends(
    tmp_path: Path, small_shards: None, torch_loaded: None, corpus: Corpus
) -> None:
    """[CLS] in front of every stretch and [SEP] behind it, neither of them kept."""
    import torch

    from workbench.models.loading import load_model

    model = load_model({"ref": str(tiny.make_bert(tmp_path / "bert")), "device": "cpu"})
    found = record(model, corpus, recipe_of(corpus, model, tokens=10**5), tmp_path)
    rows = []
    for text in corpus.documents():
        body = model.tokenizer(text, add_special_tokens=False)["input_ids"]
        for at in range(0, len(body), tiny.CONTEXT - 2):
            ids = torch.tensor([[2, *body[at : at + tiny.CONTEXT - 2], 3]])
            with torch.no_grad():
                rows.append(model.plain(input_ids=ids, output_hidden_states=True).hidden_states[2][0, 1:-1])
    expected = torch.cat(rows)
    assert found.rows == len(expected)
    assert float((found.read(0, found.rows) - expected).abs().max()) < 1e-4


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_a_killed_recording_ends_with_the_same_bytes(
    tmp_path: Path, small_shards: None, tiny_model: Any, corpus: Corpus, dtype: str
) -> None:
    recipe = recipe_of(corpus, tiny_model, dtype=dtype)
    whole = record(tiny_model, corpus, recipe, tmp_path / "whole")
    for stop in range(1, 8):
        home = tmp_path / f"killed-{stop}"
        ticks = iter(range(stop))

        def die(done: int, total: int, text: str, ticks: Any = ticks) -> None:
            if next(ticks, None) is None:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            record(tiny_model, corpus, recipe, home, die)
        again = record(tiny_model, corpus, recipe, home)
        assert again.shards == whole.shards
        assert tiny.snapshot(again.folder) == tiny.snapshot(whole.folder), f"killed at tick {stop}"


def test_half_a_shard_and_a_missing_end_are_mended(
    tmp_path: Path, small_shards: None, tiny_model: Any, corpus: Corpus
) -> None:
    recipe = recipe_of(corpus, tiny_model, tokens=10**5)  # more than the corpus has
    whole = record(tiny_model, corpus, recipe, tmp_path)
    before = tiny.snapshot(whole.folder)
    assert whole.rows == len(by_hand(tiny_model, corpus))
    (whole.folder / "set.json").unlink()
    (whole.folder / ".shard-00003.safetensors.x.tmp").write_bytes(b"half")
    assert record(tiny_model, corpus, recipe, tmp_path).rows == whole.rows
    assert tiny.snapshot(whole.folder) == before
    (whole.folder / "set.json").unlink()
    torn = whole.folder / "shard-00002.safetensors"
    torn.write_bytes(torn.read_bytes()[:100])
    record(tiny_model, corpus, recipe, tmp_path)
    assert tiny.snapshot(whole.folder) == before


def test_a_whole_set_is_not_recorded_again(tmp_path: Path, tiny_model: Any, corpus: Corpus) -> None:
    recipe = recipe_of(corpus, tiny_model)
    record(tiny_model, corpus, recipe, tmp_path)

    def never(done: int, total: int, text: str) -> None:
        raise AssertionError

    assert record(tiny_model, corpus, recipe, tmp_path, never).rows == 330


def test_what_it_holds_is_in_its_name(tiny_model: Any, corpus: Corpus) -> None:
    recipe = recipe_of(corpus, tiny_model)
    changes: list[dict[str, Any]] = [
        {"model": "other"}, {"site": "blocks.0.hook_resid_post"}, {"corpus": "other"}, {"tokens": 331},
        {"dtype": "float16"}, {"special": True}, {"context": 16},
    ]  # fmt: skip
    assert len({recipe.key, *(replace(recipe, **change).key for change in changes)}) == 1 + len(changes)


def test_the_disk_use_is_stated_while_it_records(tmp_path: Path, tiny_model: Any, corpus: Corpus) -> None:
    told: list[str] = []
    record(tiny_model, corpus, recipe_of(corpus, tiny_model), tmp_path, lambda _d, _t, text: told.append(text))
    assert f"{330 * tiny.WIDTH * 4 / 1e6:,.0f} MB on disk" in told[0]


def test_a_disk_without_room_is_refused_before_anything_is_read(tiny_model: Any, corpus: Corpus) -> None:
    with tiny.small_disk() as disk, pytest.raises(StorageError, match="the activations need"):
        record(tiny_model, corpus, recipe_of(corpus, tiny_model, tokens=10**6), disk)


def test_a_disk_that_fills_up_is_an_error_of_storage(small_shards: None, tiny_model: Any, corpus: Corpus) -> None:
    with tiny.small_disk("128k") as disk:
        recipe = recipe_of(corpus, tiny_model)

        def fill_later(done: int, total: int, text: str) -> None:
            if done and not (disk / "filler").exists():
                tiny.fill(disk)

        with pytest.raises(StorageError, match="the disk is full"):
            record(tiny_model, corpus, recipe, disk, fill_later)
        (disk / "filler").unlink()
        assert record(tiny_model, corpus, recipe, disk).rows == 330


def test_an_empty_corpus_is_refused(tmp_path: Path, tiny_model: Any) -> None:
    nothing_there = Corpus("x", "x", "d", path=None)
    object.__setattr__(nothing_there, "documents", lambda start=0: iter(()))
    with pytest.raises(InputFileError, match="no token"):
        record(tiny_model, nothing_there, recipe_of(nothing_there, tiny_model), tmp_path)


@pytest.mark.parametrize(
    ("value", "dtype", "kind", "match"),
    [(1e6, "float16", UsageError, "too large for float16"), (float("nan"), "float32", WorkbenchError, "NaN")],
)
def test_activations_that_are_no_numbers_are_refused(
    tmp_path: Path, tiny_model: Any, corpus: Corpus, monkeypatch: pytest.MonkeyPatch,
    value: float, dtype: str, kind: type, match: str,
) -> None:  # fmt: skip
    read = type(tiny_model).read_ids
    monkeypatch.setattr(type(tiny_model), "read_ids", lambda *given: read(*given).fill_(value))
    with pytest.raises(kind, match=match):
        record(tiny_model, corpus, recipe_of(corpus, tiny_model, dtype=dtype), tmp_path)


def test_too_little_memory_halves_the_batch_and_says_so(
    tmp_path: Path, tiny_model: Any, corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workbench.models.site import parse_site
    from workbench.saes.activation_set import record as whole_record

    expected = record(tiny_model, corpus, recipe_of(corpus, tiny_model), tmp_path / "plenty").read(0, 330)
    forward = type(tiny_model.plain).forward

    def small(self: Any, *given: Any, **named: Any) -> Any:
        if len(named["input_ids"]) > 40:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
        return forward(self, *given, **named)

    monkeypatch.setattr(type(tiny_model.plain), "forward", small)
    monkeypatch.setattr(tiny_model, "portions", type(tiny_model.portions)())
    site = parse_site(tiny.SITE, tiny_model.layers)
    found, told = whole_record(tiny_model, site, corpus, recipe_of(corpus, tiny_model), tmp_path / "few", nothing)
    assert [text for text in told if text.startswith("out of memory")]
    assert float((found.read(0, 330) - expected).abs().max()) < 1e-4


def test_the_order_is_a_shuffle_that_the_seed_decides(
    tmp_path: Path, small_shards: None, tiny_model: Any, corpus: Corpus
) -> None:
    import torch

    from workbench.saes.shuffled import Shuffled

    source = record(tiny_model, corpus, recipe_of(corpus, tiny_model), tmp_path)
    rows = source.read(0, 310)
    batches = list(islice(Shuffled(source, 310, 1).batches(31), 20))
    for epoch in (batches[:10], batches[10:]):
        one = torch.cat(epoch)
        assert not torch.equal(one, rows)
        # every row once: sorted by its first unit
        assert torch.equal(one[one[:, 0].argsort()], rows[rows[:, 0].argsort()])
    assert not torch.equal(torch.cat(batches[:10]), torch.cat(batches[10:]))
    assert all(
        torch.equal(a, b) for a, b in zip(batches, islice(Shuffled(source, 310, 1).batches(31), 20), strict=True)
    )
    other = next(Shuffled(source, 310, 2).batches(31))
    assert not torch.equal(other, batches[0])


@pytest.mark.parametrize("size", [1, 7, 64, 120])
def test_the_order_can_be_entered_anywhere(
    tmp_path: Path, small_shards: None, tiny_model: Any, corpus: Corpus, size: int
) -> None:
    import torch

    from workbench.saes.shuffled import Shuffled

    source = record(tiny_model, corpus, recipe_of(corpus, tiny_model), tmp_path)
    order = Shuffled(source, 310, 5)
    whole = list(islice(order.batches(size), 2 * 310 // size + 3))
    for start in range(0, len(whole), max(1, len(whole) // 12)):
        assert torch.equal(next(order.batches(size, start)), whole[start])


def test_a_cancelled_recording_keeps_its_shards(
    tmp_path: Path, small_shards: None, tiny_model: Any, corpus: Corpus
) -> None:
    def stop(done: int, total: int, text: str) -> None:
        if done > 120:
            raise Cancelled("cancelled")

    recipe = recipe_of(corpus, tiny_model)
    with pytest.raises(Cancelled):
        record(tiny_model, corpus, recipe, tmp_path, stop)
    assert len(list((tmp_path / "activations" / recipe.key).glob("shard-*"))) >= 2
    seen: list[int] = []
    record(tiny_model, corpus, recipe, tmp_path, lambda done, _t, _x: seen.append(done))
    assert seen[0] >= 100


def test_the_meta_says_what_it_holds(tmp_path: Path, tiny_model: Any, corpus: Corpus) -> None:
    found = record(tiny_model, corpus, recipe_of(corpus, tiny_model), tmp_path)
    meta = json.loads((found.folder / "set.json").read_text())
    assert meta["recipe"]["site"] == tiny.SITE
    assert sum(meta["shards"]) == 330
