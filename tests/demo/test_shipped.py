"""The shipped model and SAE: the very files of the manifest, and every promise of the card measured again."""

import json
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path

import pytest
import torch

import workbench.demo as demo
from workbench.demo import measure
from workbench.demo.build import Recipe, digests, first_steps
from workbench.demo.card import card, requirements
from workbench.demo.site import SITE
from workbench.demo.tasks import month_problems, weekday_problems

ROOT = Path(demo.__file__).parent


@pytest.fixture(scope="module")
def held_out():
    return measure.held_out(1600)


def test_digests_are_the_manifests(manifest):
    assert digests(ROOT) == manifest["files"]


def test_the_weights_are_small_enough():
    weights = [*demo.model_dir().glob("*.safetensors"), *demo.sae_dir().glob("*.safetensors")]
    assert sum(path.stat().st_size for path in weights) <= 16 * 2**20


def test_the_manifest_was_made_by_this_recipe(manifest):
    assert manifest["recipe"] == json.loads(json.dumps(asdict(Recipe())))


def test_the_card_is_the_manifests_and_every_requirement_holds(manifest):
    assert (ROOT.parents[1] / "docs" / "demo-model.md").read_text() == card(manifest)
    missed = [need.name for need in requirements(manifest["measured"]) if not need.holds]
    assert missed == []


@pytest.mark.slow
def test_the_first_fifty_steps_meet_the_loss_curve(manifest, tokenizer):
    """Rounding differs between processors and grows from step to step; the tolerance grows with it."""
    wanted = [loss for _, loss in islice(manifest["loss_curve"], 50)]
    found = first_steps(Recipe().model, tokenizer, 50)
    assert found[:5] == pytest.approx(wanted[:5], abs=1e-3)
    assert found == pytest.approx(wanted, rel=0.03)


@pytest.mark.parametrize("problems", [weekday_problems(), month_problems()], ids=["weekdays", "months"])
def test_arithmetic_is_right_on_a_ring_that_can_be_patched(model, tokenizer, problems):
    found = measure.arithmetic(model, tokenizer, problems)
    assert found.right == found.problems
    assert found.ring[0] > 0.5
    assert sum(found.ring) == pytest.approx(1, abs=1e-5)
    assert found.patched >= 0.5


def test_loss_is_within_five_percent_of_the_entropy_bound(model, tokenizer, held_out):
    loss, bound = measure.loss_and_bound(model, tokenizer, held_out[:1000])
    assert loss < 1.05 * bound


@pytest.mark.slow
def test_the_sae_is_sparse_and_faithful(model, tokenizer, sae, held_out):
    found = measure.sae_quality(model, tokenizer, sae, held_out, spliced=400)
    assert 8 <= found.l0 <= 64
    assert found.fvu < 0.15
    assert found.ce_recovered > 0.9
    assert found.dead < 0.2


@pytest.mark.slow
def test_each_planted_concept_has_a_latent(model, tokenizer, sae, held_out):
    found = measure.concept_latents(model, tokenizer, sae, held_out)
    assert {name for name, latent in found.items() if latent.auc <= 0.95} == set()


def test_turning_the_achievement_latent_up_raises_the_positive_words(model, tokenizer, sae):
    found = measure.contrast(model, tokenizer, sae, demo.stimuli_dir() / "achievement.json")
    assert found.achievement[1] > 0.95
    assert found.failure[1] > 0.95
    assert found.raised > 0.2
    assert found.lowered < -0.2


def test_the_saes_metadata_say_where_it_belongs(sae):
    metadata = sae.cfg.metadata
    assert (metadata.model_name, metadata.hook_name) == ("demo", SITE)
    assert metadata.prepend_bos is True
    assert metadata.context_size == 128
    assert sae.cfg.normalize_activations == "none"


def test_plain_and_bridged_model_agree(model):
    from transformer_lens.model_bridge import TransformerBridge

    bridge = TransformerBridge.boot_transformers(str(demo.model_dir()), device="cpu")
    ids = bridge.to_tokens("Two days from Monday is")
    assert ids[0].tolist()[0] == 0
    assert ids.shape[1] == 6
    with torch.no_grad():
        plain = model(input_ids=ids, output_hidden_states=True)
        logits, cache = bridge.run_with_cache(ids, names_filter=[SITE])
    torch.testing.assert_close(logits, plain.logits, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(cache[SITE], plain.hidden_states[2], atol=1e-4, rtol=1e-4)


def test_texts_side_by_side_are_read_as_if_each_stood_alone(model, tokenizer):
    from workbench.demo.tokens import corpus_rows, laid_out
    from workbench.demo.train_model import read_layout, summed_loss

    rows = corpus_rows(tokenizer, 3, 0, 20)
    with torch.no_grad():
        together, _ = read_layout(model, laid_out(rows, [0] * len(rows)))
        alone, tokens = summed_loss(model, rows)
    assert float(together) == pytest.approx(float(alone) / tokens, abs=1e-4)


def test_a_killed_training_goes_on_where_it_was(tokenizer, tmp_path):
    from workbench.demo.train_model import ModelRecipe, Training, train

    recipe = replace(ModelRecipe(), drill_steps=2, steps=4, drill_documents=8, single_documents=6, packed_documents=2)
    whole = train(recipe, tokenizer, tmp_path / "whole", say=lambda _: None)
    broken = Training(recipe, tokenizer)
    for _ in range(3):
        broken.advance()
    broken.save(tmp_path / "broken")
    resumed = train(recipe, tokenizer, tmp_path / "broken", say=lambda _: None)
    assert resumed.curve == pytest.approx(whole.curve, abs=1e-6)


@pytest.mark.filterwarnings("ignore:The 'utils' module has been deprecated:DeprecationWarning")
def test_a_killed_sae_training_goes_on_where_it_was(model, tokenizer, tmp_path):
    from safetensors.torch import load_file

    from workbench.demo.train_sae import SaeRecipe, train_sae

    recipe = replace(SaeRecipe(), samples=60 * 256, batch_samples=256, documents_a_block=600, checkpoints=2)
    found = []
    for run in ("whole", "resumed"):  # the second run begins at the first one's last checkpoint
        train_sae(recipe, model, tokenizer, tmp_path / "work", tmp_path / run, say=lambda _: None)
        found.append(load_file(tmp_path / run / "sae_weights.safetensors"))
    for name, tensor in found[0].items():
        torch.testing.assert_close(found[1][name], tensor, atol=1e-5, rtol=1e-4)


def test_importing_the_demo_imports_neither_numpy_nor_torch():
    import subprocess
    import sys

    code = "import sys, workbench.demo as d; d.sessions_dir(); assert not {'numpy', 'torch'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT.parents[1])
