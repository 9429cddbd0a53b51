"""The sanity gate: silent on the sound SAE, and each alarm fires on one spoiled in that one way."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests import tiny
from workbench.errors import InputFileError

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]
TOKENS = 4000
Spoil = Callable[[Any], Any]


@pytest.fixture(scope="module")
def demo_model(torch_loaded: None) -> Any:
    from workbench.models.loading import load_model

    return load_model({"ref": "demo", "device": "cpu"})


@pytest.fixture(scope="module")
def demo_space(demo_model: Any) -> Any:
    from workbench.saes.space import load_space

    return load_space("demo", "", demo_model)


@pytest.fixture(scope="module")
def texts() -> list[str]:
    """Documents that neither the demo model nor its SAE was trained on."""
    from workbench.demo.corpus import document
    from workbench.demo.measure import HELD_OUT_SEED

    return [document(HELD_OUT_SEED, number).text for number in range(150)]


@pytest.fixture
def report(demo_model: Any, demo_space: Any, texts: list[str]) -> Callable[[Spoil | None], Any]:
    """The gate's report on the demo SAE, spoiled or not."""
    import torch

    from workbench.saes.gate import check

    def on(spoil: Spoil | None = None) -> Any:
        space = replace(demo_space, sae=copy.deepcopy(demo_space.sae))
        with torch.no_grad():
            space = (spoil(space) or space) if spoil else space
        return check(demo_model, space, texts, tokens=TOKENS)

    return on


def names(report: Any) -> set[str]:
    return {alarm["name"] for alarm in report.alarms}


def test_the_sound_sae_passes_and_its_numbers_are_those_of_the_card(report: Any) -> None:
    found = report()
    assert found.passed
    assert found.alarms == []
    assert found.skipped == []
    numbers = found.numbers
    assert TOKENS <= numbers["tokens"] < TOKENS + 128
    assert numbers["l0"] == pytest.approx(16.0, abs=0.01)  # topk with k = 16
    assert numbers["fvu"] < 0.02
    assert numbers["ce"]["recovered"] > 0.99
    assert numbers["shrinkage"] == pytest.approx(1.0, abs=0.02)
    assert numbers["scale"]["best"] == 1.0
    assert numbers["decoder_norm"]["min"] == pytest.approx(1.0, abs=1e-4)
    assert sum(row["share"] for row in numbers["density"]) == pytest.approx(1.0)
    assert numbers["density"][0]["share"] == numbers["dead"]


def at_layer(layer: int) -> Spoil:
    from workbench.models.site import Site

    return lambda space: replace(space, site=Site(layer, "hook_resid_post"))


def scale_left_out(scale: float) -> Spoil:
    """An SAE trained on `scale` times the activations, used on the activations: f(x) = g(x / scale)."""

    def spoil(space: Any) -> None:
        space.sae.W_enc.data /= scale
        space.sae.W_dec.data *= scale
        space.sae.b_dec.data *= scale

    return spoil


def decoder_norms_lost(low: float, high: float) -> Spoil:
    """An SAE whose decoder directions had these lengths until they alone were divided by them."""

    def spoil(space: Any) -> None:
        import torch

        lengths = low + (high - low) * torch.rand(space.width, generator=torch.Generator().manual_seed(0))
        space.sae.cfg.rescale_acts_by_decoder_norm = False
        space.sae.W_enc.data /= lengths
        space.sae.b_enc.data /= lengths

    return spoil


def without_bos(space: Any) -> None:
    space.sae.cfg.metadata = copy.deepcopy(space.sae.cfg.metadata)
    space.sae.cfg.metadata.prepend_bos = False


def not_sparse(space: Any) -> None:
    space.sae.activation_fn.k = 200
    space.sae.b_enc.data += 1000  # all of them positive


def silenced(space: Any) -> None:
    space.sae.b_enc.data[:300] = -1e6


def shrunk(space: Any) -> None:
    space.sae.W_dec.data *= 0.5 + 0.2 * (space.sae.b_enc > space.sae.b_enc.median())[:, None]  # no common length


