"""Carries out `model.*`."""

from __future__ import annotations

from commands.model import ModelGenerate, ModelInfo, ModelLoad
from workbench.lab import Lab
from workbench.verbs import Outcome

_RECORDED = ("ref", "name", "digest", "revision", "architecture", "layers", "width", "context", "vocabulary")


def load(command: ModelLoad, lab: Lab) -> Outcome:
    """Load the model once to know that it works; the session keeps its reference and digest."""
    lab.tick(0, 1, "loading the model")
    placing = {"device": command.device, "device_map": command.device_map}
    info = lab.models.model({"ref": command.ref, "revision": command.revision, "dtype": command.dtype, **placing}).info
    shown = {key: value for key, value in info.items() if key != "source"}
    entry = {key: info[key] for key in _RECORDED} | {"dtype": command.dtype, **placing}
    return Outcome(
        # the device is where it ran, not what it is: a replay elsewhere is still the same result
        {key: value for key, value in shown.items() if key != "device"},
        sets={"model": entry, "sae": None, "index": None},
        provenance={"device": info["device"]},
    )


def info(_query: ModelInfo, lab: Lab) -> Outcome:
    """What is loaded, where."""
    return Outcome({key: value for key, value in lab.model.info.items() if key != "source"})


def generate(query: ModelGenerate, lab: Lab) -> Outcome:
    """The prompt and what the model makes of it."""
    from workbench.models.generation import continue_ids

    model = lab.model
    model.need_logits()
    text = model.tokenize(query.prompt)
    new = continue_ids(
        model,
        text.ids,
        query.tokens,
        temperature=query.temperature,
        top_k=query.top_k,
        seed=query.seed,
        tick=lambda made: lab.tick(made, query.tokens, "continuing the prompt"),
    )
    body = {
        "prompt": query.prompt,
        "text": model.tokenizer.decode(new),
        "tokens": [model.tokenizer.decode([token]) for token in new],
        "ended": len(new) < query.tokens,
    }
    return Outcome(body)
