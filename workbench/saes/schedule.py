"""The K schedule of TopK training: many latents at first, few in the end."""

from __future__ import annotations


def k_schedule(step: int, total: int, k_start: int, k_final: int, fraction: float) -> int:
    """How many latents a token may use at a step: from `k_start` linearly to `k_final`, truncated to an integer.

    Args:
        step: the step, from 0.
        total: steps of the whole training.
        k_start: at step 0.
        k_final: from step `fraction * total` on.
        fraction: share of the training over which k changes; 0 means `k_final` from the start.
    """
    length = fraction * total
    if step >= length:
        return k_final
    return int(k_start + (k_final - k_start) * step / length)
