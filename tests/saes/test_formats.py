"""Every SAE format encodes and decodes as its definition and its own tool do; what is not sound is refused."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests import tiny
from tests.saes import folders
from workbench.errors import InputFileError, MismatchError

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]
CLOSE = 1e-5
KINDS = (
    "AutoEncoder", "AutoEncoderNew", "GatedAutoEncoder", "JumpReluAutoEncoder", "AutoEncoderTopK", "BatchTopKSAE",
    "MatryoshkaBatchTopKSAE",
)  # fmt: skip


def load(folder: Path, model: Any, site: str = "") -> Any:
    from workbench.saes.space import load_space

    return load_space(str(folder), site, model)


@pytest.fixture
def x() -> Any:
    return folders.numbers(50, tiny.WIDTH, seed=11)


def same(space: Any, x: Any, kind: str) -> None:
    """Latents, reconstruction and directions are those of the formula."""
    latents, made = folders.formula(x, kind)
    scale = float(latents.abs().max())
    assert float((space.encode(x) - latents).abs().max()) < CLOSE * scale
    assert float((space.reconstruct(x) - made).abs().max()) < CLOSE * float(made.abs().max())
    assert 0 < float((latents > 0).double().mean()) < 1, "the example separates nothing"


@pytest.mark.parametrize("architecture", folders.INFERENCE)
def test_saelens_folders_give_what_saelens_gives(architecture: str, tiny_model: Any, tmp_path: Path, x: Any) -> None:
    import torch
    from sae_lens import SAE

    folder = folders.saelens(tmp_path / "sae", architecture)
    space = load(folder, tiny_model)
    same(space, x, architecture)
    theirs = SAE.load_from_disk(str(folder))
    with torch.no_grad():
        assert float((space.encode(x) - theirs.encode(x)).abs().max()) < CLOSE
        assert float((space.reconstruct(x) - theirs(x)).abs().max()) < CLOSE
    assert space.info["architecture"] == architecture
    assert space.info["format"] == "saelens"


@pytest.mark.parametrize("architecture", ["batchtopk", "matryoshka_batchtopk"])
def test_batch_topk_and_matryoshka_as_saelens_saves_them(
    architecture: str, tiny_model: Any, tmp_path: Path, x: Any
) -> None:
    import torch
    from sae_lens.registry import get_sae_training_class

    kind, config = get_sae_training_class(architecture)
    more = {"matryoshka_widths": [8, folders.LATENTS]} if "matryoshka" in architecture else {}
    made = kind(config(d_in=folders.UNITS, d_sae=folders.LATENTS, k=folders.ACTIVE, **more))
    made.load_state_dict({**made.state_dict(), **folders.weights()})
    made.topk_threshold.fill_(1.5)
    made.cfg.metadata.hook_name = tiny.SITE
    made.save_inference_model(tmp_path / "sae")
    space = load(tmp_path / "sae", tiny_model)
    assert space.info["architecture"] == "jumprelu"
    w = folders.weights()
    norms = w["W_dec"].norm(dim=1)  # these SAEs compare scores times decoder norms, and keep the latents so
    scores = ((x - w["b_dec"]) @ w["W_enc"] + w["b_enc"]) * norms
    latents = torch.where(scores > 1.5, scores, 0.0)
    assert float((space.encode(x) - latents).abs().max()) < CLOSE * float(latents.max())
    expected = latents @ (w["W_dec"] / norms[:, None]) + w["b_dec"]
    assert float((space.reconstruct(x) - expected).abs().max()) < CLOSE * float(expected.abs().max())


def test_a_training_checkpoint_of_batch_topk_is_refused_with_the_way_out(tiny_model: Any, tmp_path: Path) -> None:
    from sae_lens.registry import get_sae_training_class

    kind, config = get_sae_training_class("batchtopk")
    made = kind(config(d_in=folders.UNITS, d_sae=folders.LATENTS, k=folders.ACTIVE))
    made.cfg.metadata.hook_name = tiny.SITE
    made.save_model(tmp_path / "sae")
    with pytest.raises(InputFileError, match="'batchtopk' is not supported") as caught:
        load(tmp_path / "sae", tiny_model)
    assert "save_inference_model" in caught.value.hint


@pytest.mark.parametrize("mode", ["layer_norm", "constant_norm_rescale"])
def test_normalisation_at_run_time_is_applied(mode: str, tiny_model: Any, tmp_path: Path, x: Any) -> None:
    folder = folders.saelens(tmp_path / "sae", "standard", normalize_activations=mode)
    space = load(folder, tiny_model)
    if mode == "layer_norm":
        mean = x.mean(dim=1, keepdim=True)
        size = (x - mean).std(dim=1, keepdim=True)
        read = (x - mean) / (size + 1e-5)
    else:
        mean, size = 0.0, x.norm(dim=1, keepdim=True) / folders.UNITS**0.5
        read = x / size
    latents, made = folders.formula(read, "standard")
    assert float((space.encode(x) - latents).abs().max()) < CLOSE * float(latents.max())
    assert float((space.reconstruct(x) - (made * size + mean)).abs().max()) < 10 * CLOSE
    assert float((space.reconstruct(x[:7]) - space.reconstruct(x)[:7]).abs().max()) < CLOSE  # nothing is left behind


def test_a_transcoder_reads_one_site_and_writes_another(tiny_model: Any, tmp_path: Path) -> None:
    space = load(folders.saelens(tmp_path / "sae", "transcoder", hook="blocks.1.hook_resid_pre"), tiny_model)
    assert (space.site.name, space.writes.name) == ("blocks.1.hook_resid_pre", "blocks.2.hook_resid_post")
    assert space.info["writes"] == "blocks.2.hook_resid_post"
    assert space.directions().shape == (folders.LATENTS, folders.UNITS)


def test_the_gate_holds_a_transcoder_to_what_it_writes(tiny_model: Any, tmp_path: Path) -> None:
    import torch

    from workbench.models.site import Site
    from workbench.saes.gate import check

    space = load(folders.saelens(tmp_path / "sae", "skip_transcoder"), tiny_model)
    found = check(tiny_model, space, tiny.GOOD)
    texts = [tiny_model.tokenize(text) for text in tiny.GOOD]

    def at(layer: int) -> Any:
        acts = tiny_model.read(texts, Site(layer, "hook_resid_post"))
        return torch.cat([part[torch.tensor(text.is_text)] for text, part in zip(texts, acts, strict=True)])

    read, written = at(1), at(2)
    error = (space.reconstruct(read) - written).double().pow(2).sum()
    assert found.numbers["fvu"] == pytest.approx(float(error / (written - written.mean(0)).pow(2).sum()), rel=1e-4)


@pytest.mark.parametrize(
    ("name", "site"),
    [
        ("layers.1", "blocks.1.hook_resid_post"),
        ("gpt_neox.layers.2", "blocks.2.hook_resid_post"),
        ("transformer.h.0.mlp", "blocks.0.hook_mlp_out"),
        ("model.layers.0.self_attn", "blocks.0.hook_attn_out"),
    ],
)
def test_sparsify_folders_are_read_at_the_site_they_name(
    name: str, site: str, tiny_model: Any, tmp_path: Path, x: Any
) -> None:
    space = load(folders.sparsify(tmp_path / name), tiny_model)
    same(space, x, "topk")
    assert space.site.name == site
    assert (space.info["format"], space.info["architecture"]) == ("sparsify", "topk")


def test_a_sparsify_folder_of_another_name_needs_a_site(tiny_model: Any, tmp_path: Path) -> None:
    folder = folders.sparsify(tmp_path / "mine")
    with pytest.raises(MismatchError, match="does not say its site") as caught:
        load(folder, tiny_model)
    assert "--site" in caught.value.hint
    assert load(folder, tiny_model, tiny.SITE).site.name == tiny.SITE


def test_a_sparsify_transcoder_with_its_skip(tiny_model: Any, tmp_path: Path, x: Any) -> None:
    folder = folders.sparsify(tmp_path / "layers.1", skip=True, config={"transcode": True})
    space = load(folder, tiny_model)
    same(space, x, "transcode")
    assert (space.site.name, space.writes.name) == ("blocks.1.hook_resid_pre", "blocks.1.hook_resid_post")


@pytest.mark.parametrize("kind", KINDS)
def test_dictionary_learning_folders_are_read_as_their_kind(kind: str, tiny_model: Any, tmp_path: Path, x: Any) -> None:
    space = load(folders.dictionary_learning(tmp_path / "ae", kind), tiny_model)
    same(space, x, kind)
    assert space.site.name == "blocks.1.hook_resid_post"
    assert space.info["format"] == "dictionary_learning"


@pytest.mark.parametrize("kind", ["AutoEncoder", "GatedAutoEncoder", "JumpReluAutoEncoder", "MatryoshkaBatchTopKSAE"])
def test_ae_pt_alone_needs_a_site(kind: str, tiny_model: Any, tmp_path: Path, x: Any) -> None:
    folder = folders.dictionary_learning(tmp_path / "ae", kind, config=False)
    with pytest.raises(MismatchError, match="does not say its site"):
        load(folder, tiny_model)
    space = load(folder, tiny_model, "blocks.2.hook_resid_post")
    same(space, x, kind)
    assert space.site.name == "blocks.2.hook_resid_post"


def test_ae_pt_of_another_module_needs_a_site(tiny_model: Any, tmp_path: Path) -> None:
    folder = folders.dictionary_learning(tmp_path / "ae", "AutoEncoder", submodule_name="mlp_layer_1")
    with pytest.raises(MismatchError, match="does not say its site"):
        load(folder, tiny_model)


def test_weights_that_two_classes_share_are_not_guessed(tiny_model: Any, tmp_path: Path) -> None:
    folder = folders.dictionary_learning(tmp_path / "ae", "BatchTopKSAE", config=False)
    with pytest.raises(InputFileError, match="AutoEncoderTopK or of BatchTopKSAE"):
        load(folder, tiny_model, tiny.SITE)


class Payload:
    """Writes a file when a pickle that holds it is opened by a reader that runs code."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, (f"touch {self.target}",)


