"""What an intervention does to predictions: KL by position, causality, controls, continuations."""

from __future__ import annotations

from typing import Any

import pytest

from tests import tiny
from workbench.errors import MismatchError
from workbench.models.experiment import Experiment, Prompt, run, spread
from workbench.models.interventions import Intervention, RandomMoves, Target
from workbench.models.steering import Sampling, at_end, describe, divergence, find_words, read_plain, steered_logits

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]
TEXT = "bright sun today again and again in the dark"


def reading_of(model: Any, text: str = TEXT) -> Any:
    return read_plain(model, text, model.tokenize(text))


def adding(space: Any, chosen: Any, value: float = 6.0, strength: float = 1.0) -> Intervention:
    return Intervention("add", [Target(space, (5,), (value,))], strength, chosen)


def experiment(model: Any, space: Any, **changed: Any) -> Experiment:
    settings: dict[str, Any] = {
        "model": model, "space": space, "mode": "add", "targets": (Target(space, (5,), (6.0,)),), "strength": 1.0,
        "doses": (0.0, 1.0, 2.0), "generated": True, "watched": tuple(find_words(model, ["cat"], "raise")),
        "drawn": (3, 8, 20), "sampling": Sampling(0), "seed": 0,
    }  # fmt: skip
    return Experiment(**{**settings, **changed})


def prompt(model: Any, text: str = TEXT) -> Prompt:
    tokens = model.tokenize(text)
    return Prompt(text, tokens, tokens.is_text)


def close(one: Any, other: Any) -> bool:
    """Two ends whose floats agree."""
    assert one.keys() == other.keys()
    return all(
        value == other[key] or value == pytest.approx(other[key], rel=1e-4, abs=1e-7) for key, value in one.items()
    )


def test_divergence_is_that_of_an_independent_library() -> None:
    import torch
    from scipy.stats import entropy

    generator = torch.Generator().manual_seed(0)
    before, after = (torch.randn(50, generator=generator).double().log_softmax(0) for _ in range(2))
    assert divergence(before, after) == pytest.approx(entropy(before.exp().numpy(), after.exp().numpy()))
    assert divergence(before, before) == 0.0
    half = torch.tensor([0.5, 0.5, 0.0]).double().log()
    assert divergence(half, torch.tensor([0.25, 0.25, 0.5]).double().log()) == pytest.approx(0.6931471805599453)


@pytest.mark.parametrize("first", [1, 4, 9])
def test_nothing_moves_before_the_first_token_changed(tiny_model: Any, tiny_space: Any, first: int) -> None:
    reading = reading_of(tiny_model)
    chosen = [place == first for place in range(len(reading.text.ids))]
    change = adding(tiny_space, chosen)
    logits = steered_logits(tiny_model, reading, tiny_space.site, change)
    found = describe(tiny_model, reading, logits, [], change)
    curve = found["kl_by_position"]
    assert len(curve) == len(found["tokens"]) == len(reading.text.ids) - 1
    assert curve[: first - 1] == [0.0] * (first - 1)
    assert all(value > 0 for value in curve[first - 1 :])
    assert found["changed"] == chosen[1:]
    assert found["kl"] == curve[-1]


def test_numbers_at_the_end_are_the_formulas(tiny_model: Any, tiny_space: Any) -> None:
    import torch

    reading = reading_of(tiny_model)
    words = [*find_words(tiny_model, ["cat", "dog"], "raise"), *find_words(tiny_model, ["sun"], "lower")]
    logits = steered_logits(tiny_model, reading, tiny_space.site, adding(tiny_space, reading.text.is_text))
    end = at_end(reading, logits, words)
    before, after = (torch.softmax(row.double(), -1) for row in (reading.logits[-1], logits[-1]))
    ratios = [float(torch.log(after[word.token] / before[word.token])) for word in words]
    assert end["raised"] == pytest.approx(sum(ratios[:2]) / 2, abs=1e-9)
    assert end["lowered"] == pytest.approx(ratios[2], abs=1e-9)
    assert end["kl"] == pytest.approx(float((before * (before / after).log()).sum()), abs=1e-9)
    assert at_end(reading, logits, []) == {"raised": None, "lowered": None, "kl": end["kl"]}


