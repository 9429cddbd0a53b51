"""Work beside the keys: one way to start it, so that an error of the engine is always shown."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, cast

from textual.dom import DOMNode
from textual.worker import Worker

from workbench.errors import WorkbenchError

if TYPE_CHECKING:
    from screens.app import WorkbenchApp


def start(node: DOMNode, work: Callable[[], Awaitable[object]], group: str, *, latest: bool = False) -> Worker[None]:
    """Start work that belongs to `node` and ends with it.

    Args:
        node: what the work is for.
        work: called without arguments, and awaited.
        group: name of this kind of work.
        latest: a newer work of this group replaces an older one that is still going on.
    """

    async def guarded() -> None:
        if not node.app.is_running:
            return  # the app ends: there is nothing left to show it on
        try:
            await work()
        except WorkbenchError as error:
            cast("WorkbenchApp", node.app).notify_error(error)

    return node.run_worker(cast(Any, guarded), group=group, exclusive=latest)
