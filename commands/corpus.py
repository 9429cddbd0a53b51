"""Verbs about corpora: text as token stores on this machine."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from workbench.verbs import Command, File, Folder, Query

_NAME = r"^([A-Za-z0-9][A-Za-z0-9._-]{0,63})?$"
FileOrFolder = Annotated[str, File(), Folder()]


class CorpusImport(Command):
    """Turn text files, JSONL, Parquet, a folder or a Hugging Face dataset into a token store."""

    dotted = "corpus.import"
    heavy = True
    reads = ("model",)
    reuse = False  # the store lives in the cache, not in the session; and the files may have changed
    positional = ("source",)

    source: FileOrFolder = Field(
        description="A .txt, .jsonl or .parquet file (.gz and .zst too), a folder of them, hf:NAME, or `demo`"
    )
    name: str = Field("", pattern=_NAME, description="What to call it; without it, the file's name")
    field: str = Field("text", description="The field that holds the text")
    split: str = Field("train", description="The part of a dataset")
    subset: str = Field("", description="The configuration of a dataset")
    revision: str = Field("", description="The commit of a dataset of the hub")
    max_tokens: int = Field(0, ge=0, le=10**8, description="Tokens to keep of a document; 0 keeps all")
    tokens: int = Field(0, ge=0, le=10**12, description="Stop after the document that reaches this many; 0 reads all")
    seed: int = Field(0, ge=0, description="Seed of the made corpus `demo`")
    undecodable: Literal["refuse", "replace"] = Field("refuse", description="What to do with bytes that are not UTF-8")


class CorpusList(Query):
    """List the corpora on this machine."""

    dotted = "corpus.list"
    sessionless = True


class CorpusFind(Query):
    """Count the documents and tokens of a corpus that have a phrase; --cut keeps those documents as a corpus."""

    dotted = "corpus.find"
    heavy = True
    positional = ("phrase",)

    phrase: tuple[str, ...] = Field(
        (), max_length=64, description="Phrases to look for, each matched as whole words in any case"
    )
    corpus: str = Field(
        "", description="Name of the corpus (default: the one of the session's index, else the only one)"
    )
    lines: int = Field(10, ge=0, le=200, description="How many places to show")
    cut: str = Field("", pattern=_NAME, description="Keep the documents found as a corpus of this name")
