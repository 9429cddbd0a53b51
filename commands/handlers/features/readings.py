"""Reading sentences for a ranking: the features asked for, their pooled activations, and what is kept of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from commands.features import FeaturesContrast
from commands.handlers.sae import chosen
from workbench.errors import UsageError
from workbench.features.pooled import NAME, Pooled
from workbench.features.rankings import Ranking
from workbench.figures import Figure
from workbench.lab import Lab
from workbench.stimuli.sets import Stimulus
from workbench.stimuli.windows import Window

if TYPE_CHECKING:
    from workbench.models.tokens import TokenizedText
    from workbench.saes.space import FeatureSpace
    from workbench.stimuli.activations import TokenFeatures

WORD = re.compile(r"\w+")
SPELLED = 3
"""Pieces of a word from which it counts as spelt out."""
MOST_SPELLED = 1 / 3
"""Share of such words in a set from which a reader is told."""
SPELLED_OF_ONE = 1 / 5
"""And in a sentence of one's own, where a single word of a few is much of what is read."""


@dataclass(frozen=True)
class Reading:
    """The sentences of a design as features.

    Attributes:
        pooled: (sentences, features) what is tested; NaN where a sentence is masked or an activation is no number.
        wrong: how many activations were no finite numbers.
        sets: the state entries that make the features the session's own where they were not.
    """

    space: FeatureSpace
    window: Window
    texts: list[TokenizedText]
    features: TokenFeatures
    pooled: np.ndarray
    wrong: int
    sets: dict[str, Any]

    def masked(self, labels: np.ndarray) -> dict[str, int]:
        """Sentences without a window, on each side."""
        without = self.features.masked
        return {"positive": int((without & labels).sum()), "rest": int((without & ~labels).sum())}

    def require_sides(self, labels: np.ndarray) -> None:
        """Refuse a test of two classes of which one has fewer than two sentences left.

        Raises:
            UsageError: there are too few.
        """
        masked = self.masked(labels)
        left = int(labels.sum()) - masked["positive"], int((~labels).sum()) - masked["rest"]
        if min(left) < 2:
            why = "a target span" if self.window.kind == "span" else f"the {self.window.said}"
            raise UsageError(
                f"only {left[0]} positive and {left[1]} other sentences have {why}: two classes of two are the least",
                "Choose another --window, or give the sentences targets.",
            )

    def warnings(self) -> list[str]:
        """What is not as it should be with the sentences themselves."""
        found = []
        if without := int(self.features.masked.sum()):
            why = "have no target span" if self.window.kind == "span" else f"are shorter than the {self.window.said}"
            found.append(f"{without} of {len(self.texts)} sentences {why}: they are masked, and not tested")
        if self.sets:
            found.append(
                f"the session's features are now {self.space.name}; `workbench sae load` of another one turns back"
            )
        found += spelled_warning(self.texts)
        if self.wrong:
            found.append(f"{self.wrong} pooled activations are no finite numbers: they are masked")
        return found


def ranking_space(command: FeaturesContrast, lab: Lab) -> tuple[FeatureSpace, dict[str, Any]]:
    """The features to rank, and the state entries that make them the session's own where they were not."""
    if not command.sae:
        if command.site:
            raise UsageError(f"--site {command.site} is for raw units", "Add --sae raw.")
        return lab.space, {}
    model, loaded = lab.model, lab.entry("sae") or {}
    site = command.site or loaded.get("site") or f"blocks.{model.layers // 2}.hook_resid_post"
    space = lab.models.space({"ref": "raw", "site": site, "digest": ""}, model)
    return space, {} if loaded.get("name") == space.name else chosen(space, lab)


def read_sentences(
    command: FeaturesContrast, lab: Lab, stimuli: Sequence[Stimulus], space: FeatureSpace | None = None
) -> Reading:
    """Run the sentences once and pool the window of each, in the command's own features or in these."""
    from workbench.stimuli.activations import stimulus_features

    window = Window.of(command.window, command.width)
    sets: dict[str, Any] = {}
    if space is None:
        space, sets = ranking_space(command, lab)
    texts = [lab.model.tokenize(one.text) for one in stimuli]
    features = stimulus_features(
        lab.model,
        space,
        texts,
        command.pool,
        lab.tick,
        window=window,
        spans=[one.span for one in stimuli],
        by_position=command.map == "position",
    )
    wrong = ~np.isfinite(features.pooled) & ~features.masked[:, None]
    pooled = np.where(wrong & np.isinf(features.pooled), np.nan, features.pooled) if wrong.any() else features.pooled
    return Reading(space, window, texts, features, pooled, int(wrong.sum()), sets)


