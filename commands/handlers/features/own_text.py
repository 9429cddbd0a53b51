"""What the verbs on sentences of one's own share: the features asked for, sound text, what stands beside a number."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.corpus.tokenizing import sound
from workbench.features.evidence import cut, labels_by_index
from workbench.lab import Lab
from workbench.saes import verdict
from workbench.saes.ids import feature_id

if TYPE_CHECKING:
    from workbench.index.read import FeatureIndex
    from workbench.saes.space import FeatureSpace


LETTERS = 120
"""Bytes of a label in a list."""
MOST_NUMBERS = 7_000
"""Activations in one reply, which has 256 KiB."""


def space_of(sae: str, site: str, lab: Lab) -> FeatureSpace:
    """The session's features, or those of another SAE, or a site's own units.

    Raises:
        UsageError: a site without the features that it is for.
        InputFileError, MismatchError: the SAE cannot be read, or is not of this model.
    """
    from workbench.errors import UsageError

    if not sae:
        if site:
            raise UsageError(f"--site {site} is for raw units and SAEs that do not say theirs", "Add --sae raw.")
        return lab.space
    model = lab.model
    if sae == "raw" and not site:
        loaded = lab.entry("sae") or {}
        site = str(loaded.get("site") or f"blocks.{model.layers // 2}.hook_resid_post")
    return lab.models.space({"ref": sae, "site": site, "digest": ""}, model)


def gate_of(sae: str, space: FeatureSpace, lab: Lab) -> dict[str, Any]:
    """The gate's verdict on another SAE than the session's own, whose verdict stands beside a result anyway."""
    if not sae or space.info["units"] != "latents":
        return {}
    found = lab.state.get(f"{verdict.PREFIX}/{space.name}") or verdict.unchecked("it was named for this question only")
    return {"gate": verdict.short(found)}


def index_of(lab: Lab, space: str) -> FeatureIndex | None:
    """The session's index, where it is on this machine and of these features."""
    found = lab.index()
    return found if found is not None and found.meta["space"] == space else None


def repaired(texts: Iterable[str], warnings: list[str]) -> list[str]:
    """The texts as a tokenizer can read them; a warning says where that is not what was given."""
    given = list(texts)
    found = [sound(text) for text in given]
    if broken := sum(before != after for before, after in zip(given, found, strict=True)):
        texts_have = "text has" if broken == 1 else "texts have"
        warnings.append(f"{broken} {texts_have} half a surrogate pair, which no text can have: now U+FFFD")
    return found


class Beside:
    """What stands beside every number: label, density, surprise."""

    def __init__(self, lab: Lab, space: FeatureSpace) -> None:
        self.space = space.name
        self.index = index_of(lab, space.name)
        self.labels = labels_by_index(lab, space.name)

    def about(self, feature: int) -> dict[str, Any]:
        """The id of a feature, its label and its density in the corpus, null without an index."""
        return {
            "feature": feature_id(self.space, feature),
            "index": feature,
            "label": self.label(feature),
            "density": None if self.index is None else self.index.density(feature),
        }

    def label(self, feature: int) -> str:
        """A feature's label, cut to what fits a list."""
        return cut(self.labels.get(feature, ""), LETTERS)

    def surprise(self, features: np.ndarray, values: np.ndarray) -> np.ndarray | None:
        """How unlikely such activations are on a token of the corpus, in bits; None where nothing says so."""
        from workbench.sentences.surprise import surprise

        if self.index is None or self.index.meta["kind"] != "sparse":
            return None
        return surprise(self.index, features, values)
