"""Every stream of three architectures: capture and intervention are at one tensor, that of the plain model.

What a stream is on each architecture is written down here by hand, module by module, and read with plain
hooks of torch on a plain Hugging Face model that was loaded on its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests import tiny
from workbench.errors import MismatchError, UnknownNameError
from workbench.models.site import STREAMS, Site, parse_site

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]
MAKERS: dict[str, Callable[[Path], Path]] = {
    "gpt2": tiny.make_model, "llama": tiny.make_llama, "bert": tiny.make_bert,
}  # fmt: skip
MODULES = {
    "gpt2": {
        "hook_resid_post": ("transformer.h.{}", "out"),
        "hook_resid_pre": ("transformer.h.{}", "in"),
        "hook_attn_out": ("transformer.h.{}.attn", "out"),
        "hook_mlp_out": ("transformer.h.{}.mlp", "out"),
        "mlp.hook_post": ("transformer.h.{}.mlp.act", "out"),
    },
    "llama": {
        "hook_resid_post": ("model.layers.{}", "out"),
        "hook_resid_pre": ("model.layers.{}", "in"),
        "hook_attn_out": ("model.layers.{}.self_attn", "out"),
        "hook_mlp_out": ("model.layers.{}.mlp", "out"),
        "mlp.hook_post": ("model.layers.{}.mlp.down_proj", "in"),
    },
    "bert": {
        "hook_resid_post": ("encoder.layer.{}", "out"),
        "hook_resid_pre": ("encoder.layer.{}", "in"),
        "hook_attn_out": ("encoder.layer.{}.attention.output.dense", "out"),
        "hook_mlp_out": ("encoder.layer.{}.output.dense", "out"),
        "mlp.hook_post": ("encoder.layer.{}.intermediate", "out"),
    },
}
CASES = [(name, stream) for name in MODULES for stream in STREAMS]
TEXTS = ["the cat won", "a", "bright sun today again and again in the dark", "a dog lost the prize"]


@dataclass
class Pair:
    """The workbench's model, and the same files loaded by Hugging Face alone."""

    name: str
    ours: Any
    plain: Any

    def run(self, ids: list[int], hooks: dict[tuple[str, str], Callable[[Any], Any]]) -> None:
        """One forward pass; each hook is given the tensor at one end of a module, and may return another."""
        import torch

        handles = [_hook(self.plain.get_submodule(name), end, call) for (name, end), call in hooks.items()]
        try:
            with torch.no_grad():
                self.plain(input_ids=torch.tensor([ids]))
        finally:
            for handle in handles:
                handle.remove()

    def read(self, ids: list[int], site: Site, change: tuple[Site, Callable[[Any], Any]] | None = None) -> Any:
        """(tokens, width) at a site, while another is changed."""
        kept: list[Any] = []
        hooks: dict[tuple[str, str], Callable[[Any], Any]] = {}
        if change is not None:
            hooks[self.place(change[0])] = change[1]
        hooks[self.place(site)] = kept.append
        self.run(ids, hooks)
        return kept[0][0]

    def place(self, site: Site) -> tuple[str, str]:
        module, end = MODULES[self.name][site.stream]
        return module.format(site.layer), end


def _hook(module: Any, end: str, call: Callable[[Any], Any]) -> Any:
    if end == "in":

        def before(_module: Any, args: tuple[Any, ...]) -> Any:
            found = call(args[0])
            return None if found is None else (found, *args[1:])

        return module.register_forward_pre_hook(before)

    def after(_module: Any, _args: Any, output: Any) -> Any:
        found = call(output[0] if isinstance(output, tuple) else output)
        if found is None:
            return None
        return (found, *output[1:]) if isinstance(output, tuple) else found

    return module.register_forward_hook(after)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory, torch_loaded: None) -> dict[str, Pair]:
    from transformers import AutoModel, AutoModelForCausalLM

    from workbench.models.loading import load_model

    made = {}
    for name, make in MAKERS.items():
        folder = make(tmp_path_factory.mktemp(name) / name)
        kind = AutoModel if name == "bert" else AutoModelForCausalLM
        plain = kind.from_pretrained(folder, attn_implementation="eager").eval()
        made[name] = Pair(name, load_model({"ref": str(folder), "device": "cpu"}), plain)
    return made


