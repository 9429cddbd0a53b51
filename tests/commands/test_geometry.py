"""`geometry.*`: energies beside their nulls and known shapes, on the tiny model and on no model at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import tiny
from workbench.errors import UnknownNameError, UsageError
from workbench.geometry import cosine_gram, energy, simplex_energy

FIVE = {word: [f"the {word} {verb} {thing}" for verb in ("won", "lost", "is") for thing in ("prize", "game")]
        for word in ("cat", "dog", "sun", "moon", "prize")}  # fmt: skip


@pytest.fixture
def five(loaded: Any, tmp_path: Path) -> Any:
    loaded(f"stimuli.import {tiny.write_stimuli(tmp_path / 'five.json', FIVE)}")
    return loaded


def means(model: Any, layer: int) -> np.ndarray:
    rows = []
    for texts in FIVE.values():
        pooled = []
        for text in texts:
            ids = model.pad([model.tokenizer(text)["input_ids"]])[0]
            states = model.plain(input_ids=ids, output_hidden_states=True).hidden_states[layer]
            pooled.append(states[0, 1:].detach().double().numpy().mean(axis=0))
        rows.append(np.mean(pooled, axis=0))
    return np.array(rows) - np.mean(rows, axis=0)


def test_class_means_and_their_energy_are_those_of_the_plain_model(five: Any, tiny_model: Any) -> None:
    result = five("geometry.energy five draws=5 restarts=1")["result"]
    assert result["places"][0]["place"] == "blocks.0.hook_resid_pre"
    for layer, row in enumerate(result["places"][:3]):
        vectors = means(tiny_model, layer)
        np.testing.assert_allclose(row["gram"], cosine_gram(vectors), atol=1e-4)
        units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        assert row["energy"] == pytest.approx(energy(units, "exp"), rel=1e-5)
    assert result["references"]["simplex"] == pytest.approx(simplex_energy(5, "exp"))
    assert result["references"]["cross-polytope"] is None  # of an odd number there is none


def test_shuffled_labels_make_a_simplex_of_probes_and_shuffled_coordinates_do_not(five: Any) -> None:
    row = five("geometry.energy five of=probes site=blocks.1.hook_resid_post draws=10")["result"]["places"][0]
    assert row["label_shuffle"]["cosine_mean"] == pytest.approx(-1 / 4, abs=0.03)
    assert abs(row["coordinate_shuffle"]["cosine_mean"]) < 0.1


def test_coincident_directions_have_a_status_and_their_names(five: Any) -> None:
    said = "geometry.energy of=decoder features=3 features=7 features=9 features=3"
    row = five(f"{said} kernel=log")["result"]["places"][0]
    assert row["status"] == "coincident"
    assert "0 (#3) and 3 (#3)" in row["why"]
    assert row["energy"] is None
    assert five(said)["result"]["places"][0]["status"] == "ok"  # exp does not mind
    with pytest.raises(UsageError, match="has no Gram"):
        five("geometry.energy of=decoder features=3 features=7 features=3 kernel=riesz s=1")
        five("geometry.match latest")


def test_means_where_features_fire(five: Any) -> None:
    firing = five("features.maxact five top=4")["result"]["rows"]
    wanted = " ".join(f"features={row['index']}" for row in firing)
    result = five(f"geometry.energy five {wanted} draws=3 restarts=1")["result"]
    assert result["names"] == [f"#{row['index']}" for row in firing]
    assert len(result["places"]) == 1 + tiny.LAYERS
    with pytest.raises(UsageError, match="classes"):
        five(f"geometry.energy five of=probes {wanted}")


def test_weights_are_uniform_without_the_energy_whatever_the_data(five: Any) -> None:
    result = five("geometry.energy five site=blocks.1.hook_resid_post weights=softmax share=5 draws=2 dims=4")["result"]
    published, own = result["fits"]
    assert published["energy_share"] == 0
    assert published["logit_largest"] < 1e-6
    assert own["logit_largest"] > 1e-4
    assert sum(own["weights"]) == pytest.approx(1)
    assert "left the energy out" in result["remark"]


def test_after_a_push_the_curve_stands_beside_its_constant(five: Any) -> None:
    said = "geometry.energy five site=blocks.1.hook_resid_post perturb=true sigmas=0.01 sigmas=0.4 draws=2 dims=4"
    curve = five(said)["result"]["curve"]
    assert curve["simplex_cost"] == pytest.approx(0.04472, abs=1e-5)
    assert len(curve["cost"]) == 2
    assert curve["fit_cost"] < 1e-4  # five vectors fit in four dimensions


@pytest.mark.parametrize(
    ("line", "dims", "known"),
    [
        ("geometry.optimum 4 dims=3", 3, 4 * np.e + 12 * np.exp(-1 / 3)),
        ("geometry.optimum 6 dims=3 kernel=riesz s=1", 3, 6 * (0.5 + 4 / np.sqrt(2))),  # Thomson: the octahedron
        ("geometry.optimum 5 dims=2 kernel=log", 2, -5 * np.log(5)),
    ],
)
def test_least_energies_are_the_closed_forms(do: Any, line: str, dims: int, known: float) -> None:
    do("session.new s", None)
    row = do(line)["result"]["optima"][0]
    assert row["dims"] == dims
    assert row["energy"] == pytest.approx(known, rel=1e-6)
    assert row["known"] == pytest.approx(known, rel=1e-9)
    assert row["largest_cosine"] >= row["welch"] - 1e-6


def test_too_few_dimensions_have_a_status(do: Any) -> None:
    do("session.new s", None)
    row = do("geometry.optimum 5 dims=1 kernel=log")["result"]["optima"][0]
    assert "coincide" in row["status"]
    assert row["energy"] is None
    with pytest.raises(UsageError, match="riesz needs an exponent"):
        do("geometry.optimum 5 kernel=riesz")


def test_a_gram_matches_itself_and_the_simplex_is_never_made_worse(five: Any) -> None:
    line = five("geometry.energy five draws=2 restarts=1")
    number = five("session.show")["result"]["log"][-1]["seq"]
    itself = five(f"geometry.match {number} {number}")["result"]
    assert itself["cost"] == pytest.approx(0, abs=1e-9)
    assert itself["exact"] is True
    assert all(first == second for first, second in itself["pairs"])
    other = five(f"geometry.match {number}:blocks.0.hook_resid_pre optimum:2")["result"]
    assert other["cost"] <= other["start_cost"] + 1e-12
    with pytest.raises(UnknownNameError, match="'12' names a line of the log, and line 12 measured") as caught:
        five("geometry.match 12 simplex")
    assert f"Lines that did: {number}, or `latest`." in caught.value.hint
    assert "workbench geometry optimum 12" in caught.value.hint
    with pytest.raises(UnknownNameError, match="no Gram"):
        five(f"geometry.match {number} sphere")
    assert line["result"]["matched"]


def test_nothing_to_compare_is_refused(five: Any) -> None:
    for line, said in (
        ("geometry.energy", "no stimulus set"),
        ("geometry.energy of=decoder", "no features"),
        ("geometry.energy of=decoder features=1 features=2", "2 directions"),
    ):
        with pytest.raises(UsageError, match=said):
            five(line)


def test_the_latest_gram_is_asked_for_again_each_time(five: Any) -> None:
    five("geometry.energy five site=blocks.0.hook_resid_post draws=2 dims=4 restarts=1")
    first = five("geometry.match latest simplex")["result"]
    five("geometry.energy five site=blocks.1.hook_resid_post draws=2 dims=4 restarts=1")
    assert five("geometry.match latest simplex")["result"]["cost"] != first["cost"]
