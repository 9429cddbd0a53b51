"""Verbs about the language model."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from workbench.verbs import Command, NameOrFolder, Query


class ModelLoad(Command):
    """Choose the language model to investigate."""

    dotted = "model.load"
    positional = ("ref",)
    reuse = False  # the files may have changed

    ref: NameOrFolder = Field(description="`demo`, `minilm`, a local Hugging Face folder, or a Hugging Face name")
    revision: str = Field("", description="Branch, tag, training step or commit of a Hugging Face name")
    dtype: Literal["float32", "bfloat16", "float16"] = Field("float32", description="Precision of the weights")
    device: str = Field("auto", pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$", description="auto, cpu, cuda, cuda:N or mps")
    device_map: Literal["none", "auto"] = Field("none", description="auto spreads the model over all GPUs")


class ModelInfo(Query):
    """Show the loaded model: layers, width, context, sites, where it runs."""

    dotted = "model.info"
    place = "child"
