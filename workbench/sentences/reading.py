"""Reading sentences of one's own with the model, in blocks of tokens, so that no table of all features is ever held."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from workbench.errors import UsageError
from workbench.index.reading import CELLS, nonzeros
from workbench.sentences.table import SentenceFeatures

if TYPE_CHECKING:
    from workbench.models.loaded import LoadedModel
    from workbench.models.tokens import TokenizedText
    from workbench.saes.space import FeatureSpace

MOST_TOKENS = 1024
"""Tokens of one sentence that is shown token by token."""
Tick = Callable[[int, int, str], None]


def tokens_of(model: LoadedModel, text: str, most: int = MOST_TOKENS) -> TokenizedText:
    """One sentence as tokens.

    Raises:
        UsageError: it has no tokens, more than the model reads, or more than `most`.
    """
    if not text.strip():
        raise UsageError(f"the text {text!r} has no words", "Give at least one word.")
    found = model.tokenize(text)
    if (size := sum(found.is_text)) > most:
        raise UsageError(f"a text of {size:,} tokens ({text[:60]!r}...)", f"At most {most:,}: give a part of it.")
    return found


def read_sentences(
    model: LoadedModel, space: FeatureSpace, texts: Sequence[TokenizedText], tick: Tick, *, alone: bool = False
) -> SentenceFeatures:
    """Run the sentences once; BOS and padding never count.

    Args:
        alone: run each sentence by itself, so that padding has no part in the last bit of a number.
    """
    starts, parts = [0], []
    step = max(1, CELLS // space.width)  # tokens encoded at once
    for number, (text, acts) in enumerate(zip(texts, model.read(texts, space.site, 1 if alone else 32), strict=True)):
        if number % 16 == 0:
            tick(number, len(texts), "reading sentences")
        kept = acts[torch.tensor(text.is_text, device=acts.device)]  # (tokens, units)
        for low in range(0, len(kept), step):
            rows, features, values = nonzeros(space, kept[low : low + step])
            order = np.lexsort((features, rows))
            parts.append((rows[order].astype(np.int64) + starts[-1] + low, features[order], values[order]))
        starts.append(starts[-1] + len(kept))
    joined = [np.concatenate(arrays) for arrays in zip(*parts, strict=True)]
    return SentenceFeatures(space.width, np.array(starts, dtype=np.int64), *joined)
