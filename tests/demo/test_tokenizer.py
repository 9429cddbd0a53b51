"""The tokenizer: plain files, words whole, any text there and back again, the boundary token in front."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench.demo as demo
from workbench.demo import lexicon
from workbench.demo.build import Recipe
from workbench.demo.corpus import CONCEPTS, document
from workbench.demo.stimulus_sets import STEERING
from workbench.demo.tokenizer import BOUNDARY, build_tokenizer, corpus_pieces
from workbench.demo.tokens import (
    NO_CONCEPT,
    concept_labels,
    corpus_rows,
    document_tokens,
    laid_out,
    packed,
    padded,
    token_slice,
)


@pytest.fixture(scope="module")
def auto():
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(str(demo.model_dir()), local_files_only=True)


@settings(deadline=None, max_examples=300)
@given(st.text())
def test_any_text_comes_back(tokenizer, text):
    encoding = tokenizer.encode(text)
    assert tokenizer.decode(encoding.ids) == text


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**32))
def test_offsets_tile_the_text_and_a_corpus_word_is_one_token(tokenizer, index):
    text = document(5, index).text
    encoding = tokenizer.encode(text)
    assert encoding.tokens[0] == BOUNDARY
    assert encoding.offsets[0] == (0, 0)
    assert "".join(text[start:end] for start, end in encoding.offsets) == text
    assert all(end == start for (_, end), (start, _) in zip(encoding.offsets[1:], encoding.offsets[2:], strict=False))
    inside_words = [text[start - 1 : start + 1] for start, _ in encoding.offsets[2:]]
    assert not any(pair.isalpha() for pair in inside_words)


@pytest.mark.parametrize(
    "word", [*lexicon.DAYS, *lexicon.MONTHS, *lexicon.OFFSETS, *STEERING["raise"], *STEERING["lower"]]
)
def test_days_months_and_feelings_are_single_tokens(tokenizer, word):
    assert len(tokenizer.encode(f" {word}").ids) == 2


def test_hostile_text_is_spelled_out(tokenizer):
    text = "\x1b[31m[bold]<b>\u202e\u0000 \n\tü 😀"
    assert tokenizer.decode(tokenizer.encode(text).ids) == text


def test_the_transformers_tokenizer_agrees(auto, tokenizer):
    for text in ("Two days from Monday is", "", " x = [1, 2];", "naïve café"):
        encoded = auto(text, return_offsets_mapping=True)
        assert encoded["input_ids"] == tokenizer.encode(text).ids
        assert auto.decode(encoded["input_ids"], skip_special_tokens=True) == text
    assert auto.bos_token == auto.eos_token == BOUNDARY


@pytest.mark.slow
def test_the_recipe_makes_the_shipped_vocabulary(tokenizer):
    recipe = Recipe()
    again = build_tokenizer(corpus_pieces(recipe.tokenizer_seed, recipe.tokenizer_documents))
    assert again.get_vocab() == tokenizer.get_vocab()


def test_rows_begin_and_end_with_the_boundary_and_fit_the_context(tokenizer):
    rows = corpus_rows(tokenizer, 1, 0, 300)
    assert all(row[0] == row[-1] == 0 and 0 not in row[1:-1] for row in rows)
    together = packed(rows)
    assert all(len(row) <= 128 for row in together)
    assert sum(len(row) - 1 for row in together) == sum(len(row) - 1 for row in rows)


def test_padding_keeps_every_token():
    ids, present = padded([[0, 5, 0], [0, 7, 8, 9, 0]])
    assert ids.tolist() == [[0, 5, 0, 0, 0], [0, 7, 8, 9, 0]]
    assert present.sum(1).tolist() == [3, 5]


def test_a_slice_of_200_000_tokens_is_made_on_demand(tokenizer):
    rows = list(token_slice(tokenizer, seed=9, tokens=200_000))
    held = sum(len(row) - 1 for row in rows)
    assert 200_000 <= held < 200_128
    assert rows[0] == document_tokens(tokenizer, [document(9, 0).text])[0]


def test_a_token_is_labelled_with_its_sentences_concept(tokenizer):
    found = [document(5, index) for index in range(200)]
    rows = document_tokens(tokenizer, [text.text for text in found])
    for text, row, labels in zip(found, rows, concept_labels(tokenizer, found), strict=True):
        assert len(labels) == len(row)
        assert labels[0] == labels[-1] == NO_CONCEPT
        changes = [labels[1], *(b for a, b in pairwise(labels[1:-1]) if a != b)]
        planted = [CONCEPTS.index(sentence.concept) for sentence in text.sentences]
        assert changes == [planted[0], *(b for a, b in pairwise(planted) if a != b)]


def test_a_layout_holds_every_text_once_and_lets_none_see_another(tokenizer):
    rows = corpus_rows(tokenizer, 1, 0, 60)
    layout = laid_out(rows, [3] * len(rows))
    for at, row in enumerate(rows):
        place = layout.owner == at
        assert layout.ids[place].tolist() == row
        assert layout.places[place].tolist() == list(range(3, 3 + len(row)))
    row, query, key = layout.visible[:, 0].nonzero(as_tuple=True)
    assert (layout.owner[row, query] == layout.owner[row, key]).all()
    assert (query >= key).all()
    assert int(layout.predicted.sum()) == sum(len(row) - 1 for row in rows)
