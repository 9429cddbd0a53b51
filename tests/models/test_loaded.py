"""Reading and changing a model: both views touch the same tensor, and it is that of the plain Hugging Face model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests import tiny
from workbench.errors import InputFileError, MismatchError, UnknownNameError, UsageError
from workbench.models.site import Site, parse_site

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]
TEXTS = ["the cat won", "a", "bright sun today again and again in the dark", "won", "a dog lost the prize", "is"]


def hidden_states(model: Any, ids: list[int]) -> Any:
    """(blocks + 1) of (tokens, width), from the plain model, one text at a time."""
    import torch

    with torch.no_grad():
        out = model.plain(input_ids=torch.tensor([ids]), output_hidden_states=True)
    return [state[0] for state in out.hidden_states]


def plain_logits(model: Any, ids: list[int], change: Any = None, layer: int = 1) -> Any:
    """Logits (tokens, vocabulary) of the plain model, with a plain torch hook on a block's output."""
    import torch

    def hook(_module: Any, _args: Any, output: Any) -> Any:
        return (change(output[0]), *output[1:]) if isinstance(output, tuple) else change(output)

    handle = model.plain.transformer.h[layer].register_forward_hook(hook) if change else None
    try:
        with torch.no_grad():
            return model.plain(input_ids=torch.tensor([ids])).logits[0]
    finally:
        if handle is not None:
            handle.remove()


@pytest.mark.parametrize("batch", [1, 2, 32])
@pytest.mark.parametrize("layer", [0, 1])
def test_capture_is_the_hidden_state_after_the_block(tiny_model: Any, layer: int, batch: int) -> None:
    texts = [tiny_model.tokenize(text) for text in TEXTS]
    found = list(tiny_model.read(texts, Site(layer, "hook_resid_post"), batch))
    assert len(found) == len(TEXTS)
    for text, acts in zip(texts, found, strict=True):
        expected = hidden_states(tiny_model, list(text.ids))[layer + 1]
        assert acts.shape == expected.shape == (len(text.ids), tiny.WIDTH)
        assert float((acts - expected).abs().max()) < 1e-6 * max(1.0, float(expected.abs().max()))


def test_capture_at_the_last_block_comes_before_the_final_norm(tiny_model: Any) -> None:
    text = tiny_model.tokenize(TEXTS[0])
    (acts,) = tiny_model.read([text], Site(tiny.LAYERS - 1, "hook_resid_post"))
    states = hidden_states(tiny_model, list(text.ids))
    normed = tiny_model.plain.transformer.ln_f(acts)
    assert float((normed - states[-1]).abs().max()) < 1e-5  # Hugging Face gives its last one normed


@pytest.mark.parametrize("layer", [0, 2])
def test_capture_before_a_block_is_the_state_before_it(tiny_model: Any, layer: int) -> None:
    texts = [tiny_model.tokenize(text) for text in TEXTS]
    for text, acts in zip(texts, tiny_model.read(texts, Site(layer, "hook_resid_pre")), strict=True):
        expected = hidden_states(tiny_model, list(text.ids))[layer]
        assert float((acts - expected).abs().max()) < 1e-5


def test_texts_come_back_in_the_order_given(tiny_model: Any) -> None:
    texts = [tiny_model.tokenize(text) for text in TEXTS]
    forward = list(tiny_model.read(texts, Site(1, "hook_resid_post"), batch=2))
    backward = list(tiny_model.read(texts[::-1], Site(1, "hook_resid_post"), batch=2))
    for one, other in zip(forward, backward[::-1], strict=True):
        assert float((one - other).abs().max()) < 1e-5
    assert list(tiny_model.read([], Site(1, "hook_resid_post"))) == []


def test_reading_leaves_no_hook_behind(tiny_model: Any) -> None:
    def hooks() -> list[int]:
        return [len(module._forward_hooks) + len(module._forward_pre_hooks) for module in tiny_model.plain.modules()]

    before = hooks()
    for stream in ("hook_resid_post", "hook_resid_pre"):
        list(tiny_model.read([tiny_model.tokenize("the cat")], Site(1, stream)))
    assert hooks() == before


