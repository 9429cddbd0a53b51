"""A loaded language model: one set of weights behind the plain module and the TransformerLens bridge."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from workbench.errors import MismatchError, UsageError
from workbench.models.bridge import Bridged, boot
from workbench.models.memory import Portions
from workbench.models.places import Place, find_place
from workbench.models.site import RESIDUAL, Site
from workbench.models.tokens import TokenizedText, tokenize


class _Stop(Exception):  # noqa: N818 - raised to leave the forward pass at the last site, not to report a fault
    """Ends a forward pass once every site asked for was read."""


_OTHER_SITE = "Choose another site, such as blocks.N.hook_resid_post."


@dataclass
class LoadedModel:
    """A model in memory.

    Attributes:
        name: short name, the first part of feature ids.
        plain: the Hugging Face module, used for bulk reading.
        tokenizer: its tokenizer.
        info: what `model info` shows.
        portions: how many texts run at once, and what was said when memory ran out.
    """

    name: str
    plain: Any
    tokenizer: Any
    info: dict[str, Any] = field(default_factory=dict)
    portions: Portions = field(default_factory=Portions)
    _widths: dict[Site, int] = field(default_factory=dict, repr=False)

    @property
    def device(self) -> torch.device:
        """Where token ids go in and activations come out: the embedding's device, also of a model on several."""
        device: torch.device = self.plain.get_input_embeddings().weight.device
        return device

    @cached_property
    def blocks(self) -> nn.ModuleList:
        """The list of transformer blocks.

        Raises:
            MismatchError: the architecture has no single list of as many blocks as its config says.
        """
        layers = self.plain.config.get_text_config().num_hidden_layers
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
        return int(self.plain.config.get_text_config().hidden_size)

    @property
    def context(self) -> int:
        """The longest input, in tokens."""
        return int(self.info["context"])

    def site_width(self, site: Site) -> int:
        """Units of a site: those of the residual stream, or as many as one token has there.

        Raises:
            MismatchError: the architecture has no such stream.
        """
        if site.stream in RESIDUAL:
            return self.width
        if site not in self._widths:
            one = torch.zeros(1, 1, dtype=torch.long, device=self.device)
            self._widths[site] = int(self.read_ids(one, torch.ones_like(one), site).shape[-1])
        return self._widths[site]

    @cached_property
    def bridged(self) -> Bridged:
        """The TransformerLens view of the same weights, made on first use."""
        source, causal = str(self.info.get("source", "")), bool(self.info.get("causal", True))
        return boot(self.plain, self.tokenizer, source, str(self.device), causal=causal)

    @property
    def bridge(self) -> Any:
        """The TransformerLens bridge: names, interventions."""
        return self.bridged.bridge

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

    def read_ids(self, ids: Tensor, mask: Tensor, site: Site) -> Tensor:
        """Activations at a site for padded ids (batch, tokens) -> (batch, tokens, width)."""
        return self.read_sites(ids, mask, [site])[site]

    def read_sites(self, ids: Tensor, mask: Tensor, sites: Sequence[Site]) -> dict[Site, Tensor]:
        """Activations at several sites in one forward pass, which ends at the last of them.

        Where the memory does not hold the batch, it is run in halves, and `portions.notices` says so.

        Args:
            ids: (batch, tokens), padded on the right.
            mask: (batch, tokens), 0 where padded.
            sites: the sites; none twice.

        Returns:
            (batch, tokens, width) for each site, on `device`.

        Raises:
            MismatchError: the architecture has no such stream, or nothing passes there.
            WorkbenchError: memory runs out with a single row.
        """
        places = {site: find_place(self, site) for site in sites}
        parts = self.portions.run(len(ids), lambda start, stop: self._read(ids[start:stop], mask[start:stop], places))
        return {
            site: parts[0][site] if len(parts) == 1 else torch.cat([part[site] for part in parts]) for site in sites
        }

    @torch.no_grad()
    def _read(self, ids: Tensor, mask: Tensor, places: dict[Site, Place]) -> dict[Site, Tensor]:
        kept: dict[Site, Tensor] = {}
        handles = [_keep(place, site, kept, len(places)) for site, place in places.items()]
        try:
            self.plain(input_ids=ids, attention_mask=mask, use_cache=False)
        except _Stop:
            pass
        finally:
            for handle in handles:
                handle.remove()
        for site in places:
            if site not in kept:
                raise MismatchError(f"nothing passes through {site.name} in {type(self.plain).__name__}", _OTHER_SITE)
        # some architectures run their MLP on (batch * tokens, width)
        return {site: kept[site].reshape(*ids.shape, -1).to(self.device) for site in places}

    def need_logits(self) -> None:
        """Refuse what needs next-token predictions when the model is an encoder.

        Raises:
            MismatchError: the model predicts no next token.
        """
        if not self.info.get("causal", True):
            raise MismatchError(
                f"{self.name} is an encoder: it predicts no next token",
                "Steering, logits, generation and quanta need a causal model; everything else works on this one.",
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
        return self.logits_of_copies(ids, 1, site, change)[0]

    @torch.no_grad()
    def logits_of_copies(
        self, ids: Sequence[int], copies: int, site: Site | None, change: Callable[[Tensor], Tensor] | None
    ) -> Tensor:
        """Logits (copies, tokens, vocabulary) of one text in several rows, which `change` may change differently.

        Raises:
            MismatchError: the model is an encoder, or the hook at the site did not run.
        """
        self.need_logits()
        tokens = torch.tensor([list(ids)] * copies, device=self.device)
        with self.intervention(site, change):
            output: Tensor = self.bridge(tokens, return_type="logits")
        return output

    @torch.no_grad()
    def read_changed(self, ids: Sequence[int], at: Site, site: Site, change: Callable[[Tensor], Tensor]) -> Tensor:
        """Activations (tokens, width) at one site while `change` works at another; encoders too.

        Raises:
            MismatchError: the architecture has no such stream, or the hook did not run.
        """
        kept: list[Tensor] = []

        def keep(acts: Tensor, hook: Any) -> None:  # noqa: ARG001 - TransformerLens passes the hook by this name
            kept.append(acts)

        tokens = torch.tensor([list(ids)], device=self.device)
        reading = (find_place(self, at).hook, keep)
        with self.intervention(site, change), self.bridge.hooks(fwd_hooks=[reading]):
            self.bridge(tokens, return_type=None)
        if not kept:
            raise MismatchError(f"the hook at {at.name} did not run", "Nothing was read; this is a fault.")
        return kept[0].reshape(len(ids), -1).to(self.device)

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
            # a block of a split model may be elsewhere; some architectures run their MLP without the batch
            changed = change(acts.to(self.device).reshape(-1, *acts.shape[-2:]))
            return changed.to(acts.device).reshape(acts.shape)

        with self.bridge.hooks(fwd_hooks=[(find_place(self, site).hook, hook)]):
            yield
        if fired == 0:
            raise MismatchError(f"the hook at {site.name} did not run", "Nothing was changed; this is a fault.")


def _keep(place: Place, site: Site, kept: dict[Site, Tensor], wanted: int) -> RemovableHandle:
    """Hook a place of the plain model; the pass is left once all `wanted` sites are in `kept`."""

    def keep(tensor: Tensor) -> None:
        kept.setdefault(site, tensor)
        if len(kept) == wanted:
            raise _Stop

    def keep_output(_module: nn.Module, _args: Any, output: Any) -> None:
        keep(output[0] if isinstance(output, tuple) else output)

    def keep_input(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        keep(args[0] if args else kwargs["hidden_states"])

    if place.end == "in":
        return place.module.register_forward_pre_hook(keep_input, with_kwargs=True)
    return place.module.register_forward_hook(keep_output)
