"""What features did before anything is changed: largest and mean activation, and which ever fired."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from workbench.errors import UsageError

if TYPE_CHECKING:
    from workbench.index.read import FeatureIndex
    from workbench.lab import Lab
    from workbench.models.loaded import LoadedModel
    from workbench.saes.space import FeatureSpace


@dataclass(frozen=True)
class Seen:
    """Activations over the text tokens of some source.

    Attributes:
        source: what was read, such as `corpus demo` or `stimuli achievement`.
        maximum: (features,) the largest.
        mean: (features,) over all text tokens, silent ones included.
        fired: (features,) whether it was ever active.
    """

    source: str
    maximum: np.ndarray
    mean: np.ndarray
    fired: np.ndarray


def seen(lab: Lab, space: FeatureSpace, stimuli: str, prompts: Iterable[str]) -> Seen:
    """What the indexed corpus says, else the stimulus set, else that of the latest ranking, else the prompts.

    Args:
        stimuli: name of a stimulus set, or "".
        prompts: texts to read where there is nothing else.

    Raises:
        UsageError: the session has an index that is not on this machine.
    """
    index = lab.index()
    if index is not None and index.meta.get("space", space.name) == space.name:
        return _on_corpus(index)
    if index is None and lab.state.get("index") is not None:
        raise UsageError(
            "this session's corpus index is not on this machine",
            "Run `workbench index build`, or give --value and --draws 0.",
        )
    rankings = lab.record.done("features.contrast") if lab.has_session else []
    name = stimuli or (str(lab.stored(rankings[-1])["stimuli"]) if rankings else "")
    if not name:
        return _on_texts(lab.model, space, prompts, "prompts", lab)
    return _on_texts(lab.model, space, [text for _, text in lab.stimuli(name).rows], f"stimuli {name}", lab)


def _on_corpus(index: FeatureIndex) -> Seen:
    tokens = max(int(index.meta["tokens"]) - int(index.meta.get("opened", 0)), 1)
    summary = index.summary
    return Seen(f"corpus {index.meta['corpus']}", summary["maximum"], summary["total"] / tokens, summary["fired"] > 0)


def _on_texts(model: LoadedModel, space: FeatureSpace, texts: Iterable[str], source: str, lab: Lab) -> Seen:
    import torch

    tokenized = [model.tokenize(text) for text in texts]
    maximum, total = np.full(space.width, -np.inf), np.zeros(space.width)
    fired, tokens = np.zeros(space.width, dtype=bool), 0
    for number, (text, acts) in enumerate(zip(tokenized, model.read(tokenized, space.site), strict=True)):
        if number % 16 == 0:
            lab.tick(number, len(tokenized), f"reading the {source}")
        encoded = space.encode(acts[torch.tensor(text.is_text, device=acts.device)]).cpu().numpy()  # (tokens, features)
        maximum = np.maximum(maximum, encoded.max(axis=0))
        total += encoded.sum(axis=0, dtype=np.float64)
        fired |= (encoded != 0).any(axis=0)
        tokens += len(encoded)
    return Seen(source, maximum, total / max(tokens, 1), fired)
