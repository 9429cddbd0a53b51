"""Carries out `steer.*`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

from commands.steer import SteerClamp
from workbench.errors import MismatchError, UsageError
from workbench.figures import Figure
from workbench.lab import Lab
from workbench.saes.ids import feature_id
from workbench.stimuli.prompts import beginnings
from workbench.stimuli.sets import Steering
from workbench.verbs import Outcome

if TYPE_CHECKING:
    from workbench.features.seen import Seen
    from workbench.models.experiment import Experiment
    from workbench.models.intervention_plan import Plan
    from workbench.saes.space import FeatureSpace

DOSES = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0)


def clamp(command: SteerClamp, lab: Lab) -> Outcome:
    """Intervene on every prompt at several strengths, with random features and a random direction as controls."""
    from workbench.features.seen import seen
    from workbench.models.experiment import Experiment, Prompt, run
    from workbench.models.intervention_plan import plan
    from workbench.models.positions import chosen_tokens
    from workbench.models.steering import Sampling, find_words

    steered, told = _what_to_steer(command, lab)
    model, space = lab.model, lab.space
    model.need_logits()
    _need_one_site(space)
    texts = [model.tokenize(prompt) for prompt in steered.prompts]
    chosen = [chosen_tokens(command.positions, text) for text in texts]
    watched = find_words(model, steered.raises, "raise") + find_words(model, steered.lowers, "lower")

    @cache
    def look() -> Seen:
        return seen(lab, space, command.stimuli, steered.prompts)

    planned = plan(lab, command.feature, command.direction, command.mode, command.value, look)
    alive = _alive(space, planned, look) if command.draws else []
    experiment = Experiment(
        model=model,
        space=space,
        mode=planned.mode,
        targets=tuple(planned.targets),
        strength=command.strength,
        doses=_doses(command.strength),
        generated=command.positions == "all",
        watched=tuple(watched),
        drawn=tuple(_drawn(alive, command.draws, command.seed)),
        sampling=Sampling(command.tokens, command.temperature, command.top_k, command.seed),
        seed=command.seed,
    )
    prompts = [Prompt(*parts) for parts in zip(steered.prompts, texts, chosen, strict=True)]
    found = run(experiment, prompts, lab.tick)
    drawn = found.pop("drawn")
    body = {
        **_told(command, planned),
        **found,
        "random_features": _random_features(experiment, drawn, alive, look) if drawn else None,
        "beyond": beyond(found, command.strength),
    }
    return Outcome(body, figures=_figures(body), warnings=told + _warnings(body))


def _alive(space: FeatureSpace, planned: Plan, look: Callable[[], Seen]) -> list[int]:
    """The features that ever fired and are not steered: what random controls are drawn from."""
    own = {int(item["index"]) for item in planned.told if item["feature"].startswith(f"{space.name}#")}
    return [int(index) for index in look().fired.nonzero()[0] if int(index) not in own]


def _need_one_site(space: FeatureSpace) -> None:
    """Refuse a transcoder: it reads at one site and writes at another, so that no error term of its own is there."""
    writes = getattr(space, "writes", space.site)
    if writes != space.site:
        raise MismatchError(
            f"{space.name} reads {space.site.name} and writes {writes.name}",
            "Steering needs features that are read where they write: load an SAE, or `raw` at the site.",
        )


def _doses(strength: float) -> tuple[float, ...]:
    """The strengths of the curve: on the side of the one asked for, that one among them."""
    sign = -1 if strength < 0 else 1
    return tuple(sorted({*(sign * dose for dose in DOSES if dose), 0.0, strength}, key=abs))


def _drawn(alive: list[int], draws: int, seed: int) -> list[int]:
    import numpy as np

    size = min(draws, len(alive))
    return [int(index) for index in np.random.default_rng(seed).choice(alive, size, replace=False)] if size else []


def _told(command: SteerClamp, planned: Plan) -> dict[str, Any]:
    """What was asked, with what it came to."""
    first = planned.told[0]
    return {
        "feature": first["feature"],
        "index": first["index"],
        "value": first["value"],
        "reference": first["reference"],
        "features": planned.told,
        "mode": command.mode,
        "positions": command.positions,
        "strength": command.strength,
        "mean_of": planned.mean_of,
    }


def _random_features(
    experiment: Experiment, ends: list[dict[str, Any]], alive: list[int], look: Callable[[], Seen]
) -> dict[str, Any]:
    return {
        "what": "directions of random features that fire, scaled to the norm of the change",
        "alive": len(alive),
        "source": look().source,
        "draws": [
            {"feature": feature_id(experiment.space.name, index), "index": index, **end}
            for index, end in zip(experiment.drawn, ends, strict=True)
        ],
    }


def beyond(found: dict[str, Any], strength: float) -> dict[str, bool] | None:
    """Whether each effect is outside of what all random features of equal norm do; None without them.

    Words are beyond control when they move further in the direction expected of them.
    """
    here = next(item for item in found["dose"] if item["strength"] == strength)
    control = here["control"]
    if not control or not strength:
        return None
    told = {}
    if control["raised"]:
        told["raised"] = here["raised"] > control["raised"][2]
    if control["lowered"]:
        told["lowered"] = here["lowered"] < control["lowered"][0]
    return {**told, "kl": here["kl"] > control["kl"][2]}


def _what_to_steer(command: SteerClamp, lab: Lab) -> tuple[Steering, list[str]]:
    """Prompts and words: those of the command, completed by those of the stimulus set; and what was made up, in words.

    A set without prompts gives the beginnings of some of its sentences.
    """
    own, told = Steering(command.prompt, command.raises, command.lowers), []
    if command.stimuli:
        found = lab.stimuli(command.stimuli)
        kept = found.steering
        own = Steering(own.prompts or kept.prompts, own.raises or kept.raises, own.lowers or kept.lowers)
        if not own.prompts:
            own = replace(own, prompts=beginnings(found))
            told.append(
                f"stimulus set {found.name!r} has no prompts to steer on; the beginnings of {len(own.prompts)} of its "
                f"sentences were taken: `workbench stimuli edit {found.name} --prompt TEXT` gives it others"
            )
    if not own.prompts:
        raise UsageError("no prompt to steer on", "Add --prompt TEXT, or --stimuli NAME for the prompts of a set.")
    return own, told


def _figures(body: dict[str, Any]) -> list[Figure]:
    """The dose-response with the band of the random features, and where in the prompts predictions moved."""
    dose = body["dose"]
    series = {"expected up": "raised", "expected down": "lowered", "KL": "kl"}
    shown = {name: key for name, key in series.items() if all(item[key] is not None for item in dose)}
    data: dict[str, Any] = {
        "x": [item["strength"] for item in dose],
        "series": {name: [item[key] for item in dose] for name, key in shown.items()},
    }
    if body["random_features"]:
        data["band"] = {
            f"{name}, random features": [item["control"][key] for item in dose] for name, key in shown.items()
        }
    title = f"Dose-response of {', '.join('#' + str(item['index']) for item in body['features'])}"
    lines = [
        {"title": f"prompt {number}", "tokens": item["tokens"], "values": item["kl_by_position"]}
        for number, item in enumerate(body["prompts"], start=1)
    ]
    largest = max((value for line in lines for value in line["values"]), default=0.0)
    return [
        Figure(kind="curve", title=title, x_label="strength", y_label="nats", data=data),
        Figure(
            kind="tokens",
            title="KL of the prediction after each token",
            note=f"Full heat is {largest:.3g} nats.",
            data={"lines": lines, "maximum": largest},
        ),
    ]


def _warnings(body: dict[str, Any]) -> list[str]:
    if body["strength"] and not any(item["relative_norm"] for item in body["prompts"]):
        return ["nothing was changed: the features are silent on these tokens already"]
    return [*_about_words(body["prompts"]), *_about_controls(body)]


def _about_words(prompts: list[dict[str, Any]]) -> list[str]:
    """Words that are followed by their beginning only, and words that will not be said either way."""
    found = []
    words = {word["word"]: word for word in prompts[0]["words"]}
    if parts := [f"{name!r} (followed by {word['token']!r})" for name, word in words.items() if word["pieces"] > 1]:
        found.append(f"watched words of several tokens, of which only the first is followed: {_few(parts)}")
    faint = [name for name in words if all(_word(prompt, name)["faint"] for prompt in prompts)]
    if faint:
        found.append(
            f"watched words less likely than a hundredth of chance, before and after, which count as unmoved: "
            f"{_few([repr(name) for name in faint])}"
        )
    return found


def _word(prompt: dict[str, Any], name: str) -> dict[str, Any]:
    word: dict[str, Any] = next(word for word in prompt["words"] if word["word"] == name)
    return word


def _few(names: list[str], most: int = 5) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


NAMES = {
    "raised": "the words expected up",
    "lowered": "the words expected down",
    "kl": "the prediction as a whole (KL)",
}


def _verdict(name: str, here: dict[str, Any]) -> str:
    """Words that moved the other way further than with any random feature are an effect, only not the expected one."""
    least, _, most = here["control"][name]
    turned = (name == "raised" and here[name] < least) or (name == "lowered" and here[name] > most)
    return "against what was expected, beyond control" if turned else "not beyond control"


def _about_controls(body: dict[str, Any]) -> list[str]:
    """Effects that random changes of equal norm have too."""
    here = next(item for item in body["dose"] if item["strength"] == body["strength"])
    found = [
        f"{_verdict(name, here)}: {NAMES[name]} changed by {here[name]:+.3g} nats, random features of equal norm "
        f"change {'it' if name == 'kl' else 'them'} by {here['control'][name][0]:+.3g} to "
        f"{here['control'][name][2]:+.3g}"
        for name, outside in (body["beyond"] or {}).items()
        if not outside
    ]
    if body["strength"] and body["control"]["kl"] > here["kl"]:
        found.append("a random direction of equal norm changes the prediction more than this does")
    return found
