"""Memory of this process: how much it holds, and the most it held."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")


def resident() -> int:
    """Bytes of memory this process holds now; where the system does not say, the most it ever held."""
    return _status("VmRSS") or _most_ever()


def peak() -> int:
    """The most bytes this process held since `forget_peak`, or ever where the system cannot forget."""
    return _status("VmHWM") or _most_ever()


def forget_peak() -> None:
    """Begin to watch the peak anew, where the system can (Linux)."""
    try:
        _CLEAR.write_text("5")
    except OSError:
        return  # not Linux, or not permitted: the peak is then the one ever reached, which is never too small


def _status(name: str) -> int:
    try:
        lines = _STATUS.read_text("ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(name + ":")), 0)


def _most_ever() -> int:
    found = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return found if sys.platform == "darwin" else found * 1024