def random_encoder(space: Any) -> None:
    import torch

    space.sae.W_enc.data = torch.randn(space.sae.W_enc.shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("spoil", "alarm"),
    [
        (at_layer(0), "wrong_layer"),
        (at_layer(2), "wrong_layer"),
        (at_layer(3), "wrong_layer"),
        (scale_left_out(1 / 11), "input_scale"),
        (scale_left_out(0.5), "input_scale"),
        (scale_left_out(4.0), "input_scale"),
        (decoder_norms_lost(0.3, 0.3), "decoder_norm"),
        (decoder_norms_lost(2.0, 2.0), "decoder_norm"),
        (decoder_norms_lost(0.1, 1.0), "decoder_norm"),
        (without_bos, "bos"),
        (not_sparse, "dense"),
        (silenced, "dead"),
        (shrunk, "shrinkage"),
        (random_encoder, "reconstruction"),
        (random_encoder, "ce"),
    ],
)
def test_an_alarm_fires_on_an_sae_spoiled_in_that_way(report: Any, spoil: Spoil, alarm: str) -> None:
    found = report(spoil)
    assert not found.passed
    assert alarm in names(found)
    causes = {"wrong_layer", "input_scale", "decoder_norm", "bos"}
    assert names(found) & causes <= {alarm}, "another cause is named"
    assert all(item["message"] and item["hint"] for item in found.alarms)


def test_the_wrong_layer_is_answered_with_the_right_one(report: Any) -> None:
    (alarm,) = (alarm for alarm in report(at_layer(2)).alarms if alarm["name"] == "wrong_layer")
    assert "blocks.1.hook_resid_post" in alarm["hint"]


def test_the_lost_scale_is_found(report: Any) -> None:
    assert report(scale_left_out(0.25)).numbers["scale"]["best"] == 0.25


def test_a_jump_in_fvu_after_normalising_the_decoder_alone(report: Any) -> None:
    spoiled = report(decoder_norms_lost(0.1, 1.0)).numbers
    assert spoiled["fvu"] > 50 * report().numbers["fvu"]
    assert spoiled["gains"]["quartiles"][0] < 0.5 < 1.0  # the lengths that were divided out


def test_bos_is_judged_by_fit_where_the_sae_does_not_say(report: Any) -> None:
    def silent(space: Any) -> None:
        without_bos(space)
        space.sae.cfg.metadata.prepend_bos = None

    found = report(silent)
    assert found.passed
    assert found.numbers["bos"]["fvu"] < found.numbers["bos"]["fvu_other"]


def test_the_numbers_are_their_formulas(tiny_model: Any, tiny_space: Any) -> None:
    import torch

    from workbench.saes.gate import check

    texts = [*tiny.GOOD, *tiny.BAD]
    numbers = check(tiny_model, tiny_space, texts, tokens=10_000).numbers
    read = [tiny_model.tokenize(text) for text in texts]
    x = torch.cat(
        [
            acts[torch.tensor(text.is_text)]
            for text, acts in zip(read, tiny_model.read(read, tiny_space.site), strict=True)
        ]
    ).double()
    sae = tiny_space.sae
    with torch.no_grad():
        latents = sae.encode(x.float())
        made = sae.decode(latents).double()
    assert numbers["tokens"] == len(x)
    assert numbers["documents"] == len(texts)
    assert numbers["l0"] == pytest.approx(float((latents > 0).sum() / len(x)))
    assert numbers["dead"] == pytest.approx(float((latents > 0).any(0).logical_not().double().mean()))
    assert numbers["fvu"] == pytest.approx(float(((made - x) ** 2).sum() / ((x - x.mean(0)) ** 2).sum()), rel=1e-5)
    centred, ours = x - x.mean(0), made - x.mean(0)
    assert numbers["shrinkage"] == pytest.approx(float((ours**2).sum() / (ours * centred).sum()), rel=1e-5)
    norms = sae.W_dec.detach().norm(dim=1)
    assert numbers["decoder_norm"]["min"] == pytest.approx(float(norms.min()))
    assert numbers["decoder_norm"]["max"] == pytest.approx(float(norms.max()))


