"""How faithful and how sparse an SAE is on a stretch of text: sums over tokens, taken in blocks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from workbench.models.loaded import LoadedModel
    from workbench.models.site import Site
    from workbench.saes.space import SaeSpace

    Tick = Callable[[int, int, str], None]

ROWS = 32
"""Texts read at once."""
ENTRIES = 1 << 24
"""Latents held at once: 64 MiB in float32, whatever the width of the SAE."""
DECADES = 6
"""The density histogram has two bins a decade, from 1e-6 to 1."""


@dataclass(frozen=True)
class Texts:
    """Texts as the model reads them.

    Attributes:
        rows: token ids, special tokens included.
        special: ids that never count.
        tokens: how many of the ids count.
    """

    rows: list[list[int]]
    special: frozenset[int]
    tokens: int

    def first(self, tokens: int) -> Texts:
        """The first rows that hold at least that many tokens."""
        kept, seen = [], 0
        for row in self.rows:
            if seen >= tokens:
                break
            kept.append(row)
            seen += sum(token not in self.special for token in row)
        return Texts(kept, self.special, seen)


def take(model: LoadedModel, texts: Iterable[str], tokens: int) -> Texts:
    """The first `tokens` tokens of the texts; a text longer than the context is cut."""
    special = frozenset(int(token) for token in model.tokenizer.all_special_ids)
    rows, seen = [], 0
    for text in texts:
        if seen >= tokens:
            break
        row = [int(token) for token in model.tokenizer(text)["input_ids"]][: model.context]
        if any(token not in special for token in row):
            rows.append(row)
            seen += sum(token not in special for token in row)
    return Texts(rows, special, seen)


def acts_of(model: LoadedModel, texts: Texts, *sites: Site) -> Iterator[list[Tensor]]:
    """Activations (tokens, units) of the tokens that count, at each of the sites, batch by batch."""
    special = torch.tensor(sorted(texts.special), dtype=torch.long, device=model.device)
    for start in range(0, len(texts.rows), ROWS):
        ids, mask = model.pad(texts.rows[start : start + ROWS])
        keep = mask.bool() & ~torch.isin(ids, special)
        read = model.read_sites(ids, mask, list(dict.fromkeys(sites)))
        yield [read[site][keep].float() for site in sites]


def probe(model: LoadedModel, texts: Texts, *sites: Site) -> list[Tensor]:
    """The activations of all the texts at each site, in one piece: for short stretches only."""
    parts = list(acts_of(model, texts, *sites))
    return [torch.cat([part[place] for part in parts]) for place in range(len(sites))]


@dataclass
class Totals:
    """Running sums over tokens, in double precision.

    Attributes:
        fired: (latents,) on how many tokens each latent was active.
        target, made: (units,) sums of what is reconstructed and of the reconstruction.
        target2, made2, cross, error: sums of squared norms and of their inner product.
        read_norm: sum of the norms of what the SAE reads.
    """

    fired: Tensor
    target: Tensor
    made: Tensor
    tokens: int = 0
    target2: float = 0.0
    made2: float = 0.0
    cross: float = 0.0
    error: float = 0.0
    read_norm: float = 0.0

    def add(self, read: Tensor, target: Tensor, latents: Tensor, made: Tensor) -> None:
        """Take in one block: read and target (tokens, units), latents (tokens, width), made (tokens, units)."""
        self.fired += (latents != 0).sum(0).double()
        self.target += target.double().sum(0)
        self.made += made.double().sum(0)
        self.tokens += target.shape[0]
        self.target2 += _square(target)
        self.made2 += _square(made)
        self.cross += float((target.double() * made.double()).sum())
        self.error += _square(made - target)
        self.read_norm += float(read.double().norm(dim=1).sum())

    @property
    def variance(self) -> float:
        """Sum of squared distances of the target from its mean."""
        return self.target2 - float((self.target @ self.target) / self.tokens)

    @property
    def fvu(self) -> float:
        """Fraction of variance unexplained: squared error over the variance about the mean."""
        return self.error / max(self.variance, 1e-30)

    @property
    def shrinkage(self) -> float:
        """E|x'|^2 / E(x'.x) about the mean of x: 1 where the size is right, below 1 where it shrinks.

        The relative reconstruction bias of Rajamanoharan et al., 2024 (gated SAEs), with the mean taken out.
        """
        mean = self.target / self.tokens
        pull = float(mean @ self.made)
        made2 = self.made2 - 2 * pull + self.tokens * float(mean @ mean)
        return made2 / _away_from_zero(self.cross - pull)

    @property
    def mean(self) -> Tensor:
        """The mean of the target, (units,) float32."""
        return (self.target / self.tokens).float()


def _square(values: Tensor) -> float:
    return float(values.double().pow(2).sum())


def _away_from_zero(value: float) -> float:
    return value if abs(value) > 1e-30 else 1e-30


def totals(model: LoadedModel, space: SaeSpace, texts: Texts, tick: Tick) -> Totals:
    """Walk over the texts once; holds one batch of activations and at most `ENTRIES` latents."""
    units = int(space.sae.b_dec.numel())
    device = model.device
    sums = Totals(
        torch.zeros(space.width, dtype=torch.double, device=device),
        torch.zeros(units, dtype=torch.double, device=device),
        torch.zeros(units, dtype=torch.double, device=device),
    )
    block = max(1, ENTRIES // space.width)
    for read, target in acts_of(model, texts, space.site, space.writes):
        tick(min(sums.tokens, texts.tokens), texts.tokens, "checking the SAE")
        for start in range(0, len(read), block):
            part = read[start : start + block]
            sums.add(part, target[start : start + block], *space.encode_and_decode(part))
    return sums


def density(fired: Tensor, tokens: int) -> list[dict[str, Any]]:
    """Share of the latents in each half decade of density, those that never fired first."""
    share = (fired / max(tokens, 1)).cpu()
    edges = [10 ** (-step / 2) for step in range(2 * DECADES, -1, -1)]
    rows = [{"from": 0.0, "share": float((share == 0).double().mean())}]
    for place, low in enumerate(edges[:-1]):
        last = place == len(edges) - 2
        inside = (share >= low if place else share > 0) & ((share <= 1) if last else (share < edges[place + 1]))
        rows.append({"from": low, "share": float(inside.double().mean())})
    return rows


def fvu(target: Tensor, made: Tensor) -> float:
    """Fraction of variance unexplained of (tokens, units)."""
    return _square(made - target) / max(_square(target - target.mean(0)), 1e-30)


def quantiles(values: Tensor, at: Sequence[float]) -> list[float]:
    """Quantiles of a vector of any length."""
    ordered = values.flatten().float().sort().values
    return [float(ordered[round(share * (len(ordered) - 1))]) for share in at]
