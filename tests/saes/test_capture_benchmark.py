"""What the capture benchmark compares with: the plain model cut off behind a block gives what is captured there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks.capture import bar, batches, cut_off, row
from tests import tiny
from workbench.models.site import Site

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]


@pytest.mark.parametrize("make", [tiny.make_model, tiny.make_llama, tiny.make_bert])
@pytest.mark.parametrize("layer", [0, tiny.LAYERS - 1])
def test_the_bare_pass_ends_with_what_is_captured(torch_loaded: None, tmp_path: Path, make: Any, layer: int) -> None:
    import torch

    from workbench.models.loading import load_model

    model = load_model({"ref": str(make(tmp_path / "model")), "device": "cpu"})
    before = [name for name, _ in model.plain.named_modules()]
    short = cut_off(model, layer + 1)
    ids, mask = next(batches(model, 100))
    with torch.no_grad():
        bare = short(input_ids=ids, attention_mask=mask, use_cache=False).last_hidden_state
    assert torch.allclose(bare, model.read_ids(ids, mask, Site(layer, "hook_resid_post")), atol=1e-5)
    assert [name for name, _ in model.plain.named_modules()] == before, "the model itself was cut"


def test_a_ratio_is_the_median_of_the_pairs() -> None:
    found = row("encode x", [(1.0, 1.0), (1.0, 1.2), (2.0, 10.0)], 30)
    assert found["ratio"] == 1.2
    assert (found["bare_tokens_s"], found["tokens_s"]) == (8, 2)
    assert bar(found, 1.1) == {
        "name": "encode x, times the bare product", "value": 1.2, "limit": 1.1, "holds": False,
    }  # fmt: skip