@pytest.mark.parametrize("text", TEXTS)
def test_the_bridge_predicts_what_the_plain_model_predicts(tiny_model: Any, text: str) -> None:
    ids = list(tiny_model.tokenize(text).ids)
    assert float((tiny_model.logits(ids) - plain_logits(tiny_model, ids)).abs().max()) < 1e-4


def test_both_views_share_one_set_of_weights(tiny_model: Any) -> None:
    plain = {parameter.data_ptr() for parameter in tiny_model.plain.parameters()}
    bridge = {parameter.data_ptr() for parameter in tiny_model.bridge.parameters()}
    assert plain <= bridge


@pytest.mark.parametrize("layer", range(tiny.LAYERS))
def test_an_intervention_changes_the_tensor_that_capture_reads(tiny_model: Any, layer: int) -> None:
    import torch

    vector = torch.randn(tiny.WIDTH, generator=torch.Generator().manual_seed(3))
    ids = list(tiny_model.tokenize(TEXTS[2]).ids)
    site = Site(layer, "hook_resid_post")
    seen: list[Any] = []

    def change(acts: Any) -> Any:
        seen.append(acts.clone())
        return acts + vector

    steered = tiny_model.logits(ids, site, change)
    expected = plain_logits(tiny_model, ids, lambda acts: acts + vector, layer)
    assert float((steered - expected).abs().max()) < 1e-4
    assert float((steered - tiny_model.logits(ids)).abs().max()) > 1e-2
    (read,) = tiny_model.read([tiny_model.tokenize(TEXTS[2])], site)
    assert len(seen) == 1
    assert float((seen[0][0] - read).abs().max()) < 1e-5


def test_an_intervention_before_a_block_is_one_after_the_block_before(tiny_model: Any) -> None:
    ids = list(tiny_model.tokenize(TEXTS[2]).ids)
    before = tiny_model.logits(ids, Site(2, "hook_resid_pre"), lambda acts: acts * 1.5)
    after = tiny_model.logits(ids, Site(1, "hook_resid_post"), lambda acts: acts * 1.5)
    assert float((before - after).abs().max()) < 1e-4


def test_an_intervention_is_gone_afterwards_even_after_an_error(tiny_model: Any) -> None:
    import torch

    ids = list(tiny_model.tokenize(TEXTS[0]).ids)
    plain = tiny_model.logits(ids)

    def broken(acts: Any) -> Any:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        tiny_model.logits(ids, Site(1, "hook_resid_post"), broken)
    tiny_model.logits(ids, Site(1, "hook_resid_post"), lambda acts: acts + 1)
    assert torch.equal(tiny_model.logits(ids), plain)


def test_a_hook_that_did_not_run_is_an_error(tiny_model: Any) -> None:
    with (
        pytest.raises(MismatchError, match=r"the hook at blocks\.1\.hook_resid_post did not run"),
        tiny_model.intervention(Site(1, "hook_resid_post"), lambda acts: acts),
    ):
        pass


def test_a_text_longer_than_the_context_is_refused(tiny_model: Any) -> None:
    with pytest.raises(UsageError, match=rf"a sentence has {tiny.CONTEXT + 1} tokens, the model reads {tiny.CONTEXT}"):
        tiny_model.tokenize(" ".join(["the"] * tiny.CONTEXT))
    assert len(tiny_model.tokenize(" ".join(["the"] * (tiny.CONTEXT - 1))).ids) == tiny.CONTEXT


def test_a_text_without_tokens_is_refused(tiny_model: Any) -> None:
    with pytest.raises(UsageError, match="has no tokens"):
        tiny_model.tokenize("")