@pytest.mark.parametrize("place", ["whole", "among weights"])
def test_a_pickle_with_code_is_not_run(place: str, tiny_model: Any, tmp_path: Path) -> None:
    import torch

    folder, target = tmp_path / "ae", tmp_path / "it-ran"
    folders.dictionary_learning(folder, "AutoEncoder")
    payload = Payload(target)
    torch.save(payload if place == "whole" else {**folders._state("AutoEncoder"), "x": payload}, folder / "ae.pt")
    with pytest.raises(InputFileError, match="could run code"):
        load(folder, tiny_model)
    assert not target.exists()
    torch.load(folder / "ae.pt", weights_only=False)
    assert target.exists(), "the payload is harmless, so the test shows nothing"


@pytest.mark.parametrize("content", [b"", b"PK", b"not a pickle at all"])
def test_a_damaged_ae_pt_is_an_error_of_its_file(content: bytes, tiny_model: Any, tmp_path: Path) -> None:
    folder = folders.dictionary_learning(tmp_path / "ae", "AutoEncoder")
    (folder / "ae.pt").write_bytes(content)
    with pytest.raises(InputFileError) as caught:
        load(folder, tiny_model)
    assert str(folder) in caught.value.message


def test_an_ae_pt_of_no_known_class_is_named(tiny_model: Any, tmp_path: Path) -> None:
    import torch

    folder = folders.dictionary_learning(tmp_path / "ae", "AutoEncoder")
    torch.save({"weight": torch.zeros(3, 3)}, folder / "ae.pt")
    with pytest.raises(InputFileError, match="no known class: weight"):
        load(folder, tiny_model)


