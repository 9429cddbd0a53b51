"""Sites: the named places of a model at which activations are read and changed.

Names follow TransformerLens. `blocks.4.hook_resid_post` is the residual stream after block 4: on the plain
Hugging Face model the output of the fifth module of its block list (`hidden_states[5]`). What the attention
and the MLP of a block write is read as they add it to the stream, after a norm of their own where the
architecture has one. The neurons are the input of the MLP's output projection, in gated MLPs too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from workbench.errors import UnknownNameError

RESIDUAL_POST, RESIDUAL_PRE = "hook_resid_post", "hook_resid_pre"
ATTENTION, MLP, NEURONS = "hook_attn_out", "hook_mlp_out", "mlp.hook_post"
STREAMS = (RESIDUAL_POST, RESIDUAL_PRE, ATTENTION, MLP, NEURONS)
RESIDUAL = (RESIDUAL_POST, RESIDUAL_PRE)
_ALIASES = {
    "hook_out": RESIDUAL_POST,
    "hook_in": RESIDUAL_PRE,
    "attn.hook_out": ATTENTION,
    "mlp.hook_out": MLP,
}
_PATTERN = re.compile(r"blocks\.(\d+)\.(" + "|".join(map(re.escape, (*STREAMS, *_ALIASES))) + ")")
_HINT = "Streams of blocks.N are " + ", ".join(STREAMS) + "."


@dataclass(frozen=True)
class Site:
    """A layer and a stream of that layer."""

    layer: int
    stream: str

    @property
    def name(self) -> str:
        """The name, for example `blocks.4.hook_resid_post`."""
        return f"blocks.{self.layer}.{self.stream}"


def is_site(name: str) -> bool:
    """Whether a name is that of a stream of a block, of some model; other tools have names of their own."""
    return _PATTERN.fullmatch(name) is not None


def parse_site(name: str, layers: int) -> Site:
    """The site a name means in a model of `layers` blocks.

    Raises:
        UnknownNameError: a name of another form, or a block the model does not have.
    """
    match = _PATTERN.fullmatch(name)
    if match is None:
        known = [f"blocks.{layer}.{stream}" for layer in range(layers) for stream in STREAMS]
        raise UnknownNameError.among("site", name, known, _HINT)
    layer = int(match[1])
    if layer >= layers:
        raise UnknownNameError(f"site {name!r} does not exist", f"The model has {layers} blocks: 0 to {layers - 1}.")
    return Site(layer, _ALIASES.get(match[2], match[2]))
