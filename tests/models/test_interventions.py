"""Interventions: each mode is its formula, and predictions are those of a plain torch hook of the same arithmetic."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests import tiny
from workbench.models.interventions import Intervention, Mode, RandomMoves, Target, random_direction

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]
TEXT = "bright sun today again and again in the dark"
FEATURES, VALUES = (5, 17), (3.0, -1.5)


@pytest.fixture
def text(tiny_model: Any) -> Any:
    return tiny_model.tokenize(TEXT)


@pytest.fixture
def acts(tiny_model: Any, tiny_space: Any, text: Any) -> Any:
    """(1, tokens, units)."""
    (found,) = tiny_model.read([text], tiny_space.site)
    return found[None]


def all_of(space: Any, mode: Mode, text: Any, strength: float = 1.0, features: Any = FEATURES) -> Intervention:
    return Intervention(mode, [Target(space, tuple(features), VALUES[: len(features)])], strength, text.is_text)


def unit_directions(folder: Path) -> Any:
    """The tiny SAE counts activations in units of its rows' norms, so that unit rows are what it writes."""
    from safetensors.torch import load_file

    rows = load_file(folder / "sae" / "sae_weights.safetensors")["W_dec"]
    return rows / rows.norm(dim=1, keepdim=True)


@pytest.mark.parametrize("mode", ["set", "add", "scale", "zero", "mean"])
def test_each_mode_is_its_formula(tiny_space: Any, tiny_files: Path, text: Any, acts: Any, mode: Mode) -> None:
    found = all_of(tiny_space, mode, text, 0.7)(acts)[0]
    expected = acts[0].clone()
    for feature, value in zip(FEATURES, VALUES, strict=True):
        now = tiny_space.encode(acts[0])[:, feature]
        step = {"set": value - now, "add": value + 0 * now, "scale": (value - 1) * now, "zero": -now,
                "mean": value - now}[mode]  # fmt: skip
        expected += 0.7 * step[:, None] * unit_directions(tiny_files)[feature]
    assert float((found[1:] - expected[1:]).abs().max()) < 1e-5
    assert bool((found[0] == acts[0, 0]).all()), "BOS is left alone"


def test_ablating_a_latent_takes_what_the_decoder_wrote_and_keeps_the_error(
    tiny_space: Any, text: Any, acts: Any
) -> None:
    import torch

    latents = tiny_space.encode(acts[0])
    feature = int(latents[1:].sum(dim=0).argmax())
    without = latents.clone()
    without[:, feature] = 0
    with torch.no_grad():
        written = tiny_space.sae.decode(latents) - tiny_space.sae.decode(without)
        error = acts[0] - tiny_space.sae.decode(latents)
        found = all_of(tiny_space, "zero", text, features=(feature,))(acts)[0]
        rebuilt = tiny_space.sae.decode(without) + error
    assert float(written[1:].abs().max()) > 0.1
    assert float((found[1:] - (acts[0] - written)[1:]).abs().max()) < 1e-5
    assert float((found[1:] - rebuilt[1:]).abs().max()) < 1e-5


@pytest.mark.parametrize("normalisation", ["layer_norm", "constant_norm_rescale"])
def test_an_sae_that_normalises_each_token_writes_in_the_sites_units(
    tiny_model: Any, tmp_path: Path, acts: Any, normalisation: str
) -> None:
    import json

    import torch

    from workbench.saes.space import load_space

    folder = tiny.make_sae(tmp_path / "sae")
    config = json.loads((folder / "cfg.json").read_text()) | {"normalize_activations": normalisation}
    (folder / "cfg.json").write_text(json.dumps(config))
    space = load_space(str(folder), "", tiny_model)
    sae: Any = space.sae  # type: ignore[attr-defined]
    with torch.no_grad():
        latents = sae.encode(acts)
        before = sae.decode(latents)
        sae.encode(acts)  # decoding forgets the scale of the tokens
        after = sae.decode(latents + 2 * torch.nn.functional.one_hot(torch.tensor(7), tiny.LATENTS))
        found = space.written(acts, torch.full((*acts.shape[:-1], 1), 2.0), (7,))
    assert float((found - (after - before)).abs().max()) < 1e-4


def test_several_features_add_up(tiny_space: Any, text: Any, acts: Any) -> None:
    both = all_of(tiny_space, "set", text)(acts) - acts
    one = Intervention("set", [Target(tiny_space, FEATURES[:1], VALUES[:1])], 1.0, text.is_text)(acts) - acts
    two = Intervention("set", [Target(tiny_space, FEATURES[1:], VALUES[1:])], 1.0, text.is_text)(acts) - acts
    assert float((both - one - two).abs().max()) < 1e-5


def test_raw_units_are_set(tiny_model: Any, text: Any, acts: Any) -> None:
    from workbench.saes.space import load_space

    space = load_space("raw", tiny.SITE, tiny_model)
    found = Intervention("set", [Target(space, (4, 9), (2.0, -3.0))], 1.0, text.is_text)(acts)[0]
    assert found[1:, [4, 9]].tolist() == [pytest.approx([2.0, -3.0])] * (len(text.ids) - 1)
    others = [unit for unit in range(tiny.WIDTH) if unit not in (4, 9)]
    assert bool((found[:, others] == acts[0][:, others]).all())


@pytest.mark.parametrize("mode", ["set", "add", "scale", "zero", "mean"])
def test_strength_0_changes_no_bit(tiny_model: Any, tiny_space: Any, text: Any, mode: Mode) -> None:
    import torch

    change = all_of(tiny_space, mode, text, 0.0)
    assert torch.equal(tiny_model.logits(text.ids, tiny_space.site, change), tiny_model.logits(text.ids))
    assert (change.fired, change.relative_norm) == (1, 0.0)


