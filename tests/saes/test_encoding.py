"""The workbench's own encoders give SAELens' latents, for any shape of input, and leave the input as it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests import tiny
from tests.saes import folders

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]


@pytest.mark.parametrize("architecture", folders.INFERENCE)
def test_a_batch_of_texts_is_encoded_as_saelens_does(architecture: str, tiny_model: Any, tmp_path: Path) -> None:
    import torch
    from sae_lens import SAE

    from workbench.saes.space import load_space

    folder = folders.saelens(tmp_path / "sae", architecture)
    space = load_space(str(folder), "", tiny_model)
    acts = folders.numbers(3, 7, tiny.WIDTH, seed=2)
    before = acts.clone()
    with torch.no_grad():
        expected = SAE.load_from_disk(str(folder)).encode(acts)
    found = space.encode(acts)
    assert found.shape == (3, 7, folders.LATENTS)
    assert torch.allclose(found, expected, atol=1e-5)
    assert torch.equal(found > 0, expected > 0)
    assert torch.equal(acts, before)


@pytest.mark.parametrize("threshold", [-1.0, 0.0, 0.7])
def test_a_threshold_of_any_sign_lets_no_negative_latent_through(
    threshold: float, tiny_model: Any, tmp_path: Path
) -> None:
    import torch

    from workbench.saes.space import load_space

    space = load_space(str(folders.saelens(tmp_path / "sae", "jumprelu")), "", tiny_model)
    space.sae.threshold.data.fill_(threshold)
    x, w = folders.numbers(40, tiny.WIDTH, seed=3), folders.weights()
    before = (x - w["b_dec"]) @ w["W_enc"] + w["b_enc"]
    expected = torch.where(before > max(threshold, 0.0), before, 0.0)
    assert torch.allclose(space.encode(x), expected, atol=1e-5)


@pytest.mark.parametrize("rescaled", [False, True])
def test_latents_in_units_of_the_decoder_are_chosen_in_these_units(
    rescaled: bool, tiny_model: Any, tmp_path: Path
) -> None:
    import torch

    from workbench.saes.space import load_space

    folder = folders.saelens(tmp_path / "sae", "topk", rescale_acts_by_decoder_norm=rescaled)
    space = load_space(str(folder), "", tiny_model)
    x, w = folders.numbers(40, tiny.WIDTH, seed=3), folders.weights()
    scores = ((x - w["b_dec"]) @ w["W_enc"] + w["b_enc"]) * (w["W_dec"].norm(dim=1) if rescaled else 1.0)
    smallest = scores.sort(dim=1).values[:, -folders.ACTIVE, None]
    expected = torch.where(scores >= smallest, scores, 0.0).clamp(min=0)
    assert torch.allclose(space.encode(x), expected, atol=1e-5)
