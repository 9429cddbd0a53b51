"""A factorial `features.contrast`: main effects and the interaction."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.commands.contrast.arrays import activations
from workbench.errors import UnknownNameError, UsageError

pytestmark = pytest.mark.slow


def test_a_factorial_ranking_is_of_the_interaction_and_tells_all_three(crossed: Any) -> None:
    result = crossed("features.contrast cross design=factorial permutations=100 top=500")["result"]
    assert [effect["name"] for effect in result["effects"]] == ["outcome", "animal", "outcome x animal"]
    assert result["effect"] == "outcome x animal"
    assert result["factors"] == {"outcome": ["lose", "win"], "animal": ["cat", "dog"]}
    head = result["effects"][2]
    assert head["discoveries"] == result["discoveries"]
    assert [row["index"] for row in head["best"]] == [row["index"] for row in result["rows"][:5]]


def test_the_main_effect_is_the_mean_of_its_simple_effects(crossed: Any, tiny_model: Any, tiny_space: Any) -> None:
    result = crossed("features.contrast cross factor=outcome permutations=100 top=500")["result"]
    lines = crossed("stimuli.show cross limit=100")["result"]["rows"]
    pooled = np.array([one.mean(axis=0) for one in activations(tiny_model, tiny_space, [row["text"] for row in lines])])
    cell = {
        name: pooled[[row["category"] == name for row in lines]].mean(axis=0)
        for name in ("win-cat", "win-dog", "lose-cat", "lose-dog")
    }
    expected = (cell["win-cat"] + cell["win-dog"] - cell["lose-cat"] - cell["lose-dog"]) / 2
    assert (result["positive"], result["against"]) == ("outcome win", "outcome lose")
    for row in result["rows"]:
        assert row["effect"] == pytest.approx(expected[row["index"]], abs=1e-4)


@pytest.mark.parametrize("effect", ["outcome", "animal", "interaction"])
def test_a_factorial_ranking_can_be_listed_and_explained_by_each_effect(crossed: Any, effect: str) -> None:
    """As if it had been made by that effect in the first place."""
    own = crossed(f"features.contrast cross factor={effect} permutations=100 top=500")
    other = "animal" if effect == "outcome" else "outcome"
    seq = crossed(f"features.contrast cross factor={other} permutations=100")["seq"]
    shown = crossed(f"features.list ranking={seq} effect={effect} limit=500")["result"]
    head, made = shown["ranking"], own["result"]
    assert head["effects"] == ["outcome", "animal", "outcome x animal"]
    for name in ("positive", "against", "tested", "undefined", "discoveries", "null_discoveries_max", "effect"):
        assert head[name] == made[name], name
    defined = [row for row in made["rows"] if row["status"] == "ok"]
    for listed, ranked in zip(shown["rows"], defined, strict=False):
        assert listed["index"] == ranked["index"]
        for name in ("score", "effect", "p", "p_fwer", "q"):
            assert listed[name] == pytest.approx(ranked[name], rel=1e-6), name
    first = shown["rows"][0]
    why = crossed(f"features.why {first['index']} ranking={seq} effect={effect}")["result"]
    assert why["null"]["p"] == pytest.approx(first["p"])
    assert head["positive"] in why["definition"]
    card = crossed(f"features.show {first['index']} ranking={seq} effect={effect}")["result"]
    assert (card["test"]["rank"], card["test"]["score"]) == (1, pytest.approx(first["score"]))


def test_an_effect_that_is_not_there_is_refused(crossed: Any) -> None:
    seq = crossed("features.contrast cross design=factorial permutations=50")["seq"]
    with pytest.raises(UnknownNameError, match="colour"):
        crossed(f"features.list ranking={seq} effect=colour")
    seq = crossed("features.contrast cross against=lose-cat permutations=50")["seq"]
    with pytest.raises(UsageError, match="no factorial ranking"):
        crossed(f"features.list ranking={seq} effect=outcome")


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ("factor=colour", UnknownNameError, "colour"),
        ("factors=outcome", UsageError, "takes two factors"),
        ("factors=outcome factors=colour", UnknownNameError, "colour"),
        ("factor=animal statistic=rate", UsageError, "does not go with a factorial design"),
        ("factor=animal map=position", UsageError, "--map does not go"),
        ("factor=animal against=win-cat", UsageError, "--against does not go"),
    ],
)
def test_a_wrong_factorial_request_is_refused(crossed: Any, options: str, error: Any, said: str) -> None:
    with pytest.raises(error, match=said):
        crossed(f"features.contrast cross {options}")
