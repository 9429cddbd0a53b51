"""One investigation on disk: its log, artifacts, state and view; reading it needs no numpy and no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.session.record import SessionRecord
    from workbench.session.session import Pending, Reply, Session

__all__ = ["Pending", "Reply", "Session", "SessionRecord"]


def __getattr__(name: str) -> Any:
    """Import a class when it is asked for (PEP 562): the shell finds sessions by name and needs none of them."""
    if name == "SessionRecord":
        from workbench.session.record import SessionRecord

        return SessionRecord
    if name in __all__:
        from workbench.session import session

        return getattr(session, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
