"""The TransformerLens view of a loaded model: a second module tree over the same weights."""

from __future__ import annotations

import copy
import warnings
from dataclasses import dataclass
from typing import Any

from torch import nn

from workbench.errors import MismatchError


@dataclass(frozen=True)
class Bridged:
    """A bridge and where its parts come from.

    Attributes:
        bridge: the TransformerLens bridge: hook names, generation, interventions.
        names: for each module of the tree behind it the qualified name it has in the plain model.
    """

    bridge: Any
    names: dict[nn.Module, str]


def boot(plain: Any, tokenizer: Any, source: str, device: str, *, causal: bool) -> Bridged:
    """A bridge over a copy of the module tree whose parameters and buffers are the originals.

    The copy computes attention eagerly, which the bridge's attention hooks need; the plain model keeps the
    faster kernel it was loaded with. The tokenizer is copied, because the bridge adds special tokens to it.

    Raises:
        MismatchError: the bridge does not take this model.
    """
    from transformer_lens.model_bridge import TransformerBridge

    memo = {id(tensor): tensor for tensor in (*plain.parameters(), *plain.buffers())}
    twin = copy.deepcopy(plain, memo)
    names = {module: name for name, module in twin.named_modules()}
    try:
        twin.set_attn_implementation("eager")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # third-party notices about tokens and aliases
            bridge = TransformerBridge.boot_transformers(
                source,
                hf_model=twin if causal else _under_a_head(twin),
                tokenizer=copy.deepcopy(tokenizer),
                device=device,
                dtype=plain.dtype,
            )
    except Exception as error:
        raise MismatchError(
            f"TransformerLens' bridge cannot take this {type(plain).__name__} ({type(error).__name__}: {error})",
            "Its residual streams can be read; other sites and interventions need the bridge.",
        ) from error
    return Bridged(bridge, names)


def _under_a_head(twin: Any) -> Any:
    """An encoder inside the masked-language model that the bridge expects; nobody reads that untrained head."""
    from transformers import AutoModelForMaskedLM

    empty = copy.deepcopy(twin.config)
    empty.num_hidden_layers = 0
    shell = AutoModelForMaskedLM.from_config(empty, dtype=twin.dtype).to(twin.device).eval().requires_grad_(False)
    setattr(shell, shell.base_model_prefix, twin)
    shell.config = twin.config
    return shell
