"""Verbs about sparse autoencoders and feature spaces."""

from __future__ import annotations

from pydantic import Field

from workbench.verbs import Command, NameOrFolder


class SaeLoad(Command):
    """Choose the features: an SAE, or the raw units of a site."""

    dotted = "sae.load"
    positional = ("ref",)
    reads = ("model",)
    reuse = False  # the files may have changed

    ref: NameOrFolder = Field(description="`demo`, RELEASE/SAE_ID of SAELens, a local SAELens folder, or `raw`")
    site: str = Field("", description="Site of `raw` units, for example blocks.1.hook_resid_post")
