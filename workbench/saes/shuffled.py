"""An activation set read shuffled: an order that the seed alone decides, in bounded memory, from any place on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from workbench.saes.activation_set import DTYPES, ActivationSet, load_shard

GROUP_BYTES = 256 << 20
"""Bytes of the shards that are held in memory and shuffled together."""


@dataclass(frozen=True)
class Shuffled:
    """The first rows of a set in an order that depends on the seed alone, epoch after epoch.

    Shards come in a random order; as many as fit `GROUP_BYTES` are held together and their rows shuffled, so that
    memory is bounded and any place in the order is found without walking there.

    Attributes:
        source: the set.
        rows: how many of its first rows take part.
        seed: decides the order.
    """

    source: ActivationSet
    rows: int
    seed: int

    def batches(self, size: int, start: int = 0) -> Iterator[Tensor]:
        """Batches (size, width) in float32 from batch number `start` on, without end."""
        rest = torch.zeros(0, self.source.recipe.width)
        for group in self._from_row(start * size):
            at = 0
            if len(rest):
                at = size - len(rest)
                rest = torch.cat([rest, group.rows(0, at)])
                if len(rest) < size:
                    continue
                yield rest
            while at + size <= len(group):
                yield group.rows(at, at + size)
                at += size
            rest = group.rows(at, len(group))

    def _from_row(self, row: int) -> Iterator[_Group]:
        epoch, skip = divmod(row, self.rows)
        while True:
            for number, shards in enumerate(self._groups(epoch)):
                length = sum(rows for _, rows in shards)
                if skip >= length:
                    skip -= length
                    continue
                yield _Group.load(self.source, shards, self._generator(epoch, number + 1), skip)
                skip = 0
            epoch += 1

    def _groups(self, epoch: int) -> list[list[tuple[int, int]]]:
        """(shard, rows of it that take part) in the order of an epoch, as many together as memory is for."""
        parts, left = [], self.rows
        for number, rows in enumerate(self.source.shards):
            if left > 0:
                parts.append((number, min(rows, left)))
            left -= rows
        order = torch.randperm(len(parts), generator=self._generator(epoch, 0)).tolist()
        together = max(1, GROUP_BYTES // (self.source.recipe.shard_rows * self.source.recipe.row_bytes))
        return [[parts[at] for at in order[first : first + together]] for first in range(0, len(order), together)]

    def _generator(self, epoch: int, part: int) -> torch.Generator:
        return torch.Generator().manual_seed((self.seed * 1_000_003 + epoch) * 1_000_003 + part)

    def sample(self, most: int) -> Tensor:
        """The first rows of the order, at most `most` and at most one group of them: (rows, width) float32."""
        group = next(self._from_row(0))
        return group.rows(0, min(most, len(group)))


@dataclass(frozen=True)
class _Group:
    """Shards in memory, in their stored format, and the order of their rows."""

    held: Tensor
    order: Tensor

    @classmethod
    def load(
        cls, source: ActivationSet, shards: list[tuple[int, int]], generator: torch.Generator, skip: int
    ) -> _Group:
        length = sum(rows for _, rows in shards)
        held = torch.empty(length, source.recipe.width, dtype=DTYPES[source.recipe.dtype])
        at = 0
        for number, rows in shards:
            held[at : at + rows] = load_shard(source.folder, number)[:rows]
            at += rows
        return cls(held, torch.randperm(length, generator=generator)[skip:])

    def __len__(self) -> int:
        return len(self.order)

    def rows(self, first: int, last: int) -> Tensor:
        return self.held[self.order[first:last]].float()
