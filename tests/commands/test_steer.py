"""`steer.clamp` as a command: targets, values that were left open, controls, refusals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import tiny
from workbench.errors import Cancelled, MismatchError, UsageError

pytestmark = [pytest.mark.slow]
STEERING = {"prompts": ["the cat", "a dog"], "raise": ["won"], "lower": ["lost"]}


@pytest.fixture
def ranked(loaded: Any, tmp_path: Path) -> Any:
    """`do` in a session with a stimulus set and its ranking, but without an index."""
    loaded(f"stimuli.import {tiny.write_stimuli(tmp_path / 'wins.json', steering=STEERING)}")
    loaded("features.contrast wins permutations=50")
    return loaded


@pytest.fixture
def encoded(tiny_model: Any, tiny_space: Any) -> Any:
    """Latents of every text token of the stimuli: (tokens, features)."""
    texts = [tiny_model.tokenize(text) for text in (*tiny.GOOD, *tiny.BAD)]
    return np.concatenate([tiny_space.encode(acts[1:]).numpy() for acts in tiny_model.read(texts, tiny_space.site)])


def clamp(do: Any, line: str) -> dict[str, Any]:
    result: dict[str, Any] = do(f"steer.clamp {line}")["result"]
    return result


def firing(encoded: Any, count: int = 2) -> list[int]:
    """The features that fire most on the stimuli."""
    return [int(index) for index in np.argsort(-encoded.sum(axis=0))[:count]]


def test_several_features_go_to_their_largest_or_to_a_value_of_their_own(ranked: Any, encoded: Any) -> None:
    one, other = firing(encoded)
    found = clamp(ranked, f"{one},{other}:-2.5 stimuli=wins")
    assert [item["index"] for item in found["features"]] == [one, other]
    assert found["features"][0]["value"] == pytest.approx(float(encoded[:, one].max()), abs=1e-4)
    assert found["features"][0]["reference"] == found["features"][0]["value"]
    assert (found["features"][1]["value"], found["features"][1]["reference"]) == (-2.5, None)
    assert (found["feature"], found["index"]) == (found["features"][0]["feature"], one)
    again = clamp(ranked, f"'{found['feature']},{found['features'][1]['feature']}:-2.5' stimuli=wins")
    assert again["dose"] == found["dose"]


def test_a_mean_ablation_goes_to_the_mean_and_says_of_what(ranked: Any, encoded: Any) -> None:
    (one,) = firing(encoded, 1)
    found = clamp(ranked, f"{one} stimuli=wins mode=mean")
    assert found["value"] == pytest.approx(float(encoded[:, one].mean()), abs=1e-4)
    assert found["mean_of"] == "stimuli wins"


def test_a_mean_ablation_takes_the_corpus_where_one_is_indexed(ranked: Any, sessions: Path) -> None:
    ranked("index.build demo tokens=1000")
    from workbench.index.read import open_index

    (folder,) = (sessions.parent / "home" / "index").iterdir()
    index = open_index(sessions.parent / "home", {"key": folder.name})
    assert index is not None
    feature = int(index.summary["fired"].argmax())
    values = index.entries(feature)[1]
    tokens = int(index.meta["tokens"]) - int(index.meta["opened"])
    found = clamp(ranked, f"{feature} prompt='the cat' mode=mean")
    # BOS is in the arrays with no activation, and no text token
    assert found["value"] == pytest.approx(float(values.sum()) / tokens, rel=1e-4)
    assert found["mean_of"] == f"corpus {index.meta['corpus']}"
    assert found["random_features"]["source"] == found["mean_of"]


def test_raw_units_can_be_steered(ranked: Any, tiny_model: Any) -> None:
    ranked(f"sae.load raw site={tiny.SITE}")
    found = clamp(ranked, "4,9 stimuli=wins mode=mean")
    texts = [tiny_model.tokenize(text) for text in (*tiny.GOOD, *tiny.BAD)]
    from workbench.models.site import parse_site

    acts = np.concatenate([one[1:].numpy() for one in tiny_model.read(texts, parse_site(tiny.SITE, tiny.LAYERS))])
    assert [item["value"] for item in found["features"]] == pytest.approx(acts[:, [4, 9]].mean(axis=0), abs=1e-4)
    assert found["prompts"][0]["kl"] > 0
    assert found["random_features"]["alive"] == tiny.WIDTH - 2


def test_a_direction_of_class_means_is_steered(ranked: Any) -> None:
    found = clamp(ranked, "direction=wins:bad mode=add stimuli=wins")
    assert found["features"] == [
        {"feature": f"model/{tiny.SITE}/means-wins-bad#0", "index": 0, "value": 1.0, "reference": None}
    ]
    assert found["prompts"][0]["kl"] > 0
    both = clamp(ranked, "3:2 direction=wins mode=add stimuli=wins")
    assert [item["value"] for item in both["features"]] == [2.0, 1.0]


def test_random_features_are_alive_and_others_and_drawn_by_the_seed(ranked: Any, encoded: Any) -> None:
    (one,) = firing(encoded, 1)
    first, again = (clamp(ranked, f"{one} stimuli=wins draws=6 seed=3") for _ in range(2))
    other = clamp(ranked, f"{one} stimuli=wins draws=6 seed=4")
    drawn = [item["index"] for item in first["random_features"]["draws"]]
    assert drawn == [item["index"] for item in again["random_features"]["draws"]]
    assert drawn != [item["index"] for item in other["random_features"]["draws"]]
    alive = set(np.flatnonzero((encoded > 0).any(axis=0)).tolist()) - {one}
    assert set(drawn) <= alive
    assert len(set(drawn)) == 6
    assert first["random_features"]["alive"] == len(alive)
    here = next(item for item in first["dose"] if item["strength"] == 1.0)
    kls = [item["kl"] for item in first["random_features"]["draws"]]
    assert here["control"]["kl"] == pytest.approx([min(kls), sum(kls) / 6, max(kls)])
    assert clamp(ranked, f"{one} stimuli=wins draws=0")["random_features"] is None


@pytest.mark.parametrize(("strength", "doses"), [
    ("1", [0.0, 0.25, 0.5, 1.0, 1.5, 2.0]), ("-0.7", [0.0, -0.25, -0.5, -0.7, -1.0, -1.5, -2.0]),
    ("4", [0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 4.0]), ("0", [0.0, 0.25, 0.5, 1.0, 1.5, 2.0]),
])  # fmt: skip
def test_the_curve_holds_the_strength_that_was_asked_for(ranked: Any, strength: str, doses: list[float]) -> None:
    found = clamp(ranked, f"3 value=2 prompt='the cat' raises=won draws=0 strength={strength}")
    assert [item["strength"] for item in found["dose"]] == doses
    here = next(item for item in found["dose"] if item["strength"] == found["strength"])
    assert (here["raised"], here["kl"]) == (found["raised"], pytest.approx(found["prompts"][0]["kl"]))


def test_what_changes_nothing_says_so(ranked: Any, encoded: Any) -> None:
    silent = int((encoded.sum(axis=0) == 0).argmax())
    reply = ranked(f"steer.clamp {silent} prompt='the cat won the prize today' mode=zero draws=0")
    assert reply["result"]["prompts"][0]["identical"]
    assert reply["warnings"] == ["nothing was changed: the features are silent on these tokens already"]


def test_words_of_several_tokens_are_told_of(ranked: Any) -> None:
    reply = ranked("steer.clamp 3 value=2 prompt='the cat' raises=won raises=zebra draws=0")
    told = [warning for warning in reply["warnings"] if "several tokens" in warning]
    assert told == ["watched words of several tokens, of which only the first is followed: 'zebra' (followed by ' ')"]
    assert [word["pieces"] for word in reply["result"]["prompts"][0]["words"]] == [1, 6]


def test_what_random_features_do_as_well_is_said_not_to_be_beyond_control(ranked: Any) -> None:
    reply = ranked("steer.clamp 3 value=2 stimuli=wins draws=8")
    here = next(item for item in reply["result"]["dose"] if item["strength"] == 1.0)
    beyond = {
        "raised": here["raised"] > here["control"]["raised"][2],
        "lowered": here["lowered"] < here["control"]["lowered"][0],
        "kl": here["kl"] > here["control"]["kl"][2],
    }
    assert reply["result"]["beyond"] == beyond
    told = [warning for warning in reply["warnings"] if warning.startswith("not beyond control: ")]
    assert len(told) == sum(not outside for outside in beyond.values()) > 0
    assert ranked("steer.clamp 3 value=2 stimuli=wins draws=0")["result"]["beyond"] is None
    assert ranked("steer.clamp 3 value=2 stimuli=wins strength=0")["result"]["beyond"] is None


@pytest.mark.parametrize(("raised", "lowered", "expected"), [(0.5, -0.5, True), (0.1, 0.1, False), (-0.5, 0.5, False)])
def test_words_are_beyond_control_in_the_direction_expected_of_them(
    raised: float, lowered: float, expected: bool
) -> None:
    from commands.handlers.steer import beyond

    control = {"raised": [-0.2, 0.0, 0.2], "lowered": [-0.2, 0.0, 0.2], "kl": [0.0, 0.1, 0.2]}
    dose = [{"strength": 1.0, "raised": raised, "lowered": lowered, "kl": 0.3, "control": control}]
    assert beyond({"dose": dose}, 1.0) == {"raised": expected, "lowered": expected, "kl": True}
    without = [{**dose[0], "lowered": None, "control": {**control, "lowered": None}}]
    assert beyond({"dose": without}, 1.0) == {"raised": expected, "kl": True}


def test_positions_are_those_of_each_prompt(ranked: Any) -> None:
    found = clamp(ranked, "3 value=4 prompt='the cat won' prompt='a dog' positions=last draws=0")
    assert [item["changed"] for item in found["prompts"]] == [[False, False, True], [False, True]]
    assert [item["kl_by_position"][0] for item in found["prompts"]] == [0.0, 0.0]
    assert found["prompts"][0]["kl"] > 0


def test_an_encoder_is_refused_with_the_reason(ranked: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from workbench.models.loaded import LoadedModel

    def refuse(model: LoadedModel) -> None:
        model.info["causal"] = False
        try:
            need(model)
        finally:
            model.info["causal"] = True

    need = LoadedModel.need_logits
    monkeypatch.setattr(LoadedModel, "need_logits", refuse)
    with pytest.raises(MismatchError, match="is an encoder: it predicts no next token"):
        ranked("steer.clamp 3 stimuli=wins")


def test_it_can_be_cancelled_between_two_doses(ranked: Any, sessions: Path) -> None:
    told: list[str] = []

    def cancelled() -> bool:
        return any("strength 0.5" in text for text in told)

    with pytest.raises(Cancelled):
        ranked(
            "steer.clamp 3 value=2 stimuli=wins",
            progress=lambda _done, _total, text: told.append(text),
            cancelled=cancelled,
        )
    assert not any("prompt 2" in text for text in told)
    assert not list((sessions / "s" / "artifacts").glob("*steer*"))


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("", "nothing to steer"),
        ("3,3 value=1", "3 is given twice"),
        ("3:nan", "'nan'"),
        ("3:inf", "'inf'"),
        ("3:x", "'x'"),
        ("3,99 value=1", "'99'"),
        ("3,other/space#4 value=1", "'other/space#4'"),
        ("3 value=1 mode=zero", "--value 1 means nothing with --mode zero"),
        ("3:2 mode=mean", "'3:2'"),
        ("3 value=1 positions=7", "position 7"),
        ("3 value=1 positions=sun", "'sun'"),
        ("direction=nosuch", "'nosuch'"),
        ("direction=wins:godo", "'godo'"),
        ("3 value=1e38 mode=add", "NaN or infinity"),
    ],
)
def test_a_wrong_request_is_refused_and_leaves_the_session_as_it_was(
    ranked: Any, sessions: Path, line: str, names: str
) -> None:
    before = tiny.snapshot(sessions)
    with pytest.raises(UsageError) as caught:
        ranked(f"steer.clamp {line} stimuli=wins")
    assert names in caught.value.message
    assert caught.value.hint
    assert tiny.snapshot(sessions) == before
