"""Carries out `steer.*`."""

from __future__ import annotations

from typing import Any

from commands.steer import SteerClamp
from workbench.errors import UsageError
from workbench.figures import Figure
from workbench.lab import Lab
from workbench.saes.ids import feature_id, feature_index
from workbench.stimuli.sets import Steering
from workbench.verbs import Outcome

DOSES = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0)


def clamp(command: SteerClamp, lab: Lab) -> Outcome:
    """Clamp on every prompt, a dose-response curve, and a random direction of equal norm as control."""
    from workbench.models import steering

    steered = _what_to_steer(command, lab)
    model, space = lab.model, lab.space
    model.need_logits()
    feature = feature_index(command.feature, space.name, space.width)
    reference = None if command.value is not None else _largest_seen(lab, feature)
    value = float(command.value if command.value is not None else reference or 0.0)
    texts = [model.tokenize(prompt) for prompt in steered.prompts]
    watched = steering.find_words(model, steered.raises, "raise") + steering.find_words(model, steered.lowers, "lower")

    def run(strength: float, direction: Any = None) -> tuple[list[dict[str, Any]], int]:
        found, fired = [], 0
        for prompt, text in zip(steered.prompts, texts, strict=True):
            change = steering.Clamp(space, feature, value, strength, text.is_text, direction)
            found.append(steering.measure(model, space, text, prompt, watched, change))
            fired += change.fired
        return found, fired

    total = len(DOSES) + 2
    lab.tick(0, total, "steering")
    measured, fired = run(command.strength)
    if command.tokens:
        for item, text in zip(measured, texts, strict=True):
            change = steering.Clamp(space, feature, value, command.strength, text.is_text)
            item["text_before"] = steering.continue_text(model, space, text.ids, command.tokens, None)
            item["text_after"] = steering.continue_text(model, space, text.ids, command.tokens, change)
    dose = []
    for number, strength in enumerate(DOSES, start=1):
        lab.tick(number, total, "dose-response")
        dose.append({"strength": strength, **_summary(run(strength)[0])})
    lab.tick(total - 1, total, "random control")
    own = space.directions()[feature]
    control, _ = run(command.strength, steering.random_direction(own, command.seed))
    body = {
        "feature": feature_id(space.name, feature),
        "index": feature,
        "value": value,
        "reference": reference,
        "strength": command.strength,
        "fired": fired,
        "prompts": measured,
        **{key: number for key, number in _summary(measured).items() if key != "kl"},
        "dose": dose,
        "control": {"what": "random direction of equal norm", **_summary(control)},
    }
    return Outcome(body, figures=[_figure(body)], warnings=_warnings(body))


def _what_to_steer(command: SteerClamp, lab: Lab) -> Steering:
    """Prompts and words: those of the command, completed by those of the stimulus set."""
    own = Steering(command.prompt, command.raises, command.lowers)
    if command.stimuli:
        kept = lab.stimuli(command.stimuli).steering
        own = Steering(own.prompts or kept.prompts, own.raises or kept.raises, own.lowers or kept.lowers)
    if not own.prompts:
        raise UsageError(
            "no prompt to steer on", "Add --prompt TEXT, or --stimuli with a set that has prompts (achievement)."
        )
    return own


def _largest_seen(lab: Lab, feature: int) -> float:
    """The feature's largest activation on the indexed corpus, else on the stimuli of the latest ranking."""
    index = lab.index()
    if index is None and lab.state.get("index") is not None:
        raise UsageError(
            "this session's corpus index is not on this machine", "Run `workbench index build`, or give --value."
        )
    if index is not None:
        found = float(index.summary["maximum"][feature])
    else:
        lines = lab.record.done("features.contrast")
        if not lines:
            raise UsageError(
                "no activation of this feature was seen yet", "Run `workbench index build`, or give --value."
            )
        arrays = lab.arrays(lines[-1], "tokens")
        found = float(arrays["values"][arrays["features"] == feature].max(initial=0.0))
    if found <= 0:
        raise UsageError(f"feature {feature} never fired", "Give --value, or choose another feature.")
    return round(found, 6)


def _summary(measured: list[dict[str, Any]]) -> dict[str, float | None]:
    from workbench.models.steering import mean_log_ratio

    return {
        "raised": mean_log_ratio(measured, "raise"),
        "lowered": mean_log_ratio(measured, "lower"),
        "kl": sum(item["kl"] for item in measured) / len(measured),
    }


def _figure(body: dict[str, Any]) -> Figure:
    dose = body["dose"]
    series = {"expected up": [item["raised"] for item in dose], "expected down": [item["lowered"] for item in dose]}
    return Figure(
        kind="curve",
        title=f"Clamping #{body['index']}",
        x_label="strength",
        y_label="change of log probability (nats)",
        data={
            "x": [item["strength"] for item in dose],
            "series": {name: values for name, values in series.items() if None not in values},
        },
    )


def _warnings(body: dict[str, Any]) -> list[str]:
    kl, control = body["dose"][-3]["kl"], body["control"]["kl"]
    if body["strength"] and control > kl:
        return ["a random direction of equal norm changes the prediction more than this feature does"]
    return []