@pytest.mark.parametrize(("name", "stream"), CASES)
def test_capture_is_the_plain_models_tensor(pairs: dict[str, Pair], name: str, stream: str) -> None:
    pair = pairs[name]
    texts = [pair.ours.tokenize(text) for text in TEXTS]  # of unequal length: run together, padded
    for layer in range(tiny.LAYERS):
        site = Site(layer, stream)
        for text, acts in zip(texts, pair.ours.read(texts, site), strict=True):
            expected = pair.read(list(text.ids), site)
            assert acts.shape == expected.shape == (len(text.ids), pair.ours.site_width(site))
            assert float((acts - expected).abs().max()) < 1e-5


@pytest.mark.parametrize(("name", "stream"), CASES)
def test_an_intervention_changes_the_tensor_that_capture_reads(pairs: dict[str, Pair], name: str, stream: str) -> None:
    import torch

    pair = pairs[name]
    site, last = Site(1, stream), Site(tiny.LAYERS - 1, "hook_resid_post")
    vector = torch.randn(pair.ours.site_width(site), generator=torch.Generator().manual_seed(3))
    text = pair.ours.tokenize(TEXTS[2])
    seen: list[Any] = []

    def change(acts: Any) -> Any:
        seen.append(acts.clone())
        return acts + vector

    changed = pair.ours.read_changed(text.ids, last, site, change)
    expected = pair.read(list(text.ids), last, (site, lambda acts: acts + vector))
    (read,) = pair.ours.read([text], site)
    assert len(seen) == 1
    assert float((seen[0][0] - read).abs().max()) < 1e-5, "the intervention saw another tensor than capture"
    assert float((changed - expected).abs().max()) < 1e-4, "the change went elsewhere"
    assert float((changed - pair.read(list(text.ids), last)).abs().max()) > 1e-2, "nothing was changed"


@pytest.mark.parametrize(("name", "stream"), [case for case in CASES if case[0] != "bert"])
def test_logits_follow_an_intervention_at_every_stream(pairs: dict[str, Pair], name: str, stream: str) -> None:
    import torch

    pair = pairs[name]
    ids = list(pair.ours.tokenize(TEXTS[3]).ids)
    kept: list[Any] = []
    hooks = {pair.place(Site(1, stream)): lambda acts: acts * 1.5, ("lm_head", "out"): kept.append}
    pair.run(ids, hooks)
    steered = pair.ours.logits(ids, Site(1, stream), lambda acts: acts * 1.5)
    assert float((steered - kept[0][0]).abs().max()) < 1e-4
    assert not torch.allclose(steered, pair.ours.logits(ids), atol=1e-3)


@pytest.mark.parametrize(("name", "stream"), CASES)
def test_later_layers_do_not_run(pairs: dict[str, Pair], name: str, stream: str) -> None:
    ours = pairs[name].ours
    ran: list[int] = []
    handles = [
        block.register_forward_pre_hook(lambda *_, layer=layer: ran.append(layer))
        for layer, block in enumerate(ours.blocks)
    ]
    try:
        list(ours.read([ours.tokenize(TEXTS[0])], Site(1, stream)))
    finally:
        for handle in handles:
            handle.remove()
    assert ran == [0, 1]


@pytest.mark.parametrize("name", MODULES)
def test_several_sites_are_read_in_one_pass(pairs: dict[str, Pair], name: str) -> None:
    pair = pairs[name]
    text = pair.ours.tokenize(TEXTS[2])
    sites = [Site(1, "mlp.hook_post"), Site(0, "hook_attn_out"), Site(1, "hook_mlp_out"), Site(0, "hook_resid_post")]
    passes: list[int] = []
    handle = pair.ours.blocks[0].register_forward_pre_hook(lambda *_: passes.append(1))
    try:
        found = pair.ours.read_sites(*pair.ours.pad([text.ids]), sites)
    finally:
        handle.remove()
    assert len(passes) == 1
    assert list(found) == sites
    for site in sites:
        assert float((found[site][0] - pair.read(list(text.ids), site)).abs().max()) < 1e-5


