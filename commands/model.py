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


class ModelGenerate(Query):
    """Continue a prompt with the loaded model, greedily or by sampling."""

    dotted = "model.generate"
    place = "child"
    positional = ("prompt",)

    prompt: str = Field(description="Text to continue")
    tokens: int = Field(30, ge=1, le=2000, description="At most this many new tokens; fewer at the end of a text")
    temperature: float = Field(0.0, ge=0, le=10, description="0 takes the likeliest token; otherwise draw at this heat")
    top_k: int = Field(0, ge=0, description="Draw among this many likeliest tokens (0: among all)")
    seed: int = Field(0, ge=0, lt=2**63, description="Seed of the draws")
