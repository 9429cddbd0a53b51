"""`quanta.losses` against a plain loop, killed and gone on with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import tiny
from tests.commands.quanta.words import store_of
from workbench.errors import Cancelled, MismatchError, UnknownNameError
from workbench.quanta import NATS_PER_BIT, present_bigram, present_trigram

pytestmark = pytest.mark.slow


def test_losses_are_those_of_one_document_at_a_time(taken: Any, home: Path, tiny_model: Any) -> None:
    import torch

    from workbench.predictions.losses import Losses
    from workbench.predictions.numbering import Numbering

    store = store_of(home)
    numbering = Numbering.of(store, tiny_model.context, 10**6)
    found = Losses(home, numbering).read(tiny_model.info["digest"])
    expected: list[float] = []
    for document in range(int(store.meta["documents"])):
        ids = store.tokens[store.starts[document] : store.starts[document + 1]][: tiny_model.context].tolist()
        if len(ids) < 2:
            continue
        with torch.no_grad():
            logits = tiny_model.plain(torch.tensor([ids])).logits[0].double()
        expected += torch.nn.functional.cross_entropy(logits[:-1], torch.tensor(ids[1:]), reduction="none").tolist()
    assert found == pytest.approx(np.array(expected), abs=1e-4)


def test_filters_and_answers_are_in_the_same_numbering(taken: Any, home: Path) -> None:
    from workbench.predictions.losses import Losses
    from workbench.predictions.numbering import Numbering

    store = store_of(home)
    numbering = Numbering.of(store, 20, 10**6)
    losses = Losses(home, numbering)
    losses.take_filters(lambda *_: None)
    rows = [store.tokens[a:b][:20] for a, b in zip(store.starts, store.starts[1:], strict=False)]
    for name, mark in (("present-trigram", present_trigram), ("present-bigram", present_bigram)):
        assert losses.dropped(name).tolist() == [bool(x) for row in rows for x in mark(row)]
        assert losses.dropped(name).any()
    assert numbering.answers().tolist() == [int(token) for row in rows for token in row[1:]]


def test_the_result_tells_nats_and_bits_and_a_second_model_beside(corpus: Any, tmp_path: Path) -> None:
    other = tiny.make_model(tmp_path / "other", seed=9)
    result = corpus(f"quanta.losses words models={other}")["result"]
    assert len({row["digest"] for row in result["models"]}) == len({row["name"] for row in result["models"]}) == 2
    for row in result["models"]:
        assert row["mean_bits"] == pytest.approx(row["mean"] / NATS_PER_BIT)
    name = result["models"][1]["name"]
    low = corpus("quanta.counts threshold=100 filter=none")["result"]
    pair = corpus(f"quanta.counts threshold=100 filter=none high='{name}' high_threshold=6")["result"]
    assert 0 < pair["left"] < low["left"]
    assert pair["models"] == low["models"] == [row["name"] for row in result["models"]]
    assert sum(pair["high_histogram"]["counts"]) == low["left"]
    assert sum(pair["high_histogram"]["kept"]) == sum(pair["histogram"]["kept"]) == pair["left"]
    assert low["high_histogram"] is None
    back = corpus(f"quanta.counts threshold=100 filter=none model='{name}' high='{low['model']}' high_threshold=6")
    assert (back["result"]["model"], back["result"]["high"]) == (name, low["model"])
    with pytest.raises(MismatchError, match="low here and high there"):
        corpus(f"quanta.counts high='{result['models'][0]['name']}'")
    with pytest.raises(UnknownNameError, match="nobody"):
        corpus("quanta.counts model=nobody")


def test_a_killed_run_goes_on_and_ends_with_the_same_bytes(
    corpus: Any, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workbench.predictions import losses as module

    monkeypatch.setattr(module, "CHUNK", 40)

    def stop(done: int, total: int, text: str) -> None:
        if done > 20 and "losses" in text:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        corpus("quanta.losses words", progress=stop)
    part = next((home / "quanta" / "losses").rglob("*.part"))
    assert part.stat().st_size > 0
    seen: list[int] = []
    corpus("quanta.losses words", progress=lambda done, total, text: seen.append(done) if "losses" in text else None)
    assert min(seen) > 15, "documents that were read are read again"
    resumed = next((home / "quanta" / "losses").rglob("*.f32"))
    raw = resumed.read_bytes()
    resumed.unlink()
    corpus("quanta.losses words")
    assert resumed.read_bytes() == raw


def test_a_corpus_changed_under_a_half_made_run_is_refused(
    corpus: Any, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workbench.predictions import losses as module

    monkeypatch.setattr(module, "CHUNK", 40)

    def stop(done: int, total: int, text: str) -> None:
        if done > 20:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        corpus("quanta.losses words", progress=stop)
    path = store_of(home).folder / "tokens.bin"
    raw = bytearray(path.read_bytes())
    raw[4] ^= 1
    path.write_bytes(bytes(raw))
    with pytest.raises(MismatchError, match="not those that this run began with"):
        corpus("quanta.losses words")
    assert next((home / "quanta" / "losses").rglob("*.part")).exists(), "nothing is lost"
