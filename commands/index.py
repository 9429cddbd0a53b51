"""Verbs about the feature index: what every feature does on a corpus."""

from __future__ import annotations

from pydantic import Field

from workbench.verbs import Command, NameOrFile, Query


class IndexBuild(Command):
    """Run the model over a corpus once and keep every feature's density, histogram and top windows."""

    dotted = "index.build"
    heavy = True
    reads = ("model", "sae")
    reuse = False  # the index lives in the cache, not in the session: it may be gone, and is found there if it is not
    positional = ("corpus",)

    corpus: str = Field("demo", description="Name of an imported corpus, or `demo`, which is made on demand")
    tokens: int = Field(200_000, ge=1_000, le=4_000_000_000, description="How many tokens of it to read")
    seed: int = Field(0, ge=0, description="Seed of the made corpus")
    examples: int = Field(20, ge=1, le=100, description="Top windows to keep for each feature")
    on: str = Field(
        "",
        pattern=r"^(|ray|ray://[^\s/]+:\d{1,5})$",
        description="Who reads the shards: `ray` (a cluster of processes here) or ray://HOST:PORT; else this process",
    )
    dry_run: bool = Field(False, description="Say time, memory and disk, and do nothing")


class IndexImport(Command):
    """Make an index of published occurrence arrays (.npz), without running the model."""

    dotted = "index.import"
    heavy = True
    reads = ("model", "sae")
    reuse = False
    positional = ("file",)

    file: NameOrFile = Field(
        description="A .npz file with sparse_sae_values, sparse_sae_indices, all_token_indices and all_tokens"
    )
    name: str = Field("", pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]{0,63})?$", description="What to call its corpus")
    context: int = Field(0, ge=0, le=10**8, description="Tokens of a document; 0: documents begin at BOS, else one")
    examples: int = Field(20, ge=1, le=100, description="Top windows to keep for each feature")


class IndexInfo(Query):
    """Show which corpus the features were indexed on."""

    dotted = "index.info"
