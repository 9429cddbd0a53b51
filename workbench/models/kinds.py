"""Which architectures can be investigated: text decoders and encoders that the TransformerLens bridge knows."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.errors import InputFileError, MismatchError
from workbench.models.reference import read_config

_READ = (
    "The workbench reads the text decoders and encoders that TransformerLens' bridge knows (GPT-2, Llama, BERT ...)."
)


@dataclass(frozen=True)
class Kind:
    """What a configuration asks for.

    Attributes:
        config: the Hugging Face configuration.
        causal: whether the model predicts the next token; encoders do not.
    """

    config: Any
    causal: bool


def kind_of(folder: Path) -> Kind:
    """What kind of model a folder holds, from its `config.json` alone.

    Raises:
        InputFileError: the configuration is damaged.
        MismatchError: an architecture that cannot be investigated.
    """
    from transformers import AutoConfig
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    data = read_config(folder)
    model_type = data.get("model_type")
    if "auto_map" in data and model_type not in CONFIG_MAPPING:
        raise MismatchError(f"the model in {folder} comes with code of its own, which is never run", _READ)
    if model_type not in CONFIG_MAPPING:
        raise MismatchError(f"unknown model_type {model_type!r} in {folder / 'config.json'}", _READ)
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except Exception as error:
        reason = str(error).strip().split("\n")[0][:200]
        raise InputFileError(
            f"cannot load the model in {folder}: bad config.json ({type(error).__name__}: {reason})", "Mend it."
        ) from error
    return Kind(config, _reads(config) == "causal_lm")


def _reads(config: Any) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # third-party notices at import
        from transformer_lens.model_bridge.sources.transformers import determine_architecture_from_hf_config
        from transformer_lens.utilities.architectures import classify_architecture
    try:
        architecture = determine_architecture_from_hf_config(config)
    except ValueError as error:
        names = ", ".join(config.architectures or []) or config.model_type
        raise MismatchError(f"the architecture {names} is not supported", _READ) from error
    kind: str = classify_architecture(architecture)
    if kind not in {"causal_lm", "masked_lm"}:
        raise MismatchError(f"{architecture} is not supported: it is a {kind} model", _READ)
    return kind
