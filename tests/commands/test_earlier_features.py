"""A feature of an SAE that the session had loaded before is shown with the index of that SAE."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests import tiny
from workbench.errors import UnknownNameError


def test_a_feature_of_an_earlier_sae_is_shown_beside_one_of_the_loaded(loaded: Any, tmp_path: Path) -> None:
    text = tmp_path / "games.txt"
    text.write_text("\n".join([*tiny.GOOD, *tiny.BAD]))
    loaded(f"corpus.import {text}")
    loaded("index.build games")
    first = loaded("features.show 3")["result"]
    loaded("labels.set 3 winning")
    loaded("sae.load raw")
    ours = loaded("features.show 3")["result"]
    assert ours["space"] != first["space"]
    assert ours["corpus"] is None, "the loaded features have no index yet"
    again = loaded(f"features.show '{first['feature']}'")["result"]
    assert again["space"] == first["space"]
    assert again["corpus"] == first["corpus"]
    assert again["logits"] == first["logits"]
    assert again["label"]["text"] == "winning"
    with pytest.raises(UnknownNameError, match="of another space"):
        loaded("features.show 'model/blocks.9.hook_resid_post/other#1'")
    loaded("session.undo")
    assert loaded("features.show 3")["result"]["corpus"] == first["corpus"], "the earlier SAE is loaded again"
