"""Making a shard of an index: the bytes that are stored of it, a function of model, features and token store alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from safetensors.numpy import save

from workbench.corpus.store import TokenStore
from workbench.index.dense import dense_shard, fair_places
from workbench.index.entries import is_whole, keep
from workbench.index.reading import shard_entries

if TYPE_CHECKING:
    from workbench.models.loaded import LoadedModel
    from workbench.saes.space import FeatureSpace

Bounds = tuple[int, int]
SHARDS = "shards"
Tick = Callable[[int, int, str], None]
Elsewhere = Callable[[Sequence[tuple[int, Bounds]], Callable[[int], None]], Iterator[tuple[int, bytes]]]
"""Makes numbered shards on other machines: gives each as it comes, in any order; calls back with tokens done."""


@dataclass(frozen=True)
class ShardMaker:
    """What shards are made of.

    Attributes:
        total: tokens of the corpus that are indexed, in all shards together.
        examples: top windows kept of each feature.
    """

    model: LoadedModel
    space: FeatureSpace
    store: TokenStore
    total: int
    examples: int

    @property
    def sparse(self) -> bool:
        """Whether features are mostly 0, so that the non-zeros are kept."""
        return bool(self.space.info["units"] == "latents")

    @cached_property
    def _fair(self) -> np.ndarray:
        return fair_places(self.store, self.total)

    def make(self, bounds: Bounds, tick: Callable[[int], None]) -> bytes:
        """The bytes of the shard between two places of the store.

        Args:
            tick: called with the tokens done, between batches.
        """
        if self.sparse:
            arrays = shard_entries(self.model, self.space, self.store, bounds, tick).arrays()
        else:
            arrays = dense_shard(self.model, self.space, self.store, bounds, self._fair, self.examples, tick)
        return bytes(save({name: np.ascontiguousarray(array) for name, array in arrays.items()}))


def shard_path(building: Path, number: int) -> Path:
    """The file of one shard."""
    return building / SHARDS / f"{number:06d}.safetensors"


def make_missing(
    maker: ShardMaker, building: Path, bounds: Sequence[Bounds], elsewhere: Elsewhere | None, tick: Tick
) -> None:
    """Make and store the shards that are not there or damaged: one by one here, or elsewhere.

    Raises:
        StorageError: the disk is full or cannot be written.
    """
    missing = [(number, each) for number, each in enumerate(bounds) if not is_whole(shard_path(building, number))]
    if not missing:
        return
    if elsewhere is None:
        for number, each in missing:
            keep(shard_path(building, number), maker.make(each, _from(tick, each[0], maker.total)))
        return
    there = maker.total - sum(last - first for _, (first, last) in missing)
    for number, raw in elsewhere(missing, _from(tick, there, maker.total)):
        keep(shard_path(building, number), raw)


def _from(tick: Tick, first: int, total: int) -> Callable[[int], None]:
    return lambda done: tick(first + done, total, "reading the corpus")
