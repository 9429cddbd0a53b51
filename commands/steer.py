"""Verbs that intervene on the model."""

from __future__ import annotations

from pydantic import Field

from workbench.verbs import Command


class SteerClamp(Command):
    """Clamp one feature while the model reads prompts, and measure what changes in its predictions."""

    dotted = "steer.clamp"
    reads = ("model", "sae", "stimuli", "index", "ranking")
    positional = ("feature",)

    feature: str = Field(description="Feature id, or its number in the loaded SAE")
    prompt: tuple[str, ...] = Field((), description="Text to steer on; repeat for several")
    stimuli: str = Field("", description="Take prompts and watched words from this stimulus set")
    raises: tuple[str, ...] = Field((), description="Words expected to become likelier; repeat for several")
    lowers: tuple[str, ...] = Field((), description="Words expected to become unlikelier; repeat for several")
    value: float | None = Field(None, description="Activation to clamp to (default: the largest seen)")
    strength: float = Field(1.0, ge=-20, le=20, description="Share of the way to that value; 0 changes nothing")
    tokens: int = Field(0, ge=0, le=200, description="Also continue each prompt by this many tokens")
    seed: int = Field(0, ge=0, description="Seed of the random control feature and of sampling")
