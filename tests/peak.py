"""A command in a process of its own, with the most memory that this process held."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

# VmHWM, not getrusage: ru_maxrss begins at the peak of the process that started this one, which is pytest.
_PEAK = """
import re, sys
from commands.cli import main
code = main(sys.argv[1:])
kib = re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read()).group(1)
sys.stderr.write("peak %d\\n" % (int(kib) * 1024))
sys.exit(code)
"""


def run_alone(session: str, sessions: Path, *line: str) -> tuple[dict[str, Any], int]:
    """The result of a shell line without an engine, and its peak in bytes; skips where no peak can be read."""
    if not sys.platform.startswith("linux"):
        pytest.skip("a peak can be watched anew on Linux only")
    where = ["--no-engine", "--session", session, "--sessions", str(sessions), "--json"]
    done = subprocess.run([sys.executable, "-c", _PEAK, *where, *line], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["result"], int(done.stderr.split("peak ")[-1])