def change_config(folder: Path, **changes: Any) -> Path:
    path = folder / "cfg.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    return folder


def test_unknown_keys_are_named_with_the_nearest_known_one(tiny_model: Any, tmp_path: Path) -> None:
    folder = change_config(tiny.make_sae(tmp_path / "sae"), normalise_activations="layer_norm")
    with pytest.raises(InputFileError, match="unknown keys: 'normalise_activations'") as caught:
        load(folder, tiny_model)
    assert "'normalize_activations'" in caught.value.hint


@pytest.mark.parametrize("architecture", ["temporal", "abstopk", "matching_pursuit", "nosuch", ""])
def test_architectures_that_are_not_supported_are_named(architecture: str, tiny_model: Any, tmp_path: Path) -> None:
    folder = change_config(tiny.make_sae(tmp_path / "sae"), architecture=architecture)
    with pytest.raises(InputFileError, match=f"architecture '{architecture}' is not supported"):
        load(folder, tiny_model)


@pytest.mark.parametrize("change", [{"activation": "groupmax"}, {"signed": True}, {"embed_skip": True}])
def test_sparsify_settings_that_are_not_supported_are_named(
    change: dict[str, Any], tiny_model: Any, tmp_path: Path
) -> None:
    folder = folders.sparsify(tmp_path / "layers.1", config=change)
    with pytest.raises(InputFileError, match=r"groupmax|signed|embed_skip"):
        load(folder, tiny_model)


