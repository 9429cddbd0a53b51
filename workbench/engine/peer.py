"""Who is at the other end of a Unix socket."""

from __future__ import annotations

import os
import socket
import struct


def peer_uid(connection: socket.socket) -> int | None:
    """The user id of the peer as the kernel knows it; None where the platform cannot say."""
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return None
    raw = connection.getsockopt(socket.SOL_SOCKET, option, struct.calcsize("3i"))
    _pid, uid, _gid = struct.unpack("3i", raw)
    return int(uid)


def is_own_user(connection: socket.socket) -> bool:
    """Whether the peer runs as this user; where the kernel cannot say, the 0700 folder is the guard."""
    uid = peer_uid(connection)
    return uid is None or uid == os.getuid()
