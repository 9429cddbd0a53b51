"""Another user of this machine, as a process: says what happens when it reaches for an engine.

`python -m tests.engine.strange UID SOCKET` becomes that user, connects, says hello, and prints one JSON object.
"""

from __future__ import annotations

import json
import os
import socket
import sys


def main() -> None:
    """Try, and tell."""
    uid, path = int(sys.argv[1]), sys.argv[2]
    os.setgroups([])
    os.setgid(uid)
    os.setuid(uid)
    told: dict[str, object] = {"uid": os.getuid()}
    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(60)
        try:
            link.connect(path)
            told["connected"] = True
            link.sendall(b'{"hello": 1}\n')
            told["heard"] = link.recv(65536).decode()
        except OSError as error:
            told["error"] = type(error).__name__
    print(json.dumps(told))


if __name__ == "__main__":
    main()
