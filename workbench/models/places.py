"""Where a site's tensor is: a module of the plain model and a hook of the bridge that see the same one.

Residual streams are the ends of the plain model's blocks. Every other stream is found through the bridge: its
own alias of the stream names one of its components, and that component wraps a module whose name in the plain
model is known. No list of architectures is kept here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from torch import nn

from workbench.errors import MismatchError
from workbench.models.site import ATTENTION, NEURONS, RESIDUAL_POST, RESIDUAL_PRE, STREAMS, Site

if TYPE_CHECKING:
    from workbench.models.bridge import Bridged
    from workbench.models.loaded import LoadedModel

End = Literal["in", "out"]


@dataclass(frozen=True)
class Place:
    """One end of one module, in both views.

    Attributes:
        module: the module of the plain model.
        end: whether the site is what it takes or what it gives.
        hook: name of the bridge's hook at the same tensor.
    """

    module: nn.Module
    end: End
    hook: str


def find_place(model: LoadedModel, site: Site) -> Place:
    """Where a site is in a loaded model.

    Raises:
        MismatchError: this architecture has no such stream in that block.
    """
    if site.stream == RESIDUAL_POST:
        return Place(model.blocks[site.layer], "out", f"blocks.{site.layer}.hook_out")
    if site.stream == RESIDUAL_PRE:
        return Place(model.blocks[site.layer], "in", f"blocks.{site.layer}.hook_in")
    found = _through_bridge(model.bridged, site)
    if found is None:
        has = [stream for stream in STREAMS[2:] if _through_bridge(model.bridged, Site(site.layer, stream))]
        raise MismatchError(
            f"{site.name} cannot be found in {type(model.plain).__name__}",
            f"Block {site.layer} has {', '.join([RESIDUAL_POST, RESIDUAL_PRE, *has])}.",
        )
    path, end, name = found
    return Place(model.plain.get_submodule(name), end, f"blocks.{site.layer}.{path}.hook_{end}")


def _through_bridge(bridged: Bridged, site: Site) -> tuple[str, End, str] | None:
    """The bridge's component below the block, which end of it, and its module's name in the plain model."""
    block = bridged.bridge.blocks[site.layer]
    for path, end in _aliases(block, site.stream):
        component = _component(block, path)
        if site.stream == ATTENTION and component is not None and _holds(bridged, component, _component(block, "ln1")):
            # the module adds to the stream and norms it itself: what the attention wrote is its projection
            path, component = f"{path}.o", _component(component, "o")
        name = bridged.names.get(getattr(component, "original_component", None))  # type: ignore[arg-type]
        if name is not None:
            return path, end, name
    return None


def _aliases(block: Any, stream: str) -> list[tuple[str, End]]:
    """What a stream is called on this block: paths of components and their ends, first choice first."""
    owner, prefix = (_component(block, "mlp"), "mlp.") if stream == NEURONS else (block, "")
    wanted = getattr(owner, "hook_aliases", {}).get(stream.removeprefix(prefix), [])
    split = [(prefix + target).rpartition(".hook_") for target in ([wanted] if isinstance(wanted, str) else wanted)]
    # a mixture of experts calls its output its neurons; only what enters a projection is one
    ends: tuple[End, ...] = ("in",) if stream == NEURONS else ("in", "out")
    return [(path, end) for path, _, last in split for end in ends if path and last == end]


def _component(owner: Any, path: str) -> Any | None:
    for part in path.split("."):
        owner = getattr(owner, "_modules", {}).get(part)
    return owner


def _holds(bridged: Bridged, outer: Any, inner: Any | None) -> bool:
    """Whether a component's module contains another's."""
    names = [bridged.names.get(getattr(part, "original_component", None)) for part in (outer, inner)]  # type: ignore[arg-type]
    return None not in names and f"{names[1]}".startswith(f"{names[0]}.")
