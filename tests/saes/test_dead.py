"""The count of tokens since a latent last fired: exact, and the same however tokens come in batches."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.usefixtures("one_thread")


def since(fired: list[list[bool]]) -> list[int]:
    """By hand: walk back from the last token to the one that fired."""
    found = []
    for latent in range(len(fired[0])):
        column = [row[latent] for row in fired]
        found.append(column[::-1].index(True) if True in column else len(column))
    return found


@settings(deadline=None, max_examples=200)
@given(data=st.data())
def test_any_batches_give_the_counts_by_hand(torch_loaded: None, data: Any) -> None:
    import torch

    from workbench.saes.dead import DeadLatents

    latents = data.draw(st.integers(1, 5))
    row = st.lists(st.booleans(), min_size=latents, max_size=latents)
    fired = data.draw(st.lists(row, min_size=1, max_size=40))
    acts = torch.tensor(fired).float() * -2.5  # some architectures give negative activations
    counter = DeadLatents(latents, window=7)
    at = 0
    while at < len(fired):
        size = data.draw(st.integers(1, 9))
        counter.see(acts[at : at + size])
        at += size
    assert counter.since.tolist() == since(fired)
    assert counter.mask.tolist() == [count >= 7 for count in since(fired)]
    assert len(counter) == sum(count >= 7 for count in since(fired))


def test_a_latent_is_dead_from_the_window_on(torch_loaded: None) -> None:
    import torch

    from workbench.saes.dead import DeadLatents

    counter = DeadLatents(1, window=3)
    found = []
    for value in (1.0, 0.0, 0.0, 0.0, 0.0, 1.0):
        counter.see(torch.tensor([[value]]))
        found.append(len(counter))
    assert found == [0, 0, 0, 1, 1, 0]
