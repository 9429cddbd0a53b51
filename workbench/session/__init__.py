"""One investigation on disk: its log, artifacts, state and view; reading it needs no numpy and no torch."""

from workbench.session.record import SessionRecord
from workbench.session.session import Pending, Reply, Session

__all__ = ["Pending", "Reply", "Session", "SessionRecord"]
