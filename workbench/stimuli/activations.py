"""What every feature does on every token of a stimulus set, and on each sentence as one number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch

from workbench.errors import UsageError
from workbench.stimuli.windows import Span, Window

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    from workbench.models.loaded import LoadedModel
    from workbench.models.tokens import TokenizedText
    from workbench.saes.space import FeatureSpace

Pool = Literal["mean", "max", "last"]
WHOLE = Window()
MOST_ENTRIES = 200_000_000
"""Numbers of one map by position, at most: 800 MB of float32."""


@dataclass(frozen=True)
class TokenFeatures:
    """Non-zero features of the text tokens of several sentences, token by token.

    Attributes:
        starts: (sentences + 1,) first token of each sentence; special tokens are left out.
        pointers: (tokens + 1,) first entry of each token.
        features: (entries,) feature of each entry, rising within a token.
        values: (entries,) its activation, float32.
        pooled: (sentences, features) one number for each sentence, float32; NaN where the sentence is masked.
        masked: (sentences,) whether the sentence is too short for the window or has no target.
        positions: (sentences, places, features) the window place by place, NaN where a sentence has no such place;
            None unless asked for.
    """

    starts: np.ndarray
    pointers: np.ndarray
    features: np.ndarray
    values: np.ndarray
    pooled: np.ndarray
    masked: np.ndarray
    positions: np.ndarray | None = None


def stimulus_features(
    model: LoadedModel,
    space: FeatureSpace,
    texts: Sequence[TokenizedText],
    pool: Pool,
    tick: Callable[[int, int, str], None],
    *,
    window: Window = WHOLE,
    spans: Sequence[Span] | None = None,
    by_position: bool = False,
) -> TokenFeatures:
    """Run the sentences once; BOS and padding never count.

    Raw units are dense: their tokens are not kept, only the pooled numbers.

    Args:
        window: which tokens are pooled; the tokens kept are those of the whole sentence all the same.
        spans: the target words of each sentence, for the window `span`.
        by_position: give `positions` as well.

    Raises:
        UsageError: no sentence is long enough for the window, or none has a target.
    """
    keep_tokens = space.info["units"] == "latents"
    laid = lay_window(window, texts, spans)
    starts, counts, features, values = [0], [], [], []
    pooled = np.full((len(texts), space.width), np.nan, dtype=np.float32)
    positions = _room_for_positions(window, laid, space.width) if by_position else None
    for number, (text, acts) in enumerate(zip(texts, model.read(texts, space.site), strict=True)):
        if number % 16 == 0:
            tick(number, len(texts), "reading sentences")
        kept = acts[torch.tensor(text.is_text, device=acts.device)]  # (tokens, units), special tokens out
        encoded = space.encode(kept).cpu()  # (tokens, features)
        if (places := laid[number]) is not None:
            inside = window_values(encoded, window, places)
            pooled[number] = pool_tokens(inside, pool).numpy()
            if positions is not None:
                positions[number, : len(inside)] = inside.numpy()
        starts.append(starts[-1] + encoded.shape[0])
        if keep_tokens:
            rows, columns = torch.nonzero(encoded, as_tuple=True)
            counts.append(torch.bincount(rows, minlength=encoded.shape[0]).numpy())
            features.append(columns.to(torch.int32).numpy())
            values.append(encoded[rows, columns].numpy())
        else:
            counts.append(np.zeros(encoded.shape[0], dtype=np.int64))
    pointers = np.concatenate([[0], np.cumsum(np.concatenate(counts))]).astype(np.int64)
    return TokenFeatures(
        starts=np.array(starts, dtype=np.int64),
        pointers=pointers,
        features=np.concatenate(features) if features else np.zeros(0, dtype=np.int32),
        values=np.concatenate(values) if values else np.zeros(0, dtype=np.float32),
        pooled=pooled,
        masked=np.array([places is None for places in laid]),
        positions=positions,
    )


def lay_window(
    window: Window, texts: Sequence[TokenizedText], spans: Sequence[Span] | None = None
) -> list[range | None]:
    """The tokens of the window in each sentence, None where it is masked.

    Raises:
        UsageError: every sentence is masked, or a target span is not in its sentence.
    """
    targets = spans or [None] * len(texts)
    laid = [window.places(text.text_pieces, span) for text, span in zip(texts, targets, strict=True)]
    if laid and all(places is None for places in laid):
        if window.kind == "span":
            raise UsageError("no sentence of this set has a target span", "Add a column `span`, or choose --window.")
        longest = max(sum(text.is_text) for text in texts)
        raise UsageError(
            f"no sentence has {window.width} tokens (the longest has {longest})", "Choose a smaller --width."
        )
    return laid


def window_values(encoded: Tensor, window: Window, places: range) -> Tensor:
    """The tokens of the window: (tokens, features) -> (places, features).

    Around a peak each feature has tokens of its own, NaN beyond the ends of the sentence; a feature that is silent in
    the sentence has no peak and is 0 at every place.
    """
    if window.kind != "peak":
        return encoded[places.start : places.stop]
    tokens = encoded.shape[0]
    wanted = encoded.argmax(dim=0) + torch.tensor(list(window.offsets))[:, None]  # (places, features)
    found = encoded.gather(0, wanted.clamp(0, tokens - 1))
    found = torch.where((wanted >= 0) & (wanted < tokens), found, torch.nan)
    return torch.where((encoded == 0).all(dim=0), torch.zeros(()), found)


def pool_tokens(encoded: Tensor, pool: Pool) -> Tensor:
    """One number for each feature: the mean, the largest or the last of the tokens (tokens, features), NaN left out."""
    if pool == "mean":
        return encoded.nanmean(dim=0) if encoded.isnan().any() else encoded.mean(dim=0)
    if pool == "max":
        return encoded.nan_to_num(nan=-torch.inf).amax(dim=0)
    seen = (~encoded.isnan()).long().cumsum(dim=0).argmax(dim=0)  # (features,) the last place that is there
    return encoded.gather(0, seen[None])[0]


def _room_for_positions(window: Window, laid: Sequence[range | None], width: int) -> np.ndarray:
    """An array (sentences, places, features) of NaN, if it fits.

    Raises:
        UsageError: it would be larger than `MOST_ENTRIES`.
    """
    longest = window.width or max(len(places) for places in laid if places is not None)
    if (entries := len(laid) * longest * width) > MOST_ENTRIES:
        raise UsageError(
            f"a map of {len(laid)} sentences x {longest} places x {width} features has {entries:,} entries",
            f"At most {MOST_ENTRIES:,}: choose --window first, last, centre or peak with a smaller --width.",
        )
    return np.full((len(laid), longest, width), np.nan, dtype=np.float32)
