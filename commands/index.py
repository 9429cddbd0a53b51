"""Verbs about the feature index: what every feature does on a corpus."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from workbench.verbs import Command, Query


class IndexBuild(Command):
    """Run the model over a corpus once and keep every feature's density, histogram and top windows."""

    dotted = "index.build"
    heavy = True
    reads = ("model", "sae")
    reuse = False  # the index lives in the cache, not in the session: it may be gone, and is found there if it is not
    positional = ("corpus",)

    corpus: Literal["demo"] = Field("demo", description="The corpus; `demo` is made on demand from its seed")
    tokens: int = Field(200_000, ge=1_000, le=5_000_000, description="How many tokens of it to read")
    seed: int = Field(0, ge=0, description="Seed of the made corpus")
    examples: int = Field(20, ge=1, le=100, description="Top windows to keep for each feature")
    dry_run: bool = Field(False, description="Say time, memory and disk, and do nothing")


class IndexInfo(Query):
    """Show which corpus the features were indexed on."""

    dotted = "index.info"
