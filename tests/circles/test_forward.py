"""Prompts of unequal length in one batch are read as each one alone, on two architectures."""

from __future__ import annotations

import numpy as np
import pytest

from tests import tiny
from workbench.circles.forward import Change, predict, read_at
from workbench.circles.tasks import Prompts, read_prompts
from workbench.errors import MismatchError, UsageError
from workbench.models.site import Site

SITE = Site(1, "hook_resid_post")
TOKENS = [3, 4, 5]


@pytest.fixture(scope="module", params=["gpt2", "llama"])
def model(request, tmp_path_factory, torch_loaded):
    from workbench.models.loading import load_model

    make = {"gpt2": tiny.make_model, "llama": tiny.make_llama}[request.param]
    return load_model({"ref": str(make(tmp_path_factory.mktemp(request.param))), "device": "cpu"})


@pytest.fixture
def prompts(model) -> Prompts:
    return read_prompts(model, ["the cat won", "a dog lost the prize today again", "sun"], ["cat", "prize", "sun"])


def test_names_are_found_at_their_tokens(prompts) -> None:
    found = [text.pieces[at].strip() for text, at in zip(prompts.texts, prompts.name_at, strict=True)]
    assert found == ["cat", "prize", "sun"]


@pytest.mark.parametrize("batch", [1, 2, 512])
def test_a_batch_predicts_what_each_text_alone_does(model, prompts, batch) -> None:
    said = predict(model, prompts, [0, 1, 2, 1], TOKENS, batch=batch)
    for row, number in enumerate([0, 1, 2, 1]):
        alone = model.logits(prompts.texts[number].ids)[-1].double().numpy()
        np.testing.assert_allclose(said.answers[row], alone[TOKENS], atol=1e-5)
        assert said.top[row] == alone.argmax()


def test_putting_back_what_was_read_changes_nothing_and_another_vector_only_its_row(model, prompts) -> None:
    acts = read_at(model, prompts, prompts.name_at, [SITE])[SITE]
    plain = predict(model, prompts, [0, 1, 2], TOKENS)
    same = predict(model, prompts, [0, 1, 2], TOKENS, Change(SITE, prompts.name_at, acts))
    np.testing.assert_allclose(same.answers, plain.answers, atol=1e-5)
    moved = acts.copy()
    moved[1] = -moved[1]  # not a shift of all units, which a norm takes away
    other = predict(model, prompts, [0, 1, 2], TOKENS, Change(SITE, prompts.name_at, moved), batch=2)
    np.testing.assert_allclose(other.answers[[0, 2]], plain.answers[[0, 2]], atol=1e-5)
    assert np.abs(other.answers[1] - plain.answers[1]).max() > 1e-3


def test_an_encoder_and_a_text_without_its_name_are_refused(model, tmp_path_factory) -> None:
    from workbench.models.loading import load_model

    bert = load_model({"ref": str(tiny.make_bert(tmp_path_factory.mktemp("bert"))), "device": "cpu"})
    read = read_prompts(bert, ["the cat won"], ["cat"])
    with pytest.raises(MismatchError, match="predicts no next token"):
        predict(bert, read, [0], TOKENS)
    with pytest.raises(UsageError, match="no 'dog'"):
        read_prompts(model, ["the cat won"], ["dog"])
