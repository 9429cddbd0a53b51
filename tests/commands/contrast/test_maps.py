"""Contrast maps by position and by layer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from commands.render import as_lines
from tests import tiny
from tests.commands.contrast.arrays import activations, artifact
from workbench.errors import UsageError
from workbench.session import SessionRecord
from workbench.stats import contrast_map

pytestmark = pytest.mark.slow


def test_a_map_by_position_tests_every_place_of_the_window(
    wins: Any, sessions: Path, tiny_model: Any, tiny_space: Any
) -> None:
    reply = wins("features.contrast wins window=first width=3 map=position permutations=100 shown=5")
    found = reply["result"]["map"]
    assert found["places"] == ["1", "2", "3"]
    acts = activations(tiny_model, tiny_space, [*tiny.GOOD, *tiny.BAD])
    cells = np.concatenate([np.array([one[place] for one in acts]) for place in range(3)], axis=1)
    expected = contrast_map(cells, np.arange(18) < 9, permutations=100)
    assert found["tested"] == expected.tested
    assert found["family_wise"] == int((expected.p_fwer < 0.05).sum())
    t, p = (values.reshape(3, tiny.LATENTS) for values in (expected.t, expected.p_fwer))
    stored = artifact(sessions, reply["seq"], "map")
    np.testing.assert_allclose(stored["p_fwer"], p, atol=0.011, equal_nan=True)
    for row in found["features"]:
        assert [value is None for value in row["t"]] == np.isnan(t[:, row["index"]]).tolist()
    strongest = np.nanmax(np.where(np.isinf(t), 1e9, np.abs(np.nan_to_num(t))), axis=0)
    assert strongest[[row["index"] for row in found["features"]]].min() >= np.sort(strongest)[-5] - 1e-6


def test_a_map_has_a_figure_for_every_front_end(wins: Any, sessions: Path) -> None:
    reply = wins("features.contrast wins map=layer permutations=50 shown=4")
    assert reply["result"]["map"]["places"] == [f"blocks.{layer}.hook_resid_post" for layer in range(tiny.LAYERS)]
    record = SessionRecord(sessions / "s")
    figures = record.artifact(record.line(reply["seq"]))["figures"]
    (matrix,) = [figure for figure in figures if figure["kind"] == "matrix"]
    assert len(matrix["data"]["rows"]) == 4
    assert all(len(row) == tiny.LAYERS for row in matrix["data"]["values"])
    assert "max-T over all" in matrix["note"]
    assert "decoder direction" in matrix["note"]


def test_a_map_by_layer_says_that_it_does_not_test_the_rankings_activations(wins: Any) -> None:
    reply = wins("features.contrast wins map=layer permutations=20 shown=2")
    made = reply["result"]
    assert "without threshold" in made["map"]["quantity"]
    assert wins("features.map")["result"]["map"]["quantity"] == made["map"]["quantity"]
    assert "without threshold" in " ".join(as_lines(reply, 120))
    by_place = wins("features.contrast wins map=position permutations=20 shown=2")["result"]["map"]
    assert by_place["quantity"] == "the activations at each position alone"
    raw = wins("features.contrast wins sae=raw map=layer permutations=20 shown=2")["result"]["map"]
    assert raw["quantity"] == "the activations at each layer alone"


def test_a_map_of_raw_units_by_layer_reads_each_layer(wins: Any, sessions: Path, tiny_model: Any) -> None:
    reply = wins("features.contrast wins sae=raw map=layer permutations=50 shown=3")
    pooled = []
    for text in (*tiny.GOOD, *tiny.BAD):
        ids = tiny_model.tokenizer(text)["input_ids"]
        states = tiny_model.plain(input_ids=tiny_model.pad([ids])[0], output_hidden_states=True).hidden_states
        pooled.append([states[layer + 1][0, 1:].detach().numpy().mean(axis=0) for layer in range(tiny.LAYERS - 1)])
    cells = np.array(pooled)  # (sentences, layers, units); the last hidden state has gone through the final norm
    expected = contrast_map(cells.reshape(18, -1), np.arange(18) < 9, permutations=50)
    stored = artifact(sessions, reply["seq"], "map")["effect"][: tiny.LAYERS - 1]
    np.testing.assert_allclose(stored, expected.effect.reshape(tiny.LAYERS - 1, tiny.WIDTH), atol=1e-3)


def test_a_stored_map_can_be_read_for_any_feature(wins: Any) -> None:
    reply = wins("features.contrast wins window=first width=2 map=position permutations=50 shown=4")
    wins("features.contrast wins permutations=50")  # a later ranking without a map does not hide it
    found = wins("features.map shown=4")["result"]
    assert {**found["map"], "features": 0} == {**reply["result"]["map"], "features": 0}
    assert [row["index"] for row in found["map"]["features"]] == [
        row["index"] for row in reply["result"]["map"]["features"]
    ]
    named = wins("features.map 5 3")["result"]["map"]["features"]
    assert [row["index"] for row in named] == [5, 3]


@pytest.mark.parametrize(
    ("line", "said"), [("features.map", "no contrast map in this session"), ("features.map ranking={}", "has no map")]
)
def test_a_map_that_is_not_there_is_refused(wins: Any, line: str, said: str) -> None:
    seq = wins("features.contrast wins permutations=50")["seq"]
    with pytest.raises(UsageError, match=said):
        wins(line.format(seq))
