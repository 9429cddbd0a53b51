"""The offline labeller: contrastive token statistics, with no model of language and no key.

For each token the share of the feature's activation mass that falls on it is compared with the share of
the corpus that the token makes up. A token counts by mass times the log of that ratio (its term of the
Kullback-Leibler divergence between the two distributions), which favours tokens that are both frequent under
the feature and rare elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

WORDS = 4


@dataclass(frozen=True)
class OfflineLabel:
    """What the token statistics say about a feature.

    Attributes:
        text: the label: the words that stand out, strongest first.
        tokens: (token, share of the activation mass) of the words that stand out.
        covered: share of the mass on the words named in the label.
    """

    text: str
    tokens: list[tuple[str, float]]
    covered: float


def suggest(
    ids: np.ndarray, mass: np.ndarray, frequencies: np.ndarray, pieces: Sequence[str], smoothing: float = 1.0
) -> OfflineLabel | None:
    """A label from the tokens a feature fires on; None when it never fires.

    Args:
        ids: (tokens,) ids on which the feature is active.
        mass: (tokens,) summed activation on each.
        frequencies: (vocabulary,) how often each id stands in the corpus.
        pieces: text of each id.
        smoothing: added to every corpus count.
    """
    if len(ids) == 0 or mass.sum() <= 0:
        return None
    share = mass / mass.sum()
    base = (frequencies[ids] + smoothing) / (frequencies.sum() + smoothing * len(frequencies))
    gain = share * np.log(share / base)
    order = np.lexsort((ids, -gain))  # equal gains by id, so that the label does not depend on the machine
    merged: dict[str, float] = {}
    for place in order:
        word = pieces[int(ids[place])].strip()
        if gain[place] <= 0:
            break
        if word:
            merged[word] = merged.get(word, 0.0) + float(share[place])
    if not merged:
        return None
    top = list(merged.items())[: 2 * WORDS]
    named = [(word, part) for number, (word, part) in enumerate(top[:WORDS]) if number == 0 or part >= 0.02]
    covered = sum(part for _, part in named)
    return OfflineLabel(" · ".join(word for word, _ in named), top, covered)
