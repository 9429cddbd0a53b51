"""Continuations: greedy is the argmax of the plain model, sampling draws the softmax and repeats with its seed."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any

import pytest

from tests import tiny
from workbench.errors import Cancelled, MismatchError
from workbench.models.generation import _choose, continue_ids
from workbench.models.site import Site

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]
SITE = Site(1, "hook_resid_post")


def prompt(model: Any) -> list[int]:
    return list(model.tokenize("the cat won").ids)


def test_greedy_is_the_plain_model_generating(tiny_model: Any) -> None:
    import torch

    ids = prompt(tiny_model)
    with torch.no_grad():
        whole = tiny_model.plain.generate(torch.tensor([ids]), max_new_tokens=8, do_sample=False, pad_token_id=0)
    expected = whole[0, len(ids) :].tolist()
    if 0 in expected:  # the end of a text is not part of it
        expected = expected[: expected.index(0)]
    assert continue_ids(tiny_model, ids, 8) == expected
    assert expected


def test_one_seed_draws_the_same_tokens_another_draws_others(tiny_model: Any) -> None:
    ids = prompt(tiny_model)
    drawn = [continue_ids(tiny_model, ids, 10, temperature=3.0, seed=seed) for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1]
    assert drawn[0] != drawn[2]


def test_a_change_of_nothing_draws_the_same_tokens(tiny_model: Any) -> None:
    ids = prompt(tiny_model)
    plain = continue_ids(tiny_model, ids, 10, temperature=3.0, seed=4)
    assert continue_ids(tiny_model, ids, 10, temperature=3.0, seed=4, site=SITE, change=lambda acts: acts) == plain
    other = continue_ids(tiny_model, ids, 10, temperature=3.0, seed=4, site=SITE, change=lambda acts: acts * -3)
    assert other != plain


def test_tokens_are_drawn_with_their_softmax_probability() -> None:
    import torch

    logits = torch.tensor([0.0, 1.0, 2.0, -1.0], dtype=torch.float64)
    generator = torch.Generator().manual_seed(0)
    drawn = torch.tensor([_choose(logits, 2.0, 0, generator) for _ in range(20000)])
    share = torch.bincount(drawn, minlength=4) / len(drawn)
    assert float((share - (logits / 2).softmax(dim=-1)).abs().max()) < 0.015  # four standard errors
    two = torch.tensor([_choose(logits, 2.0, 2, generator) for _ in range(4000)])
    assert set(two.tolist()) == {1, 2}


def test_the_end_of_a_text_ends_it(tiny_model: Any) -> None:
    ids = prompt(tiny_model)
    (first,) = continue_ids(tiny_model, ids, 1)
    ending = dataclasses.replace(tiny_model, tokenizer=SimpleNamespace(eos_token_id=first))
    ending.__dict__["bridged"] = tiny_model.bridged
    assert continue_ids(ending, ids, 5) == []


def test_the_context_ends_it(tiny_model: Any) -> None:
    assert continue_ids(tiny_model, [3] * tiny.CONTEXT, 5) == []
    assert len(continue_ids(tiny_model, [3] * (tiny.CONTEXT - 2), 5, temperature=3.0)) == 2


def test_it_stops_between_two_tokens_and_refuses_what_is_not_finite(tiny_model: Any) -> None:
    ids = prompt(tiny_model)

    def stop(made: int) -> None:
        if made == 2:
            raise Cancelled("cancelled")

    with pytest.raises(Cancelled):
        continue_ids(tiny_model, ids, 5, temperature=3.0, tick=stop)
    with pytest.raises(MismatchError, match="NaN or infinity after 0 new tokens"):
        continue_ids(tiny_model, ids, 5, site=SITE, change=lambda acts: acts * float("inf"))
