"""Feature spaces: an SAE encodes as SAELens does and as its formula says; one that does not fit is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests import tiny
from workbench.errors import InputFileError, MismatchError, UnknownNameError
from workbench.saes.ids import feature_id, feature_index

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]


def load(ref: str | Path, model: Any, site: str = "", expected: str | None = None) -> Any:
    from workbench.saes.space import load_space

    return load_space(str(ref), site, model, expected)


@pytest.fixture
def acts(tiny_model: Any, tiny_space: Any) -> Any:
    texts = [tiny_model.tokenize(text) for text in (*tiny.GOOD, *tiny.BAD)]
    import torch

    return torch.cat(list(tiny_model.read(texts, tiny_space.site)))  # (tokens, units)


def test_encoding_is_the_formula(tiny_space: Any, tiny_files: Path, acts: Any) -> None:
    import torch
    from safetensors.torch import load_file

    w = load_file(tiny_files / "sae" / "sae_weights.safetensors")
    scores = ((acts - w["b_dec"]) @ w["W_enc"] + w["b_enc"]) * w["W_dec"].norm(dim=1)
    top = scores.topk(tiny.ACTIVE, dim=1)
    expected = torch.zeros_like(scores).scatter(1, top.indices, top.values.clamp(min=0))
    found = tiny_space.encode(acts)
    assert found.shape == (len(acts), tiny.LATENTS)
    assert float((found - expected).abs().max()) < 1e-4
    assert int((found > 0).sum(dim=1).max()) <= tiny.ACTIVE


def test_encoding_is_that_of_saelens(tiny_space: Any, tiny_files: Path, acts: Any) -> None:
    import torch
    from sae_lens import SAE

    sae = SAE.load_from_disk(str(tiny_files / "sae"), device="cpu")
    with torch.no_grad():
        expected = sae.encode(acts)
    assert torch.equal(tiny_space.encode(acts), expected.to_dense() if expected.is_sparse else expected)
    assert torch.equal(tiny_space.directions(), sae.W_dec.detach())


def test_encoding_takes_any_leading_dimensions(tiny_space: Any, acts: Any) -> None:
    block = acts[:12].reshape(3, 4, tiny.WIDTH)
    assert tiny_space.encode(block).shape == (3, 4, tiny.LATENTS)
    assert float((tiny_space.encode(block).reshape(12, -1) - tiny_space.encode(acts[:12])).abs().max()) < 1e-5


def test_the_space_says_what_it_is(tiny_space: Any) -> None:
    assert tiny_space.name == f"model/{tiny.SITE}/sae"
    assert tiny_space.site.name == tiny.SITE
    assert (tiny_space.info["units"], tiny_space.info["architecture"]) == ("latents", "topk")
    assert tiny_space.info["digest"].startswith("sha256:")


def test_raw_units_are_the_activations(tiny_model: Any, acts: Any) -> None:
    import torch

    space = load("raw", tiny_model, "blocks.2.hook_resid_post")
    assert torch.equal(space.encode(acts), acts)
    assert torch.equal(space.directions(), torch.eye(tiny.WIDTH))
    assert (space.width, space.info["units"]) == (tiny.WIDTH, "raw")


def test_raw_units_are_of_the_middle_unless_a_site_is_named(tiny_model: Any) -> None:
    assert load("raw", tiny_model).site.name == f"blocks.{tiny_model.layers // 2}.hook_resid_post"
    with pytest.raises(UnknownNameError, match="'blocks.7.hook_resid_post'"):  # noqa: RUF043
        load("raw", tiny_model, "blocks.7.hook_resid_post")


def test_another_width_is_refused(tiny_model: Any, tmp_path: Path) -> None:
    folder = tiny.make_sae(tmp_path / "wide", d_in=64)
    with pytest.raises(MismatchError, match=r"reads 64 units, .* has 32") as caught:
        load(folder, tiny_model)
    assert caught.value.exit_code == 2
    assert str(folder) in caught.value.message


@pytest.mark.parametrize("hook", ["blocks.3.hook_resid_post", "blocks.0.attn.hook_pattern", "transformer.h.0"])
def test_another_site_is_refused(tiny_model: Any, tmp_path: Path, hook: str) -> None:
    folder = tiny.make_sae(tmp_path / "sae", hook_name=hook)
    with pytest.raises(MismatchError) as caught:
        load(folder, tiny_model)
    assert repr(hook) in caught.value.message


def test_no_site_is_refused(tiny_model: Any, tmp_path: Path) -> None:
    with pytest.raises(MismatchError, match="does not say its site"):
        load(tiny.make_sae(tmp_path / "sae", hook_name=None), tiny_model)


@pytest.mark.parametrize("missing", ["cfg.json", "sae_weights.safetensors"])
def test_a_missing_file_is_named(tiny_model: Any, tmp_path: Path, missing: str) -> None:
    folder = tiny.make_sae(tmp_path / "sae")
    (folder / missing).unlink()
    with pytest.raises(InputFileError, match=missing) as caught:
        load(folder, tiny_model)
    assert str(folder) in caught.value.message


@pytest.mark.parametrize("damage", ["truncated", "no weights", "another shape", "broken cfg", "no architecture"])
def test_a_damaged_sae_is_an_error_of_its_files(tiny_model: Any, tmp_path: Path, damage: str) -> None:
    folder = tiny.make_sae(tmp_path / "sae")
    weights, config = folder / "sae_weights.safetensors", folder / "cfg.json"
    if damage == "truncated":
        weights.write_bytes(weights.read_bytes()[:500])
    elif damage == "no weights":
        weights.write_bytes(b"")
    elif damage == "broken cfg":
        config.write_text("{broken")
    else:
        content = json.loads(config.read_text())
        content |= {"d_sae": 50} if damage == "another shape" else {"architecture": "nosuch"}
        config.write_text(json.dumps(content))
    with pytest.raises(InputFileError, match="cannot load the SAE") as caught:
        load(folder, tiny_model)
    assert str(folder) in caught.value.message
    assert caught.value.hint
    assert damage != "another shape" or "size mismatch" in caught.value.message


@pytest.mark.parametrize("part", ["W_enc", "W_dec", "b_enc", "b_dec"])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused(tiny_model: Any, tmp_path: Path, part: str, value: float) -> None:
    from safetensors.torch import load_file, save_file

    folder = tiny.make_sae(tmp_path / "sae")
    weights = load_file(folder / "sae_weights.safetensors")
    weights[part].view(-1)[3] = value
    save_file(weights, folder / "sae_weights.safetensors")
    with pytest.raises(InputFileError, match=rf"NaN or infinite weights .{part}"):
        load(folder, tiny_model)


def test_files_that_are_not_the_recorded_ones_are_refused(tiny_model: Any, tmp_path: Path) -> None:
    folder = tiny.make_sae(tmp_path / "sae")
    digest = load(folder, tiny_model).info["digest"]
    assert load(folder, tiny_model, expected=digest).info["digest"] == digest
    tiny.make_sae(folder, seed=9)
    with pytest.raises(InputFileError, match="is not the one of this session"):
        load(folder, tiny_model, expected=digest)


def test_an_sae_that_was_trained_here_has_a_name(
    tiny_model: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "home"))
    tiny.make_sae(tmp_path / "home" / "saes" / "mine")
    assert load("mine", tiny_model).info["ref"] == "mine"
    with pytest.raises(UnknownNameError) as caught:
        load("mime", tiny_model)
    assert "trained here (mine)" in caught.value.hint


def test_a_site_can_be_given_where_the_files_name_it_in_another_tools_words(tiny_model: Any, tmp_path: Path) -> None:
    folder = tiny.make_sae(tmp_path / "sae")
    config = folder / "cfg.json"
    site, hook = json.loads(config.read_text())["metadata"]["hook_name"], "transformer.h.0"
    config.write_text(config.read_text().replace(site, hook))
    with pytest.raises(MismatchError, match=hook) as caught:
        load(folder, tiny_model)
    assert "--site" in caught.value.hint
    space = load(folder, tiny_model, site)
    assert (space.site.name, space.info["site_given"]) == (site, True)


@pytest.mark.parametrize("ref", ["./nosuch", "/nosuch/sae", "nosuch", "~/nosuch"])
def test_an_sae_that_is_not_there_is_named(tiny_model: Any, ref: str) -> None:
    with pytest.raises(UnknownNameError, match=repr(ref)):
        load(ref, tiny_model)


@pytest.mark.parametrize("text", ["m/s/sae#7", "#7", "7"])
def test_forms_of_an_id(text: str) -> None:
    assert feature_index(text, "m/s/sae", 10) == 7
    assert feature_index(feature_id("m/s/sae", 7), "m/s/sae", 10) == 7


@pytest.mark.parametrize(
    "text", ["10", "-1", "x/s/sae#7", "m/s/sae#10", "", "#", "7.0", "seven", "m/s/sae", "\u00b2", "٣"]
)
def test_an_id_that_means_nothing_is_named(text: str) -> None:
    with pytest.raises(UnknownNameError, match="feature") as caught:
        feature_index(text, "m/s/sae", 10)
    assert repr(text) in caught.value.message
    assert "m/s/sae#0 to #9" in caught.value.hint


def test_a_list_where_one_feature_is_asked_for_is_told_so() -> None:
    with pytest.raises(UnknownNameError, match="one feature is asked for, not '3,4'"):
        feature_index("3,4", "m/s/sae", 10)


def test_a_cached_release_needs_no_network(
    tiny_model: Any, tiny_files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants
    from sae_lens.loading.pretrained_saes_directory import get_pretrained_saes_directory

    release = get_pretrained_saes_directory()["gpt2-small-res-jb"]
    sae_id, folder = next(iter(release.saes_map.items()))
    repo = tmp_path / f"models--{release.repo_id.replace('/', '--')}"
    (repo / "refs").mkdir(parents=True)
    (repo / "refs" / "main").write_text("c0ffee")
    cached = repo / "snapshots" / "c0ffee" / folder
    cached.parent.mkdir(parents=True)
    shutil.copytree(tiny_files / "sae", cached)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a connection was made")

    monkeypatch.setattr("socket.socket.connect", refuse)
    found = load(f"gpt2-small-res-jb/{sae_id}", tiny_model, tiny.SITE)
    assert found.width == tiny.LATENTS
    assert constants.HF_HUB_OFFLINE is False