def test_adding_0_changes_no_bit(tiny_model: Any, tiny_space: Any, text: Any) -> None:
    import torch

    change = Intervention("add", [Target(tiny_space, (5,), (0.0,))], 1.0, text.is_text)
    assert torch.equal(tiny_model.logits(text.ids, tiny_space.site, change), tiny_model.logits(text.ids))


def test_predictions_are_those_of_a_plain_torch_hook(
    tiny_model: Any, tiny_space: Any, tiny_files: Path, text: Any
) -> None:
    """The same arithmetic on the Hugging Face model, with the SAE written out."""
    import torch
    from safetensors.torch import load_file

    w = load_file(tiny_files / "sae" / "sae_weights.safetensors")
    norms = w["W_dec"].norm(dim=1)

    def hook(_module: Any, _args: Any, output: Any) -> Any:
        acts = output[0] if isinstance(output, tuple) else output
        scores = ((acts - w["b_dec"]) @ w["W_enc"] + w["b_enc"]) * norms
        top = scores.topk(tiny.ACTIVE, dim=-1)
        latents = torch.zeros_like(scores).scatter(-1, top.indices, top.values.clamp(min=0))
        changed = acts.clone()
        for feature, value in zip(FEATURES, VALUES, strict=True):
            step = (value - latents[..., feature])[..., None] * w["W_dec"][feature] / norms[feature]
            changed[:, 1:] += step[:, 1:]
        return (changed, *output[1:]) if isinstance(output, tuple) else changed

    handle = tiny_model.plain.transformer.h[tiny_space.site.layer].register_forward_hook(hook)
    try:
        with torch.no_grad():
            expected = tiny_model.plain(input_ids=torch.tensor([list(text.ids)])).logits[0]
    finally:
        handle.remove()
    found = tiny_model.logits(text.ids, tiny_space.site, all_of(tiny_space, "set", text))
    assert float((found - expected).abs().max()) < 1e-5 * max(1.0, float(expected.abs().max()))


def test_at_the_last_site_the_logits_are_the_unembedded_sum(tiny_model: Any, text: Any) -> None:
    """A direction added behind the last block goes through nothing but the final norm and the unembedding."""
    import torch

    from workbench.models.site import Site
    from workbench.stimuli.class_means import ClassMeans

    site = Site(tiny.LAYERS - 1, "hook_resid_post")
    vector = torch.randn(tiny.WIDTH, generator=torch.Generator().manual_seed(1))
    space = ClassMeans("a direction", site, vector, 1.0, 0.0)
    change = Intervention("add", [Target(space, (0,), (1.5,))], 1.0, text.is_text)
    (acts,) = tiny_model.read([text], site)
    moved = (acts + 1.5 * vector).double()
    norm = tiny_model.plain.transformer.ln_f
    centred = moved - moved.mean(dim=1, keepdim=True)
    scaled = centred / (centred.square().mean(dim=1, keepdim=True) + norm.eps).sqrt()
    expected = (scaled * norm.weight.double() + norm.bias.double()) @ tiny_model.plain.lm_head.weight.double().T
    found = tiny_model.logits(text.ids, site, change).double()
    assert float((found[1:] - expected[1:]).abs().max()) < 1e-5 * float(expected.abs().max())


def test_chosen_tokens_alone_are_changed(tiny_space: Any, acts: Any) -> None:
    chosen = [place in (3, 5) for place in range(acts.shape[1])]
    change = Intervention("add", [Target(tiny_space, (5,), (4.0,))], 1.0, chosen)
    moved = (change(acts) != acts).any(dim=-1)[0]
    assert moved.tolist() == chosen


@pytest.mark.parametrize("generated", [True, False])
def test_tokens_beyond_the_prompt_are_changed_where_that_is_wanted(tiny_space: Any, acts: Any, generated: bool) -> None:
    change = Intervention("add", [Target(tiny_space, (5,), (4.0,))], 1.0, [False, True, False], generated=generated)
    moved = (change(acts) != acts).any(dim=-1)[0]
    assert moved.tolist() == [False, True, False, *[generated] * (acts.shape[1] - 3)]


def test_controls_go_as_far_as_the_intervention_token_by_token(tiny_space: Any, text: Any, acts: Any) -> None:
    import torch

    full = all_of(tiny_space, "set", text).full(acts)
    directions = torch.stack([random_direction(tiny.WIDTH, seed) for seed in (0, 1)])
    found = RandomMoves(all_of(tiny_space, "set", text), (1.0, -2.0), directions)(acts.expand(2, -1, -1)) - acts
    for row, share in enumerate((1.0, 2.0)):
        assert torch.allclose(found[row].norm(dim=-1), share * full[0].norm(dim=-1), atol=1e-4)
    cosines = torch.cosine_similarity(found[:, 1:], directions[:, None], dim=-1)
    assert float((cosines - torch.tensor([[1.0], [-1.0]])).abs().max()) < 1e-4
    assert float(found[:, 0].abs().max()) == 0.0
    assert torch.equal(random_direction(8, 3), random_direction(8, 3))


def test_half_precision_keeps_strength_0_and_moves_by_the_formula(tiny_space: Any, text: Any, acts: Any) -> None:
    import torch

    half = acts.bfloat16()
    assert torch.equal(all_of(tiny_space, "add", text, 0.0)(half), half)
    change = all_of(tiny_space, "add", text)
    assert torch.equal(change(half), (half.float() + change.full(half)).bfloat16())
