"""Verbs about labels of features."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from workbench.verbs import Command, InputFile, Query


class LabelsSuggest(Command):
    """Suggest labels for features from the tokens they fire on."""

    dotted = "labels.suggest"
    place = "broker"
    reads = ("model", "sae", "index", "labels", "ranking")
    positional = ("features",)

    features: tuple[str, ...] = Field((), description="Feature ids or numbers (default: the top of the latest ranking)")
    top: int = Field(10, ge=1, le=500, description="How many of the latest ranking, when no feature is named")
    labeller: Literal["offline"] = Field("offline", description="`offline` compares token statistics, needs no key")


class LabelsSet(Command):
    """Give a feature a label in your own words; an empty text removes it."""

    dotted = "labels.set"
    place = "broker"
    positional = ("feature", "text")
    reuse = False

    feature: str = Field(description="Feature id, or its number in the loaded SAE")
    text: str = Field(max_length=500, description="The label")


class LabelsShow(Query):
    """List the labels given so far."""

    dotted = "labels.show"
    reads = ("sae",)

    filter: str = Field("", description="Only labels whose text or feature contains this")
    offset: int = Field(0, ge=0, description="First label to show")
    limit: int = Field(300, ge=1, le=300, description="How many labels to show")


class LabelsImport(Command):
    """Take over published explanations, for example a Neuronpedia export, as labels of the loaded features.

    A file that names another SAE or layer than the loaded one is refused. Labels given in the session come first.
    """

    dotted = "labels.import"
    place = "broker"
    reads = ("sae",)
    positional = ("file",)
    reuse = False

    file: InputFile = Field(description="JSON or JSONL (also .gz) with a feature's number and its description")
    unbound: bool = Field(False, description="Take them although the file names another SAE or layer")
