"""A container that only divides its place: Textual's own lay out and paint twice when they first get a size."""

from __future__ import annotations

from textual.containers import Container
from textual.geometry import Size
from textual.reactive import Reactive


class Box(Container):
    """Holds other widgets and never scrolls."""

    virtual_size: Reactive[Size] = Reactive(Size(0, 0), layout=False, repaint=False)
