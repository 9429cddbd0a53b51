"""Running the model over a shard: the non-zero activations of every feature on every token that counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from workbench.corpus.store import TokenStore
from workbench.index.entries import Entries, entries_of
from workbench.index.shards import Stretch, Tokens, batches, stretches

if TYPE_CHECKING:
    from workbench.models.loaded import LoadedModel
    from workbench.saes.space import FeatureSpace

CELLS = 1 << 23
"""Activations (tokens times features) encoded at once: what bounds the memory of the pass."""
Nonzeros = tuple[np.ndarray, np.ndarray, np.ndarray]


def _nothing(_done: int) -> None: ...


def shard_entries(
    model: LoadedModel,
    space: FeatureSpace,
    store: TokenStore,
    bounds: tuple[int, int],
    tick: Callable[[int], None] = _nothing,
) -> Entries:
    """The non-zeros of a shard; a function of its arguments alone.

    Args:
        bounds: first token and one past the last.
        tick: called with the tokens done, between batches.
    """
    first, last = bounds
    parts: list[Nonzeros] = []
    done = 0
    for batch in batches(list(stretches(store, first, last, model.context))):
        tick(done)
        acts, places = counted(model, space, store, batch)
        step = max(1, CELLS // space.width)
        for begin in range(0, len(acts), step):
            rows, features, values = nonzeros(space, acts[begin : begin + step])
            parts.append(((places[begin + rows] - first).astype(np.int32), features, values))
        done += sum(len(stretch.ids) - stretch.front for stretch in batch)
    joined = [np.concatenate(arrays) for arrays in zip(*parts, strict=True)]
    return entries_of(first, last, space.width, *joined)


def counted(
    model: LoadedModel, space: FeatureSpace, store: TokenStore | Tokens, batch: list[Stretch]
) -> tuple[Tensor, np.ndarray]:
    """Activations (tokens, units) of the tokens of a batch that count, and the place of each in the store."""
    acts, places = _read(model, space, store, batch)
    keep = places >= 0
    return acts[torch.from_numpy(keep).to(acts.device)], places[keep]


def placed(
    model: LoadedModel, space: FeatureSpace, store: TokenStore | Tokens, batch: list[Stretch]
) -> tuple[np.ndarray, np.ndarray]:
    """Features (rows, tokens, width) of a batch, and the place of each token, -1 where it does not count."""
    acts, places = _read(model, space, store, batch)
    return space.encode(acts).cpu().numpy(), places


def _read(
    model: LoadedModel, space: FeatureSpace, store: TokenStore | Tokens, batch: list[Stretch]
) -> tuple[Tensor, np.ndarray]:
    ids, mask = model.pad([stretch.ids.tolist() for stretch in batch])
    places = np.full(mask.shape, -1, dtype=np.int64)
    for row, stretch in enumerate(batch):
        size = len(stretch.ids)
        places[row, stretch.front : size] = np.arange(stretch.first, stretch.first + size - stretch.front)
    places[np.isin(ids.cpu().numpy(), store.special)] = -1
    return model.read_ids(ids, mask, space.site), places  # (batch, tokens, units)


def nonzeros(space: FeatureSpace, acts: Tensor) -> Nonzeros:
    """Row, feature and value of each feature that is not 0 on activations (rows, units).

    A TopK SAE names its active features itself; looking for them among all the zeros would cost more than
    the encoding.
    """
    largest = getattr(space, "largest", None)
    found = largest(acts) if largest is not None else None
    if found is None:
        return _of_dense(space.encode(acts))
    values, features = (part.cpu().numpy() for part in found)  # (rows, k)
    rows, places = np.nonzero(values)
    return rows.astype(np.int32), features[rows, places].astype(np.int32), values[rows, places]


def _of_dense(encoded: Tensor) -> Nonzeros:
    rows, features = torch.nonzero(encoded, as_tuple=True)
    values = encoded[rows, features].cpu().numpy()
    return rows.cpu().numpy().astype(np.int32), features.cpu().numpy().astype(np.int32), values
