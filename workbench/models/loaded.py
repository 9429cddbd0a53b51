"""A loaded language model: one set of weights behind the plain module and the TransformerLens bridge."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from workbench.errors import MismatchError, UsageError
from workbench.models.site import Site
from workbench.models.tokens import TokenizedText, tokenize


class _Stop(Exception):  # noqa: N818 - raised to leave the forward pass at the site, not to report a fault
    """Ends a forward pass once the site was read."""


@dataclass
class LoadedModel:
    """A model in memory.

    Attributes:
        name: short name, the first part of feature ids.
        plain: the Hugging Face module, used for bulk reading.
        tokenizer: its tokenizer.
        info: what `model info` shows.
    """

    name: str
    plain: Any
    tokenizer: Any
    info: dict[str, Any] = field(default_factory=dict)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        device: torch.device = next(self.plain.parameters()).device
        return device

    @cached_property
    def blocks(self) -> nn.ModuleList:
        """The list of transformer blocks.

        Raises:
            MismatchError: the architecture has no single list of as many blocks as its config says.
        """
        layers = self.plain.config.num_hidden_layers
        lists = [
            module
            for module in self.plain.modules()
            if isinstance(module, nn.ModuleList) and len(module) == layers and len(list(module.parameters())) > 0
        ]
        if not lists:
            raise MismatchError(
                f"cannot find the {layers} blocks of {type(self.plain).__name__}", "This architecture is not supported."
            )
        return max(lists, key=lambda module: sum(p.numel() for p in module.parameters()))

    @property
    def layers(self) -> int:
        """How many blocks there are."""
        return len(self.blocks)

    @property
    def width(self) -> int:
        """Units of the residual stream."""
        return int(self.plain.config.hidden_size)

    @property
    def context(self) -> int:
        """The longest input, in tokens."""
        return int(self.info["context"])

    @cached_property
    def bridge(self) -> Any:
        """The TransformerLens view of the same weights, made on first use: names, generation, interventions.

        The bridge is given a copy of the module tree whose copies of parameters and buffers are the originals,
        so that both trees share one set of weights.
        """
        from transformer_lens.model_bridge import TransformerBridge

        memo = {id(tensor): tensor for tensor in (*self.plain.parameters(), *self.plain.buffers())}
        twin = copy.deepcopy(self.plain, memo)
        return TransformerBridge.boot_transformers(
            self.info["source"],
            hf_model=twin,
            tokenizer=self.tokenizer,
            device=str(self.device),
            dtype=self.plain.dtype,
        )

    def tokenize(self, text: str) -> TokenizedText:
        """One text as tokens.

        Raises:
            UsageError: it is empty, or longer than the context.
        """
        tokens = tokenize(self.tokenizer, text, self.context)
        if not any(tokens.is_text):
            raise UsageError(f"the text {text!r} has no tokens", "Give at least one word.")
        return tokens

    def read(self, texts: Sequence[TokenizedText], site: Site, batch: int = 32) -> Iterator[Tensor]:
        """Activations at a site, one (tokens, width) tensor for each text, special tokens included.

        Texts are run in batches of similar length, padded on the right; padding never comes back. The forward
        pass ends at the site. Texts come back in the order given.
        """
        order = sorted(range(len(texts)), key=lambda number: len(texts[number].ids))
        found: dict[int, Tensor] = {}
        for start in range(0, len(order), batch):
            numbers = order[start : start + batch]
            ids, mask = self.pad([texts[number].ids for number in numbers])
            acts = self.read_ids(ids, mask, site)  # (batch, tokens, width)
            for row, number in enumerate(numbers):
                found[number] = acts[row, : len(texts[number].ids)]
        for number in range(len(texts)):
            yield found.pop(number)

    def pad(self, rows: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
        """Rows of ids as one (batch, tokens) tensor with its attention mask, padded on the right."""
        longest = max(len(row) for row in rows)
        ids = torch.zeros(len(rows), longest, dtype=torch.long)
        mask = torch.zeros(len(rows), longest, dtype=torch.long)
        for number, row in enumerate(rows):
            ids[number, : len(row)] = torch.tensor(row)
            mask[number, : len(row)] = 1
        return ids.to(self.device), mask.to(self.device)

    @torch.no_grad()
    def read_ids(self, ids: Tensor, mask: Tensor, site: Site) -> Tensor:
        """Activations at a site for padded ids (batch, tokens) -> (batch, tokens, width)."""
        kept: list[Tensor] = []

        def keep_output(_module: nn.Module, _args: Any, output: Any) -> None:
            kept.append(output[0] if isinstance(output, tuple) else output)
            raise _Stop

        def keep_input(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            kept.append(args[0] if args else kwargs["hidden_states"])
            raise _Stop

        block = self.blocks[site.layer]
        if site.stream == "hook_resid_pre":
            handle = block.register_forward_pre_hook(keep_input, with_kwargs=True)
        else:
            handle = block.register_forward_hook(keep_output)
        try:
            self.plain(input_ids=ids, attention_mask=mask, use_cache=False)
        except _Stop:
            pass
        finally:
            handle.remove()
        return kept[0]

    def need_logits(self) -> None:
        """Refuse what needs next-token predictions when the model is an encoder.

        Raises:
            MismatchError: the model predicts no next token.
        """
        if not self.info.get("causal", True):
            raise MismatchError(
                f"{self.name} is an encoder: it predicts no next token", "Steering and logits need a causal model."
            )

    @torch.no_grad()
    def logits(
        self, ids: Sequence[int], site: Site | None = None, change: Callable[[Tensor], Tensor] | None = None
    ) -> Tensor:
        """Logits (tokens, vocabulary) of the bridge, with `change` applied at `site` when given.

        `change` takes and gives the site's activations (1, tokens, width).

        Raises:
            MismatchError: the model is an encoder, or the hook at the site did not run.
        """
        self.need_logits()
        tokens = torch.tensor([list(ids)], device=self.device)
        with self.intervention(site, change):
            output: Tensor = self.bridge(tokens, return_type="logits")
        return output[0]

    @contextmanager
    def intervention(self, site: Site | None, change: Callable[[Tensor], Tensor] | None) -> Iterator[None]:
        """While open, every forward pass of the bridge runs `change` at the site.

        Raises:
            MismatchError: nothing passed through the site, so that nothing would have been changed.
        """
        if site is None or change is None:
            yield
            return
        fired = 0

        def hook(acts: Tensor, hook: Any) -> Tensor:  # noqa: ARG001 - TransformerLens passes the hook by this name
            nonlocal fired
            fired += 1
            return change(acts)

        stream = "hook_in" if site.stream == "hook_resid_pre" else "hook_out"
        name = f"blocks.{site.layer}.{stream}"
        with self.bridge.hooks(fwd_hooks=[(name, hook)]):
            yield
        if fired == 0:
            raise MismatchError(f"the hook at {site.name} did not run", "Nothing was changed; this is a fault.")
