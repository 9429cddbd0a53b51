"""Verbs about concept stimulus sets."""

from __future__ import annotations

from pydantic import Field

from workbench.verbs import Command, InputFile, Query


class StimuliImport(Command):
    """Read a stimulus set from a JSON, JSON lines, CSV or TSV file into the session."""

    dotted = "stimuli.import"
    positional = ("file",)
    reads = ("model",)

    file: InputFile = Field(
        description="JSON {category: [sentences]}, or .jsonl, .csv or .tsv with category and text; all may have id, "
        "item (matched pair), fold, target or span_start and span_end, include, factor:NAME, nuisance:NAME. The long "
        'form of JSON, {"categories": {}, "positive", "description", "steering": {"prompts": [], "raise": [], "lower": []}}, '
        "has prompts to steer on and words that the concept makes likelier or unlikelier after them"
    )
    to: str = Field("", description="Name of the set (default: the file's name)")
    positive: str = Field("", description="The category that carries the concept (default: the file's, else the first)")
    factor: tuple[str, ...] = Field(
        (), description="Names for the factors that the categories' names cross (a_x, a_y, b_x, b_y), in their order"
    )


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
