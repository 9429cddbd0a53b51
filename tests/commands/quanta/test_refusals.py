"""What `quanta.*` refuses, with what would do instead."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests import tiny
from tests.commands.quanta.words import TEXTS, write_corpus
from workbench.errors import MismatchError, UsageError, WorkbenchError

pytestmark = pytest.mark.slow


def test_an_encoder_is_refused(do: Any, tmp_path: Path) -> None:
    do("session.new s", None)
    do(f"model.load {tiny.make_bert(tmp_path / 'bert')} device=cpu")
    with pytest.raises(MismatchError, match="encoder"):
        do("quanta.losses demo tokens=100")


def test_contexts_longer_than_the_model_are_refused(corpus: Any) -> None:
    with pytest.raises(MismatchError, match=f"longer than model reads|longer than .* reads \\({tiny.CONTEXT}\\)"):
        corpus(f"quanta.losses words context={tiny.CONTEXT + 1}")


def test_fewer_samples_than_n_says_what_each_condition_leaves(taken: Any) -> None:
    with pytest.raises(UsageError, match=r"of the 90000 samples asked for: \d+ predictions") as caught:
        taken("quanta.select threshold=100 n=90000")
    assert "threshold" in caught.value.hint


def test_a_role_the_model_has_not_got_is_refused(similar: Any) -> None:
    with pytest.raises(UsageError, match="'unembedding'"):  # tied: it counts as embedding
        similar("quanta.similarity include=unembedding")


def test_steps_in_the_wrong_order_name_the_step_before(corpus: Any) -> None:
    for line, verb in (("quanta.counts", "losses"), ("quanta.select", "losses"), ("quanta.similarity", "select"),
                       ("quanta.cluster", "similarity"), ("quanta.list", "cluster"), ("quanta.show 0", "cluster"),
                       ("quanta.split 0", "cluster"), ("quanta.stimuli x cluster=0", "cluster")):  # fmt: skip
        with pytest.raises(UsageError) as caught:
            corpus(line)
        assert f"quanta {verb}" in caught.value.hint, line


def test_another_model_than_that_of_the_losses_is_refused(similar: Any, tmp_path: Path) -> None:
    similar(f"model.load {tiny.make_model(tmp_path / 'other', seed=3)} device=cpu")
    with pytest.raises(MismatchError, match="chosen by the losses of"):
        similar("quanta.similarity")


def test_gradients_that_are_no_numbers_are_named_and_what_was_done_is_kept(
    taken: Any, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workbench.quanta import gradients as module

    taken("quanta.select threshold=100 filter=none n=12 skip=5")
    plain = module.sample_gradients

    def spoilt(model: Any, parameters: Any, contexts: Any, first: int = 0, **options: Any) -> Any:
        for number, gradient in enumerate(plain(model, parameters, contexts, first, **options), first):
            if number == 7:
                raise ValueError("the gradient of sample 7 is not finite (loss nan)")
            yield gradient

    monkeypatch.setattr(module, "sample_gradients", spoilt)
    with pytest.raises(WorkbenchError, match="sample 7 is not finite") as caught:
        taken("quanta.similarity pairs=0")
    assert "kept" in caught.value.hint
    monkeypatch.setattr(module, "sample_gradients", plain)
    done: list[int] = []
    taken(
        "quanta.similarity pairs=0", progress=lambda at, total, text: done.append(at) if text == "gradients" else None
    )
    assert done[0] == 8, "the seven that were made are not made again"


def test_a_corpus_of_the_same_name_with_other_text_is_refused(similar: Any, tmp_path: Path) -> None:
    similar(f"corpus.import {write_corpus(tmp_path / 'other.jsonl', TEXTS[:3])} name=words")
    for line in ("quanta.select threshold=100 n=5", "quanta.similarity mode=sketch"):
        with pytest.raises(MismatchError, match="changed since its losses were taken"):
            similar(line)


def test_work_beyond_the_budgets_is_refused_with_what_would_do(similar: Any) -> None:
    with pytest.raises(UsageError, match="GiB") as caught:
        similar("quanta.similarity mode=factored memory=0.0001")
    needed = float(re.search(r"--memory ([\d.]+)", caught.value.hint)[1])  # type: ignore[index]
    similar(f"quanta.similarity mode=factored memory={needed}")
    with pytest.raises(UsageError, match="minutes"):
        similar("quanta.similarity mode=sketch minutes=0.0000001")
