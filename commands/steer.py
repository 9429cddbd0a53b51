"""Verbs that intervene on the model."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from workbench.verbs import Command


class SteerClamp(Command):
    """Set, add, scale, zero or mean-ablate features on prompts, and measure what changes in the predictions.

    Any push of that size changes something: beside each number stands what random features do whose directions are
    scaled to the norm of the same change (the random control). What they do too is "not beyond control". Of a
    watched word of several tokens the first one is followed.
    """

    dotted = "steer.clamp"
    reads = ("model", "sae", "stimuli", "index", "ranking")
    positional = ("feature",)
    result_revision: ClassVar[int] = 3
    # a difference of two float32 log-probabilities near -10 is known to about 1e-5
    tolerance: ClassVar[dict[str, tuple[float, float]]] = {"log_ratio": (1e-3, 1e-4)}

    feature: str = Field("", description="Feature ids or numbers with commas; each may have its value: 417:3.5,459:0")
    direction: str = Field("", description="Also the difference of class means of this stimulus set (SET or SET:CLASS)")
    prompt: tuple[str, ...] = Field((), description="Text to steer on; repeat for several")
    stimuli: str = Field("", description="Take prompts and watched words from this stimulus set")
    raises: tuple[str, ...] = Field((), description="Words expected to become likelier; repeat for several")
    lowers: tuple[str, ...] = Field((), description="Words expected to become unlikelier; repeat for several")
    mode: Literal["set", "add", "scale", "zero", "mean"] = Field(
        "set", description="Set to, add, scale by the value; zero or mean: ablate to 0 or to its mean"
    )
    value: float | None = Field(
        None, description="Activation to set or add (default: the largest seen), or factor to scale by (default: 2)"
    )
    strength: float = Field(1.0, ge=-20, le=20, description="Share of the change that is made; 0 changes nothing")
    positions: str = Field("all", description="Tokens to change: all, last, numbers from 0 (0,3,-1), or a token's text")
    draws: int = Field(
        5,
        ge=0,
        le=50,
        description="Random control: so many random features that fire, pushed as far as this one; 0 for none",
    )
    tokens: int = Field(0, ge=0, le=200, description="Also continue each prompt by this many tokens, with and without")
    temperature: float = Field(0.0, ge=0, le=10, description="Of the continuations; 0 takes the likeliest token")
    top_k: int = Field(0, ge=0, description="Draw among so many likeliest tokens; 0 draws among all")
    seed: int = Field(0, ge=0, description="Seed of the random controls and of sampling")
