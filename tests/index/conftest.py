"""A small corpus, its token store, its index, and the same activations as dense arrays."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import tiny
from workbench.corpus.store import TokenStore
from workbench.index.read import FeatureIndex

EXAMPLES = 4


def nothing(done: int, total: int, text: str) -> None: ...


def documents(count: int = 40) -> list[str]:
    draw = random.Random(0)
    texts = [" ".join(draw.choices(tiny.WORDS, k=draw.randint(1, 24))) for _ in range(count)]
    texts[7] = "the cat won " * 40  # longer than the context: read in several stretches
    texts[9] = texts[10] = texts[11] = "bright sun"  # the same window three times
    texts[20] = ""
    return texts


def make_store(home: Path, model: Any, texts: list[str]) -> TokenStore:
    from workbench.corpus.importing import ImportRecipe, import_corpus
    from workbench.corpus.readers import Reading
    from workbench.corpus.tokenizing import StoreTokenizer

    home.mkdir(parents=True, exist_ok=True)
    path = home / "toy.jsonl"
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    recipe = ImportRecipe(Reading(str(path)), name="toy")
    return import_corpus(recipe, StoreTokenizer(model.tokenizer, int(model.info["vocabulary"])), home, nothing)


def build(folder: Path, model: Any, space: Any, store: TokenStore, tokens: int = 10**6, **options: Any) -> FeatureIndex:
    from workbench.index.build import build_index

    settings = {"tokens": tokens, "examples": EXAMPLES, "about": {"corpus": "toy"}, "tick": nothing, **options}
    build_index(model, space, store, folder, **settings)
    return FeatureIndex(folder, store)


def dense_of(store: TokenStore, model: Any, encode: Callable[[Any], Any]) -> np.ndarray:
    """(tokens, features) of each stretch alone through the plain model, special tokens as 0."""
    import torch

    rows = []
    for begin, end in zip(store.starts[:-1].tolist(), store.starts[1:].tolist(), strict=True):
        ids = store.tokens[begin:end].tolist()
        parts = [ids[: tiny.CONTEXT]]
        rest = ids[tiny.CONTEXT :]
        while rest:  # each further stretch begins with BOS again
            parts.append([ids[0], *rest[: tiny.CONTEXT - 1]])
            rest = rest[tiny.CONTEXT - 1 :]
        for number, part in enumerate(parts):
            with torch.no_grad():
                out = model.plain(input_ids=torch.tensor([part]), output_hidden_states=True)
            acts = encode(out.hidden_states[2])[0].numpy()
            acts[0] = 0.0
            rows.append(acts[1:] if number else acts)
    return np.concatenate(rows)


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory, tiny_model: Any) -> TokenStore:
    return make_store(tmp_path_factory.mktemp("corpus"), tiny_model, documents())


@pytest.fixture(scope="session")
def dense(store: TokenStore, tiny_model: Any, tiny_space: Any) -> np.ndarray:
    return dense_of(store, tiny_model, tiny_space.encode)


@pytest.fixture(scope="session")
def found(
    tmp_path_factory: pytest.TempPathFactory, tiny_model: Any, tiny_space: Any, store: TokenStore
) -> FeatureIndex:
    return build(tmp_path_factory.mktemp("index") / "one", tiny_model, tiny_space, store)