@pytest.mark.parametrize("name", MODULES)
def test_a_site_has_its_own_width(pairs: dict[str, Pair], name: str) -> None:
    neurons = 4 * tiny.WIDTH if name == "gpt2" else tiny.NEURONS
    widths = {stream: pairs[name].ours.site_width(Site(1, stream)) for stream in STREAMS}
    assert widths == {**dict.fromkeys(STREAMS, tiny.WIDTH), "mlp.hook_post": neurons}


def test_marks_around_a_sentence_are_no_text(pairs: dict[str, Pair]) -> None:
    text = pairs["bert"].ours.tokenize("The dog won the prize, again and again!")
    assert text.pieces[0] == "[CLS]"
    assert text.pieces[-1] == "[SEP]"
    assert text.is_text == (False, *[True] * (len(text.ids) - 2), False)
    assert "".join(text.text_pieces) == "The dog won the prize, again and again!"
    assert "[PAD]" not in text.pieces, "its tokenizer file asks for padding to 8, and for cutting there"


def test_reading_an_encoder_leaves_its_tokenizer_alone(pairs: dict[str, Pair]) -> None:
    ours = pairs["bert"].ours
    before = (ours.tokenizer.all_special_ids, len(ours.tokenizer), ours.tokenizer.bos_token)
    assert ours.bridge is ours.bridge
    assert (ours.tokenizer.all_special_ids, len(ours.tokenizer), ours.tokenizer.bos_token) == before


def test_the_bridge_of_an_encoder_shares_its_weights(pairs: dict[str, Pair]) -> None:
    ours = pairs["bert"].ours
    plain = {parameter.data_ptr() for parameter in ours.plain.parameters()}
    assert plain <= {parameter.data_ptr() for parameter in ours.bridge.original_model.parameters()}


def test_an_encoder_says_what_it_cannot_do(pairs: dict[str, Pair]) -> None:
    with pytest.raises(MismatchError, match="predicts no next token") as caught:
        pairs["bert"].ours.logits([2, 5, 3])
    for word in ("Steering", "logits", "quanta"):
        assert word in caught.value.hint


def test_a_stream_that_an_architecture_has_not_is_named_with_those_it_has(pairs: dict[str, Pair]) -> None:
    from transformers import MixtralConfig, MixtralForCausalLM

    from workbench.models.loaded import LoadedModel

    config = MixtralConfig(
        vocab_size=64, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=2,
        intermediate_size=24, num_local_experts=2, pad_token_id=0, bos_token_id=1, eos_token_id=2,
        architectures=["MixtralForCausalLM"],
    )  # fmt: skip
    model = LoadedModel("tiny", MixtralForCausalLM(config).eval(), pairs["gpt2"].ours.tokenizer, {"source": "tiny"})
    with pytest.raises(MismatchError, match=r"blocks\.1\.mlp\.hook_post cannot be found in Mixtral") as caught:
        model.site_width(Site(1, "mlp.hook_post"))
    assert "hook_mlp_out" in caught.value.hint
    assert "hook_post," not in caught.value.hint
    assert model.site_width(Site(1, "hook_mlp_out")) == 16


@pytest.mark.parametrize("stream", STREAMS)
def test_a_stream_is_its_name(stream: str) -> None:
    assert parse_site(f"blocks.1.{stream}", 3) == Site(1, stream)
    assert Site(1, stream).name == f"blocks.1.{stream}"


@pytest.mark.parametrize(("alias", "stream"), [("attn.hook_out", "hook_attn_out"), ("mlp.hook_out", "hook_mlp_out")])
def test_names_of_the_bridge_mean_the_same_streams(alias: str, stream: str) -> None:
    assert parse_site(f"blocks.2.{alias}", 3) == Site(2, stream)


def test_an_unknown_stream_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UnknownNameError) as caught:
        parse_site("blocks.1.attn.hook_pattern", 3)
    for stream in STREAMS:
        assert stream in caught.value.hint
