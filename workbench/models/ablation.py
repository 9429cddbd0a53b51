"""What a model loses when one feature is silenced: next-token loss by class of text, beside random features."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from workbench.models.interventions import Intervention, Target

if TYPE_CHECKING:
    from torch import Tensor

    from workbench.models.loaded import LoadedModel
    from workbench.models.tokens import TokenizedText
    from workbench.saes.space import FeatureSpace


def ablation_losses(
    model: LoadedModel,
    space: FeatureSpace,
    texts: Sequence[TokenizedText],
    features: Sequence[int],
    tick: Callable[[int, int, str], None],
) -> np.ndarray:
    """Summed next-token loss of each text, as it is and with each feature set to zero on all text tokens.

    Returns:
        (texts, 1 + features) nats; the first column is of the unchanged model.

    Raises:
        MismatchError: the model predicts no next token.
    """
    found = np.zeros((len(texts), 1 + len(features)))
    for number, text in enumerate(texts):
        if number % 8 == 0:
            tick(number, len(texts), "silencing features")
        found[number, 0] = _loss(model.logits(text.ids), text)
        for place, feature in enumerate(features, start=1):
            change = Intervention("zero", [Target(space, (int(feature),), (0.0,))], 1.0, text.is_text)
            found[number, place] = _loss(model.logits(text.ids, space.site, change), text)
    return found


def _loss(logits: Tensor, text: TokenizedText) -> float:
    """Summed loss of the text tokens that have a token before them."""
    ids = torch.tensor(text.ids, device=logits.device)
    loss = torch.nn.functional.cross_entropy(logits[:-1].double(), ids[1:], reduction="none")
    return float(loss[torch.tensor(text.is_text[1:], device=logits.device)].sum())