def store_reading(
    lab: Lab,
    ranking: Ranking,
    reading: Reading,
    stimuli: Sequence[Stimulus],
    labels: np.ndarray,
    items: np.ndarray | None = None,
) -> None:
    """Keep the numbers of all features, and every sentence's activations, so that any feature opens later."""
    lab.save("ranking", **ranking.arrays())
    features = reading.features
    lab.save(
        "tokens",
        starts=features.starts,
        pointers=features.pointers,
        features=features.features,
        values=features.values,
        pooled_labels=labels.astype(np.int8),
    )
    lab.save(NAME, **Pooled.of(reading.pooled, labels, items).arrays())
    pairs = zip(stimuli, reading.texts, strict=True)
    lab.save_json("sentences", [{"category": one.category, "tokens": text.text_pieces} for one, text in pairs])


def length_warning(texts: Sequence[TokenizedText], labels: np.ndarray, positive: str) -> list[str]:
    """Sentences of one side that are longer, or spelt in rarer words, differ in more than the concept."""
    from workbench.stats import contrast_map

    lengths = np.array([[sum(text.is_text)] for text in texts], dtype=np.float64)  # (sentences, 1)
    found = contrast_map(lengths, labels, statistic="mann_whitney", permutations=200)
    if found.status[0] != "ok" or found.p[0] >= 0.01:
        return []
    sides = f"{lengths[labels].mean():.1f} tokens in {positive!r}, {lengths[~labels].mean():.1f} in the others"
    return [f"the two sides differ in length ({sides}): features of length or of rare spellings are found as well"]


def spelled_warning(texts: Sequence[TokenizedText], least: float = MOST_SPELLED) -> list[str]:
    """Sentences of which so many words the tokenizer does not know, so that the model sees letters instead."""
    sizes = np.concatenate([np.zeros(0, dtype=np.intp), *(_word_sizes(text.text_pieces) for text in texts)])
    share = float((sizes >= SPELLED).mean()) if sizes.size else 0.0
    if share < least:
        return []
    known = f"does not know {share:.0%}" if share < 1 else "knows none"
    return [
        f"the model {known} of the words of these sentences: its tokenizer spells them in {SPELLED} "
        f"pieces or more ({sizes.mean():.1f} tokens a word). What is measured is spelling, not meaning; take sentences "
        "of words it knows, or a model that knows these"
    ]


def _word_sizes(pieces: Sequence[str]) -> np.ndarray:
    """(words,) in how many tokens each word of a sentence stands."""
    text = "".join(pieces)
    starts = np.cumsum([0, *map(len, pieces)])
    # the token of a word's first letter, and that of its last
    spans = np.array([word.span() for word in WORD.finditer(text)], dtype=np.intp).reshape(-1, 2)
    first, last = (np.searchsorted(starts, place, side="right") - 1 for place in (spans[:, 0], spans[:, 1] - 1))
    return np.asarray(last - first + 1)


def alpha_warning(permutations: int, alpha: float) -> list[str]:
    """Fewer permutations than alpha needs."""
    least = 1 / (permutations + 1)
    if least <= alpha:
        return []
    return [f"{permutations} permutations cannot give a p below {least:.3g}, alpha is {alpha}"]


def volcano(ranking: Ranking, command: FeaturesContrast, compared: str) -> Figure:
    """Effect against significance of the strongest features."""
    shown = ranking.order()[:2000]
    q = np.maximum(ranking.numbers["q"][shown], 1e-300)
    return Figure(
        kind="scatter",
        title=f"{command.stimuli}: {compared}",
        x_label="effect (activation units)",
        y_label="-log10 q",
        data={
            "x": [round(float(value), 6) for value in ranking.numbers["effect"][shown]],
            "y": [round(float(value), 4) for value in -np.log10(q)],
            "names": [f"#{int(index)}" for index in shown],
            "groups": ["discovery" if value < command.alpha else "other" for value in q],
        },
    )
