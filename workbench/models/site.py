"""Sites: the named places of a model at which activations are read and changed.

Names follow TransformerLens: `blocks.4.hook_resid_post` is the residual stream after block 4. On the plain
Hugging Face model that is the output of the fifth module of its block list (`hidden_states[5]`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from workbench.errors import UnknownNameError

_PATTERN = re.compile(r"blocks\.(\d+)\.(hook_resid_post|hook_resid_pre|hook_out|hook_in)")
_CANONICAL = {"hook_out": "hook_resid_post", "hook_in": "hook_resid_pre"}


@dataclass(frozen=True)
class Site:
    """A layer and a stream of that layer."""

    layer: int
    stream: str

    @property
    def name(self) -> str:
        """The name, for example `blocks.4.hook_resid_post`."""
        return f"blocks.{self.layer}.{self.stream}"


def parse_site(name: str, layers: int) -> Site:
    """The site a name means in a model of `layers` blocks.

    Raises:
        UnknownNameError: a name of another form, or a block the model does not have.
    """
    match = _PATTERN.fullmatch(name)
    if match is None:
        known = [f"blocks.{layer}.hook_resid_post" for layer in range(layers)]
        raise UnknownNameError.among("site", name, known, "Sites are residual streams: blocks.N.hook_resid_post.")
    layer = int(match[1])
    if layer >= layers:
        raise UnknownNameError(f"site {name!r} does not exist", f"The model has {layers} blocks: 0 to {layers - 1}.")
    return Site(layer, _CANONICAL.get(match[2], match[2]))