def test_ce_recovered_is_that_of_plain_hooks(demo_model: Any, demo_space: Any, texts: list[str]) -> None:
    import torch

    from workbench.saes.faithfulness import take
    from workbench.saes.spliced import recovered

    sample = take(demo_model, texts[:8], 10_000)
    mean = torch.linspace(-1, 1, 128)
    found = recovered(demo_model, demo_space, sample, mean)
    expected = [_plain_loss(demo_model, sample, change) for change in (None, demo_space.reconstruct, lambda _: mean)]
    for ours, theirs in zip((found.clean, found.sae, found.mean), expected, strict=True):
        assert ours == pytest.approx(theirs, rel=1e-4)
    clean, sae, ablated = expected
    assert found.share == pytest.approx((ablated - sae) / (ablated - clean), rel=1e-4)


def _plain_loss(model: Any, sample: Any, change: Any) -> float:
    """Mean loss of the plain model, one text at a time, with a torch hook on the block."""
    import torch

    total, count = 0.0, 0
    for row in sample.rows:
        ids = torch.tensor([row])
        text = torch.tensor([token not in sample.special for token in row])[None, :, None]

        def hook(_module: Any, _args: Any, output: Any, text: Any = text) -> Any:
            acts = output[0] if isinstance(output, tuple) else output
            made = torch.where(text, change(acts), acts)
            return (made, *output[1:]) if isinstance(output, tuple) else made

        handle = model.plain.transformer.h[1].register_forward_hook(hook) if change else None
        with torch.no_grad():
            logits = model.plain(input_ids=ids).logits[0]
        if handle:
            handle.remove()
        total += float(torch.nn.functional.cross_entropy(logits[:-1], ids[0, 1:], reduction="sum"))
        count += len(row) - 1
    return total / count


def test_blocks_of_any_size_give_the_same_sums(
    demo_model: Any, demo_space: Any, texts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from workbench.saes import faithfulness

    sample = faithfulness.take(demo_model, texts[:20], 600)
    whole = faithfulness.totals(demo_model, demo_space, sample, lambda *_: None)
    monkeypatch.setattr(faithfulness, "ENTRIES", 512 * 7)
    monkeypatch.setattr(faithfulness, "ROWS", 3)
    parts = faithfulness.totals(demo_model, demo_space, sample, lambda *_: None)
    assert parts.tokens == whole.tokens
    assert math.isclose(parts.fvu, whole.fvu, rel_tol=1e-4)
    assert math.isclose(parts.shrinkage, whole.shrinkage, rel_tol=1e-4)


def test_density_counts_latents_by_half_decades() -> None:
    import torch

    from workbench.saes.faithfulness import density

    rows = density(torch.tensor([0.0, 1.0, 40.0, 1000.0]), 1000)  # densities 0, 0.001, 0.04, 1
    assert rows[0] == {"from": 0.0, "share": 0.25}
    filled = {round(math.log10(row["from"]), 1) for row in rows[1:] if row["share"] == 0.25}
    assert filled == {-3.0, -1.5, -0.5}


def test_raw_units_have_nothing_to_check(tiny_model: Any) -> None:
    from workbench.saes.gate import check
    from workbench.saes.space import load_space

    found = check(tiny_model, load_space("raw", tiny.SITE, tiny_model), ["the cat"])
    assert found.passed
    assert found.skipped[0]["name"] == "gate"


def test_an_encoder_has_no_loss_to_recover(tiny_model: Any, tiny_space: Any) -> None:
    from workbench.saes.gate import check

    encoder = replace(tiny_model, info={**tiny_model.info, "causal": False})
    found = check(encoder, tiny_space, tiny.GOOD)
    assert found.numbers["ce"] is None
    assert {"name": "ce", "reason": "an encoder predicts no next token"} in found.skipped


def test_no_text_is_an_error(tiny_model: Any, tiny_space: Any) -> None:
    from workbench.saes.gate import check

    with pytest.raises(InputFileError, match="no text"):
        check(tiny_model, tiny_space, [""])


def test_every_block_can_be_cancelled(tiny_model: Any, tiny_space: Any) -> None:
    from workbench.errors import Cancelled
    from workbench.saes.gate import check

    def stop(*_: Any) -> None:
        raise Cancelled("cancelled")

    with pytest.raises(Cancelled):
        check(tiny_model, tiny_space, tiny.GOOD, tick=stop)