def test_the_description_is_that_of_the_files(tiny_model: Any, tiny_files: Path) -> None:
    info = tiny_model.info
    assert (info["layers"], info["width"], info["context"]) == (tiny.LAYERS, tiny.WIDTH, tiny.CONTEXT)
    assert info["architecture"] == "GPT2LMHeadModel"
    assert info["causal"] is True
    assert info["parameters"] == sum(p.numel() for p in tiny_model.plain.parameters())
    assert info["sites"] == [f"blocks.{layer}.hook_resid_post" for layer in range(tiny.LAYERS)]


def test_an_encoder_predicts_no_next_token(tiny_model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(tiny_model.info, "causal", False)
    with pytest.raises(MismatchError, match="encoder"):
        tiny_model.logits([1, 2])


@pytest.mark.parametrize("name", ["blocks.1.hook_resid_post", "blocks.0.hook_resid_pre"])
def test_a_site_is_its_name(name: str) -> None:
    assert parse_site(name, 3).name == name


def test_names_of_the_bridge_mean_the_same_sites() -> None:
    assert parse_site("blocks.2.hook_out", 3) == Site(2, "hook_resid_post")
    assert parse_site("blocks.2.hook_in", 3) == Site(2, "hook_resid_pre")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("blocks.3.hook_resid_post", "3 blocks: 0 to 2"),
        ("blocks.1.hook_resid_pst", "blocks.1.hook_resid_post"),
        ("blocks.1.attn.hook_z", "hook_mlp_out"),
        ("blocks.-1.hook_resid_post", "hook_mlp_out"),
        ("xblocks.1.hook_resid_post", "hook_mlp_out"),
        ("blocks.1.hook_resid_post ", "hook_mlp_out"),
        ("1", "hook_mlp_out"),
        ("", "hook_mlp_out"),
    ],
)
def test_a_site_that_is_none_is_named(name: str, hint: str) -> None:
    with pytest.raises(UnknownNameError) as caught:
        parse_site(name, 3)
    assert repr(name) in caught.value.message
    assert hint in caught.value.hint
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("device", ["cuda", "cuda:7", "mps"])
def test_a_device_that_is_not_here_is_named(device: str) -> None:
    import torch

    from workbench.models.loading import pick_device

    if (device.startswith("cuda") and torch.cuda.is_available()) or torch.backends.mps.is_available():
        pytest.skip("this machine has one")
    with pytest.raises(MismatchError, match=repr(device)) as caught:
        pick_device(device)
    assert "cpu" in caught.value.hint
    assert pick_device("auto") == pick_device("cpu") == "cpu"


def test_a_folder_without_the_files_of_a_model_is_named(tiny_files: Path, tmp_path: Path) -> None:
    import shutil

    from workbench.models.loading import load_model

    for missing, says in (("config.json", "no config.json"), ("model.safetensors", "no weights")):
        folder = tmp_path / missing
        shutil.copytree(tiny_files / "model", folder)
        (folder / missing).unlink()
        with pytest.raises(InputFileError, match=says) as caught:
            load_model({"ref": str(folder)})
        assert str(folder) in caught.value.message


@pytest.mark.parametrize("damage", ["truncated weights", "broken config", "broken tokenizer"])
def test_a_damaged_model_is_an_error_of_its_files(tiny_files: Path, tmp_path: Path, damage: str) -> None:
    import shutil

    from workbench.models.loading import load_model

    folder = tmp_path / "model"
    shutil.copytree(tiny_files / "model", folder)
    if damage == "truncated weights":
        content = (folder / "model.safetensors").read_bytes()
        (folder / "model.safetensors").write_bytes(content[: len(content) // 2])
    else:
        (folder / ("config.json" if damage == "broken config" else "tokenizer.json")).write_text("{broken")
    with pytest.raises(InputFileError, match="cannot load the model") as caught:
        load_model({"ref": str(folder), "device": "cpu"})
    assert str(folder) in caught.value.message


@pytest.mark.parametrize("ref", ["./nosuch", "/nosuch", "~/nosuch", "a/b/c", ""])
def test_a_path_that_is_not_there_is_no_name_on_a_hub(ref: str) -> None:
    from workbench.models.reference import resolve

    with pytest.raises(UnknownNameError, match="no model folder"):
        resolve(ref)