def test_a_hook_that_did_not_run_is_an_error_and_never_steered(
    tiny_model: Any, tiny_space: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from contextlib import nullcontext

    monkeypatch.setattr(tiny_model.bridge, "hooks", lambda **_: nullcontext())
    with pytest.raises(MismatchError, match=r"the hook at blocks\.1\.hook_resid_post did not run"):
        run(experiment(tiny_model, tiny_space), [prompt(tiny_model)], lambda *_: None)


def test_an_intervention_that_was_not_asked_is_an_error(
    tiny_model: Any, tiny_space: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading = reading_of(tiny_model)
    change = adding(tiny_space, reading.text.is_text)
    monkeypatch.setattr(type(tiny_model), "logits", lambda *_: reading.logits)
    with pytest.raises(MismatchError, match="did not run"):
        steered_logits(tiny_model, reading, tiny_space.site, change)


def test_a_change_beyond_all_numbers_is_refused(tiny_model: Any, tiny_space: Any) -> None:
    reading = reading_of(tiny_model)
    change = adding(tiny_space, reading.text.is_text, 1e38, 20.0)
    with pytest.raises(MismatchError, match="NaN or infinity") as caught:
        steered_logits(tiny_model, reading, tiny_space.site, change)
    assert "--strength" in caught.value.hint


def test_random_features_are_moved_as_if_one_by_one(tiny_model: Any, tiny_space: Any) -> None:
    """The controls of a run, made in one pass, against single passes."""
    found = run(experiment(tiny_model, tiny_space), [prompt(tiny_model)], lambda *_: None)
    assert len(found["drawn"]) == 3
    reading = reading_of(tiny_model)
    directions = tiny_space.directions()
    for feature, end in zip((3, 8, 20), found["drawn"], strict=True):
        unit = directions[feature] / directions[feature].norm()
        move = RandomMoves(adding(tiny_space, reading.text.is_text), (1.0,), unit[None])
        logits = tiny_model.logits(reading.text.ids, tiny_space.site, move)
        words = find_words(tiny_model, ["cat"], "raise")
        assert close(end, at_end(reading, logits, words))
    assert found["dose"][1]["control"] == spread(found["drawn"])
    assert found["dose"][0]["control"] == {"raised": [0.0] * 3, "lowered": None, "kl": [0.0] * 3}


def test_the_memory_for_controls_changes_no_number(
    tiny_model: Any, tiny_space: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run(experiment(tiny_model, tiny_space), [prompt(tiny_model)], lambda *_: None)
    monkeypatch.setattr("workbench.models.steering.LOGITS_AT_ONCE", 1)
    single = run(experiment(tiny_model, tiny_space), [prompt(tiny_model)], lambda *_: None)
    for one, other in zip(whole["drawn"], single["drawn"], strict=True):
        assert close(one, other)


def test_without_draws_there_is_no_band(tiny_model: Any, tiny_space: Any) -> None:
    found = run(experiment(tiny_model, tiny_space, drawn=()), [prompt(tiny_model)], lambda *_: None)
    assert found["drawn"] == []
    assert [item["control"] for item in found["dose"]] == [None] * 3
    assert found["control"]["kl"] > 0


def test_the_plain_predictions_are_made_once_for_each_prompt(
    tiny_model: Any, tiny_space: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain: list[Any] = []
    whole = type(tiny_model).logits

    def counted(model: Any, ids: Any, site: Any = None, change: Any = None) -> Any:
        if change is None:
            plain.append(ids)
        return whole(model, ids, site, change)

    monkeypatch.setattr(type(tiny_model), "logits", counted)
    prompts = [prompt(tiny_model), prompt(tiny_model, "the cat")]
    run(experiment(tiny_model, tiny_space), prompts, lambda *_: None)
    assert plain == [item.text.ids for item in prompts]


def test_work_can_be_stopped_between_prompts_and_doses(tiny_model: Any, tiny_space: Any) -> None:
    seen: list[tuple[int, int, str]] = []
    run(experiment(tiny_model, tiny_space), [prompt(tiny_model)] * 2, lambda *told: seen.append(told))
    assert {told[:2] for told in seen} == {(0, 2), (1, 2)}
    assert sum("strength" in told[2] for told in seen) == 6


def test_continuations_of_one_seed_part_by_the_change_alone(tiny_model: Any, tiny_space: Any) -> None:
    sampling = Sampling(8, temperature=3.0, seed=5)
    targets = (Target(tiny_space, (5,), (40.0,)),)
    first, again = (
        run(experiment(tiny_model, tiny_space, sampling=sampling, targets=targets), [prompt(tiny_model)], lambda *_: 0)
        for _ in range(2)
    )
    one = first["prompts"][0]
    assert one == again["prompts"][0]
    assert one["text_before"] != one["text_after"]
    assert one["agree"] < 8
    still = experiment(tiny_model, tiny_space, sampling=sampling, strength=0.0)
    same = run(still, [prompt(tiny_model)], lambda *_: None)["prompts"][0]
    assert same["text_before"] == same["text_after"] == one["text_before"]
    assert same["identical"]


def test_class_means_are_the_means_of_the_sentences(tiny_model: Any, tiny_space: Any) -> None:
    import torch

    from workbench.stimuli.class_means import class_means
    from workbench.stimuli.sets import StimulusSet

    found = StimulusSet.of("wins", {"good": tiny.GOOD, "bad": tiny.BAD}.items(), positive="good")
    space = class_means(tiny_model, tiny_space.site, found, "", lambda *_: None)

    def mean(texts: list[str]) -> Any:
        acts = tiny_model.read([tiny_model.tokenize(text) for text in texts], tiny_space.site)
        return torch.stack([one[1:].mean(dim=0) for one in acts]).mean(dim=0)

    good, bad = mean(tiny.GOOD), mean(tiny.BAD)
    assert float((space.vector - (good - bad)).abs().max()) < 1e-5
    assert float(space.encode(good)) - float(space.encode(bad)) == pytest.approx(1.0, abs=1e-4)
    assert space.positive == pytest.approx(float(space.encode(good)), abs=1e-4)
    assert space.mean == pytest.approx(float(space.encode((good + bad) / 2)), abs=1e-4)
    moved = Intervention("set", [Target(space, (0,), (2.0,))], 1.0, [True])(bad[None, None])
    assert float(space.encode(moved[0, 0])) == pytest.approx(2.0, abs=1e-4)
