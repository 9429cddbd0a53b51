"""Verbs about concept stimulus sets."""

from __future__ import annotations

from pydantic import Field

from workbench.verbs import Command, InputFile, Query


class StimuliImport(Command):
    """Read a stimulus set from a JSON or CSV file into the session."""

    dotted = "stimuli.import"
    positional = ("file",)
    reads = ("model",)

    file: InputFile = Field(
        description="A JSON object {category: [sentences]}, or a CSV with columns category and text"
    )
    to: str = Field("", description="Name of the set (default: the file's name)")
    positive: str = Field("", description="The category that carries the concept (default: the file's, else the first)")


class StimuliList(Query):
    """List the stimulus sets: this session's and the shipped ones."""

    dotted = "stimuli.list"


class StimuliShow(Query):
    """Show a stimulus set: its categories, counts and sentences."""

    dotted = "stimuli.show"
    positional = ("set",)

    set: str = Field(description="Name of the set")
    offset: int = Field(0, ge=0, description="First sentence to show")
    limit: int = Field(200, ge=1, le=1000, description="How many sentences to show")