def test_a_truncated_sparsify_file_is_an_error_of_its_folder(tiny_model: Any, tmp_path: Path) -> None:
    folder = folders.sparsify(tmp_path / "layers.1")
    path = folder / "sae.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputFileError, match="cannot load the SAE") as caught:
        load(folder, tiny_model)
    assert "sae.safetensors" in caught.value.hint


def test_a_folder_of_no_known_format_says_what_is_known(tiny_model: Any, tmp_path: Path) -> None:
    (tmp_path / "sae").mkdir()
    with pytest.raises(InputFileError, match=r"no cfg.json and no sae_weights.safetensors") as caught:
        load(tmp_path / "sae", tiny_model)
    assert "ae.pt" in caught.value.hint


def test_topk_has_at_most_k_and_exactly_k_of_k_positives(tiny_model: Any, tmp_path: Path, x: Any) -> None:
    import torch

    folder = folders.saelens(tmp_path / "sae", "topk")
    space = load(folder, tiny_model)
    w = folders.weights()
    positives = ((x - w["b_dec"]) @ w["W_enc"] + w["b_enc"] > 0).sum(1)
    active = (space.encode(x) > 0).sum(1)
    assert torch.equal(active, positives.clamp(max=folders.ACTIVE))
    space.sae.b_enc.data.fill_(-1e4)
    space.sae.b_enc.data[:2] = 1e4
    assert torch.equal((space.encode(x) > 0).sum(1), torch.full((len(x),), 2))


@pytest.mark.parametrize("architecture", ["standard", "gated", "jumprelu"])
def test_folding_decoder_norms_keeps_the_reconstruction(
    architecture: str, tiny_model: Any, tmp_path: Path, x: Any
) -> None:
    """W_d / |W_d|, W_e |W_d|, b_e |W_d| and the thresholds with them change no reconstruction."""
    space = load(folders.saelens(tmp_path / "sae", architecture), tiny_model)
    before, latents, norms = space.reconstruct(x), space.encode(x), space.directions().norm(dim=1)
    space.sae.fold_W_dec_norm()
    assert float((space.reconstruct(x) - before).abs().max()) < CLOSE * float(before.abs().max())
    assert float((space.encode(x) - latents * norms).abs().max()) < CLOSE * float((latents * norms).max())
    assert float((space.directions().norm(dim=1) - 1).abs().max()) < CLOSE


def test_a_refused_sae_leaves_the_session_untouched(loaded: Any, sessions: Path, tmp_path: Path) -> None:
    before = tiny.snapshot(sessions / "s")
    for folder in (
        tiny.make_sae(tmp_path / "wide", d_in=64),
        change_config(tiny.make_sae(tmp_path / "keys"), unknown=1),
        folders.dictionary_learning(tmp_path / "ae", "AutoEncoder", config=False),
    ):
        with pytest.raises((InputFileError, MismatchError)):
            loaded(f"sae.load {folder}")
    assert tiny.snapshot(sessions / "s") == before
