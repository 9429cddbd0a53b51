"""Which latents are dead: those that no token has made fire for a while, counted in tokens."""

from __future__ import annotations

import torch
from torch import Tensor


class DeadLatents:
    """Counts, for every latent, the tokens seen since it last fired.

    Only `see` counts, and it counts tokens: the same tokens give the same counts in batches of any size, and
    encoding for an evaluation changes nothing.

    Args:
        latents: how many there are.
        window: a latent is dead once this many tokens in a row have not made it fire.
    """

    def __init__(self, latents: int, window: int, device: torch.device | str = "cpu") -> None:
        self.window = window
        self.since = torch.zeros(latents, dtype=torch.int64, device=device)

    @torch.no_grad()
    def see(self, acts: Tensor) -> None:
        """Take the activations (tokens, latents) of the next tokens of the training, in their order."""
        fired = acts != 0
        after = fired.flip(0).to(torch.uint8).argmax(dim=0)  # tokens after the last one that fired
        self.since = torch.where(fired.any(dim=0), after, self.since + len(acts))

    @property
    def mask(self) -> Tensor:
        """Which latents are dead now, (latents,) bool."""
        return self.since >= self.window

    def __len__(self) -> int:
        """How many are dead now."""
        return int(self.mask.sum())
